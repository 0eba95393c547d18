"""What the client needs of identity: requests that an agent of this node signs, and documents of DIDs."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import AbstractAsyncContextManager
from typing import Protocol

from moothall.errors import Told, Unavailable
from moothall.identity.document import DidDocument
from moothall.identity.egress import Fetched, Incoming
from moothall.identity.limited_body import Caps


class Session(Protocol):
    """Makes requests that an agent signs; raises as `moothall.identity.egress.Egress`."""

    async def request(
        self, method: str, url: str, *, headers: Mapping[str, str] | None = None, seconds: float = 60.0, caps: Caps
    ) -> Fetched:
        """Make a request and read its answer."""
        ...

    def stream(
        self, method: str, url: str, *, headers: Mapping[str, str] | None = None, content: bytes = b"", caps: Caps
    ) -> AbstractAsyncContextManager[Incoming]:
        """Make a request; the answer's body can be read within the block."""
        ...


Sessions = Callable[[str], Session | None]
"""The session of an agent of this node, by the agent's name; None for one without an identity."""


def session_of(sessions: Sessions, agent: str) -> Session:
    """The session of an agent.

    Raises:
        Unavailable: it has no identity that it could sign with.
    """
    session = sessions(agent)
    if session is None:
        raise Unavailable("the agent has no identity", told=Told("anp.no_identity", {"agent": agent}))
    return session


class Resolves(Protocol):
    """Finds the document of a DID; raises as `moothall.identity.resolver.Resolver.resolve`."""

    async def resolve(self, did: str, /, *, refresh: bool = False) -> DidDocument:
        """The document of a DID."""
        ...
