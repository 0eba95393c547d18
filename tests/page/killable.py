"""A `moot serve` process that can be killed and started again on the same port and data."""

from __future__ import annotations

import asyncio
import random
import signal
import socket
import sys
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, closing, suppress
from pathlib import Path
from typing import Any

import httpx

from moothall.directory.profiles import AgentProfile
from moothall.directory.registry import AgentRegistry
from moothall.storage.store import Store
from tests.support.environment import bare_environment

HELD = Path(__file__).with_name("held_node.py")
LONGEST_START = 60.0
LONGEST_ANSWER = 30.0


class Killable:
    """The process and where it serves."""

    def __init__(self, data: Path, port: int) -> None:
        self.data = data
        self.url = f"http://127.0.0.1:{port}"
        self._port = port
        self._process: asyncio.subprocess.Process | None = None

    async def start(self) -> None:
        """Start it and wait until it is ready."""
        settings = {"MOOTHALL_DEMO_AGENTS": "0", "MOOTHALL_LOG_LEVEL": "ERROR", "MOOTHALL_DATA": str(self.data)}
        command = [str(Path(sys.executable).with_name("moot")), "serve", str(HELD)]
        self._process = await asyncio.create_subprocess_exec(
            *command,
            *("--port", str(self._port), "--data", str(self.data)),
            env={**bare_environment(), **settings},
            stdout=asyncio.subprocess.DEVNULL,
        )
        async with asyncio.timeout(LONGEST_START), httpx.AsyncClient(trust_env=False) as client:
            while not await self._ready(client):  # noqa: ASYNC110 - another process sets no event here
                await asyncio.sleep(0.02)

    async def kill(self) -> None:
        """SIGKILL: nothing is said, written or closed any more."""
        await self._end(signal.SIGKILL)

    async def stop(self) -> None:
        """SIGTERM."""
        await self._end(signal.SIGTERM)

    async def get(self, path: str, **query: Any) -> Any:
        """The JSON of a route."""
        async with httpx.AsyncClient(base_url=self.url, trust_env=False, timeout=LONGEST_ANSWER) as client:
            return (await client.get(path, params=query)).raise_for_status().json()

    async def submit(self, demand: str) -> str:
        """Submit a demand; its id."""
        async with httpx.AsyncClient(base_url=self.url, trust_env=False, timeout=LONGEST_ANSWER) as client:
            reply = await client.post("/api/v1/demand/submit", json={"raw_input": demand})
        return str(reply.raise_for_status().json()["demand_id"])

    async def public(self, demand_id: str) -> list[str]:
        """The ids of the public events in the log."""
        reply = await self.get(f"/api/v1/events/negotiations/{demand_id}/recent", count=200)
        return [event["event_id"] for event in reply["events"]]

    async def _ready(self, client: httpx.AsyncClient) -> bool:
        assert self._process is not None
        assert self._process.returncode is None, "the server ended by itself"
        try:
            return (await client.get(f"{self.url}/health/ready")).status_code == httpx.codes.OK
        except httpx.TransportError:
            return False

    async def _end(self, how: signal.Signals) -> None:
        if self._process is not None and self._process.returncode is None:
            self._process.send_signal(how)
            await self._process.wait()


@asynccontextmanager
async def killable(data: Path, profiles: Sequence[AgentProfile]) -> AsyncIterator[Killable]:
    """A running server with these agents."""
    store = await Store.open(data, "")
    try:
        for profile in profiles:
            await AgentRegistry(store).register(profile)
    finally:
        await store.close()
    server = Killable(data, _free_port())
    await server.start()
    try:
        yield server
    finally:
        await server.stop()


def _free_port() -> int:
    """A port that no connection or server of others is given by the system while this one's server is away."""
    while True:
        port = random.randrange(20_000, 32_000)
        with suppress(OSError), closing(socket.create_server(("127.0.0.1", port))):
            return port
