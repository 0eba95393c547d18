"""Servers side by side: each a process of its own, measured in turns by one client over sockets.

The machine may be busy with other things: the rate then says little, the CPU that a request costs the server more, and
of that the least of all turns. Ratios are taken within a turn, and the median of them is what counts.
"""

from __future__ import annotations

import asyncio
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import uvicorn
import uvloop
from starlette.types import ASGIApp

from moothall.server.run import bind

Write = Callable[[int], bytes]
"""The request with that number, whole."""


class Link:
    """A connection to a server, kept open."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, port: int) -> None:
        self._reader = reader
        self._writer = writer
        self.port = port

    @classmethod
    async def open(cls, port: int) -> Link:
        return cls(*await asyncio.open_connection("127.0.0.1", port), port)

    async def ask(self, request: bytes) -> tuple[bytes, bytes]:
        """Head and body of an answer, whether its length is told or it comes in chunks."""
        self._writer.write(request)
        head = await self._reader.readuntil(b"\r\n\r\n")
        low = head.lower()
        at = low.find(b"content-length:")
        if at >= 0:
            return head, await self._reader.readexactly(int(head[at + 15 : head.index(b"\r\n", at)]))
        if b"transfer-encoding: chunked" not in low:
            return head, b""
        body = b""
        while size := int(await self._reader.readuntil(b"\r\n"), 16):
            body += (await self._reader.readexactly(size + 2))[:-2]
        await self._reader.readexactly(2)
        return head, body

    def close(self) -> None:
        self._writer.close()


Begin = Callable[[Link], Awaitable[Write]]
"""Opens a session, where there are some, and says how its requests are written."""


def post(port: int, path: str, body: bytes, **headers: str) -> bytes:
    """A POST of JSON; an underscore in the name of a header is a hyphen."""
    lines = "".join(f"{name.replace('_', '-')}: {value}\r\n" for name, value in headers.items())
    return (
        f"POST {path} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nContent-Type: application/json\r\n"
        f"{lines}Content-Length: {len(body)}\r\n\r\n"
    ).encode() + body


class Server:
    """A server in a process of its own, which writes its port first."""

    def __init__(self, *command: str) -> None:
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        if not line:
            raise RuntimeError(f"{command} did not start")
        self.port = int(line)

    def cpu(self) -> float:
        """Seconds of CPU that its threads have used."""
        tasks = Path(f"/proc/{self.process.pid}/task")
        if tasks.exists():
            used = (int((task / "schedstat").read_text("ascii").split()[0]) for task in tasks.iterdir())
            return sum(used) / 1e9
        told = subprocess.run(["ps", "-o", "cputime=", "-p", str(self.process.pid)], capture_output=True, check=True)
        minutes, _, seconds = told.stdout.decode().strip().rpartition(":")
        return sum(int(part) * 60 for part in minutes.split(":")) + float(seconds)

    def memory(self) -> int:
        """Bytes that it holds now."""
        return int(Path(f"/proc/{self.process.pid}/statm").read_text("ascii").split()[1]) * os.sysconf("SC_PAGE_SIZE")

    def close(self) -> None:
        self.process.kill()
        self.process.wait()


def serve(make: Callable[[], ASGIApp]) -> None:
    """Be a peer: uvicorn as it is by default on the loop that `moot serve` takes, without an access log."""

    async def serving() -> None:
        with bind("127.0.0.1", 0) as listener:
            tell(listener.getsockname()[1])
            config = uvicorn.Config(make(), log_level="warning", access_log=False, lifespan="on", ws="none")
            await uvicorn.Server(config).serve([listener])

    uvloop.run(serving())


def tell(port: int) -> None:
    """Say where the server is; its parent reads it."""
    sys.stdout.write(f"{port}\n")
    sys.stdout.flush()


@dataclass(frozen=True)
class Lane:
    """Something to measure.

    Attributes:
        name: as it is printed.
        server: who is asked.
        begin: how a connection begins.
        fits: whether an answer is the one that was asked for.
    """

    name: str
    server: Server
    begin: Begin
    fits: Callable[[bytes], bool]


@dataclass(frozen=True)
class Figures:
    """Requests in a second, and microseconds of the server's CPU for each."""

    rate: float
    cpu: float


async def measure(lane: Lane, seconds: float, connections: int) -> Figures:
    """Ask as fast as the server answers."""
    links = [await Link.open(lane.server.port) for _ in range(connections)]
    writes = [await lane.begin(link) for link in links]
    for link, write in zip(links, writes, strict=True):
        head, body = await link.ask(write(0))
        if b" 200 " not in head[:16] or not lane.fits(body):
            raise RuntimeError(f"{lane.name} answered {head!r} {body!r}")
    begun, used = time.perf_counter(), lane.server.cpu()
    ends = begun + seconds

    async def one(link: Link, write: Write) -> int:
        number = 0
        while time.perf_counter() < ends:
            number += 1
            head, _ = await link.ask(write(number))
            assert b" 200 " in head[:16], head
        return number

    total = sum(await asyncio.gather(*map(one, links, writes)))
    took = time.perf_counter() - begun
    for link in links:
        link.close()
    return Figures(total / took, (lane.server.cpu() - used) / total * 1e6)


def compare(lanes: Sequence[Lane], seconds: float, turns: int, connections: int) -> list[dict[str, Figures]]:
    """Measure all of them in turns, and print the best of each; the first turn warms up and is left out."""
    rows = [{lane.name: uvloop.run(measure(lane, seconds, connections)) for lane in lanes} for _ in range(turns + 1)][
        1:
    ]
    for lane in lanes:
        rate, cpu = max(row[lane.name].rate for row in rows), min(row[lane.name].cpu for row in rows)
        print(f"  {lane.name:<34}{rate:>8.0f} requests/s {cpu:>8.1f} us of CPU each")
    return rows


def ratio(rows: Sequence[dict[str, Figures]], ours: str, theirs: str) -> tuple[float, float]:
    """Our rate and our CPU for a request, as multiples of theirs."""
    return (
        statistics.median(row[ours].rate / row[theirs].rate for row in rows),
        statistics.median(row[ours].cpu / row[theirs].cpu for row in rows),
    )
