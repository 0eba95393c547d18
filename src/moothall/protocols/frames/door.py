"""The door for negotiation over frames: WebSockets at ``/agents/NAME/frames`` (row WIRE-NEGO-15).

Who opens one proves its DID with the upgrade, like the sender of every request; nothing is accepted before that.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from starlette.types import Receive, Scope, Send

from moothall.calls.ports import Gateway
from moothall.errors import (
    MoothallError,
    Overloaded,
    ServiceNotFoundError,
    SessionEnded,
    Told,
)
from moothall.identity.refusal import refused
from moothall.identity.request import HttpRequest
from moothall.protocols.addressed import target_of
from moothall.protocols.frames.link import FAILED, GOING, Link
from moothall.protocols.frames.proving import Hello, Party, answer, be_greeted
from moothall.protocols.frames.server_link import ServerLink
from moothall.telemetry import logger

DOOR: Final = "frames"
FRAMES: Final = re.compile(r"/agents/(?P<agent>[A-Za-z0-9_][A-Za-z0-9_-]{0,63})/frames")
"""Where agents are talked to over frames."""

_log = logger("frames")


@dataclass(frozen=True, slots=True)
class Visit:
    """Somebody who came and proved who it is.

    Attributes:
        agent: whom it wants to talk to, by name.
        peer: its DID.
        hello: what it said of itself.
        answer: what our agent said of itself to that.
        link: the connection.
    """

    agent: str
    peer: str
    hello: Mapping[str, Any]
    answer: Mapping[str, Any]
    link: Link


Reception = Callable[[Visit], Awaitable[None]]
"""Talks to a visitor until either has had enough; the connection is closed after it."""

Parties = Callable[[str], Party | None]
"""Who an agent of this node is, by its name; None for one that is not hosted."""

Introduces = Callable[[str, str, Mapping[str, Any]], Awaitable[Mapping[str, Any]]]
"""The body of an agent's own hello (by its name), to a visitor (by its DID) that said this; raises MoothallError."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """The terms of the door.

    Attributes:
        most: bytes of a frame.
        per_peer: connections that one DID may have open.
        connections: that may be open in all.
        path: a further address, of ``agent``; empty: none.
        agent: whose that is.
    """

    most: int
    per_peer: int = 4
    connections: int = 256
    path: str = ""
    agent: str = ""


class FramesDoor:
    """The door of one node.

    Args:
        gateway: finds out who opens a connection.
        parties: the agents of this node.
        introduces: what they say of themselves.
        reception: talks to visitors.
        terms: of the door.
    """

    def __init__(
        self, gateway: Gateway, parties: Parties, introduces: Introduces, reception: Reception, terms: Terms
    ) -> None:
        self._gateway, self._parties, self._introduces = gateway, parties, introduces
        self._reception, self._terms = reception, terms
        self._open: Counter[str] = Counter()

    def claims(self, path: str) -> bool:
        """Whether an address is this door's."""
        return self._agent_at(path) is not None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Take a WebSocket whose path it claims; its ``websocket.connect`` has been received.

        Raises:
            MoothallError: it is refused; nothing was accepted.
        """
        agent, own, peer = await self._admitted(scope)
        self._open[peer] += 1
        try:
            await send({"type": "websocket.accept"})
            await self._talk(agent, own, peer, ServerLink(receive, send, self._terms.most))
        finally:
            self._open[peer] -= 1
            if not self._open[peer]:
                del self._open[peer]

    async def _talk(self, agent: str, own: Party, peer: str, link: ServerLink) -> None:
        code = FAILED
        try:
            hello: Hello = await be_greeted(link, own, peer)
            ours = await self._introduces(agent, peer, hello.body)
            await answer(link, own, hello, ours)
            await self._reception(Visit(agent, peer, hello.body, ours, link))
            code = GOING
        except SessionEnded:
            code = GOING
        except MoothallError as error:
            _log.info("a talk over frames with %s ended: %s: %s", peer, error.code, error)
        finally:
            await link.close(code)

    async def _admitted(self, scope: Scope) -> tuple[str, Party, str]:
        """Whom it is for, and who opens it; raises MoothallError."""
        agent = self._agent_at(scope["path"]) or ""
        own = self._parties(agent)
        if own is None:
            raise ServiceNotFoundError("there is no such agent")
        if self._open.total() >= self._terms.connections:  # before anything is looked up for it
            raise _full()
        client = scope.get("client")
        target = target_of(scope).decode("latin-1")
        request = HttpRequest("GET", target, scope["headers"], b"", client[0] if client else "")
        principal = await self._gateway.authenticate(request)
        if principal.kind != "did" or principal.binding != "request":
            raise refused("invalid_request", "who opens a connection for frames signs the request")
        if self._open.total() >= self._terms.connections or self._open[principal.id] >= self._terms.per_peer:
            raise _full()
        return agent, own, principal.id

    def _agent_at(self, path: str) -> str | None:
        if self._terms.path and path == self._terms.path:
            return self._terms.agent
        found = FRAMES.fullmatch(path)
        return found["agent"] if found else None


def _full() -> Overloaded:
    return Overloaded("too many connections are open", told=Told("agreeing.frames_full"))
