"""Requests to an agent: who sends them, and how they are answered."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

from starlette.types import Receive, Send

from moothall.calls.ports import Gateway
from moothall.capability.spec import JsonObject
from moothall.errors import InternalError, MoothallError, Told
from moothall.identity.principal import Principal
from moothall.identity.refusal import refused
from moothall.identity.request import HttpRequest
from moothall.protocols.a2a import jsonrpc, rest
from moothall.protocols.a2a.answers import Answer, read_answer
from moothall.protocols.a2a.bindings import Binding, RestBinding, RpcBinding
from moothall.protocols.a2a.calls import Call
from moothall.protocols.a2a.card import CardAgent
from moothall.protocols.a2a.cards import Cards
from moothall.protocols.a2a.leaving import attended
from moothall.protocols.a2a.operations import Operations, Visit
from moothall.protocols.a2a.refusing import refuse
from moothall.protocols.a2a.requests import PROVED, STREAMED
from moothall.protocols.a2a.sse import EventAnswer, close, next_of
from moothall.protocols.a2a.taking import Asked, by_rest, by_rpc, check_verb, verbs_of
from moothall.protocols.a2a.terms import Terms
from moothall.protocols.a2a.versions import CAPABILITIES, extensions_of
from moothall.protocols.a2a.visits import Visitor
from moothall.protocols.headers import BY_READER, NOT_KEPT, Headers, latin
from moothall.protocols.house import STREAMS, Scope
from moothall.protocols.intake import read_body, received

_PRIVATE: Final = (b"cache-control", b"private, no-cache")


@dataclass(frozen=True, slots=True)
class CallRoute:
    """Takes the requests to all agents.

    Attributes:
        gateway: tells who sends them.
        operations: what they ask.
        cards: tells which agents have something for everybody; the extended card is asked for like a task.
        terms: of the door.
    """

    gateway: Gateway
    operations: Operations
    cards: Cards
    terms: Terms

    async def __call__(self, call: Call, receive: Receive, send: Send) -> None:
        """Answer one request.

        Raises:
            ClientLeft: nobody waits for an answer.
        """
        try:
            route = rest.route_at(call.path) if call.path else None
            if call.scope["method"] == "OPTIONS":
                allowed = ", ".join((*verbs_of(route), "OPTIONS"))
                await Answer(204, headers=[(b"allow", allowed.encode())]).send(send)
                return
            check_verb(call.scope["method"], route)
            request = await self._received(call.scope, receive)
            principal = await self._principal(call.agent, request)
            query: bytes = call.scope["query_string"]
            if route is None:
                asked = await by_rpc(request, query, call.request_id, call.lang)
            else:
                asked = await by_rest(request, query, route, call.request_id, call.lang)
        except jsonrpc.Refused as refusal:
            binding = RpcBinding(refusal.call_id, "1.0", call.request_id, call.lang)
            await self._refuse(refusal.error, binding, call, send, whole=False)
            return
        except MoothallError as error:
            await self._refuse(error, call.plain, call, send, whole=True)
            return
        try:
            await self._answer(asked, call, request, principal, receive, send)
        except MoothallError as error:
            await self._refuse(error, asked.binding, call, send, whole=False)

    async def _refuse(self, error: MoothallError, binding: Binding, call: Call, send: Send, *, whole: bool) -> None:
        await refuse(error, binding, self.terms, call.scope, call.lang, send, whole=whole)

    async def _received(self, scope: Scope, receive: Receive) -> HttpRequest:
        declared = next((value for name, value in scope["headers"] if name == b"content-length"), b"")
        return received(scope, await read_body(receive, declared, self.terms.max_body))

    async def _principal(self, agent: CardAgent, request: HttpRequest) -> Principal:
        """Who asks.

        Raises:
            Unauthenticated: nobody in particular, and the agent has nothing for everybody.
        """
        principal = await self.gateway.authenticate(request)
        if not principal.verified and not self.cards.answers_anybody(agent.name):
            raise refused("invalid_request", "the request does not say who sends it")
        return principal

    async def _answer(
        self, asked: Asked, call: Call, request: HttpRequest, principal: Principal, receive: Receive, send: Send
    ) -> None:
        """Do what is asked.

        Raises:
            MoothallError: it failed, and nothing was sent.
        """
        if asked.operation in PROVED and not principal.verified:
            raise refused("invalid_request", "the request does not say who sends it")
        visitor = Visitor(
            agent=call.agent.name,
            principal=principal,
            request_id=call.request_id,
            address=request.address,
            extensions=extensions_of(request.headers),
            lang=call.lang,
        )
        visit = visitor.visit(asked.request, asked.tenant)
        headers = self._headers(visit)
        if asked.operation in STREAMED:
            await self._stream(asked, visit, headers, call.scope, receive, send)
            return
        if asked.operation == "extended_card":
            await self._card(asked.binding, call, principal, headers, send)
            return
        value = await attended(self._value(asked, visit), receive)
        body = asked.binding.result(asked.operation, value)
        head = request.method == "HEAD"
        await Answer(200, body, asked.binding.media, [*headers, NOT_KEPT]).send(send, head=head)

    async def _value(self, asked: Asked, visit: Visit) -> JsonObject | None:
        operation: Any = getattr(self.operations, asked.operation)
        value: JsonObject | None = await operation(visit, asked.request)
        return value

    async def _stream(
        self, asked: Asked, visit: Visit, headers: Headers, scope: Scope, receive: Receive, send: Send
    ) -> None:
        start = self.operations.stream_message if asked.operation == "stream_message" else self.operations.subscribe
        values = start(visit, asked.request)
        try:
            first = await attended(next_of(values), receive)
            if first is None:
                raise InternalError("a stream without its task", told=Told("protocols.failed"))
            answer = EventAnswer(asked.binding, asked.operation, first, values, send, headers, self.terms.heartbeat)
            await answer.give(receive, scope[STREAMS])
        finally:
            await close(values)

    async def _card(self, binding: Binding, call: Call, principal: Principal, headers: Headers, send: Send) -> None:
        document = self.cards.extended(call.agent, principal)
        if isinstance(binding, RestBinding):
            answer = read_answer(document, binding.media, call.scope["headers"], [*headers, _PRIVATE, BY_READER])
        else:
            body = binding.result("extended_card", document.value)
            answer = Answer(200, body, binding.media, [*headers, NOT_KEPT])
        await answer.send(send, head=call.scope["method"] == "HEAD")

    def _headers(self, visit: Visit) -> Headers:
        """What a good answer has beside its body."""
        principal = visit.facts.principal
        headers = latin(self.terms.welcome(principal)) if principal.kind == "did" else []
        if CAPABILITIES in visit.extensions:
            headers.append((b"a2a-extensions", CAPABILITIES.encode()))
        return headers
