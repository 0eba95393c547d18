"""The ANP door: DID documents, descriptions, interfaces, the list of agents, and the call route."""

from __future__ import annotations

import re
from typing import Final
from urllib.parse import parse_qs

from starlette.types import Receive, Send

from moothall.calls.ports import Gateway
from moothall.calls.request_ids import fresh
from moothall.errors import MethodNotAllowed, MoothallError, ServiceNotFoundError, Told
from moothall.identity.principal import ANONYMOUS, Principal
from moothall.identity.refusal import refused
from moothall.messages import Lang
from moothall.protocols.anp.addresses import DISCOVERY, Place, place_at
from moothall.protocols.anp.answers import Answer, refusal
from moothall.protocols.anp.description import AUTHORIZATION
from moothall.protocols.anp.negotiating import Holds
from moothall.protocols.anp.published import Document, Published
from moothall.protocols.anp.route import DOOR, CallRoute
from moothall.protocols.anp.terms import Terms
from moothall.protocols.headers import BY_READER, Headers, latin, unchanged
from moothall.protocols.house import REQUEST_ID, Scope
from moothall.protocols.intake import ClientLeft, received
from moothall.protocols.readers import reader_of, seen_by
from moothall.telemetry import logger

_READ: Final = ("GET", "HEAD")
_IDENTITY_KEPT: Final = (b"cache-control", b"max-age=300")
"""As long as resolvers keep a document anyway."""

_ASKED_AGAIN: Final = (b"cache-control", b"no-cache")
_PRIVATE: Final = (b"cache-control", b"private, no-cache")
_NUMBER: Final = re.compile(r"[1-9][0-9]{0,6}")
_log = logger("anp")


class AnpDoor:
    """The door of one node.

    Args:
        gateway: the call path.
        published: the documents.
        terms: what the house hands in.
        holds: holds calls against the agreements that they quote; None where nothing is agreed.
    """

    def __init__(self, gateway: Gateway, published: Published, terms: Terms, holds: Holds | None = None) -> None:
        self._gateway = gateway
        self._published = published
        self._terms = terms
        self._route = CallRoute(gateway, published, terms, holds)

    def claims(self, path: str) -> bool:
        """Whether an address is this door's."""
        return path == DISCOVERY or place_at(path) is not None or self._published.identity(path) is not None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Take an ASGI connection whose path it claims."""
        place = place_at(scope["path"])
        calls = place is not None and place.leaf == "rpc"
        lang = self._lang(scope)
        try:
            if place is not None and calls:
                await self._route(place.agent, lang, scope, receive, send)
            else:
                answer = await self._document(place, scope)
                await answer.send(send, head=scope["method"] == "HEAD")
        except ClientLeft:
            _log.debug("the client of %s left", scope["path"])
        except MoothallError as error:
            challenged = self._terms.challenge(error)
            answer = refusal(error, scope.get(REQUEST_ID) or fresh(), lang, challenged, rpc=calls)
            await answer.send(send, head=scope["method"] == "HEAD")

    async def _document(self, place: Place | None, scope: Scope) -> Answer:
        """The document at an address.

        Raises:
            MethodNotAllowed, ServiceNotFoundError: it is not read, or there is none.
            Unauthenticated: it is not for everybody, and nothing proves who reads it.
        """
        if scope["method"] not in _READ:
            told = Told("anp.not_allowed", {"methods": ", ".join(_READ)})
            raise MethodNotAllowed("documents are read", told=told, details={"allowed": list(_READ)})
        kept: Headers = [_IDENTITY_KEPT]
        document = self._published.identity(scope["path"])
        if document is None:
            plain = place is None and self._terms.open_documents  # the list of agents is the same for all
            principal, kept = (ANONYMOUS, [_ASKED_AGAIN]) if plain else await self._reader(scope)
            document = await self._described(place, principal, scope)
        headers: Headers = [(b"etag", document.etag.encode()), *kept]
        if unchanged(scope["headers"], document.etag.encode()):
            return Answer(304, headers=headers)
        return Answer(200, document.body, headers)

    async def _reader(self, scope: Scope) -> tuple[Principal, Headers]:
        """Who reads, which is to be proved where that is asked for, and how long it may keep a description."""
        everybody = self._terms.open_documents
        principal = await reader_of(self._gateway, received(scope, b""), everybody=everybody)
        if not principal.verified:
            if not everybody:
                raise refused("invalid_request", "the request does not say who sends it")
            return principal, [_ASKED_AGAIN, BY_READER]
        welcome = self._terms.welcome(principal) if principal.kind == "did" else []
        return principal, [_PRIVATE, BY_READER, *latin(welcome)]

    async def _described(self, place: Place | None, principal: Principal, scope: Scope) -> Document:
        query = parse_qs(scope["query_string"].decode("latin-1"), keep_blank_values=True)
        if place is None:
            number = query.get("page", ["1"])[-1]
            page = self._published.page(int(number)) if _NUMBER.fullmatch(number) else None
            if page is None:
                raise _missing()
            return page
        agent = self._published.agent(place.agent)
        if agent is None:
            raise _missing()
        seen = await seen_by(self._gateway, principal, DOOR)
        if place.leaf == "ad.json":
            return self._published.description(agent, seen)
        wanted = {"true": True, "false": False}.get(query.get(AUTHORIZATION, [""])[-1])
        return self._published.interface(agent, seen, waiting=wanted)

    def _lang(self, scope: Scope) -> Lang:
        header = dict(scope["headers"]).get(b"accept-language", b"").decode("latin-1")
        return self._terms.accepted(header) or self._terms.lang


def _missing() -> ServiceNotFoundError:
    return ServiceNotFoundError("there is no such document", told=Told("anp.no_document", hint="anp.hint_document"))
