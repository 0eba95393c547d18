"""What users put around calls (the four parts of spec B's templates): before, around, after, and on an error."""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final, TypeVar

from moothall.calls.audit import concealed
from moothall.calls.call import Call, Stage
from moothall.calls.failures import FAILURES
from moothall.capability.context import CallContext
from moothall.errors import MoothallError

Before = Callable[[CallContext, Mapping[str, Any]], object]
"""Gets the arguments as JSON once they are valid; raises to refuse the call. May be async, as the others may."""
After = Callable[[CallContext, Any], object]
"""Gets the value; of a stream it gets None, at its end."""
OnError = Callable[[CallContext, MoothallError], object]
"""Gets the error that the caller gets; may raise another of ours in its place."""
Around = Callable[[CallContext, Callable[[], Awaitable[Any]]], Awaitable[Any]]
"""Gets the context and the work, which it awaits; what it returns is the result."""

ON_ERROR: Final = 1.0
"""Seconds that the hooks of an error have; what has failed is not kept from its caller for longer."""

H = TypeVar("H", bound=Callable[..., object])


@dataclass(slots=True)
class HookSet:
    """The hooks of one capability, or of all; those that came first stand outside."""

    before: list[Before] = field(default_factory=list)
    around: list[Around] = field(default_factory=list)
    after: list[After] = field(default_factory=list)
    on_error: list[OnError] = field(default_factory=list)


class Hooks:
    """The hooks of a node.

    Each call meets those of every capability first, then those of its own. ``before``, ``after`` and ``on_error`` see
    every call that got as far as its arguments, ``around`` only those that are worked on: answers from the cache, or
    of an earlier call with the same key, are not. An error in ``before``, ``around`` or ``after`` is the call's.
    """

    def __init__(self) -> None:
        self.version = 0
        self._sets: dict[str, HookSet] = {}

    def of(self, name: str) -> HookSet:
        """All that the calls of a capability meet."""
        found = [self._sets[key] for key in ("", name) if key in self._sets]
        together = HookSet()
        for hooks in found:
            together.before += hooks.before
            together.around += hooks.around
            together.after += hooks.after
            together.on_error += hooks.on_error
        return together

    def before(self, hook: H, capability: str = "") -> H:
        """Run `hook` before the work of a capability (``AGENT.NAME``), or of every one; usable as a decorator."""
        self._changing(capability).before.append(hook)
        return hook

    def around(self, hook: H, capability: str = "") -> H:
        """Run `hook` in place of the work, which it gets to call."""
        self._changing(capability).around.append(hook)  # type: ignore[arg-type]
        return hook

    def after(self, hook: H, capability: str = "") -> H:
        """Run `hook` once there is a value."""
        self._changing(capability).after.append(hook)
        return hook

    def on_error(self, hook: H, capability: str = "") -> H:
        """Run `hook` when a call fails."""
        self._changing(capability).on_error.append(hook)
        return hook

    def _changing(self, capability: str) -> HookSet:
        self.version += 1
        return self._sets.setdefault(capability, HookSet())


def preceded(stage: Stage, hooks: list[Before]) -> Stage:
    """A stage that runs the hooks first."""
    if not hooks:
        return stage

    async def work(call: Call) -> Any:  # noqa: ANN401
        arguments = call.entry.wire(call.arguments)
        for hook in hooks:
            await _ran(hook(call.context, arguments))
        return await stage(call)

    return work


def surrounded(stage: Stage, hooks: list[Around]) -> Stage:
    """A stage that runs inside the hooks."""
    for hook in reversed(hooks):
        stage = _inside(hook, stage)
    return stage


def followed(stage: Stage, hooks: list[After]) -> Stage:
    """A stage that runs the hooks on its value."""
    if not hooks:
        return stage

    async def work(call: Call) -> Any:  # noqa: ANN401
        value = await stage(call)
        for hook in hooks:
            await _ran(hook(call.context, value))
        return value

    return work


async def failed(call: Call, error: MoothallError, hooks: tuple[OnError, ...]) -> MoothallError:
    """The error after all hooks have seen it; one that fails by itself changes nothing, nor does one that takes long.

    The time of the call may be over, so that they have one of their own, all together.
    """
    limit = asyncio.timeout(ON_ERROR)
    try:
        async with limit:
            for hook in hooks:
                try:
                    await _ran(hook(call.context, error))
                except MoothallError as other:
                    error = other
                except FAILURES as fault:
                    concealed(fault, call.name, call.request_id)
    except TimeoutError as late:
        concealed(late, call.name, call.request_id)
    return error


def _inside(hook: Around, stage: Stage) -> Stage:
    async def work(call: Call) -> Any:  # noqa: ANN401
        return await hook(call.context, lambda: stage(call))

    return work


async def _ran(result: object) -> None:
    if inspect.isawaitable(result):
        await result
