"""Every failure inside the routes becomes one shape of answer; the framework's 422 never leaves (row NEG-API-07)."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from http import HTTPStatus
from typing import Any

from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from moothall.errors import BadDemand, InternalError, InvalidInput, MoothallError
from moothall.messages import Lang, text
from moothall.server.boundary import SUBMIT_PATH
from moothall.server.replies import ErrorDetail, client_language, detail_response, error_response

Handler = Callable[[Request, Any], Coroutine[Any, Any, Response]]
_SHOWN = 3
"""Faulty fields named in one answer."""


class Failures:
    """The exception handlers of the application."""

    def __init__(self, lang: Lang) -> None:
        self._lang = lang

    def handlers(self) -> dict[int | type[Exception], Handler]:
        """The table FastAPI wants."""
        return {
            MoothallError: self.typed,
            RequestValidationError: self.invalid,
            HTTPException: self.framework,
            Exception: self.unexpected,
        }

    async def typed(self, request: Request, error: MoothallError) -> Response:
        """An error of our own tree."""
        return error_response(error, self._of(request))

    async def invalid(self, request: Request, error: RequestValidationError) -> Response:
        """A request that does not fit its schema; values are never repeated."""
        lang = self._of(request)
        problems = [
            text("server.field_wrong", lang, field=".".join(str(part) for part in item["loc"]), problem=item["msg"])
            for item in error.errors()[:_SHOWN]
        ]
        why = "; ".join(problems)
        if request.url.path == SUBMIT_PATH:
            return error_response(BadDemand(text("server.demand_body", lang), why=why), lang)
        return error_response(InvalidInput(text("server.fields_wrong", lang), why=why), lang)

    async def framework(self, request: Request, error: HTTPException) -> Response:
        """No such route, no such method, an unreadable body."""
        lang = self._of(request)
        if error.status_code == HTTPStatus.METHOD_NOT_ALLOWED:
            if request.method == "OPTIONS":
                return Response(status_code=HTTPStatus.NO_CONTENT, headers=error.headers)
            detail = ErrorDetail(code="METHOD_NOT_ALLOWED", message=text("server.method_not_allowed", lang))
            return detail_response(detail, error.status_code, lang, error.headers)
        if error.status_code == HTTPStatus.NOT_FOUND:
            detail = ErrorDetail(
                code="NOT_FOUND",
                message=text("server.not_found", lang),
                hint=text("server.not_found_hint", lang),
            )
            return detail_response(detail, error.status_code, lang)
        refusal = BadDemand if request.url.path == SUBMIT_PATH else InvalidInput
        return error_response(refusal(text("server.body_unreadable", lang)), lang)

    async def unexpected(self, request: Request, _: Exception) -> Response:
        """A fault of ours: a fixed text; the boundary logs the traceback under the request id."""
        return error_response(InternalError("the node failed"), self._of(request))

    def _of(self, request: Request) -> Lang:
        """What the client asks for, else the language of the demand it sent, else the node's."""
        return client_language(request.scope, getattr(request.state, "lang", self._lang))
