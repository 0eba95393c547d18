"""How an error leaves the node: ``{"error": {code, message, why, hint}}`` in the client's language."""

from __future__ import annotations

from collections.abc import Mapping
from http import HTTPStatus

from pydantic import BaseModel
from starlette.datastructures import Headers
from starlette.responses import Response
from starlette.types import Scope

from moothall.canonical import dumps
from moothall.errors import ApprovalPending, MoothallError
from moothall.messages import Lang, explain
from moothall.protocols.headers import pending_headers, retry_after
from moothall.protocols.house import Challenged
from moothall.server.language import accepted


class ErrorDetail(BaseModel):
    """What went wrong, why, and what to do about it."""

    code: str
    message: str
    why: str = ""
    hint: str = ""


class ErrorBody(BaseModel):
    """The body of every answer that is not a success."""

    error: ErrorDetail


def client_language(scope: Scope, otherwise: Lang) -> Lang:
    """The language the client asks for, or ``otherwise``."""
    return accepted(Headers(scope=scope).get("accept-language", "")) or otherwise


def error_response(error: MoothallError, lang: Lang, challenged: Challenged | None = None) -> Response:
    """The HTTP answer for ``error``; ``challenged`` is what an error of authentication brings along (WIRE-CHAL-01)."""
    status = error.http_status
    headers: dict[str, str] = {"Cache-Control": "no-store"} if challenged is None else {}
    if status == HTTPStatus.UNAUTHORIZED:
        headers["WWW-Authenticate"] = "Bearer"
    if status in {HTTPStatus.TOO_MANY_REQUESTS, HTTPStatus.SERVICE_UNAVAILABLE}:
        headers["Retry-After"] = str(retry_after(error))
    if isinstance(error, ApprovalPending):
        headers |= {name.decode(): value.decode() for name, value in pending_headers(error)}
    told = explain(error, lang)
    detail = ErrorDetail(code=error.code, message=told.message, why=told.why, hint=told.hint)
    response = detail_response(detail, status, lang, headers)
    for name, value in () if challenged is None else challenged.headers:
        response.headers.append(name, value)
    return response


def detail_response(detail: ErrorDetail, status: int, lang: Lang, headers: Mapping[str, str] | None = None) -> Response:
    """The HTTP answer that carries ``detail``."""
    body = dumps(ErrorBody(error=detail).model_dump())
    return Response(body, status, {"Content-Language": lang, **(headers or {})}, media_type="application/json")
