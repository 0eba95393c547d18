"""Ending on SIGTERM and Ctrl-C without losing what is under way."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Coroutine, Iterator
from contextlib import contextmanager
from typing import TypeVar

import uvloop

Result = TypeVar("Result")
_ENDING = (signal.SIGINT, signal.SIGTERM)


def run(work: Coroutine[None, None, Result]) -> Result:
    """Run a command's coroutine to its end and return what it returns."""
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        return runner.run(work)


@contextmanager
def stop_signal() -> Iterator[asyncio.Event]:
    """An event that the first SIGTERM or Ctrl-C sets; a second one has its usual effect."""
    loop = asyncio.get_running_loop()
    stop = asyncio.Event()

    def heard() -> None:
        for each in _ENDING:
            loop.remove_signal_handler(each)
        stop.set()

    for each in _ENDING:
        loop.add_signal_handler(each, heard)
    try:
        yield stop
    finally:
        for each in _ENDING:
            loop.remove_signal_handler(each)
