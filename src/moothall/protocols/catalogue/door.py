"""The catalogue door: what a node offers and where, for those who look around."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from starlette.types import Receive, Send

from moothall.calls.ports import Gateway
from moothall.calls.request_ids import fresh
from moothall.canonical import dumps
from moothall.errors import MethodNotAllowed, MoothallError, Told
from moothall.identity.refusal import refused
from moothall.messages import Lang, explain
from moothall.protocols.catalogue.documents import CATALOGUE
from moothall.protocols.catalogue.published import Document, Published
from moothall.protocols.headers import BY_READER, NOT_KEPT, Headers, failure_headers, latin, status_of, unchanged
from moothall.protocols.house import REQUEST_ID, HouseTerms, Scope
from moothall.protocols.intake import received

_READ: Final = ("GET", "HEAD")
_KEPT: Final = (b"cache-control", b"public, max-age=60")
_PRIVATE: Final = (b"cache-control", b"private, no-cache")
_LINK: Final = (b"link", f'<{CATALOGUE}>; rel="ai-catalog"'.encode())
_BY_ORIGIN: Final = (b"vary", b"Origin")
_ALLOWED: Final = [(b"access-control-allow-methods", b"GET"), (b"access-control-allow-headers", b"Content-Type")]


@dataclass(frozen=True, kw_only=True)
class Terms(HouseTerms):
    """The terms of the door.

    Attributes:
        open_documents: everybody may read; otherwise only who proves an identity may.
        origins: the origins of other sites whose pages may read, too; lower case.
    """

    open_documents: bool = True
    origins: frozenset[str] = frozenset()


class CatalogueDoor:
    """The door of one node.

    Args:
        gateway: knows who asks.
        published: the documents.
        terms: what the house hands in.
    """

    def __init__(self, gateway: Gateway, published: Published, terms: Terms) -> None:
        self._gateway = gateway
        self._published = published
        self._terms = terms

    def claims(self, path: str) -> bool:
        """Whether an address is this door's."""
        return self._published.has(path)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:  # noqa: ARG002 - nothing is sent here
        """Take an ASGI connection whose path it claims."""
        head = scope["method"] == "HEAD"
        try:
            status, headers, body = await self._answer(scope)
        except MoothallError as error:
            status, headers, body = self._refusal(error, scope)
        if body:
            headers = [*headers, (b"content-length", b"%d" % len(body))]
        await send({"type": "http.response.start", "status": status, "headers": headers})
        await send({"type": "http.response.body", "body": b"" if head else body})

    async def _answer(self, scope: Scope) -> tuple[int, Headers, bytes]:
        """The document.

        Raises:
            MethodNotAllowed: it is only read.
            Unauthenticated: it is not for everybody, and nothing proves who reads it.
        """
        if scope["method"] not in _READ:
            told = Told("catalogue.not_allowed", {"methods": ", ".join(_READ)})
            raise MethodNotAllowed("catalogues are read", told=told, details={"allowed": list(_READ)})
        kept = await self._reader(scope)
        document = self._published.at(scope["path"])
        headers: Headers = [
            (b"etag", document.etag.encode()),
            (b"last-modified", document.last_modified.encode()),
            _LINK,
            *kept,
            *self._shared(dict(scope["headers"])),
        ]
        if _known(scope["headers"], document):
            return 304, headers, b""
        return 200, [*headers, (b"content-type", document.media_type.encode())], document.body

    async def _reader(self, scope: Scope) -> Headers:
        """How long the reader may keep a document; it proves who it is where that is asked for."""
        if self._terms.open_documents:
            return [_KEPT]
        principal = await self._gateway.authenticate(received(scope, b""))
        if not principal.verified:
            raise refused("invalid_request", "the request does not say who sends it")
        welcome = self._terms.welcome(principal) if principal.kind == "did" else []
        return [_PRIVATE, BY_READER, *latin(welcome)]

    def _shared(self, headers: Mapping[bytes, bytes]) -> Headers:
        """What lets a page of a listed origin read it; those of others get no further than the boundary."""
        origin = headers.get(b"origin")
        if not self._terms.origins:
            return []
        if origin is None or origin.decode("latin-1").lower() not in self._terms.origins:
            return [_BY_ORIGIN]
        return [_BY_ORIGIN, (b"access-control-allow-origin", origin), *_ALLOWED]

    def _refusal(self, error: MoothallError, scope: Scope) -> tuple[int, Headers, bytes]:
        lang = self._lang(scope)
        told = explain(error, lang)
        shown = {"code": error.envelope_code, "message": told.message, "why": told.why, "hint": told.hint}
        body = {"error": shown, "request_id": scope.get(REQUEST_ID) or fresh()}
        headers = [NOT_KEPT, *failure_headers(error, lang), (b"content-type", b"application/json")]
        challenged = self._terms.challenge(error)
        if challenged is not None:
            headers += latin(challenged.headers)
            body["challenge"] = dict(challenged.mirror)
        return status_of(error), headers, dumps(body)

    def _lang(self, scope: Scope) -> Lang:
        header = dict(scope["headers"]).get(b"accept-language", b"").decode("latin-1")
        return self._terms.accepted(header) or self._terms.lang


def _known(headers: Headers, document: Document) -> bool:
    """Whether the reader has the document already; a date counts only where no tag is given (RFC 9110 §13.1.3)."""
    given = dict(headers)
    if b"if-none-match" in given:
        return unchanged(headers, document.etag.encode())
    since = given.get(b"if-modified-since")
    return since is not None and document.not_newer_than(since.decode("latin-1"))
