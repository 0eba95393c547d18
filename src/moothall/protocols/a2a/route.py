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
from moothall.protocols.a2a.keys import take_key
from moothall.protocols.a2a.leaving import attended
from moothall.protocols.a2a.operations import Operations, Visit
from moothall.protocols.a2a.refusing import refuse
from moothall.protocols.a2a.requests import PROVED, STREAMED
from moothall.protocols.a2a.sse import EventAnswer, close
from moothall.protocols.a2a.taking import Asked, by_rest, by_rpc, check_verb, verbs_of
from moothall.protocols.a2a.terms import Terms
from moothall.protocols.a2a.versions import CAPABILITIES, extensions_of
from moothall.protocols.a2a.visits import Visitor
from moothall.protocols.headers import BY_READER, NOT_KEPT, Headers, latin
from moothall.protocols.house import STREAMS, Scope
from moothall.protocols.intake import ClientLeft, read_body, received
from moothall.telemetry import logger

_PRIVATE: Final = (b"cache-control", b"private, no-cache")
_log = logger("a2a")


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
            asked = await self._asked(call, request, route)
        except jsonrpc.Refused as refusal:
            binding = RpcBinding(refusal.call_id, "1.0", call.request_id, call.lang)
            await self._refuse(refusal.error, binding, call, send, whole=False)
        except ClientLeft:
            raise
        except Exception as error:  # noqa: BLE001 - the last place where it can be told as the binding has it
            await self._refuse(_told(error, call), call.plain, call, send, whole=True)
        else:
            await self._answered(asked, call, request, principal, receive, send)

    async def _asked(self, call: Call, request: HttpRequest, route: rest.Route | None) -> Asked:
        query: bytes = call.scope["query_string"]
        if route is None:
            return await by_rpc(request, query, call.request_id, call.lang)
        return await by_rest(request, query, route, call.request_id, call.lang)

    async def _answered(
        self, asked: Asked, call: Call, request: HttpRequest, principal: Principal, receive: Receive, send: Send
    ) -> None:
        try:
            answer = await self._answer(asked, call, request, principal, receive, send)
        except ClientLeft:
            raise
        except Exception as error:  # noqa: BLE001 - as above
            await self._refuse(_told(error, call), asked.binding, call, send, whole=False)
        else:
            if answer is not None:
                await answer.send(send, head=request.method == "HEAD")

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
    ) -> Answer | None:
        """Do what is asked; gives the answer, unless it was a stream, which has been sent.

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
        take_key(visit.facts, request.values(b"idempotency-key"))
        headers = self._headers(visit)
        if asked.operation in STREAMED:
            await self._stream(asked, visit, headers, call.scope, receive, send)
            return None
        if asked.operation == "extended_card":
            return await self._card(asked.binding, call, principal, headers)
        value = await attended(self._value(asked, visit), receive)
        body = asked.binding.result(asked.operation, value)
        return Answer(200, body, asked.binding.media, [*headers, NOT_KEPT])

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
            answer = EventAnswer(asked.binding, asked.operation, values, send, headers, self.terms.heartbeat)
            await answer.give(receive, scope[STREAMS])
        finally:
            await close(values)

    async def _card(self, binding: Binding, call: Call, principal: Principal, headers: Headers) -> Answer:
        document = await self.cards.extended(call.agent, principal)
        if isinstance(binding, RestBinding):
            return read_answer(document, binding.media, call.scope["headers"], [*headers, _PRIVATE, BY_READER])
        return Answer(200, binding.result("extended_card", document.value), binding.media, [*headers, NOT_KEPT])

    def _headers(self, visit: Visit) -> Headers:
        """What a good answer has beside its body."""
        principal = visit.facts.principal
        headers = latin(self.terms.welcome(principal)) if principal.kind == "did" else []
        if CAPABILITIES in visit.extensions:
            headers.append((b"a2a-extensions", CAPABILITIES.encode()))
        return headers


def _told(error: Exception, call: Call) -> MoothallError:
    """The error to tell; what nobody foresaw is written to the log, and nothing is said of it."""
    if isinstance(error, MoothallError):
        return error
    _log.error("request %s failed: %s %s", call.request_id, call.scope["method"], call.scope["path"], exc_info=error)
    return InternalError("the node failed", told=Told("protocols.failed"))
