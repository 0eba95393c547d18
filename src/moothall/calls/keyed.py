"""Calls with an ``Idempotency-Key``: made once, however often they are sent (for 24 hours, also after a restart)."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from typing import Any, Final

from moothall.calls.audit import hidden
from moothall.calls.call import LOCAL, Call, Stage
from moothall.calls.deadline import within
from moothall.calls.failures import FAILURES, may_pass, unsent
from moothall.calls.flight import Flights
from moothall.calls.form import Form
from moothall.calls.kept_reply import read, write_error, write_value
from moothall.calls.ledger import Key, Ledger
from moothall.calls.limits import partition
from moothall.canonical import digest
from moothall.errors import (
    CallTimeout,
    Conflict,
    MoothallError,
    Overloaded,
    RateLimited,
    StorageError,
    Told,
    Unavailable,
    ValidationError,
)
from moothall.telemetry import logger

_log = logger("calls")
_LONGEST_KEY: Final = 255
_REFUSED: Final = (Unavailable, RateLimited, Overloaded)
"""Said before anything was done, or on purpose: come again."""


@dataclass(frozen=True, slots=True)
class _Answer:
    """A value in both forms, the Python one only where the work was done just now; or the error of an earlier call."""

    data: Any = None
    value: Any = None
    error: MoothallError | None = None
    replayed: bool = False


@dataclass(frozen=True, slots=True)
class _Work:
    """What a keyed call does where it is made."""

    call: Call
    stage: Stage
    form: Form
    seconds: float
    harmless: bool


class Keyed:
    """Makes each keyed call once; without a ledger it knows only of those that are under way."""

    def __init__(self, ledger: Ledger | None, monotonic: Callable[[], float]) -> None:
        self._ledger = ledger
        self._monotonic = monotonic
        self._flights: Flights[Key, _Answer] = Flights()
        self._digests: dict[Key, str] = {}
        self._settling: set[asyncio.Task[None]] = set()

    async def run(self, call: Call, stage: Stage, form: Form, seconds: float, *, harmless: bool) -> Any:  # noqa: ANN401
        """The value of a keyed call: made now, or joined while it is made, or read from the ledger.

        Raises:
            Conflict: the key came with other arguments before, or nobody knows how that call ended.
            ValidationError: the key is none.
            StorageError: the ledger cannot be read; nothing was done.
        """
        key = Key(partition(call.facts.principal, call.facts.address), call.name, _checked(call.facts.idempotency_key))
        arguments = digest(call.entry.wire(call.arguments))
        joins = key in self._flights
        if joins and self._digests[key] != arguments:
            raise _reused()
        self._digests[key] = arguments
        work = _Work(call, stage, form, seconds, harmless)
        try:
            answer = await self._flights.join(key, lambda: self._once(key, arguments, work))
        finally:
            if key not in self._flights:
                self._digests.pop(key, None)
        call.replayed = joins or answer.replayed
        if answer.error is not None:
            raise answer.error
        if call.facts.door != LOCAL:
            return answer.data
        return form.decode(answer.data) if call.replayed else answer.value

    async def _once(self, key: Key, arguments: str, work: _Work) -> _Answer:
        known = await self._claim(key, arguments, harmless=work.harmless)
        if known is not None:
            return known
        call = work.call.lasting(self._monotonic() + work.seconds)
        try:
            value = await within(work.stage(call), call.deadline, self._monotonic)
            data = work.form.encode(value)
        except FAILURES as error:
            told = error if isinstance(error, MoothallError) else hidden(error)
            await self._write(self._failed(key, told, harmless=work.harmless))
            raise told  # noqa: B904 - it has its cause
        call.release()
        await self._write(self._settle(key, write_value(data)))
        return _Answer(data, value)

    async def _claim(self, key: Key, arguments: str, *, harmless: bool) -> _Answer | None:
        """The answer of an earlier call; None where this one is to be made."""
        if self._ledger is None:
            return None
        record = await self._ledger.claim(key, arguments)
        if record is None:
            return None
        if record.digest != arguments:
            raise _reused()
        if record.reply is not None:
            kept = read(record.reply)
            return _Answer(kept.data, error=kept.error, replayed=True)
        if not harmless or not await self._ledger.take_over(key, record):
            raise Conflict("it is unknown how the call with this key ended", told=Told("calls.outcome_unknown"))
        return None

    async def _failed(self, key: Key, error: MoothallError, *, harmless: bool) -> None:
        if self._ledger is None:
            return
        if isinstance(error, _REFUSED) or unsent(error) or (harmless and may_pass(error)):
            await self._ledger.release(key)
        elif not isinstance(error, CallTimeout):
            await self._ledger.settle(key, write_error(error))

    async def _settle(self, key: Key, reply: str) -> None:
        if self._ledger is not None:
            await self._ledger.settle(key, reply)

    async def _write(self, writing: Coroutine[Any, Any, None]) -> None:
        """Write to the end, even where nobody waits any more; what was done stays done when it cannot be written."""
        task = asyncio.create_task(writing)
        self._settling.add(task)
        task.add_done_callback(self._settling.discard)
        try:
            await asyncio.shield(task)
        except StorageError:
            _log.warning("the answer of a keyed call could not be kept: a repetition will not know it")


def _reused() -> Conflict:
    return Conflict("the key was used for other arguments", told=Told("calls.key_reused"))


def _checked(key: str | None) -> str:
    if not key or len(key) > _LONGEST_KEY or not key.isprintable():
        raise ValidationError("not an idempotency key", told=Told("calls.key"))
    return key
