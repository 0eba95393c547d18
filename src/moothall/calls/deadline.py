"""Deadlines that cost nothing for work that never waits: the timer is set when it first does."""

from __future__ import annotations

import asyncio
import types
from collections.abc import Callable, Coroutine, Generator
from typing import Any, TypeVar

from moothall.errors import CallTimeout, Told

T = TypeVar("T")


def timed_out() -> CallTimeout:
    """The error of a call that did not end in time."""
    return CallTimeout("the call did not end in time", told=Told("calls.timeout"))


async def within(work: Coroutine[Any, Any, T], deadline: float, monotonic: Callable[[], float]) -> T:
    """Run `work` in this task until it ends, or the deadline (monotonic seconds) has come.

    It begins at once, and what ends without having waited for anything needs no timer.

    Raises:
        CallTimeout: the deadline came first; `work` was cancelled, and what it made of that does not count.
    """
    try:
        awaited = work.send(None)
    except StopIteration as end:
        value: T = end.value
        return value
    limit = asyncio.timeout(deadline - monotonic())
    try:
        async with limit:
            value = await _resumed(work, awaited)
    except Exception as error:
        if limit.expired():
            raise timed_out() from (None if isinstance(error, TimeoutError) else error)
        raise
    if limit.expired():  # it swallowed its cancellation: its caller was told when the answer comes at the latest
        raise timed_out()
    return value


@types.coroutine
def _resumed(work: Coroutine[Any, Any, T], awaited: Any) -> Generator[Any, Any, T]:  # noqa: ANN401 - a future, or None
    """Go on with a coroutine that waits for `awaited` already, as ``yield from`` does from the start."""
    while True:
        try:
            sent = yield awaited
        except GeneratorExit:
            work.close()
            raise
        except BaseException as error:  # noqa: BLE001 - whatever it is, it is the coroutine's
            thrown: BaseException | None = error
            sent = None
        else:
            thrown = None
        try:
            awaited = work.send(sent) if thrown is None else work.throw(thrown)
        except StopIteration as end:
            value: T = end.value
            return value
