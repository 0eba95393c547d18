"""Every failure inside the routes becomes one shape of answer; the framework's 422 never leaves (row NEG-API-07)."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from dataclasses import replace
from http import HTTPStatus
from typing import Any

from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from moothall.errors import BadDemand, InternalError, InvalidInput, MoothallError, Told
from moothall.messages import LANGS, Lang, text
from moothall.negotiation.demand.faults import field_of, told_faults
from moothall.negotiation.demand.submission import rule_of
from moothall.protocols.house import Challenged
from moothall.server.boundary import SUBMIT_PATH
from moothall.server.replies import ErrorDetail, client_language, detail_response, error_response

Handler = Callable[[Request, Any], Coroutine[Any, Any, Response]]


class Failures:
    """The exception handlers of the application; ``challenge`` says what a better proof must show."""

    def __init__(self, lang: Lang, challenge: Callable[[MoothallError], Challenged | None]) -> None:
        self._lang = lang
        self._challenge = challenge

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
        return error_response(error, self._of(request, error.lang), self._challenge(error))

    async def invalid(self, request: Request, error: RequestValidationError) -> Response:
        """A request that does not fit its schema; values are never repeated."""
        lang = self._of(request)
        faults = error.errors()
        told = told_faults(faults, error.body)
        if request.url.path == SUBMIT_PATH:
            field = field_of(faults[0], error.body).partition(".")[0].partition("[")[0]
            refusal: MoothallError = BadDemand("not a demand", told=replace(told, hint=rule_of(field)))
        else:
            refusal = InvalidInput("the request does not fit", told=told)
        return error_response(refusal, lang)

    async def framework(self, request: Request, error: HTTPException) -> Response:
        """No such route, no such method, an unreadable body."""
        lang = self._of(request)
        if error.status_code == HTTPStatus.METHOD_NOT_ALLOWED:
            if request.method == "OPTIONS":
                return Response(status_code=HTTPStatus.NO_CONTENT, headers=error.headers)
            allowed = (error.headers or {}).get("Allow", "")
            detail = ErrorDetail(
                code="METHOD_NOT_ALLOWED",
                message=text("server.method_not_allowed", lang),
                why=text("why.method", lang, methods=allowed),
                hint=text("why.rule.method", lang),
            )
            return detail_response(detail, error.status_code, lang, error.headers)
        if error.status_code == HTTPStatus.NOT_FOUND:
            detail = ErrorDetail(
                code="NOT_FOUND",
                message=text("server.not_found", lang),
                hint=text("server.not_found_hint", lang),
            )
            return detail_response(detail, error.status_code, lang)
        unreadable = Told("server.body_unreadable")
        if request.url.path == SUBMIT_PATH:
            return error_response(BadDemand("no JSON", told=replace(unreadable, hint=rule_of(""))), lang)
        return error_response(InvalidInput("no JSON", told=unreadable), lang)

    async def unexpected(self, request: Request, _: Exception) -> Response:
        """A fault of ours: a fixed text; the boundary logs the traceback under the request id."""
        return error_response(InternalError("the node failed"), self._of(request))

    def _of(self, request: Request, about: str = "") -> Lang:
        """What the client asks for, else the language of the demand it sent or the error is about, else the node's."""
        otherwise: Lang = getattr(request.state, "lang", self._lang)
        return client_language(request.scope, next((lang for lang in LANGS if lang == about), otherwise))
