"""Standard input and output as the two ends of a wire, which nothing else in the process can reach meanwhile."""

from __future__ import annotations

import asyncio
import os
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from io import RawIOBase
from typing import BinaryIO, Final, Self

_STDIN, _STDOUT, _STDERR = 0, 1, 2
_WAITING: Final = 64
"""Lines that were read and nobody has taken yet."""


class Lines:
    """The lines of a stream, read in a thread of its own: waiting for one can be cancelled, whatever the stream is."""

    def __init__(self, stream: BinaryIO) -> None:
        self._stream = stream
        self._queue: asyncio.Queue[str] | None = None

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> str:
        """Take the next line, with its end; one that is no UTF-8 has replacement characters."""
        if self._queue is None:
            self._queue = asyncio.Queue(_WAITING)
            loop = asyncio.get_running_loop()
            threading.Thread(target=self._read, args=(loop, self._queue), name="stdin", daemon=True).start()
        line = await self._queue.get()
        if not line:
            raise StopAsyncIteration
        return line

    def _read(self, loop: asyncio.AbstractEventLoop, queue: asyncio.Queue[str]) -> None:
        with suppress(RuntimeError):  # the loop has ended: nobody reads any more
            while line := self._stream.readline():
                asyncio.run_coroutine_threadsafe(queue.put(line.decode(errors="replace")), loop).result()
            asyncio.run_coroutine_threadsafe(queue.put(""), loop).result()


class Output:
    """Writes to a stream; a reader that is slow holds up nobody but who writes.

    Attributes:
        left: set when nobody reads any more; what is written then is lost.
    """

    def __init__(self, stream: RawIOBase) -> None:
        self._stream = stream
        self._turn = asyncio.Lock()
        self.left = asyncio.Event()

    async def write(self, text: str) -> None:
        """Write a text, whole and before any other."""
        async with self._turn:
            if self.left.is_set():
                return
            try:
                await asyncio.to_thread(self._write, text.encode())
            except BrokenPipeError:
                self.left.set()

    async def flush(self) -> None:
        """Do nothing: what is written is sent at once."""

    def _write(self, data: bytes) -> None:
        rest = memoryview(data)
        while rest:
            rest = rest[self._stream.write(rest) :]


class Wire:
    """Both ends; made within `taken`."""

    def __init__(self, stdin: BinaryIO, stdout: RawIOBase) -> None:
        self.lines = Lines(stdin)
        self.output = Output(stdout)


@contextmanager
def taken() -> Iterator[Wire]:
    """Take standard input and output.

    What else is printed in the meantime, by a person's code or by a child, goes to stderr; who reads finds the end.
    """
    sys.stdout.flush()
    stdin, stdout = os.dup(_STDIN), os.dup(_STDOUT)
    empty = os.open(os.devnull, os.O_RDONLY)
    try:
        os.dup2(empty, _STDIN)
        os.dup2(_STDERR, _STDOUT)
        # The thread of `Lines` may still read when all is over, so that its descriptor is not closed under it.
        yield Wire(os.fdopen(stdin, "rb", closefd=False), os.fdopen(stdout, "wb", 0, closefd=False))
    finally:
        sys.stdout.flush()
        os.close(empty)
        os.dup2(stdin, _STDIN)
        os.dup2(stdout, _STDOUT)
        os.close(stdout)
