"""Code that runs a function: awaited, in a thread, or value by value, with the context where it wants one."""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Mapping
from contextlib import aclosing, suppress
from dataclasses import replace
from typing import Any, Final

from moothall.capability.context import CallContext
from moothall.capability.entry import Arguments
from moothall.capability.shape import Shape
from moothall.capability.threads import Threads
from moothall.capability.tools import tools_of
from moothall.errors import MoothallError

Explain = Callable[[Exception], MoothallError]
Prepare = Callable[[Arguments, CallContext], tuple[tuple[Any, ...], Mapping[str, Any]]]

_END: Final = object()
_PATIENCE: Final = 1.0
"""Seconds that the end of a generator may take before nobody waits for it."""


def invoker(
    function: Callable[..., Any], shape: Shape, threads: Threads, explain: Explain | None
) -> Callable[[Arguments, CallContext], Awaitable[Any]]:
    """Code that runs the function once. What it raises is raised, or what ``explain`` makes of it."""
    prepare = _preparer(shape)

    def awaited(arguments: Arguments, context: CallContext) -> Awaitable[Any]:
        positional, named = prepare(arguments, context)
        return function(*positional, **named)  # type: ignore[no-any-return]

    def threaded(arguments: Arguments, context: CallContext) -> Awaitable[Any]:
        positional, named = prepare(arguments, context)
        return threads.submit(function, positional, named)

    invoke = awaited if shape.asynchronous else threaded
    if explain is None:
        return invoke

    async def explained(arguments: Arguments, context: CallContext) -> Any:  # noqa: ANN401
        try:
            return await invoke(arguments, context)
        except Exception as error:
            raise explain(error) from error

    return explained


def iterator(
    function: Callable[..., Any], shape: Shape, threads: Threads, explain: Explain | None
) -> Callable[[Arguments, CallContext], AsyncIterator[Any]]:
    """Code that runs the function value by value; one that gives a single value yields that. Raises as `invoker`."""
    prepare = _preparer(shape)

    def iterate(arguments: Arguments, context: CallContext) -> AsyncIterator[Any]:
        return _values(function, shape, threads, prepare(arguments, context))

    if explain is None:
        return iterate

    async def explained(arguments: Arguments, context: CallContext) -> AsyncIterator[Any]:
        try:
            async with aclosing(_values(function, shape, threads, prepare(arguments, context))) as values:
                async for value in values:
                    yield value
        except Exception as error:
            raise explain(error) from error

    return explained


async def _values(
    function: Callable[..., Any], shape: Shape, threads: Threads, given: tuple[tuple[Any, ...], Mapping[str, Any]]
) -> AsyncGenerator[Any]:
    positional, named = given
    if shape.generator and not shape.asynchronous:
        steps = function(*positional, **named)
        try:
            while (value := await threads.submit(next, (steps, _END), {}, function)) is not _END:
                yield value
        finally:
            await _close(steps, threads)
        return
    made = function(*positional, **named) if shape.asynchronous else await threads.submit(function, positional, named)
    if inspect.isawaitable(made):
        made = await made
    if not shape.streams:
        yield made
    elif hasattr(made, "aclose"):
        async with aclosing(made):
            async for value in made:
                yield value
    else:
        async for value in made:
            yield value


async def _close(steps: Any, threads: Threads) -> None:  # noqa: ANN401 - a generator
    """End a generator that was left early, in a thread like its steps; it is not waited for longer than a second."""
    if getattr(steps, "gi_frame", steps) is None:
        return
    closing = threads.finish(steps.close)
    await asyncio.wait([closing], timeout=_PATIENCE)
    if not closing.done():
        closing.add_done_callback(lambda done: done.cancelled() or done.exception())
        return
    with suppress(ValueError):  # a thread is inside it still: the caller has gone, and it ends there by itself
        closing.result()


def _preparer(shape: Shape) -> Prepare:
    if shape.tools:
        return _equipping(_preparer(replace(shape, tools="")), shape.tools)
    name, at = shape.context, shape.context_at
    if not name:
        return lambda arguments, _: (arguments.positional, arguments.named)
    if at < 0:
        return lambda arguments, context: (arguments.positional, {**arguments.named, name: context})

    def by_position(arguments: Arguments, context: CallContext) -> tuple[tuple[Any, ...], Mapping[str, Any]]:
        given = arguments.positional
        return (*given[:at], context, *given[at:]), arguments.named

    return by_position


def _equipping(prepare: Prepare, name: str) -> Prepare:
    """The same, with tools to call others with."""

    def equipped(arguments: Arguments, context: CallContext) -> tuple[tuple[Any, ...], Mapping[str, Any]]:
        positional, named = prepare(arguments, context)
        return positional, {**named, name: tools_of(context)}

    return equipped
