"""Calls with an ``Idempotency-Key``: made once, however often they are sent (for 24 hours, also after a restart).

Their work goes on when their callers have left: whoever repeats the call gets its answer.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from copy import deepcopy
from dataclasses import dataclass
from typing import Any, Final

from moothall.calls.audit import hidden, log_cause
from moothall.calls.call import LOCAL, Call, Stage
from moothall.calls.deadline import within
from moothall.calls.failures import FAILURES, may_pass, unsent
from moothall.calls.fingerprint import fingerprint
from moothall.calls.flight import Flights
from moothall.calls.form import Form
from moothall.calls.kept_reply import read, write_error, write_value
from moothall.calls.ledger import Key, Ledger
from moothall.calls.limits import partition
from moothall.calls.meter import OK
from moothall.calls.ports import CallFacts, Report
from moothall.calls.seal import Seal, not_kept
from moothall.canonical import digest
from moothall.errors import (
    ApprovalPending,
    CallTimeout,
    Conflict,
    InputRequired,
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
_LONELY: Final = 256
"""Calls that go on at one time although nobody waits for them."""

_APPROVED: Final = 90 * 86_400
"""Seconds for which it is remembered that an approved call was begun: a node may stand still for long."""

_LONELY_EACH: Final = 16
"""Of them, those of one caller: nobody takes the places of all others."""

_REFUSED: Final = (ApprovalPending, InputRequired, Unavailable, RateLimited, Overloaded)
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

    def __init__(self, ledger: Ledger | None, seal: Seal, monotonic: Callable[[], float]) -> None:
        self._ledger = ledger
        self._seal = seal
        self._monotonic = monotonic
        self._flights: Flights[Key, _Answer] = Flights(_LONELY, _LONELY_EACH, lambda key: key.caller)
        self._writing: dict[Key, asyncio.Task[None]] = {}

    async def run(self, call: Call, stage: Stage, form: Form, seconds: float, *, harmless: bool) -> Any:  # noqa: ANN401
        """The value of a keyed call: made now, or joined while it is made, or read from the ledger.

        Raises:
            Conflict: the key came with other arguments before, or nobody knows how that call ended, or its answer is
                not kept.
            ValidationError: the key is none, or its caller proves no identity, or an argument has no JSON form.
            RateLimited: as much is kept for the caller as may be, or it has made as many calls as it may.
            StorageError: the ledger cannot be read, or the call not be counted; nothing was done.
            Unavailable: the node stops.
        """
        key = _key(call)
        arguments = digest(fingerprint(call.entry, call.arguments))
        joined = self._flights.mark(key)
        if joined not in {None, arguments}:
            raise _reused()
        work = _Work(call, stage, form, seconds, harmless)

        def start(report: Report | None) -> Coroutine[Any, Any, _Answer]:
            return self._once(key, arguments, work, report)

        call.replayed = joined is not None
        answer = await self._flights.join(key, start, call.report, mark=arguments)
        call.replayed |= answer.replayed
        if answer.error is not None:
            raise answer.error
        if call.facts.door != LOCAL:
            return answer.data
        return form.decode(deepcopy(answer.data)) if call.replayed else answer.value

    async def aclose(self) -> None:
        """Stop what is under way; the keys of what had begun stay taken, so that nobody believes it was not made."""
        await self._flights.aclose()
        while self._writing:
            await asyncio.wait(self._writing.values())

    async def _once(self, key: Key, arguments: str, work: _Work, report: Report | None) -> _Answer:
        known = await self._claimed(key, arguments, work)
        if known is not None:
            return known
        await self._count(key, work.call)
        work.call.untouched = False
        call = work.call.lasting(self._monotonic() + work.seconds, report)
        call.partner = work.call.partner  # all who share the work are one caller
        try:
            value = await within(work.stage(call), call.deadline, self._monotonic)
            data = work.form.encode(value)
        except FAILURES as error:
            told = error if isinstance(error, MoothallError) else hidden(error)
            await self._write(key, self._failed(key, told, harmless=work.harmless))
            self._tell_lonely(key, call, told)
            raise told  # noqa: B904 - it has its cause
        finally:
            call.release()
        await self._write(key, self._settle(key, data, idempotent=call.entry.spec.idempotent))
        self._tell_lonely(key, call, None)
        return _Answer(data, value)

    def _tell_lonely(self, key: Key, call: Call, error: MoothallError | None) -> None:
        """Write down how a call ended that nobody waits for."""
        if self._flights.is_lonely(key):
            outcome = OK if error is None else error.envelope_code
            _log.info("%s %s after its callers left: %s", call.request_id, call.name, outcome)
            if error is not None:
                log_cause(error, call.name, call.request_id)

    async def _claimed(self, key: Key, arguments: str, work: _Work) -> _Answer | None:
        """The answer of an earlier call; None where this one is to be made.

        A claim that is stopped is given back: no work began under it.
        """
        if self._ledger is None:
            return None
        if (writing := self._writing.get(key)) is not None:
            await asyncio.wait([writing])
        claiming = asyncio.create_task(self._claim(self._ledger, key, arguments, work))
        try:
            return await asyncio.shield(claiming)
        except asyncio.CancelledError:
            self._begin(key, self._give_back(self._ledger, key, claiming))
            raise

    async def _claim(self, ledger: Ledger, key: Key, arguments: str, work: _Work) -> _Answer | None:
        record = await ledger.claim(key, arguments, bounded=_is_bounded(work.call))
        if record is None:
            return None
        if record.digest != arguments:
            raise _reused()
        if record.reply is not None:
            kept = read(self._seal.open(record.reply, _place(key)))
            return _Answer(kept.data, error=kept.error, replayed=True)
        if not work.harmless or not await ledger.take_over(key, record):
            raise Conflict("it is unknown how the call with this key ended", told=Told("calls.outcome_unknown"))
        return None

    async def _count(self, key: Key, call: Call) -> None:
        """Count a call that is to be made; where that fails, or is stopped, the key is free again."""
        if call.counted is None:
            return
        try:
            await call.counted()
        except BaseException:
            if self._ledger is not None:
                self._begin(key, self._give_back(self._ledger, key))
            raise

    async def _give_back(self, ledger: Ledger, key: Key, claiming: asyncio.Task[_Answer | None] | None = None) -> None:
        try:
            if claiming is None or await claiming is None:
                await ledger.release(key)
        except MoothallError as error:
            _log.info("a keyed call was given up before it began: %s", type(error).__name__)

    async def _failed(self, key: Key, error: MoothallError, *, harmless: bool) -> None:
        if self._ledger is None:
            return
        if isinstance(error, _REFUSED) or unsent(error) or (harmless and may_pass(error)):
            await self._ledger.release(key)
        elif not isinstance(error, CallTimeout):
            await self._keep(self._ledger, key, write_error(error))

    async def _settle(self, key: Key, data: object, *, idempotent: bool) -> None:
        """Keep the answer; where it is too large, a call that may be repeated will be, and another never is."""
        if self._ledger is None:
            return
        text = write_value(data)
        if text is None and idempotent:
            await self._ledger.release(key)
        else:
            await self._keep(self._ledger, key, text or write_error(not_kept()))

    async def _keep(self, ledger: Ledger, key: Key, text: str) -> None:
        await ledger.settle(key, self._seal.close(text, _place(key)))

    async def _write(self, key: Key, writing: Coroutine[Any, Any, None]) -> None:
        """Write to the end, even where nobody waits any more; what was done stays done when it cannot be written."""
        try:
            await asyncio.shield(self._begin(key, writing))
        except StorageError:
            _log.warning("the answer of a keyed call could not be kept: a repetition will not know it")

    def _begin(self, key: Key, writing: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        """Write in a task of its own; who claims the key next waits for it."""
        task = self._writing[key] = asyncio.create_task(writing)
        task.add_done_callback(lambda _: self._writing.pop(key, None))
        return task


def _place(key: Key) -> str:
    return f"{key.caller}\n{key.capability}\n{key.key}"


def _key(call: Call) -> Key:
    """The key of a call; what the node makes because it was approved has keys that no caller can name."""
    facts = call.facts
    if call.execution:
        return Key(f"approval:{facts.principal.id}", call.entry.key, f"approval/{call.execution}", _APPROVED)
    return Key(_whose(facts), call.entry.key, _checked(facts.idempotency_key))


def _is_bounded(call: Call) -> bool:
    return not (call.facts.principal.owner or call.execution)


def _whose(facts: CallFacts) -> str:
    """Whose keys these are. Who proves nothing has none: others behind one address would get its answers."""
    principal = facts.principal
    if not principal.verified and principal.kind != "local":
        raise ValidationError("a key needs a caller", told=Told("calls.key_unproved"))
    return partition(principal, facts.address)


def _reused() -> Conflict:
    return Conflict("the key was used for other arguments", told=Told("calls.key_reused"))


def _checked(key: str | None) -> str:
    if not key or len(key) > _LONGEST_KEY or not key.isprintable():
        raise ValidationError("not an idempotency key", told=Told("calls.key"))
    return key
