"""Conversations about protocols over connections: what comes is handed over until either side leaves."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any, Final, TypeVar

from moothall.errors import MoothallError
from moothall.negotiation.protocol.meta import MetaProtocol
from moothall.protocols.frames.link import FAILED, GOING, Link

_MOMENT: Final = 0.5
"""Seconds in which work ends by itself after its connection has ended: with what came last, or with why it ended."""

WorkT = TypeVar("WorkT")


async def feed(link: Link, meta: MetaProtocol) -> None:
    """Hand frames over until the connection or the conversation ends; the one ends with the other.

    Cancelling it ends both.
    """
    reading = asyncio.ensure_future(_read(link, meta))
    ending = asyncio.ensure_future(meta.over.wait())
    try:
        await asyncio.wait({reading, ending}, return_when=asyncio.FIRST_COMPLETED)
        if reading.done():
            reading.result()
    finally:
        for task in (reading, ending):
            task.cancel()
        await asyncio.gather(reading, ending, return_exceptions=True)
        await meta.aclose()
        await link.close(GOING if meta.protocol else FAILED)


async def _read(link: Link, meta: MetaProtocol) -> None:
    try:
        while True:
            await meta.handle_meta_data(await link.receive())
    except MoothallError as error:
        await meta.aclose(error)


class Talk:
    """A conversation that is fed from its connection."""

    def __init__(self, link: Link, meta: MetaProtocol) -> None:
        self._meta = meta
        self._feeding = asyncio.create_task(feed(link, meta), name="frames")

    async def during(self, work: Coroutine[Any, Any, WorkT]) -> WorkT:
        """What work in the conversation gives; where the connection ends, the work soon ends, too.

        Raises:
            MoothallError: why the conversation ended.
            Exception: what the work raises.
        """
        working = asyncio.ensure_future(work)
        try:
            await asyncio.wait({working, self._feeding}, return_when=asyncio.FIRST_COMPLETED)
            if not working.done():
                await asyncio.wait({working}, timeout=_MOMENT)
            if working.done():
                return working.result()
        finally:
            working.cancel()
            await asyncio.gather(working, return_exceptions=True)
        await self._meta.hear_out()
        raise self._meta.error

    async def ended(self) -> None:
        """Return when either side has left."""
        await asyncio.wait({self._feeding})

    async def aclose(self) -> None:
        """End the conversation and its connection; again and again does no harm."""
        await self._meta.aclose()
        await self.ended()


class Talks:
    """The conversations of a node that go on."""

    def __init__(self) -> None:
        self._open: set[Talk] = set()

    def begin(self, link: Link, meta: MetaProtocol) -> Talk:
        """Begin one; it ends with its connection, or with `aclose`."""
        talk = Talk(link, meta)
        self._open.add(talk)
        talk._feeding.add_done_callback(lambda _: self._open.discard(talk))  # noqa: SLF001 - of this very file
        return talk

    async def aclose(self) -> None:
        """End all of them."""
        await asyncio.gather(*(talk.aclose() for talk in tuple(self._open)))
