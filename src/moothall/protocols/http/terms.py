"""What the HTTP door needs of its house beside the `Gateway`; the server hands it in."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from moothall.clock import Clock
from moothall.errors import MoothallError
from moothall.identity.principal import Principal
from moothall.messages import Lang

REQUEST_ID = "moothall.request_id"
"""Key of the ASGI scope: the id of a request, a UUID; the boundary sends it back as ``X-Request-ID``."""

STREAMS = "moothall.streams"
"""Key of the ASGI scope: the `Streams` of the server."""


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
class Terms:
    """The terms.

    Attributes:
        max_body: bytes of a request.
        lang: the language of those who ask for none.
        accepted: reads ``Accept-Language``.
        origins: whose pages may use the capabilities that want that (``enable_cors``), lower case.
        welcome: headers of a good answer for a caller, such as its access token.
        challenge: what goes with an error of authentication, and None with others.
        taken: whether an address is somebody else's, so that no capability can have it.
        heartbeat: seconds after which an idle stream shows a sign of life.
    """

    clock: Clock
    max_body: int
    lang: Lang
    accepted: Callable[[str], Lang | None]
    origins: frozenset[str]
    welcome: Callable[[Principal], Sequence[tuple[str, str]]]
    challenge: Callable[[MoothallError], Challenged | None]
    taken: Callable[[str], bool]
    heartbeat: float
