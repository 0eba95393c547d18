"""One look around: from a place to what it leads to, level by level, within limits; each document is kept as it comes.

What the owner names is looked at by naming it: its descriptions count as seen, and so do those of the same host that
it leads to. What links of it lead to elsewhere is remembered, and waits for the owner.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final, Literal

from moothall.clock import Clock
from moothall.directory.finding.fetching import Fetching, Missing, NoRoom, Spent
from moothall.directory.finding.limits import LONGEST_URL, Limits
from moothall.directory.finding.places import SCHEMES, host_of, is_place, well_known
from moothall.directory.finding.reading import PLACE, Discoverer, Document, Reading, reason
from moothall.directory.finding.rows import Source
from moothall.directory.finding.settling import Place
from moothall.directory.finding.store import FindingStore
from moothall.directory.finding.taming import line
from moothall.directory.listing import Standing
from moothall.errors import CallTimeout, MoothallError, Told, UpstreamError, UpstreamInvalid
from moothall.identity.egress import Egress
from moothall.telemetry import logger

End = Literal["complete", "depth", "room", "time"]
"""Why it ended: there was no more, or a limit was reached: of depth, of documents or bytes, of time."""

PATIENCE: Final = 3
"""Intervals for which a listing counts whose place does not answer."""

_LONGEST_PAUSE: Final = 64
"""Intervals at most between two attempts at a place that fails."""

_SHOWN: Final = 200
_log = logger("finding")


@dataclass(frozen=True, slots=True)
class Failure:
    """A place that could not be read, and why."""

    url: str
    why: str


@dataclass(slots=True)
class Report:
    """What came of it.

    Attributes:
        url: where it began.
        end: why it ended.
        documents, bytes: that it took.
        listed, changed, refused: targets by their standings; with the reasons of the last two.
        gone: listings that are not there any more.
        failures: places that could not be read.
    """

    url: str
    end: End = "complete"
    documents: int = 0
    bytes: int = 0
    listed: list[str] = field(default_factory=list)
    changed: dict[str, str] = field(default_factory=dict)
    refused: dict[str, str] = field(default_factory=dict)
    gone: int = 0
    failures: list[Failure] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Ground:
    """What looking around stands on; ``interval``: seconds after which a place is read again."""

    egress: Egress
    store: FindingStore
    discoverers: Sequence[Discoverer]
    clock: Clock
    limits: Limits
    interval: float


@dataclass(slots=True)
class _Look:
    """A look around that is under way."""

    root: str
    host: str
    forced: bool
    report: Report
    spent: Spent = field(default_factory=Spent)
    visited: set[str] = field(default_factory=set)
    orphans: list[str] = field(default_factory=list)
    absent: set[str] = field(default_factory=set)


class Crawler:
    """Looks around for a node."""

    def __init__(self, ground: Ground) -> None:
        self._ground = ground

    async def crawl(self, root: str, *, forced: bool = True) -> Report:
        """Read a place and what it leads to; ``forced`` asks those again that have failed lately, too.

        Raises:
            StorageError: what was found cannot be kept.
        """
        look = _Look(root, host_of(root), forced, Report(root))
        try:
            async with asyncio.timeout(self._ground.limits.seconds):
                await self._levels(look)
        except CallTimeout:
            raise
        except TimeoutError:
            look.report.end = "time"
        look.report.gone += await self._ground.store.drop([url for url in look.orphans if url not in look.visited])
        await self._tell_of_nothing(look)
        look.report.documents, look.report.bytes = look.spent.documents, look.spent.bytes
        return look.report

    async def _levels(self, look: _Look) -> None:
        level: list[tuple[str, str]] = [(look.root, "")]
        for _ in range(self._ground.limits.depth + 1):
            fresh = [(url, parent) for url, parent in dict(level).items() if url not in look.visited]
            if len(fresh) > (room := self._ground.limits.documents - len(look.visited)):  # refused ones count as well
                fresh, look.report.end = fresh[:room], "room"
            look.visited |= {url for url, _ in fresh}
            unfit = [url for url, _ in fresh if len(url) > LONGEST_URL or not url.isprintable()]  # no database takes it
            look.report.failures += [Failure(line(url, _SHOWN), "egress.form") for url in unfit]
            level = await self._level(look, [each for each in fresh if each[0] not in unfit])
            if not level:
                return
        look.report.end = "depth" if look.report.end == "complete" else look.report.end

    async def _level(self, look: _Look, places: Sequence[tuple[str, str]]) -> list[tuple[str, str]]:
        """Read places side by side; what they lead to, each with the place that does."""
        turns = asyncio.Semaphore(self._ground.limits.at_once)

        async def one(url: str, parent: str) -> list[tuple[str, str]]:
            async with turns:
                return [(link, url) for link in await self._visit(look, url, parent)]

        tasks = [asyncio.create_task(one(url, parent)) for url, parent in places]
        try:
            return [each for found in await asyncio.gather(*tasks) for each in found]
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    async def _visit(self, look: _Look, url: str, parent: str) -> Sequence[str]:
        """Read one place and keep what it says; the places that it leads to."""
        store, now = self._ground.store, self._ground.clock.now()
        known = await store.place(url)
        if known is not None and known.parent != parent:
            return ()  # it is read for whoever named it first
        if parent and known is not None and known.failures and not look.forced and _resting(known, now):
            look.report.failures.append(Failure(url, known.why))
            return [each.url for each in await store.children(url)]
        room = Fetching(
            self._ground.egress, self._ground.limits, look.spent, (url, parent), known.tags if known else {}
        )
        try:
            reading = await self._read(url, room, known)
        except NoRoom:
            look.report.end = "room"
            return ()
        except MoothallError as error:
            return await self._unread(look, url, parent, known, error)
        place = self._place(look, url, parent, room)
        settled = await store.settle(place, reading)
        _count(look.report, settled.standings, settled.gone)
        if reading is None:
            return settled.children
        look.orphans += [child for child in settled.children if child not in reading.links]
        return reading.links

    async def _read(self, url: str, room: Fetching, known: Source | None) -> Reading | None:
        """What a place says; None: the same as last time."""
        discoverers = self._ground.discoverers
        for discoverer in discoverers:
            if discoverer.claims(url):
                return await discoverer.read(Document(url, url, {}), room)
        if is_place(url):
            return Reading(PLACE, links=well_known(url, discoverers))
        if known is not None and known.kind and await room.unchanged(url):
            return None
        document = await room.get(url)
        for discoverer in discoverers:
            if discoverer.knows(document.value):
                try:
                    return await discoverer.read(document, room)
                except MoothallError:
                    raise
                except (ValueError, TypeError, LookupError, AttributeError, RecursionError) as error:
                    _log.warning("the document %s could not be understood", line(url, _SHOWN), exc_info=True)
                    raise UpstreamInvalid("no document that is understood", told=Told("finding.unknown")) from error
        raise UpstreamInvalid("no document that is understood", told=Told("finding.unknown"))

    async def _tell_of_nothing(self, look: _Look) -> None:
        """A host that has no document at all is one that failed."""
        if is_place(look.root) and look.absent.issuperset(well_known(look.root, self._ground.discoverers)):
            error = UpstreamError("the host tells of nothing", told=Told("finding.nothing"))
            await self._unread(look, look.root, "", await self._ground.store.place(look.root), error)

    async def _unread(
        self, look: _Look, url: str, parent: str, known: Source | None, error: MoothallError
    ) -> Sequence[str]:
        """Keep why a place could not be read; one that only might have been there is passed over."""
        gone = isinstance(error, Missing)
        if gone and known is None and is_place(parent):
            look.absent.add(url)
            return ()
        why = reason(error)
        _log.info("the place %s was not read: %s", url, why)
        look.report.failures.append(Failure(url, why))
        failures = (known.failures if known is not None else 0) + 1
        pause = self._ground.interval * min(2 ** (failures - 1), _LONGEST_PAUSE)
        now = self._ground.clock.now()
        place = Place(url=url, parent=parent, now=now, next_at=now + timedelta(seconds=pause))
        look.report.gone += await self._ground.store.failed(place, why, gone=gone)
        return [each.url for each in await self._ground.store.children(url)] if known is not None else ()

    def _place(self, look: _Look, url: str, parent: str, room: Fetching) -> Place:
        now, interval = self._ground.clock.now(), self._ground.interval
        return Place(
            url=url,
            parent=parent,
            tags=room.tags,
            looked=host_of(url) == look.host or not url.startswith(SCHEMES),
            now=now,
            next_at=None if parent else now + timedelta(seconds=interval),
            expires_at=now + timedelta(seconds=interval * PATIENCE),
        )


def _resting(known: Source, now: datetime) -> bool:
    return known.next_at is not None and known.next_at > now


def _count(report: Report, standings: Mapping[str, tuple[Standing, str]], gone: int) -> None:
    for target, (state, why) in standings.items():
        if state == "listed":
            report.listed.append(target)
        elif state == "changed":
            report.changed[target] = why
        elif state == "refused":
            report.refused[target] = why
    report.gone += gone
