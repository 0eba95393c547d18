"""Hints between processes: "look at this run". They carry no data; losing all of them costs latency only.

On SQLite there is one process and nothing to tell. On PostgreSQL they travel by NOTIFY, many commits in one, on a
connection of their own that is opened again when it breaks.
"""

from __future__ import annotations

import asyncio
import hashlib
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import asyncpg

from moothall.canonical import dumps, loads
from moothall.storage.failure import failed
from moothall.storage.postgres import server_settings
from moothall.telemetry import logger

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from moothall.storage.url import Target

_log = logger("events.hints")
_LIMIT = 7_000
"""Bytes of run ids in one NOTIFY; PostgreSQL takes 8,000 with everything around them."""
_RECONNECT = (0.1, 5.0)


def channel(schema: str | None) -> str:
    """Return the channel that the nodes of one schema share; at most 63 bytes, as PostgreSQL wants."""
    name = f"moothall_{schema or 'public'}"
    return name if len(name) <= 63 else f"moothall_{hashlib.sha256(name.encode()).hexdigest()[:32]}"  # noqa: PLR2004


class PostgresHints:
    """Tells other nodes which runs have new events and which have work, and hears the same from them."""

    def __init__(
        self, target: Target, heard: Callable[[list[str], list[str]], None], again: Callable[[], None]
    ) -> None:
        """Call `heard(events, work)` for hints of others, and `again` after a gap in which hints may have been lost."""
        self._target, self._heard, self._again = target, heard, again
        self._channel = channel(target.schema)
        self._me = uuid4().hex
        self._events: set[str] = set()
        self._work: set[str] = set()
        self._wake = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    def tell(self, *, events: Iterable[str] = (), work: Iterable[str] = ()) -> None:
        """Send soon, together with whatever else comes up until then."""
        self._events.update(events)
        self._work.update(work)
        self._wake.set()

    async def start(self) -> None:
        """Begin to listen and to tell; hints sent from now on are heard.

        Raises:
            StorageError: the database cannot be reached.
        """
        try:
            connection = await self._connect()
        except (asyncpg.PostgresError, OSError) as error:
            raise failed(error) from error
        self._task = asyncio.create_task(self._keep(connection), name="moothall-hints")

    async def close(self) -> None:
        """Tell what is waiting, then stop."""
        if self._task is not None:
            if not self._task.done():
                self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    async def _connect(self) -> Any:  # noqa: ANN401 - asyncpg builds its connection type at run time
        connection = await asyncpg.connect(
            self._target.url.set(drivername="postgresql").render_as_string(hide_password=False),
            server_settings=server_settings(self._target) | {"application_name": self._channel},
        )
        connection.add_termination_listener(lambda _connection: self._wake.set())
        await connection.add_listener(self._channel, self._hear)
        return connection

    async def _keep(self, connection: Any) -> None:  # noqa: ANN401
        while True:
            try:
                await self._serve(connection)
            except (asyncpg.PostgresError, asyncpg.InterfaceError, OSError) as error:
                _log.warning("lost the connection for hints: %s", error)
            finally:
                connection.terminate()
            connection = await self._reconnect()
            self._again()

    async def _reconnect(self) -> Any:  # noqa: ANN401
        pause = _RECONNECT[0]
        while True:
            try:
                return await self._connect()
            except (asyncpg.PostgresError, OSError) as error:
                _log.warning("cannot listen for hints: %s", error)
            await asyncio.sleep(pause)
            pause = min(2 * pause, _RECONNECT[1])

    async def _serve(self, connection: Any) -> None:  # noqa: ANN401
        """Send what comes up until the connection breaks; a cancel sends what is left first."""
        try:
            while not connection.is_closed():
                self._wake.clear()
                await self._flush(connection)
                await self._wake.wait()
        except asyncio.CancelledError:
            await self._flush(connection)
            raise

    async def _flush(self, connection: Any) -> None:  # noqa: ANN401
        events, self._events = sorted(self._events), set()
        work, self._work = sorted(self._work), set()
        for kind, runs in (("events", events), ("work", work)):
            for part in _parts(runs):
                text = dumps({"from": self._me, kind: part}).decode()
                await connection.execute("SELECT pg_notify($1, $2)", self._channel, text)

    def _hear(self, _connection: object, _pid: int, _channel: str, text: str) -> None:
        said = loads(text)
        if said["from"] != self._me:
            self._heard(said.get("events", []), said.get("work", []))


def _parts(runs: Iterable[str]) -> list[list[str]]:
    parts: list[list[str]] = []
    size = _LIMIT
    for run in runs:
        size += len(run.encode()) + 3
        if size > _LIMIT:
            parts.append([])
            size = len(run.encode()) + 3
        parts[-1].append(run)
    return parts
