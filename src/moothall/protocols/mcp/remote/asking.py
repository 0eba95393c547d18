"""Questions of a server that is called: forms are passed on to whoever called us, and nothing else is.

A form asks a person, who sees who asks. What a model shall write, and which folders there are, is no business of a
server that our caller has not chosen itself.
"""

from __future__ import annotations

from collections.abc import Mapping
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
from moothall.errors import InputRequired, MoothallError
from moothall.protocols.mcp.remote.exchange import current
from moothall.protocols.mcp.remote.failures import unanswered, unfit

_REFUSED: Final = ErrorData(code=INVALID_REQUEST, message="nobody can be asked")


async def elicited(context: ClientRequestContext, params: ElicitRequestParams) -> ElicitResult | ErrorData:
    """Answer a question that a server of the older protocol asks while it works."""
    del context
    exchange = current()
    if exchange is None or exchange.partner is None or not isinstance(params, ElicitRequestFormParams):
        if exchange is not None:
            exchange.asked = True
        return _REFUSED
    try:
        answers = await exchange.partner.ask({"elicitation": _form(params)})
        return ElicitResult.model_validate(answers["elicitation"])
    except (InputRequired, ValidationError):
        exchange.asked = True
    except MoothallError as error:
        exchange.failure = error
    return _REFUSED


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
