"""From a capability to its plan: the stages that its options ask for, and no other, put together once."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from itertools import count
from types import MappingProxyType
from typing import Any, Final

from moothall.calls.cache import Cache, Caching
from moothall.calls.call import LOCAL, Call, Stage
from moothall.calls.form import Form, form_of
from moothall.calls.hooks import Before, Hooks, HookSet, followed, preceded, surrounded
from moothall.calls.inner import outwardly
from moothall.calls.keyed import Keyed
from moothall.calls.limits import Window, partition
from moothall.calls.plan import Check, Plan
from moothall.calls.providing import Pour, Providing
from moothall.calls.target import Target
from moothall.capability.entry import Entry
from moothall.capability.spec import Rate
from moothall.errors import InternalError, PayloadTooLarge, Told, ValidationError
from moothall.policy.redaction import redacted

COLLECTED: Final = 1000
"""Values of a stream that fit into one answer."""


class Compiler:
    """Makes plans; what calls of a capability share for longer than a plan lives is kept here.

    Attributes:
        hooks: what users put around calls; when they change, plans have to be made anew.

    `guards` run before the work of every capability of a template, whatever users put around it.
    """

    def __init__(
        self,
        providing: Providing,
        hooks: Hooks,
        cache: Cache,
        keyed: Keyed,
        monotonic: Callable[[], float],
        guards: Mapping[str, Before] = MappingProxyType({}),
    ) -> None:
        self._providing = providing
        self.hooks = hooks
        self._cache = cache
        self._keyed = keyed
        self._monotonic = monotonic
        self._guards = guards
        self._numbers = count(1)
        self._windows: dict[tuple[str, Rate], Window] = {}

    def plan(self, entry: Entry) -> Plan:
        """The plan of a capability of this node."""
        spec, hooks, form = entry.spec, self._around(entry), form_of(entry)
        pour = self._providing.pour(entry) if entry.streams else None
        produce = surrounded(_collecting(pour) if pour else self._providing.stage(entry), hooks.around)
        value = followed(self._checked(entry, form, produce), hooks.after)
        simple = not hooks.after and not _caches(entry)
        harmless = spec.idempotent or all(provider.source != "local" for provider in entry.providers)
        work = _formed(produce, form.check, form.encode) if simple else _formed(value, None, form.encode)
        return Plan(
            entry=entry,
            name=entry.id,
            timeout=spec.timeout,
            local="local" in spec.exposure,
            net="net" in spec.exposure,
            llm="llm" in spec.exposure,
            action=spec.acts,
            form=form,
            check=self._limit(entry.id, spec.rate_limit),
            work=preceded(work, hooks.before),
            keyed=preceded(self._once(value, form, spec.timeout, harmless=harmless), hooks.before),
            pour=self._poured(entry, pour) if pour else None,
            on_error=tuple(hooks.on_error),
        )

    def elsewhere(self, entry: Entry, target: Target, agent: str) -> Plan:
        """The plan of a target that is no capability of this node; `agent` calls it where the caller names none."""
        stage, pour = self._providing.elsewhere(entry, target, agent)
        hooks = self.hooks.of(entry.id)
        work = preceded(followed(surrounded(stage, hooks.around), hooks.after), hooks.before)
        return Plan(
            entry=entry,
            name=entry.id,
            timeout=entry.spec.timeout,
            patient=True,
            local=True,
            net=False,
            action=entry.spec.acts,
            form=form_of(entry),
            work=work,
            keyed=work,
            pour=self._poured(entry, pour),
            on_error=tuple(hooks.on_error),
        )

    def _around(self, entry: Entry) -> HookSet:
        """What a capability's calls meet, what guards those of its template first."""
        hooks, guard = self.hooks.of(entry.id), self._guards.get(entry.spec.template)
        return hooks if guard is None else replace(hooks, before=[guard, *hooks.before])

    def _poured(self, entry: Entry, pour: Pour) -> Stage:
        hooks = self._around(entry)
        poured = followed(surrounded(_pouring(entry, pour), hooks.around), hooks.after)
        return _unkeyed(preceded(poured, hooks.before))

    def _checked(self, entry: Entry, form: Form, produce: Stage) -> Stage:
        """The Python value as its annotation has it, from the cache where the capability allows it."""
        if _caches(entry):
            spec = entry.spec
            caching = Caching(self._cache, next(self._numbers), spec.cache_ttl, spec.timeout, self._monotonic)

            async def cached(call: Call) -> Any:  # noqa: ANN401
                return await caching.value(call, produce)

            return cached
        check = form.check

        async def checked(call: Call) -> Any:  # noqa: ANN401
            return check(await produce(call))

        return checked

    def _once(self, value: Stage, form: Form, seconds: float, *, harmless: bool) -> Stage:
        run, value = self._keyed.run, outwardly(value)

        async def once(call: Call) -> Any:  # noqa: ANN401
            made = await run(call, value, form, seconds, harmless=harmless)
            if not call.redact:
                return made
            return redacted(form.encode(made) if call.facts.door == LOCAL else made, call.redact)

        return once

    def _limit(self, name: str, rate: Rate | None) -> Check | None:
        if rate is None:
            return None
        window = self._windows.get((name, rate))
        if window is None:
            window = self._windows[name, rate] = Window(rate.calls, rate.seconds, self._monotonic)
        take = window.take

        def limit(call: Call) -> None:
            call.remaining = take(partition(call.facts.principal, call.facts.address))

        return limit


def _formed(stage: Stage, check: Callable[[Any], Any] | None, encode: Callable[[Any], Any]) -> Stage:
    """The value in the form of its door; `check` is None where it was checked already.

    What lacks fields is JSON at every door: the type that its annotation names has them.
    """

    async def work(call: Call) -> Any:  # noqa: ANN401
        value = await stage(call)
        if call.redact:
            return redacted(encode(value), call.redact)
        if call.facts.door != LOCAL:
            return encode(value)
        return value if check is None else check(value)

    return work


def _pouring(entry: Entry, pour: Pour) -> Stage:
    """Values one by one, each checked and in the form of its door, to the sink of the call."""
    check, encode = entry.check, entry.encode

    async def work(call: Call) -> None:
        sink = call.sink
        if sink is None:
            raise InternalError("nobody takes the values of a stream")
        shape, redact = check if call.facts.door == LOCAL and not call.redact else encode, call.redact

        async def take(value: object) -> None:
            shaped = shape(value)
            await sink(redacted(shaped, redact) if redact else shaped)

        await pour(call, take)

    return work


def _unkeyed(stage: Stage) -> Stage:
    """Refuse a key where values go out one by one: they are gone then, and could not be given again."""

    async def work(call: Call) -> Any:  # noqa: ANN401
        if call.facts.idempotency_key is not None:
            raise ValidationError("a stream has no idempotency key", told=Told("calls.key_streamed"))
        return await stage(call)

    return work


def _collecting(pour: Pour) -> Stage:
    """Values that come one by one, as a list."""

    async def work(call: Call) -> list[Any]:
        values: list[Any] = []

        async def take(value: object) -> None:
            if len(values) == COLLECTED:
                told = Told("calls.too_many_values", {"most": COLLECTED})
                raise PayloadTooLarge("it yields more values than fit into one answer", told=told)
            values.append(value)

        await pour(call, take)
        return values

    return work


def _caches(entry: Entry) -> bool:
    return entry.spec.cache_ttl > 0 and not entry.streams
