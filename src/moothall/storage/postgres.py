"""PostgreSQL: one pool over asyncpg, each connection in the chosen schema."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

from sqlalchemy.ext.asyncio import create_async_engine

if TYPE_CHECKING:
    from collections.abc import Callable

    from sqlalchemy.engine import Connection
    from sqlalchemy.ext.asyncio import AsyncEngine

    from moothall.storage.url import Target

T = TypeVar("T")
_POOL = 4
_OVERFLOW = 4
_TIMEOUT = "30s"


def server_settings(target: Target) -> dict[str, str]:
    """Return what every connection of ours tells the server."""
    settings = {
        "application_name": "moothall",
        "idle_in_transaction_session_timeout": _TIMEOUT,
        "statement_timeout": _TIMEOUT,
        "lock_timeout": _TIMEOUT,
        "jit": "off",  # our statements are short: compiling them costs more than running them
    }
    return settings if target.schema is None else settings | {"search_path": target.schema}


def pool(target: Target) -> AsyncEngine:
    """Return the pool; a connection that the server dropped meanwhile is replaced before use."""
    return create_async_engine(
        target.url,
        pool_size=_POOL,
        max_overflow=_OVERFLOW,
        pool_pre_ping=True,
        connect_args={"server_settings": server_settings(target)},
    )


class PoolReader:
    """Reads over connections of a pool."""

    def __init__(self, engine: AsyncEngine) -> None:
        """Read over `engine`, which is closed with this."""
        self._engine = engine

    async def read(self, work: Callable[[Connection], T]) -> T:
        """Run `work` on a connection; it sees only what was committed."""
        async with self._engine.connect() as connection:
            return await connection.run_sync(work)

    async def close(self) -> None:
        """Close the pool."""
        await self._engine.dispose()
