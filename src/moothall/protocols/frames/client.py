"""Opening a connection for frames to an agent elsewhere, by its DID (row META-ALICE-07)."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import urlsplit, urlunsplit

from moothall.clock import Clock
from moothall.errors import Told, Unauthenticated, UpstreamError
from moothall.identity.destination import Destination
from moothall.identity.egress import Egress
from moothall.identity.signing import sign_request
from moothall.protocols.frames.client_link import Challenged, ClientLink
from moothall.protocols.frames.link import POLICY
from moothall.protocols.frames.proving import Hello, Party, greet

_SCHEMES: Final = {"http": "ws", "https": "wss", "ws": "ws", "wss": "wss"}
_SPOKEN: Final = {"ws": "http", "wss": "https"}
_SECONDS: Final = 10.0

Finds = Callable[[str, str], Awaitable[str]]
"""The address (``ws`` or ``wss``) at which a DID is talked to over frames; the second is the agent that asks.

Raises:
    MoothallError: it has none, or is not found.
"""


@dataclass(frozen=True, slots=True)
class Connected:
    """A connection on which both sides proved who they are: the peer's hello, and the link."""

    hello: Hello
    link: ClientLink


class FramesClient:
    """Opens connections for the agents of a node.

    Args:
        egress: the guarded way out.
        finds: where a DID is talked to.
        clock: the time.
        most: bytes of a frame.
    """

    def __init__(self, egress: Egress, finds: Finds, clock: Clock, most: int) -> None:
        self._egress, self._finds, self._clock, self._most = egress, finds, clock, most

    async def connect(self, own: Party, agent: str, peer: str, hello: Mapping[str, Any]) -> Connected:
        """Connect to a DID and have both sides prove who they are.

        Args:
            own: the agent that connects.
            agent: its name.
            peer: the DID that the other side has to prove.
            hello: the body of the hello.

        Raises:
            Unauthenticated: the other side is somebody else, or does not accept our proof.
            PermissionDeniedError: it does not let this agent in.
            InvalidInput, UpstreamError, CallTimeout, SessionEnded, ProtocolViolation: it cannot be talked to.
        """
        url = await self._finds(peer, agent)
        link = await self._opened(own, url)
        try:
            return Connected(await greet(link, own, peer, hello), link)
        except BaseException:
            await link.close(POLICY)
            raise

    async def _opened(self, own: Party, url: str) -> ClientLink:
        parts = urlsplit(url)
        scheme = _SCHEMES.get(parts.scheme)
        if scheme is None:
            raise UpstreamError("the address is none for frames", told=Told("agreeing.no_frames"))
        place = self._egress.destination(urlunsplit(parts._replace(scheme=_SPOKEN[scheme])))
        try:
            return await self._once(own, place, scheme, "")
        except Challenged as challenge:
            nonce = challenge.nonce
        try:
            return await self._once(own, place, scheme, nonce)
        except Challenged as error:
            told = Told("agreeing.refused_us")
            raise Unauthenticated("the other side does not accept the proof", told=told) from error

    async def _once(self, own: Party, place: Destination, scheme: str, nonce: str) -> ClientLink:
        now = int(self._clock.now().timestamp())
        headers = sign_request(own.signer, "GET", place.uri, b"", now=now, nonce=nonce)
        stream = await self._egress.connect(place, _SECONDS)
        address = urlunsplit(urlsplit(place.uri)._replace(scheme=scheme))
        return await ClientLink.open(stream, address, headers, self._most, _SECONDS)
