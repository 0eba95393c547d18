"""Questions of a server that is called: forms are passed on to whoever called us, and nothing else is.

A form asks a person, who sees who asks. What a model shall write, and which folders there are, is no business of a
server that our caller has not chosen itself.
"""

from __future__ import annotations

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

from moothall.calls.ports import Partner
from moothall.capability.questions import Form
from moothall.errors import MoothallError
from moothall.protocols.mcp.remote.exchange import Exchange, current
from moothall.protocols.mcp.remote.failures import unanswered, unfit

_REFUSED: Final = ErrorData(code=INVALID_REQUEST, message="nobody can be asked")


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
        if exchange.partner is None or not isinstance(params, ElicitRequestFormParams):
            return _REFUSED
        try:
            answers = await exchange.partner.ask({"elicitation": _form(params)})
            answer = ElicitResult.model_validate(answers["elicitation"])
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


async def answers_to(asked: InputRequiredResult, partner: Partner | None, name: str) -> InputResponses:
    """Answer the questions that came in place of a result; ``name`` is put before the server's own names of them.

    Raises:
        InputRequired: there is nobody to ask, or one is no form.
        MoothallError: as `Partner.ask`.
    """
    forms: dict[str, Form] = {}
    for key, request in (asked.input_requests or {}).items():
        if not isinstance(request, ElicitRequest) or not isinstance(request.params, ElicitRequestFormParams):
            raise unanswered()
        forms[f"{name}:{key}"] = _form(request.params)
    if not forms:
        return {}
    if partner is None:
        raise unanswered()
    given: Mapping[str, Any] = await partner.ask(forms)
    try:
        return {key.removeprefix(f"{name}:"): ElicitResult.model_validate(given[key]) for key in forms}
    except ValidationError as error:
        raise unfit() from error


def _form(params: ElicitRequestFormParams) -> Form:
    return Form(params.message, dict(params.requested_schema))
