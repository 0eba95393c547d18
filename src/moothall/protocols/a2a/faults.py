"""Errors as the bindings write them (A2A 1.0 §5.4, §9.5, §11.6): details of ``google.rpc``, and one of ours. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from http import HTTPStatus
from typing import Any, Final

from moothall.errors import MoothallError, Told, ValidationError
from moothall.messages import Lang, explain
from moothall.protocols.a2a.failures import DOMAIN, Form, ProtocolError
from moothall.protocols.headers import retry_after, status_of

OWN_DOMAIN: Final = "moothall"
"""The domain of reasons that the protocol does not know."""

_TYPE: Final = "type.googleapis.com/google."
_MOST_FIELDS: Final = 50
_LATER: Final = frozenset({HTTPStatus.TOO_MANY_REQUESTS, HTTPStatus.SERVICE_UNAVAILABLE})
_REASONS: Final[Mapping[str, str]] = {"VALIDATION_ERROR": "INVALID_PARAMS", "INTERNAL_ERROR": "INTERNAL_ERROR"}
"""Those of our codes for which the protocol has a reason."""

_STATUSES: Final[Mapping[int, str]] = {
    400: "INVALID_ARGUMENT",
    401: "UNAUTHENTICATED",
    403: "PERMISSION_DENIED",
    404: "NOT_FOUND",
    405: "UNIMPLEMENTED",
    409: "ABORTED",
    410: "NOT_FOUND",
    413: "RESOURCE_EXHAUSTED",
    415: "INVALID_ARGUMENT",
    422: "FAILED_PRECONDITION",
    429: "RESOURCE_EXHAUSTED",
    503: "UNAVAILABLE",
    504: "DEADLINE_EXCEEDED",
}
_NOT_TOLD: Final = frozenset({"INTERNAL_ERROR"})
"""Codes whose details are nobody's business."""


class ParseError(ValidationError):
    """A body that is no JSON, or could mean two things; it has a number of its own in JSON-RPC."""


def form_of(error: MoothallError) -> Form:
    """The numbers and names of an error."""
    if isinstance(error, ProtocolError):
        return error.form
    code, http = error.envelope_code, status_of(error)
    if http < HTTPStatus.BAD_REQUEST:  # what is no failure elsewhere still brought no task
        http = HTTPStatus.CONFLICT
    jsonrpc = -32700 if isinstance(error, ParseError) else error.appearance.jsonrpc
    return Form(jsonrpc, http, _STATUSES.get(http, "INTERNAL"), _REASONS.get(code, code))


def described(
    error: MoothallError, request_id: str, lang: Lang, challenge: Mapping[str, object] | None = None
) -> tuple[Form, str, list[dict[str, Any]]]:
    """An error's form, its text in a language, and its details.

    Args:
        error: why.
        request_id: under which the log has it.
        lang: the caller's.
        challenge: what an error of authentication brings along (row WIRE-CHAL-03).
    """
    form, words, code = form_of(error), explain(error, lang), error.envelope_code
    known = isinstance(error, ProtocolError) or code in _REASONS
    info: dict[str, Any] = {
        "@type": f"{_TYPE}rpc.ErrorInfo",
        "reason": form.reason,
        "domain": DOMAIN if known else OWN_DOMAIN,
        "metadata": {"code": code, "requestId": request_id},
    }
    own: dict[str, Any] = {"code": code, "why": words.why, "hint": words.hint, "request_id": request_id}
    if error.details and code not in _NOT_TOLD:
        own["details"] = dict(error.details)
    if challenge is not None:
        own["challenge"] = dict(challenge)
    details = [info, {"@type": f"{_TYPE}protobuf.Struct", "value": own}]
    if violations := _violations(error, words.why):
        details.append({"@type": f"{_TYPE}rpc.BadRequest", "fieldViolations": violations})
    if form.http in _LATER:
        details.append({"@type": f"{_TYPE}rpc.RetryInfo", "retryDelay": f"{retry_after(error)}s"})
    told = words.why if isinstance(error, ProtocolError) else f"{words.message}: {words.why}"
    return form, told, details


def _violations(error: MoothallError, why: str) -> list[dict[str, str]]:
    """Which members of a request are wrong, where that is known."""
    told: Told | None = error.told
    if isinstance(error, ProtocolError):
        field = told.values.get("field") if told is not None else None
        return [{"field": field, "description": why}] if isinstance(field, str) else []
    faults = error.details.get("errors")
    if not isinstance(faults, list | tuple):
        return []
    return [
        {"field": ".".join(map(str, fault.get("loc", ()))), "description": str(fault.get("msg", ""))}
        for fault in faults[:_MOST_FIELDS]
        if isinstance(fault, Mapping)
    ]
