"""Finding the card of an endpoint, and keeping it for a while (row TPL-30).

A card below or beside the endpoint, or at its host, is looked for without proving who asks; where that is refused, once
more with the proof. That there is none is remembered, too, for a shorter time.
"""

from __future__ import annotations

import asyncio
import copy
import re
from collections import OrderedDict
from dataclasses import dataclass, replace
from http import HTTPStatus
from typing import Final

from moothall.clock import Clock
from moothall.errors import (
    CallTimeout,
    MoothallError,
    Told,
    Unavailable,
    UpstreamError,
    UpstreamInvalid,
    ValidationError,
)
from moothall.identity.egress import Egress, Fetched, fetched
from moothall.identity.limited_body import Caps
from moothall.protocols.a2a.remote.card import RemoteCard, interfaces, is_card, read
from moothall.protocols.a2a.remote.peers import Peer
from moothall.protocols.a2a.remote.places import card_places, names
from moothall.protocols.a2a.remote.signatures import Resolves, verified
from moothall.protocols.a2a.remote.way import Way
from moothall.protocols.intake import read_json

KEPT: Final = 300.0
"""Seconds that a card counts, or that there is none, where its server does not say."""

LONGEST: Final = 3600.0
LEAST: Final = 10.0
SOON: Final = 10.0
"""Seconds after which a server that was out of order is asked again."""

_MOST: Final = 256
_SECONDS: Final = 10.0
_CAPS: Final = Caps(most_bytes=1024 * 1024, head_seconds=_SECONDS, idle_seconds=_SECONDS, redirects=3, same_origin=True)
_ACCEPT: Final = {"accept": "application/json, application/a2a+json"}
_CLOSED: Final = frozenset({HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN})
_MAX_AGE: Final = re.compile(r"(?:^|[,\s])max-age=(\d{1,9})")


@dataclass(frozen=True, slots=True)
class _Kept:
    """What was found: a card, or that there is none, and until when that counts; `ill`: a server was out of order."""

    card: RemoteCard | None
    until: float
    place: str = ""
    etag: str = ""
    ill: bool = False


class Cards:
    """The cards of the endpoints that were called last.

    Args:
        egress: the way out.
        resolver: finds the documents of DIDs that signed cards.
        clock: the time.
    """

    def __init__(self, egress: Egress, resolver: Resolves, clock: Clock) -> None:
        self._egress = egress
        self._resolver = resolver
        self._clock = clock
        self._kept: OrderedDict[tuple[Peer, str], _Kept] = OrderedDict()
        self._flights: dict[tuple[Peer, str], asyncio.Task[_Kept | MoothallError]] = {}

    async def of(self, way: Way) -> RemoteCard | None:
        """The card of a peer; None where it is a plain JSON service.

        Raises:
            UpstreamError, Unavailable: nobody answers there, and nothing of a call was sent.
            UpstreamInvalid: its card cannot be used, or there must be one and is none.
            InvalidInput, CallTimeout: as `Egress.request`.
        """
        peer = way.peer
        if peer.profile == "legacy":
            return None
        key = (replace(peer, inferred=False, verb="POST"), way.agent)
        kept = self._kept.get(key)
        if kept is None or kept.until <= self._clock.monotonic():
            kept = await self._asked(key, way, kept)
        self._kept.move_to_end(key)
        if kept.card is None and peer.profile == "a2a":
            if kept.ill:
                raise Unavailable("its server is out of order", told=Told("remote.refused_UNAVAILABLE"))
            raise UpstreamInvalid("there is no card", told=Told("a2a.remote.no_card"))
        return kept.card

    async def aclose(self) -> None:
        """Give up what is being asked for."""
        for flight in (flights := list(self._flights.values())):
            flight.cancel()
        await asyncio.gather(*flights, return_exceptions=True)

    async def _asked(self, key: tuple[Peer, str], way: Way, known: _Kept | None) -> _Kept:
        flight = self._flights.get(key)
        if flight is None:
            flight = self._flights[key] = asyncio.create_task(self._flight(way, known))
            flight.add_done_callback(lambda _: self._flights.pop(key, None))
        found = await asyncio.shield(flight)
        if isinstance(found, MoothallError):
            raise copy.copy(found)  # each who waited gets one of its own
        self._kept[key] = found
        while len(self._kept) > _MOST:
            self._kept.popitem(last=False)
        return found

    async def _flight(self, way: Way, known: _Kept | None) -> _Kept | MoothallError:
        try:
            return await self._found(way, known)
        except MoothallError as error:
            return error

    async def _found(self, way: Way, known: _Kept | None) -> _Kept:
        ill = False
        for number, place in enumerate(card_places(way.peer.url)):
            tag = known.etag if known is not None and known.place == place else ""
            answer = await self._get(way, place, tag)
            if answer is None or answer.status >= HTTPStatus.INTERNAL_SERVER_ERROR:
                ill = True
                continue
            until = self._clock.monotonic() + _lifetime(answer)
            if answer.status == HTTPStatus.NOT_MODIFIED and known is not None and tag:
                return replace(known, until=until)
            card = await self._card(way.peer, answer, beside=number > 0)
            if card is not None:
                return _Kept(card, until, place, answer.headers.get("etag", ""))
        now = self._clock.monotonic()
        if ill and known is not None and known.card is not None:
            return replace(known, until=now + SOON)
        return _Kept(None, now + (SOON if ill else KEPT), ill=ill)

    async def _get(self, way: Way, place: str, tag: str) -> Fetched | None:
        """The answer at one place; None where there is none that a card could be in."""
        headers = {**_ACCEPT, "if-none-match": tag} if tag else _ACCEPT
        try:
            answer = await self._egress.request("GET", place, headers=headers, seconds=_SECONDS, caps=_CAPS)
            if answer.status in _CLOSED and way.peer.auth != "none":
                return await fetched(way.open("GET", place, headers=headers, caps=_CAPS), _SECONDS)
        except CallTimeout:
            return None
        except UpstreamError as error:
            if not error.sent:  # nobody is there at all
                raise
            return None
        return answer

    async def _card(self, peer: Peer, answer: Fetched, *, beside: bool) -> RemoteCard | None:
        """The card in an answer, if it is one and, where it was found beside the endpoint, the endpoint's.

        Raises:
            UpstreamInvalid: it cannot be used.
        """
        if answer.status != HTTPStatus.OK:
            return None
        try:
            value = await read_json(answer.body)
        except ValidationError:
            return None
        if not is_card(value):
            return None
        near = not beside or peer.profile == "a2a" or any(names(each.url, peer.url) for each in interfaces(value))
        if not near:
            return None
        return read(value, answer.uri, peer.origins, await verified(value, self._resolver))


def _lifetime(answer: Fetched) -> float:
    said = answer.headers.get("cache-control", "").lower()
    if "no-store" in said or "no-cache" in said:
        return LEAST
    age = _MAX_AGE.search(said)
    return KEPT if age is None else min(max(float(age[1]), LEAST), LONGEST)
