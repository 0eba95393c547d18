"""Code that runs a function: awaited, in a thread, or value by value, with the context where it wants one."""

from __future__ import annotations

import inspect
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import aclosing
from typing import Any, Final

from moothall.capability.context import CallContext
from moothall.capability.entry import Arguments
from moothall.capability.shape import Shape
from moothall.capability.threads import Threads
from moothall.errors import MoothallError

Explain = Callable[[Exception], MoothallError]
Prepare = Callable[[Arguments, CallContext], tuple[tuple[Any, ...], Mapping[str, Any]]]

_END: Final = object()


def invoker(
    function: Callable[..., Any], shape: Shape, threads: Threads, explain: Explain
) -> Callable[[Arguments, CallContext], Awaitable[Any]]:
    """Code that runs the function once; whatever it raises is told by ``explain``, with the exception as its cause."""
    prepare = _preparer(shape)

    async def awaited(arguments: Arguments, context: CallContext) -> Any:  # noqa: ANN401
        positional, named = prepare(arguments, context)
        try:
            return await function(*positional, **named)
        except (Exception, SystemExit) as error:
            raise _told(error, explain) from error

    async def threaded(arguments: Arguments, context: CallContext) -> Any:  # noqa: ANN401
        positional, named = prepare(arguments, context)
        try:
            return await threads.submit(function, positional, named)
        except (Exception, SystemExit) as error:
            raise _told(error, explain) from error

    return awaited if shape.asynchronous else threaded


def iterator(
    function: Callable[..., Any], shape: Shape, threads: Threads, explain: Explain
) -> Callable[[Arguments, CallContext], AsyncIterator[Any]]:
    """Code that runs the function value by value; one that gives a single value yields that."""
    prepare = _preparer(shape)

    async def iterated(arguments: Arguments, context: CallContext) -> AsyncIterator[Any]:
        positional, named = prepare(arguments, context)
        try:
            async with aclosing(_values(function, shape, threads, (positional, named))) as values:
                async for value in values:
                    yield value
        except (Exception, SystemExit) as error:
            raise _told(error, explain) from error

    return iterated


async def _values(
    function: Callable[..., Any], shape: Shape, threads: Threads, given: tuple[tuple[Any, ...], Mapping[str, Any]]
) -> Any:  # noqa: ANN401 - an asynchronous generator
    positional, named = given
    if shape.generator and not shape.asynchronous:
        steps = function(*positional, **named)
        try:
            while (value := await threads.run(next, steps, _END)) is not _END:
                yield value
        finally:
            _close(steps)
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


def _close(steps: Any) -> None:  # noqa: ANN401 - a generator
    try:
        steps.close()
    except ValueError:  # a thread is inside it still: the caller has gone, and it ends there by itself
        return


def _preparer(shape: Shape) -> Prepare:
    name, at = shape.context, shape.context_at
    if not name:
        return lambda arguments, _: (arguments.positional, arguments.named)
    if at < 0:
        return lambda arguments, context: (arguments.positional, {**arguments.named, name: context})

    def by_position(arguments: Arguments, context: CallContext) -> tuple[tuple[Any, ...], Mapping[str, Any]]:
        given = arguments.positional
        return (*given[:at], context, *given[at:]), arguments.named

    return by_position


def _told(error: Exception | SystemExit, explain: Explain) -> MoothallError:
    if isinstance(error, SystemExit):  # a capability ends a call, never the node
        error = RuntimeError("the capability tried to end the process")
    return explain(error)
