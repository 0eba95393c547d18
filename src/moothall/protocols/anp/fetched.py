"""Documents of other agents: fetched, read as JSON, kept for a while and asked for again by their entity tags."""

from __future__ import annotations

import asyncio
import copy
from collections import OrderedDict
from dataclasses import dataclass
from http import HTTPStatus
from typing import Final, Protocol

from moothall.capability.spec import JsonObject
from moothall.clock import Clock
from moothall.errors import InvalidInput, MoothallError, Told, UpstreamError, UpstreamInvalid, ValidationError
from moothall.identity.egress import Egress, Fetched
from moothall.identity.limited_body import Caps
from moothall.protocols.anp.sessions import Sessions, session_of
from moothall.protocols.intake import read_json

KEPT: Final = 300.0
"""Seconds that a document counts without asking for it again."""

LEAST: Final = 10.0
"""Seconds between two requests for the same document, whoever wants a fresh one."""

MOST: Final = 256
MOST_BYTES: Final = 32 * 1024 * 1024

_SECONDS: Final = 10.0
_CAPS: Final = Caps(
    most_bytes=2 * 1024 * 1024, head_seconds=_SECONDS, idle_seconds=_SECONDS, redirects=3, same_origin=True
)
_ACCEPT: Final = {"accept": "application/json, application/ld+json"}
_CLOSED: Final = frozenset({HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN})


@dataclass(slots=True)
class _Kept:
    value: JsonObject
    uri: str
    etag: str
    size: int
    asked: float


class Answered(Protocol):
    """What `FetchedDocuments.get` gives: a document and where it came from."""

    @property
    def value(self) -> JsonObject:
        """The document."""
        ...

    @property
    def uri(self) -> str:
        """Where it was, after redirects."""
        ...


class Documents(Protocol):
    """Where documents come from; `FetchedDocuments` is one."""

    async def get(self, url: str, agent: str, *, fresh: bool = False, signed: bool = False) -> Answered:
        """A document; raises as `FetchedDocuments.get`."""
        ...


class FetchedDocuments:
    """Fetches documents; one for a node.

    Args:
        egress: the way out.
        sessions: signs for documents that are not for everybody.
        clock: the time.
    """

    def __init__(self, egress: Egress, sessions: Sessions, clock: Clock) -> None:
        self._egress = egress
        self._sessions = sessions
        self._clock = clock
        self._kept: OrderedDict[tuple[str, str], _Kept] = OrderedDict()
        self._flights: dict[tuple[str, str, bool], asyncio.Task[_Kept | MoothallError]] = {}

    async def get(self, url: str, agent: str, *, fresh: bool = False, signed: bool = False) -> Answered:
        """A document; ``agent`` signs the request where its server asks who reads it, empty: nobody does.

        `fresh` asks the server again, though not more often than every 10 s; `signed` lets it know who reads in any
        case, since it may show more to some.

        Raises:
            UpstreamError: its server does not answer, or has no such document.
            UpstreamInvalid: it is no JSON object, too long, or at an address that may not be called.
            CallTimeout: it does not answer in 10 s.
        """
        now = self._clock.monotonic()
        signed = signed and bool(agent)
        for key in ((url, agent),) if signed else ((url, ""), (url, agent)):
            kept = self._kept.get(key)
            if kept is not None and now - kept.asked < (LEAST if fresh else KEPT):
                self._kept.move_to_end(key)
                return kept
        asked = (url, agent, signed)
        flight = self._flights.get(asked)
        if flight is None:
            flight = self._flights[asked] = asyncio.create_task(self._flight(*asked))
            flight.add_done_callback(lambda _: self._flights.pop(asked, None))
        found = await asyncio.shield(flight)
        if isinstance(found, MoothallError):
            raise copy.copy(found)  # each who waited gets one of its own
        return found

    async def aclose(self) -> None:
        """Give up what is being asked for."""
        for flight in (flights := list(self._flights.values())):
            flight.cancel()
        await asyncio.gather(*flights, return_exceptions=True)

    async def _flight(self, url: str, agent: str, signed: bool) -> _Kept | MoothallError:  # noqa: FBT001
        try:
            return await (self._shown(url, agent) if signed else self._asked(url, agent))
        except InvalidInput as error:  # the address came from a document of the far side, not from the caller
            refused = UpstreamInvalid("an address that may not be called", told=error.told)
            refused.__cause__ = error
            return refused
        except MoothallError as error:
            return error

    async def _asked(self, url: str, agent: str) -> _Kept:
        """What everybody is shown; where that is nothing, what this agent is."""
        known = self._kept.get((url, ""))
        answer = await self._egress.request("GET", url, headers=_headers(known), seconds=_SECONDS, caps=_CAPS)
        if answer.status in _CLOSED and agent:
            return await self._shown(url, agent)
        return await self._taken(url, "", known, answer)

    async def _shown(self, url: str, agent: str) -> _Kept:
        """What an agent is shown that says who it is."""
        known, session = self._kept.get((url, agent)), session_of(self._sessions, agent)
        answer = await session.request("GET", url, headers=_headers(known), seconds=_SECONDS, caps=_CAPS)
        return await self._taken(url, agent, known, answer)

    async def _taken(self, url: str, reader: str, known: _Kept | None, answer: Fetched) -> _Kept:
        if answer.status == HTTPStatus.NOT_MODIFIED and known is not None:
            known.asked = self._clock.monotonic()
            return known
        if answer.status != HTTPStatus.OK:
            raise UpstreamError("there is no such document", told=Told("remote.status", {"status": answer.status}))
        value, tag = await _json(answer), answer.headers.get("etag", "")
        kept = _Kept(value, answer.uri, tag, len(answer.body), self._clock.monotonic())
        self._keep((url, reader), kept)
        return kept

    def _keep(self, key: tuple[str, str], kept: _Kept) -> None:
        self._kept[key] = kept
        self._kept.move_to_end(key)
        size = sum(each.size for each in self._kept.values())
        while len(self._kept) > MOST or size > MOST_BYTES:
            size -= self._kept.popitem(last=False)[1].size


def _headers(known: _Kept | None) -> dict[str, str]:
    return {**_ACCEPT, "if-none-match": known.etag} if known is not None and known.etag else dict(_ACCEPT)


async def _json(answer: Fetched) -> JsonObject:
    """The document in an answer, if no other reader could understand another one.

    Raises:
        UpstreamInvalid: it is no JSON object, or has a key twice.
    """
    try:
        value = await read_json(answer.body)
    except ValidationError as error:
        raise UpstreamInvalid("the document is not JSON", told=Told("anp.remote_json")) from error
    if not isinstance(value, dict):
        raise UpstreamInvalid("the document is not JSON", told=Told("anp.remote_json"))
    return value
