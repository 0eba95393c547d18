"""The call route of an agent: ``POST /agents/NAME/rpc`` (rows WIRE-RPC-02 to 04).

Who calls is proved before the body is looked at. A request without proof is read only where the agent has methods that
ask nobody, and goes on only if it calls nothing else.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import Any, Final

from starlette.types import Receive, Send

from moothall.calls.ports import CallFacts, Gateway
from moothall.calls.request_ids import fresh
from moothall.errors import MethodNotAllowed, Told, Unauthenticated, ValidationError
from moothall.identity.principal import Principal
from moothall.identity.refusal import refused
from moothall.identity.request import HttpRequest
from moothall.messages import Lang
from moothall.protocols.anp import jsonrpc
from moothall.protocols.anp.answers import Answer
from moothall.protocols.anp.asked import Asked, of_one_call
from moothall.protocols.anp.calling import Calling
from moothall.protocols.anp.jsonrpc import Message, Misshapen
from moothall.protocols.anp.negotiating import Holds
from moothall.protocols.anp.published import Published
from moothall.protocols.anp.telling import EventAnswer
from moothall.protocols.anp.terms import Terms
from moothall.protocols.headers import NOT_KEPT, Headers, latin
from moothall.protocols.house import REQUEST_ID, STREAMS, Scope
from moothall.protocols.intake import ClientLeft, read_body, read_json, received
from moothall.protocols.pumping import gone

DOOR: Final = "anp"

_QUICK: Final = 0.02
"""Seconds after which a call is worth a task that notices when its client leaves."""


@dataclass(frozen=True, slots=True)
class CallRoute:
    """Takes the calls of all agents.

    Attributes:
        gateway: the call path.
        published: tells which methods ask nobody.
        terms: of the door.
        holds: holds calls against the agreements that they quote; None where nothing is agreed.
    """

    gateway: Gateway
    published: Published
    terms: Terms
    holds: Holds | None = None

    async def __call__(self, agent: str, lang: Lang, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request.

        Raises:
            MoothallError: it is refused as a whole; nothing was sent.
            ClientLeft: nobody waits for an answer.
        """
        if scope["method"] != "POST":
            told = Told("anp.not_allowed", {"methods": "POST"})
            raise MethodNotAllowed("calls are sent with POST", told=told, details={"allowed": ["POST"]})
        declared = next((value for name, value in scope["headers"] if name == b"content-length"), b"")
        request = received(scope, await read_body(receive, declared, self.terms.max_body))
        principal = await self.gateway.authenticate(request)
        if not principal.verified and not self.published.open_methods(agent):
            raise _unproved()
        asked = Asked.of(request)
        read = await self._read(agent, principal, request)
        headers = latin(self.terms.welcome(principal)) if principal.kind == "did" else []
        if not isinstance(read, Message):
            body = jsonrpc.failure(None, read, _request_id(scope), lang, jsonrpc.PARSE_ERROR)
            await Answer(200, body, headers).send(send)
            return
        if asked.approval and read.batch:
            raise of_one_call()
        facts = CallFacts(
            door=DOOR,
            principal=principal,
            request_id=_request_id(scope),
            timeout=asked.timeout,
            hops=asked.hops,
            idempotency_key=asked.idempotency_key,
            address=request.address,
            approval=asked.approval,
            purpose=asked.purpose,
        )
        calling = Calling(read, self.gateway, agent, facts, lang, self.holds)
        if asked.events and any(isinstance(call, Misshapen) or not call.notification for call in read.calls):
            await EventAnswer(calling, send, headers, self.terms.heartbeat).give(receive, scope[STREAMS])
        else:
            await _answer(calling, receive, send, headers)

    async def _read(self, agent: str, principal: Principal, request: HttpRequest) -> Message | ValidationError:
        """The calls, or why there are none.

        Raises:
            Unauthenticated: nothing proves the caller, and it asks for more than everybody may have.
        """
        try:
            message = jsonrpc.read(await read_json(request.body))
        except ValidationError as error:
            if principal.verified:
                return error
            raise _unproved() from error
        public = self.published.open_methods(agent)
        if not principal.verified and any(
            isinstance(call, Misshapen) or call.method not in public for call in message.calls
        ):
            raise _unproved()
        return message


async def _answer(calling: Calling, receive: Receive, send: Send, headers: Headers) -> None:
    """Answer with everything at once; the work ends when the client leaves."""
    work = asyncio.ensure_future(calling.respond())
    try:
        await asyncio.wait({work}, timeout=_QUICK)
        if not work.done():
            await _either(work, receive)
        body = work.result()
    finally:
        if not work.done():
            work.cancel()
            await asyncio.wait({work})
    if body is None:
        await Answer(204, headers=headers).send(send)
    else:
        await Answer(200, body, [*headers, NOT_KEPT]).send(send)


async def _either(work: asyncio.Future[bytes | None], receive: Receive) -> None:
    """Wait for the work, or for the client's leaving.

    Raises:
        ClientLeft: it left first.
    """
    leaving = asyncio.ensure_future(gone(receive))
    both: set[asyncio.Future[Any]] = {work, leaving}
    try:
        await asyncio.wait(both, return_when=asyncio.FIRST_COMPLETED)
    finally:
        leaving.cancel()
        await asyncio.wait({leaving})
    if not work.done():
        raise ClientLeft


def _unproved() -> Unauthenticated:
    return refused("invalid_request", "the call does not say who sends it")


def _request_id(scope: Scope) -> str:
    known: str = scope.get(REQUEST_ID) or fresh()
    return known
