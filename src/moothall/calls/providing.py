"""Who does the work: the providers of a capability in order, until one does not fail (rows DEC-27, DEC-50, DEC-52)."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any, Final, cast

from moothall.calls.call import Call, Stage
from moothall.calls.failures import FAILURES, is_answer
from moothall.calls.inner import REFUSALS, disowned, unmark
from moothall.calls.outgoing import Way, keyed, target_of
from moothall.calls.remotes import Budget, Remotes
from moothall.calls.repetition import LONG, SHORT, Repetition
from moothall.calls.streaming import closing
from moothall.calls.target import Target
from moothall.capability.context import CallContext
from moothall.capability.entry import Entry, Provider
from moothall.errors import InvalidInput, MoothallError, SettingsError
from moothall.telemetry import logger

_log = logger("calls")
_LOCAL: Final = "local"
Take = Callable[[Any], Awaitable[None]]
Pour = Callable[[Call, Take], Awaitable[None]]


class Providing:
    """Compiles the part of the call path in which the work is done."""

    def __init__(self, remotes: Remotes, repetition: Repetition, monotonic: Callable[[], float]) -> None:
        self._remotes = remotes
        self._repetition = repetition
        self._monotonic = monotonic

    def stage(self, entry: Entry) -> Stage:
        """The work of a capability that gives one value: not yet checked, not yet in the form of its door."""
        stages = [self._line(entry, provider) for provider in entry.providers]
        if len(stages) == 1:
            return stages[0]
        may_pass_on = entry.spec.fallback and entry.providers[-1].source == _LOCAL

        async def first_that_works(call: Call) -> Any:  # noqa: ANN401
            failed: BaseException | None = None
            for stage in stages[:-1]:
                try:
                    return await stage(call)
                except FAILURES as error:
                    failed = _give_way(call, error)
            value = await stages[-1](call)
            if value is None and may_pass_on and failed is not None:  # the fallback has nothing to offer (row TPL-13)
                call.restore()
                raise failed
            return value

        return first_that_works

    def pour(self, entry: Entry) -> Pour:
        """The work of one that yields values; the next provider is asked only as long as there was none."""
        pours = [self._stream(entry, provider) for provider in entry.providers]
        if len(pours) == 1:
            return pours[0]

        async def first_that_works(call: Call, take: Take) -> None:
            taken = 0

            async def counted(value: object) -> None:
                nonlocal taken
                taken += 1
                await take(value)

            for pour in pours[:-1]:
                try:
                    return await pour(call, counted)
                except FAILURES as error:
                    if taken:
                        raise
                    _give_way(call, error)
            return await pours[-1](call, take)

        return first_that_works

    def elsewhere(self, entry: Entry, target: Target, agent: str) -> tuple[Stage, Pour]:
        """The work of a target that is no capability of this node; `agent` calls it where the caller names none."""
        way = Way(self._remotes, entry.providers[0], target, self._monotonic, agent)
        way.asks = True
        return self._repeated(way, entry.spec.retry), way.pour

    def _line(self, entry: Entry, provider: Provider) -> Stage:
        spec = entry.spec
        if provider.source != _LOCAL:
            return _disowning(self._repeated(self._way(entry, provider), spec.retry, harmless=spec.idempotent))
        attempt = _attempt(entry)
        if not spec.retry:
            return attempt
        budget, run = Budget(), self._repetition.run

        async def repeated(call: Call) -> Any:  # noqa: ANN401
            return await run(call, attempt, budget, spec.retry, harmless=spec.idempotent)

        return repeated

    def _repeated(self, way: Way, times: int, *, harmless: bool = False) -> Stage:
        if way.inward:
            return way.attempt
        run, pauses = self._repetition.run, LONG if way.target.scheme == "a2a" else SHORT
        always = harmless or way.harmless

        async def repeated(call: Call) -> Any:  # noqa: ANN401
            way.connector()  # without one, repeating would only take time
            return await run(call, way.attempt, way.remote.budget, times, harmless=always or keyed(call), pauses=pauses)

        return repeated

    def _stream(self, entry: Entry, provider: Provider) -> Pour:
        if provider.source != _LOCAL:
            return _disowning_pour(self._way(entry, provider).pour)

        async def pour(call: Call, take: Take) -> None:
            try:
                async with closing(entry.iterate(call.arguments, call.context)) as values:
                    async for value in values:
                        await take(value)
            except MoothallError as error:
                unmark(error, call)
                raise

        return pour

    def _way(self, entry: Entry, provider: Provider) -> Way:
        try:
            target = target_of(entry, provider)
        except InvalidInput as error:
            raise SettingsError(f"the options of {entry.id} name nothing that can be called") from error
        return Way(self._remotes, provider, target, self._monotonic, entry.agent)


def _attempt(entry: Entry) -> Stage:
    """Run the function; a context is made only for those that take one."""
    invoke, nothing = entry.invoke, cast("CallContext", None)

    async def in_context(call: Call) -> Any:  # noqa: ANN401
        try:
            return await invoke(call.arguments, call.context)
        except MoothallError as error:
            unmark(error, call)
            raise

    async def by_itself(call: Call) -> Any:  # noqa: ANN401
        try:
            return await invoke(call.arguments, nothing)
        except MoothallError as error:
            unmark(error, call)
            raise

    return in_context if entry.contextual else by_itself


def _disowning(stage: Stage) -> Stage:
    """What is elsewhere refuses this node, or does not know it: that is no answer to the capability's caller."""

    async def work(call: Call) -> Any:  # noqa: ANN401
        try:
            return await stage(call)
        except REFUSALS as error:
            raise disowned(error) from error

    return work


def _disowning_pour(pour: Pour) -> Pour:
    async def work(call: Call, take: Take) -> None:
        try:
            await pour(call, take)
        except REFUSALS as error:
            raise disowned(error) from error

    return work


def _give_way(call: Call, error: BaseException) -> BaseException:
    """Leave the work to the next provider, unless the error is an answer; return the error."""
    if is_answer(error):
        raise error
    call.degrade()
    _log.warning("%s %s falls back: %s", call.request_id, call.name, type(error).__name__)
    return error
