"""Links that end by themselves are closed when their time is up, so that decisions by them are made anew."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from datetime import timedelta
from typing import Final

from sqlalchemy.engine import Connection

from moothall.audit.changing import Change, recorded
from moothall.errors import MoothallError
from moothall.groups.links import model, rows
from moothall.groups.links.model import InterGroupConnection
from moothall.groups.links.register import as_kept, touched_by
from moothall.groups.store import GroupStore
from moothall.identity.principal import OWNER
from moothall.telemetry import logger

_AGAIN: Final = timedelta(seconds=30)
"""After which the store is asked again: another process may have made a link, or it could not say."""

_log = logger("groups")


class Ending:
    """Closes the links of a node whose time is up; several processes may do it at once."""

    def __init__(self, store: GroupStore) -> None:
        self._store = store
        self._changed = asyncio.Event()
        self._task: asyncio.Task[None] | None = None
        store.on_change(lambda _ids, _number: self._changed.set())

    def start(self) -> None:
        """Begin to look after them."""
        if self._task is None:
            self._task = asyncio.create_task(self._watch(), name="moothall-links")

    async def aclose(self) -> None:
        """Stop."""
        if self._task is not None:
            self._task.cancel()
            with suppress(asyncio.CancelledError):
                await self._task
            self._task = None

    async def sweep(self) -> int:
        """Close those whose time is up; how many there were.

        Raises:
            StorageError: the store failed.
        """
        now = as_kept(self._store.clock.now())

        def close(connection: Connection) -> Change[int]:
            found = rows.ended(connection, now)
            if not found:
                return Change(0)
            for link in found:
                rows.write(connection, model.closed(link, now))
            ids = sorted(link.id for link in found)
            return Change(len(found), _all_touched(connection, found), recorded(OWNER, "end_links", ids[0], links=ids))

        return await self._store.change(close)

    async def _watch(self) -> None:
        clock = self._store.clock
        while True:
            self._changed.clear()
            until = clock.now() + _AGAIN
            try:
                end = await self._store.read(rows.next_end)
                if end is not None and end <= clock.now():
                    await self.sweep()
                    continue
                until = until if end is None else min(end, until)
            except MoothallError:
                _log.exception("links whose time is up could not be closed; they carry nothing all the same")
            nap = asyncio.create_task(clock.sleep_until(until))
            news = asyncio.create_task(self._changed.wait())
            try:
                await asyncio.wait({nap, news}, return_when=asyncio.FIRST_COMPLETED)
            finally:
                nap.cancel()
                news.cancel()


def _all_touched(connection: Connection, links: list[InterGroupConnection]) -> frozenset[str]:
    return frozenset().union(*(touched_by(connection, link) for link in links))
