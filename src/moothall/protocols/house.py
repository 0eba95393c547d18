"""What a door needs of the house it opens into, beside the `Gateway`; whoever opens it hands it in."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Mapping, MutableMapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Protocol

from moothall.errors import MoothallError
from moothall.identity.principal import Principal
from moothall.messages import Lang

REQUEST_ID: Final = "moothall.request_id"
"""Key of the ASGI scope: the id of a request, a UUID; the boundary sends it back as ``X-Request-ID``."""

STREAMS: Final = "moothall.streams"
"""Key of the ASGI scope: what runs the senders of streams, and ends them when the server stops."""

ABORT: Final = "moothall.abort"
"""Key of the ASGI scope: breaks the connection at once, for a client that takes nothing in."""

PUSH: Final = "moothall.push"
"""Key of the ASGI scope: gives a `Push` for the answer, or for the WebSocket; None where there is none."""

Scope = MutableMapping[str, Any]


class Push(Protocol):
    """Sends without waiting: parts of a body that has begun, or text frames of a WebSocket that was accepted."""

    def __call__(self, *parts: bytes) -> bool:
        """Send all of them at once; False where the connection takes nothing in for now, and nothing was sent."""
        ...


class Streams(Protocol):
    """The streams that are open on the server; it ends them when it stops."""

    def open(self, run: Callable[[], Coroutine[None, None, None]]) -> asyncio.Task[None]:
        """Start one more.

        Raises:
            Overloaded: too many are open.
        """
        ...


class Challenged(Protocol):
    """What a caller is told who did not prove who it is."""

    @property
    def headers(self) -> Sequence[tuple[str, str]]:
        """The headers of the answer."""
        ...

    @property
    def mirror(self) -> Mapping[str, object]:
        """The same as JSON (row WIRE-CHAL-03)."""
        ...


@dataclass(frozen=True, kw_only=True)
class HouseTerms:
    """The terms of every door.

    Attributes:
        max_body: bytes of a request.
        lang: the language of those who ask for none.
        accepted: reads ``Accept-Language``.
        welcome: headers of a good answer for a caller, such as its access token.
        challenge: what goes with an error of authentication, and None with others.
        heartbeat: seconds after which an idle stream shows a sign of life.
    """

    max_body: int
    lang: Lang
    accepted: Callable[[str], Lang | None]
    welcome: Callable[[Principal], Sequence[tuple[str, str]]]
    challenge: Callable[[MoothallError], Challenged | None]
    heartbeat: float = 15.0
