"""Requests to a peer, each proved in the way that the operator chose; nothing is proved to anybody else."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from typing import Protocol

from moothall.errors import InvalidInput, Told, UpstreamInvalid
from moothall.identity.egress import Egress, Incoming
from moothall.identity.limited_body import Caps
from moothall.protocols.a2a.remote.peers import Peer


class Session(Protocol):
    """Makes requests that an agent signs; raises as `moothall.identity.egress.Egress.stream`."""

    def stream(
        self, method: str, url: str, *, headers: Mapping[str, str] | None = None, content: bytes = b"", caps: Caps
    ) -> AbstractAsyncContextManager[Incoming]:
        """Make a request; the answer's body can be read within the block."""
        ...


Sessions = Callable[[str], Session]
"""The session of an agent of this node, by the agent's name."""


class Said(Exception):
    """What a far side said of its failure, for the log alone: the cause of the error that a caller reads."""


@dataclass(frozen=True, slots=True)
class Way:
    """The way from an agent of this node to a peer.

    Attributes:
        peer: where to.
        agent: who calls.
    """

    peer: Peer
    agent: str
    egress: Egress
    sessions: Sessions

    @asynccontextmanager
    async def open(
        self, method: str, url: str, *, headers: Mapping[str, str], content: bytes = b"", caps: Caps
    ) -> AsyncIterator[Incoming]:
        """Make a request that shows who calls.

        Raises:
            UpstreamInvalid: the far side named an address at which it must not be shown.
            MoothallError: as `Egress.stream`.
        """
        try:
            known = self.egress.destination(url).origin in self.peer.origins
        except InvalidInput as error:
            if url == self.peer.url:
                raise
            raise UpstreamInvalid("an address that may not be called", told=error.told) from error
        if not known:
            raise UpstreamInvalid("another origin", told=Told("a2a.remote.elsewhere"))
        async with self._proved(method, url, headers, content, caps) as answer:
            yield answer

    def _proved(
        self, method: str, url: str, headers: Mapping[str, str], content: bytes, caps: Caps
    ) -> AbstractAsyncContextManager[Incoming]:
        peer = self.peer
        if peer.auth == "did":
            return self.sessions(self.agent).stream(method, url, headers=headers, content=content, caps=caps)
        shown = {"authorization": f"Bearer {peer.token}"} if peer.auth == "bearer" else {}
        return self.egress.stream(method, url, headers=headers, content=content, caps=caps, proof=lambda _place: shown)
