"""From a DID to its document: asked for at its host, checked once, kept for a while (rows WIRE-DID-03 to 05 and 07).

Strangers choose which DIDs are resolved. So what is asked of one host is bounded, a document that was found is not lost
to a later failure, and the own DIDs of the node are answered without a request to itself.
"""

from __future__ import annotations

import asyncio
import copy
import re
from collections.abc import Callable
from typing import Final

import httpx

from moothall.canonical import strict_json
from moothall.clock import Clock
from moothall.errors import (
    CallTimeout,
    InvalidInput,
    MoothallError,
    Overloaded,
    Told,
    UpstreamError,
    UpstreamInvalid,
    ValidationError,
)
from moothall.identity.did import Did
from moothall.identity.document import DidDocument
from moothall.identity.egress import Egress, Fetched
from moothall.identity.kept_documents import Kept, KeptDocuments
from moothall.identity.lanes import Lanes
from moothall.identity.limited_body import Caps, silence
from moothall.resilience import RateLimiter

KEPT: Final = 300.0
"""Seconds that a document counts at most; a shorter ``max-age`` of its host is respected down to `LEAST`."""
LEAST: Final = 10.0
"""Seconds that a document or a failure counts at least, whatever the host says."""
REFRESHED: Final = 30.0
"""Seconds between two requests for a document that is known, however often a key is missing in it."""

_SECONDS: Final = 10.0
_CAPS: Final = Caps(
    most_bytes=256 * 1024,
    head_seconds=_SECONDS,
    idle_seconds=_SECONDS,
    connect_seconds=5,
    redirects=3,
    same_origin=True,
    for_strangers=True,
)
_HEADERS: Final = {"accept": "application/did+json, application/json"}
_PER_MINUTE: Final = 600
_HEAVY: Final = 16 * 1024
"""Bytes from which a document is checked in a thread: its proof is over its canonical form, which takes a while."""
_JSON: Final = re.compile(r"application/(?:[\w.+-]+\+)?json\s*(?:;.*)?", re.IGNORECASE | re.DOTALL)
_MAX_AGE: Final = re.compile(r"(?:^|[\s,])max-age\s*=\s*\"?(\d{1,9})", re.IGNORECASE)
_NOT_KEPT: Final = re.compile(r"(?:^|[\s,])no-(?:store|cache)\b", re.IGNORECASE)


class Resolver:
    """Finds documents; one for a node.

    Args:
        egress: the way out.
        own: the documents of this node's agents.
        clock: the time.
        allow_legacy: whether DIDs count that do not contain their key's fingerprint, and the old proofs.
    """

    def __init__(
        self, egress: Egress, own: Callable[[str], DidDocument | None], clock: Clock, *, allow_legacy: bool = False
    ) -> None:
        self._egress = egress
        self._own = own
        self._clock = clock
        self._allow_legacy = allow_legacy
        self._kept = KeptDocuments()
        self._flights: dict[str, asyncio.Task[Kept | MoothallError]] = {}
        self._lanes = Lanes()
        self._pace = RateLimiter(_PER_MINUTE, clock.monotonic)

    async def resolve(self, did: str, /, *, refresh: bool = False) -> DidDocument:
        """The document of a DID.

        `refresh` asks the host again, for a key that may be new; at most every 30 s for one DID, so whoever can make up
        names of keys cannot make requests of it. A known document stays when the host does not give another.

        Raises:
            InvalidInput: it is no DID that may be used, or its host may not be called.
            UpstreamError: its host does not answer, or has no document.
            UpstreamInvalid: what it has is not JSON, too long, of another DID, or does not hold.
            CallTimeout: it does not answer within 10 s, those included in which others were served first.
            Overloaded: too much is asked of that host, or of all.
        """
        if (own := self._own(did)) is not None:
            return own
        now = self._clock.monotonic()
        kept = self._kept.document(did, now)
        if kept and not (refresh and now - kept.asked >= REFRESHED):
            return kept.document
        if not kept and (error := self._kept.failure(did, now)):
            raise copy.copy(error)
        if kept:
            kept.asked = now
        found = await self._fetched(did)
        if isinstance(found, Kept):
            return found.document
        if kept:
            return kept.document
        raise copy.copy(found)  # each who waited gets one of its own: a raised error collects where it went

    def known(self, did: str) -> DidDocument | None:
        """The document of a DID that is at hand: an own one, or one that was fetched and still counts."""
        if (own := self._own(did)) is not None:
            return own
        kept = self._kept.document(did, self._clock.monotonic())
        return kept.document if kept else None

    async def aclose(self) -> None:
        """Give up what is being asked for."""
        for flight in (flights := list(self._flights.values())):
            flight.cancel()
        await asyncio.gather(*flights, return_exceptions=True)

    async def _fetched(self, text: str) -> Kept | MoothallError:
        """What the host says now, asked once for all who want to know it at a time."""
        flight = self._flights.get(text)
        if flight is None:
            did = Did.parse(text)
            did.check_allowed(allow_legacy=self._allow_legacy)
            flight = self._flights[text] = asyncio.create_task(self._flight(did))
            flight.add_done_callback(lambda _: self._flights.pop(text, None))
        return await asyncio.shield(flight)

    async def _flight(self, did: Did) -> Kept | MoothallError:
        try:
            kept = await self._asked(did)
        except Overloaded as error:
            return copy.copy(error)
        except MoothallError as error:
            # A copy has neither traceback nor cause: their frames would keep the whole answer of a stranger.
            bare = copy.copy(error)
            now = self._clock.monotonic()
            self._kept.keep_failure(did.text, bare, now + LEAST, now)
            return bare
        self._kept.keep(did.text, kept)
        return kept

    async def _asked(self, did: Did) -> Kept:
        if self._pace.allow(did.host):  # by name alone: one machine has 65535 ports
            raise Overloaded("too many documents of one host", told=Told("egress.busy"))
        answer = await self._answer(did)
        if answer.status != httpx.codes.OK:
            raise UpstreamError("there is no DID document", told=Told("egress.did_missing"))
        if not _JSON.fullmatch(answer.headers.get("content-type", "").strip()):
            raise UpstreamInvalid("the DID document is not JSON", told=Told("egress.did_type"))
        document = await self._checked(did, answer)
        now = self._clock.monotonic()
        return Kept(document, len(answer.body), now + _lifetime(answer.headers), now)

    async def _answer(self, did: Did) -> Fetched:
        """What the host answers: the wait for a turn and the request have one deadline."""
        insecure = self._egress.scheme(did.host, did.port or 80) == "http"
        try:
            async with asyncio.timeout(_SECONDS), self._lanes.turn(did.host):
                url = did.document_url(insecure=insecure)
                return await self._egress.request("GET", url, headers=_HEADERS, seconds=_SECONDS, caps=_CAPS)
        except CallTimeout:
            raise
        except TimeoutError as error:
            raise silence() from error

    async def _checked(self, did: Did, answer: Fetched) -> DidDocument:
        if len(answer.body) >= _HEAVY:
            return await asyncio.to_thread(self._load, did, answer.body)
        return self._load(did, answer.body)

    def _load(self, did: Did, body: bytes) -> DidDocument:
        try:
            raw = strict_json(body)
        except ValidationError as error:
            raise UpstreamInvalid("the DID document is not JSON", told=Told("egress.did_type")) from error
        try:
            return DidDocument.load(did, raw, allow_legacy=self._allow_legacy, now=self._clock.now())
        except InvalidInput as error:
            raise UpstreamInvalid(error.message, told=error.told) from error


def _lifetime(headers: httpx.Headers) -> float:
    """Seconds that an answer may be used without asking again."""
    said = headers.get("cache-control", "")
    if _NOT_KEPT.search(said):
        return LEAST
    age = _MAX_AGE.search(said)
    return min(KEPT, max(LEAST, float(age[1]))) if age else KEPT
