"""The door of ``POST /search``: whoever may call the node's capability ``search`` finds the same here."""

from __future__ import annotations

from starlette.types import Receive, Send

from moothall.calls.ports import CallFacts, Gateway
from moothall.calls.request_ids import fresh
from moothall.canonical import dumps
from moothall.errors import InternalError, InvalidInput, MethodNotAllowed, MoothallError, Told
from moothall.messages import explain
from moothall.protocols.catalogue.searching import PATH, TARGET, answered, asked
from moothall.protocols.headers import NOT_KEPT, Headers, failure_headers, latin, status_of
from moothall.protocols.house import REQUEST_ID, HouseTerms, Scope
from moothall.protocols.intake import ClientLeft, read_body, read_json, received

_CODES = {
    "UNAUTHENTICATED": "UNAUTHENTICATED",
    "NOT_FOUND": "NOT_FOUND",
    "RATE_LIMITED": "RATE_LIMIT_EXCEEDED",
    "INTERNAL_ERROR": "INTERNAL_ERROR",
}
"""Our codes, and those of ARD (appendix B)."""


class SearchDoor:
    """The door of one node.

    Args:
        gateway: makes the call.
        base: the address of the node, without a slash at its end.
        terms: what the house hands in.
    """

    def __init__(self, gateway: Gateway, base: str, terms: HouseTerms) -> None:
        self._gateway = gateway
        self._base = base
        self._terms = terms

    def claims(self, path: str) -> bool:
        """Whether it is the address of search."""
        return path == PATH

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Take an ASGI connection whose path it claims."""
        try:
            status, headers, body = await self._answer(scope, receive)
        except ClientLeft:
            return
        except MoothallError as error:
            status, headers, body = self._refusal(error, scope)
        length = (b"content-length", b"%d" % len(body))
        await send({"type": "http.response.start", "status": status, "headers": [*headers, NOT_KEPT, length]})
        await send({"type": "http.response.body", "body": body})

    async def _answer(self, scope: Scope, receive: Receive) -> tuple[int, Headers, bytes]:
        if scope["method"] != "POST":
            told = Told("catalogue.not_allowed", {"methods": "POST"})
            raise MethodNotAllowed("it is asked with POST", told=told, details={"allowed": ["POST"]})
        length = dict(scope["headers"]).get(b"content-length", b"")
        body = await read_body(receive, length, self._terms.max_body)
        principal = await self._gateway.authenticate(received(scope, body))
        request = asked(await read_json(body))
        client = scope.get("client")
        facts = CallFacts(
            door="http",
            principal=principal,
            request_id=scope.get(REQUEST_ID) or fresh(),
            address=client[0] if client else "",
        )
        reply = await self._gateway.call(TARGET, request.params, facts)
        if reply.error is not None:
            raise reply.error
        if not isinstance(reply.data, dict):
            raise InternalError("the search gave no JSON")
        welcome = latin(self._terms.welcome(principal)) if principal.kind == "did" else []
        return 200, [(b"content-type", b"application/json"), *welcome], dumps(answered(reply.data, request, self._base))

    def _refusal(self, error: MoothallError, scope: Scope) -> tuple[int, Headers, bytes]:
        header = dict(scope["headers"]).get(b"accept-language", b"").decode("latin-1")
        lang = self._terms.accepted(header) or self._terms.lang
        told = explain(error, lang)
        invalid = isinstance(error, InvalidInput) and error.http_status == 400  # noqa: PLR2004
        code = "INVALID_ARGUMENT" if invalid else _CODES.get(error.envelope_code, error.envelope_code)
        shown = {"code": code, "message": told.message, "why": told.why, "hint": told.hint}
        body: dict[str, object] = {"error": shown, "request_id": scope.get(REQUEST_ID) or fresh()}
        headers = [*failure_headers(error, lang), (b"content-type", b"application/json")]
        challenged = self._terms.challenge(error)
        if challenged is not None:
            headers += latin(challenged.headers)
            body["challenge"] = dict(challenged.mirror)
        return status_of(error), headers, dumps(body)
