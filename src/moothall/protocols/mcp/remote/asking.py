"""Questions of a server that is called: forms are passed on to whoever called us, and nothing else is.

A form asks a person, who sees who asks. What a model shall write, and which folders there are, is no business of a
server that our caller has not chosen itself.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any, Final

from mcp.client import ClientRequestContext
from mcp_types import (
    ElicitRequest,
    ElicitRequestFormParams,
    ElicitRequestParams,
    ElicitResult,
    ErrorData,
    InputRequiredResult,
    InputResponses,
)
from mcp_types.jsonrpc import INVALID_REQUEST
from pydantic import ValidationError

from moothall.capability.questions import Form
from moothall.errors import InputRequired, MoothallError
from moothall.protocols.mcp.remote.exchange import Exchange, current
from moothall.protocols.mcp.remote.failures import unanswered, unfit

_REFUSED: Final = ErrorData(code=INVALID_REQUEST, message="nobody can be asked")
_KEPT: Final = frozenset({"mcp.asked", "a2a.state.questions"})
"""What is told of questions that the caller was handed in place of a result."""

_SHOWN: Final = 64


class Asked:
    """Answers what a server of the older protocol asks while it works."""

    def __init__(self) -> None:
        self._under_way: list[Exchange] = []

    @contextmanager
    def during(self, exchange: Exchange) -> Iterator[None]:
        """A call is under way."""
        self._under_way.append(exchange)
        try:
            yield
        finally:
            self._under_way.remove(exchange)

    async def __call__(self, context: ClientRequestContext, params: ElicitRequestParams) -> ElicitResult | ErrorData:
        """Pass a question on to whoever made the call."""
        del context
        exchange = self._of_question()
        if exchange is None:
            return _REFUSED
        exchange.asked = True
        if exchange.partner is None or left_open(exchange) or not isinstance(params, ElicitRequestFormParams):
            return _REFUSED
        try:
            form = _form(params)
            exchange.questions += 1
            name = _named(exchange, str(exchange.questions), "elicitation", form)
            answers = await exchange.partner.ask({name: form})
            answer = ElicitResult.model_validate(answers[name])
        except MoothallError as error:
            exchange.failure = error
            return _REFUSED
        except ValidationError:
            return _REFUSED
        exchange.asked = False
        return answer

    def _of_question(self) -> Exchange | None:
        """The call that a question belongs to: the one on whose stream it came, else the only one under way."""
        exchange = current()
        if exchange in self._under_way:
            return exchange
        return self._under_way[0] if len(self._under_way) == 1 else None


def left_open(exchange: Exchange) -> bool:
    """Whether our caller holds a question of this call: its answer decides, whatever the server made without it."""
    failure = exchange.failure
    return isinstance(failure, InputRequired) and failure.told is not None and failure.told.why in _KEPT


async def answers_to(asked: InputRequiredResult, exchange: Exchange) -> InputResponses:
    """Answer the questions that came in place of a result.

    Raises:
        InputRequired: there is nobody to ask, or one is no form.
        MoothallError: as `Partner.ask`.
    """
    forms: dict[str, Form] = {}
    keys: dict[str, str] = {}
    exchange.questions += 1
    for key, request in (asked.input_requests or {}).items():
        if not isinstance(request, ElicitRequest) or not isinstance(request.params, ElicitRequestFormParams):
            raise unanswered()
        form = _form(request.params)
        name = _named(exchange, str(exchange.questions), key, form)
        forms[name], keys[name] = form, key
    if not forms:
        return {}
    if exchange.partner is None:
        raise unanswered()
    given: Mapping[str, Any] = await exchange.partner.ask(forms)
    try:
        return {keys[name]: ElicitResult.model_validate(given[name]) for name in forms}
    except ValidationError as error:
        raise unfit() from error


def _form(params: ElicitRequestFormParams) -> Form:
    return Form(params.message, dict(params.requested_schema))


def _named(exchange: Exchange, place: str, key: str, form: Form) -> str:
    """The name of a question, which no other has: a caller that comes again has its answers found by their names.

    What is called, with which arguments, which question of that call it is, and what it says: all of that is agreed to
    by an answer, and nothing else is.
    """
    said = json.dumps([exchange.about, place, key, form.message, form.schema], sort_keys=True)
    return f"{exchange.target}:{key[:_SHOWN]}:{hashlib.sha256(said.encode()).hexdigest()[:32]}"
