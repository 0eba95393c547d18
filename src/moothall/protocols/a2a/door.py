"""The A2A door: the cards of the agents, the keys that sign them, and the addresses at which agents are asked."""

from __future__ import annotations

from typing import Final

from starlette.types import Receive, Send

from moothall.calls.ports import Gateway
from moothall.calls.request_ids import fresh
from moothall.errors import MethodNotAllowed, MoothallError, ServiceNotFoundError, Told
from moothall.identity.refusal import refused
from moothall.messages import Lang
from moothall.protocols.a2a.addresses import Place, place_at
from moothall.protocols.a2a.answers import Answer, read_answer
from moothall.protocols.a2a.bindings import Binding, RestBinding, RpcBinding
from moothall.protocols.a2a.calls import Call
from moothall.protocols.a2a.card import CardAgent
from moothall.protocols.a2a.cards import Cards
from moothall.protocols.a2a.media import JSON
from moothall.protocols.a2a.operations import Operations
from moothall.protocols.a2a.refusing import refuse
from moothall.protocols.a2a.route import CallRoute
from moothall.protocols.a2a.terms import Terms
from moothall.protocols.headers import BY_READER, Headers, latin
from moothall.protocols.house import REQUEST_ID, Scope
from moothall.protocols.intake import ClientLeft, received
from moothall.telemetry import logger

_READ: Final = ("GET", "HEAD", "OPTIONS")
_KEPT: Final = (b"cache-control", b"max-age=60")
_PRIVATE: Final = (b"cache-control", b"private, no-cache")
_log = logger("a2a")


class A2aDoor:
    """The door of one node.

    Args:
        gateway: the call path.
        operations: the tasks.
        cards: the cards.
        terms: what the house hands in.
    """

    def __init__(self, gateway: Gateway, operations: Operations, cards: Cards, terms: Terms) -> None:
        self._gateway = gateway
        self._cards = cards
        self._terms = terms
        self._route = CallRoute(gateway, operations, cards, terms)

    def claims(self, path: str) -> bool:
        """Whether an address is this door's."""
        return place_at(path) is not None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Take an ASGI connection whose path it claims."""
        place = place_at(scope["path"]) or Place("", "card")
        lang, request_id = self._lang(scope), scope.get(REQUEST_ID) or fresh()
        agent = self._cards.agent(place.agent)
        try:
            if agent is None:
                raise ServiceNotFoundError("no such agent", told=Told("a2a.wire.no_agent", hint="a2a.wire.hint"))
            if place.leaf == "call":
                await self._route(Call(agent, place.rest, scope, request_id, lang), receive, send)
            else:
                answer = await self._document(agent, place, scope)
                await answer.send(send, head=scope["method"] == "HEAD")
        except ClientLeft:
            _log.debug("the client of %s left", scope["path"])
        except MoothallError as error:
            rpc = place.leaf == "call" and not place.rest
            binding: Binding = RpcBinding(None, "1.0", request_id, lang) if rpc else RestBinding(request_id, lang, JSON)
            await refuse(error, binding, self._terms, scope, lang, send)

    async def _document(self, agent: CardAgent, place: Place, scope: Scope) -> Answer:
        """A document about an agent.

        Raises:
            MethodNotAllowed: it is not read.
            Unauthenticated: it is not for everybody, and nothing proves who reads it.
        """
        if scope["method"] not in _READ:
            told = Told("a2a.wire.not_allowed", {"methods": ", ".join(_READ[:-1])})
            raise MethodNotAllowed("documents are read", told=told, details={"allowed": list(_READ)})
        if scope["method"] == "OPTIONS":
            return Answer(204, headers=[(b"allow", ", ".join(_READ).encode())])
        if place.leaf == "keys":
            return read_answer(self._cards.keys(agent), JSON, scope["headers"], [_KEPT])
        headers = await self._reader(scope)
        return read_answer(await self._cards.public(agent), JSON, scope["headers"], headers)

    async def _reader(self, scope: Scope) -> Headers:
        """How long the reader may keep a card; it proves who it is where that is asked for."""
        if self._terms.open_documents:
            return [_KEPT]
        principal = await self._gateway.authenticate(received(scope, b""))
        if not principal.verified:
            raise refused("invalid_request", "the request does not say who sends it")
        welcome = self._terms.welcome(principal) if principal.kind == "did" else []
        return [_PRIVATE, BY_READER, *latin(welcome)]

    def _lang(self, scope: Scope) -> Lang:
        header = dict(scope["headers"]).get(b"accept-language", b"").decode("latin-1")
        return self._terms.accepted(header) or self._terms.lang
