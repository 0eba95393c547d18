"""Results that are used again: per caller, for the seconds that a capability allows, never an error (row DEC-28)."""

from __future__ import annotations

import hashlib
from collections import OrderedDict
from collections.abc import Callable
from copy import deepcopy
from dataclasses import dataclass
from typing import Any, Final

from moothall.calls.call import Call, Stage
from moothall.calls.deadline import within
from moothall.calls.failures import FAILURES
from moothall.calls.fingerprint import fingerprint
from moothall.calls.flight import Flights
from moothall.calls.limits import partition
from moothall.calls.ports import Report
from moothall.canonical import dumps
from moothall.telemetry import logger

_log = logger("calls")
_OVERHEAD: Final = 512
"""Bytes that an entry takes beside its value."""

Key = tuple[int, str, bytes]
"""Which compiled capability, whose calls, and a digest of the arguments."""


@dataclass(frozen=True, slots=True)
class _Kept:
    value: Any
    until: float
    size: int


class Cache:
    """The latest results, bounded in number and in bytes of JSON; a plain object of one event loop."""

    def __init__(self, entries: int, size: int, monotonic: Callable[[], float]) -> None:
        self._most = entries
        self._most_bytes = size
        self._monotonic = monotonic
        self._kept: OrderedDict[Key, _Kept] = OrderedDict()
        self.size = 0

    def __len__(self) -> int:
        """How many results are kept."""
        return len(self._kept)

    def get(self, key: Key) -> _Kept | None:
        """What is kept under a key, if it is not too old."""
        kept = self._kept.get(key)
        if kept is None:
            return None
        if kept.until <= self._monotonic():
            self._drop(key)
            return None
        self._kept.move_to_end(key)
        return kept

    def put(self, key: Key, value: Any, seconds: float, size: int) -> None:  # noqa: ANN401
        """Keep a value of so many bytes, and let the oldest go where there are too many; a huge one is not kept."""
        size += _OVERHEAD
        self._drop(key)
        if size > self._most_bytes:
            return
        self._kept[key] = _Kept(value, self._monotonic() + seconds, size)
        self.size += size
        while len(self._kept) > self._most or self.size > self._most_bytes:
            self._drop(next(iter(self._kept)))

    def _drop(self, key: Key) -> None:
        kept = self._kept.pop(key, None)
        if kept is not None:
            self.size -= kept.size


@dataclass(slots=True)
class _Made:
    """A value that was made for all who waited; of one that cannot be copied there is one only."""

    value: Any
    single: bool = False
    taken: bool = False
    degraded: bool = False


class Caching:
    """The cache stage of one capability; every caller gets a copy of its own."""

    def __init__(
        self, cache: Cache, number: int, seconds: float, timeout: float, monotonic: Callable[[], float]
    ) -> None:
        self._cache = cache
        self._number = number
        self._seconds = seconds
        self._timeout = timeout
        self._monotonic = monotonic
        self._flights: Flights[Key, _Made] = Flights()

    async def value(self, call: Call, produce: Stage) -> Any:  # noqa: ANN401
        """The value of a call, from the cache or from `produce`; calls that are equal at one time share it."""
        key = self._key(call)
        if key is not None:
            kept = self._cache.get(key)
            if kept is not None:
                return deepcopy(kept.value)
            made = await self._flights.join(key, lambda report: self._fill(key, call, produce, report), call.report)
            call.degraded = call.degraded or made.degraded
            if not made.single:
                return deepcopy(made.value)
            if not made.taken:
                made.taken = True
                return made.value
        return call.entry.check(await produce(call))

    async def _fill(self, key: Key, call: Call, produce: Stage, report: Report | None) -> _Made:
        """Do the work in the time that the capability may take, however little its first caller has left."""
        shared = call.lasting(self._monotonic() + self._timeout, report)
        value = call.entry.check(await within(produce(shared), shared.deadline, self._monotonic))
        shared.release()
        try:
            own = deepcopy(deepcopy(value))
        except FAILURES as error:  # a value may refuse to be copied in any way it likes
            _log.debug("%s is not cached: %s", call.name, type(error).__name__)
            return _Made(value, single=True, degraded=shared.degraded)
        try:
            size = len(dumps(call.entry.encode(value)))
        except FAILURES as error:
            _log.debug("%s is not cached: %s", call.name, type(error).__name__)
        else:
            if not shared.degraded:  # the next caller gets the real thing as soon as there is one
                self._cache.put(key, own, self._seconds, size)
        return _Made(value, degraded=shared.degraded)

    def _key(self, call: Call) -> Key | None:
        """None for arguments that JSON cannot hold."""
        try:
            arguments = dumps(fingerprint(call.entry, call.arguments))
        except (TypeError, ValueError):
            return None
        facts = call.facts
        return self._number, partition(facts.principal, facts.address), hashlib.sha256(arguments).digest()
