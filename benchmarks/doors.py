"""The HTTP door beside a bare Starlette route and a FastAPI endpoint, all over sockets, same client, same run.

Each server is a process of its own; the client keeps a few connections open and sends one request after another on
each. The servers are measured in turns, several times each, and the medians are compared, since a shared machine is
never quiet. What a request costs a server is taken from the CPU time of its process.

    python benchmarks/doors.py [--seconds S] [--turns N] [--connections N]
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import uvicorn
import uvloop
from fastapi import FastAPI
from pydantic import BaseModel
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route
from starlette.types import ASGIApp

from moothall import Node, capability
from moothall.server.run import bind, serve_on
from moothall.settings import Settings

GOAL = 0.6
BODY = b'{"a":2,"b":3}'
NAMES = ("starlette", "fastapi", "moothall")
PATH = {
    "starlette": "/add",
    "fastapi": "/add",
    "moothall": "/api/v1/capabilities/node.add",
}


class Numbers(BaseModel):
    a: int
    b: int


class Sum(BaseModel):
    data: int


async def bare(request: Request) -> JSONResponse:
    """Read JSON, check nothing, write JSON."""
    given = await request.json()
    return JSONResponse({"data": given["a"] + given["b"]})


async def checked(numbers: Numbers) -> Sum:
    """Check arguments and result."""
    return Sum(data=numbers.a + numbers.b)


@capability(access="public")
async def add(a: int, b: int) -> int:
    """Add two numbers."""
    return a + b


def starlette() -> ASGIApp:
    return Starlette(routes=[Route("/add", bare, methods=["POST"])])


def fastapi() -> ASGIApp:
    app = FastAPI()
    app.post("/add")(checked)
    return app


async def serve_peer(make: Callable[[], ASGIApp]) -> None:
    """Serve a peer as uvicorn does by default, without an access log."""
    with bind("127.0.0.1", 0) as listener:
        tell(listener.getsockname()[1])
        config = uvicorn.Config(make(), log_level="warning", access_log=False, lifespan="off", ws="none")
        await uvicorn.Server(config).serve([listener])


async def serve_node() -> None:
    """Serve a node with one capability, as `moot serve` does."""
    with tempfile.TemporaryDirectory() as folder, bind("127.0.0.1", 0) as listener:
        port = listener.getsockname()[1]
        node = Node(Settings(data=Path(folder), demo_agents=False, address_limit=0, caller_limit=0))
        node.listen_on(port)
        node.include(add)
        async with node:
            await serve_on(listener, node.app(), host="127.0.0.1", on_ready=lambda _: tell(port))


def tell(port: int) -> None:
    """Say where the server is; its parent reads it."""
    sys.stdout.write(f"{port}\n")
    sys.stdout.flush()


def serve(name: str) -> None:
    """Be one of the servers, on the loop that `moot serve` takes."""
    serving = serve_node() if name == "moothall" else serve_peer({"starlette": starlette, "fastapi": fastapi}[name])
    uvloop.run(serving)


@dataclass(frozen=True)
class Figures:
    """Requests in a second, and microseconds of the server's CPU for each."""

    rate: float
    cpu: float


class Server:
    """One of the servers, in a process of its own."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.process = subprocess.Popen([sys.executable, __file__, "--serve", name], stdout=subprocess.PIPE, text=True)
        assert self.process.stdout is not None
        self.port = int(self.process.stdout.readline())

    def cpu(self) -> float:
        """Seconds of CPU that the process has used."""
        fields = Path(f"/proc/{self.process.pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def close(self) -> None:
        """End it."""
        self.process.kill()
        self.process.wait()


async def ask(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, request: bytes) -> bytes:
    """One request and its answer's body."""
    writer.write(request)
    head = await reader.readuntil(b"\r\n\r\n")
    at = head.index(b"content-length:")
    return await reader.readexactly(int(head[at + 15 : head.index(b"\r\n", at)]))


async def measure(server: Server, seconds: float, connections: int) -> Figures:
    """Ask as fast as the server answers."""
    request = (
        f"POST {PATH[server.name]} HTTP/1.1\r\nHost: localhost:{server.port}\r\nContent-Type: application/json\r\n"
        f"Accept: */*\r\nUser-Agent: benchmark\r\nContent-Length: {len(BODY)}\r\n\r\n"
    ).encode() + BODY
    ends = time.perf_counter() + seconds

    async def one() -> int:
        reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
        answer = json.loads(await ask(reader, writer, request))
        if answer["data"] != 5:
            raise RuntimeError(f"{server.name} answered {answer}")
        count = 0
        while time.perf_counter() < ends:
            await ask(reader, writer, request)
            count += 1
        writer.close()
        return count

    begun, used = time.perf_counter(), server.cpu()
    total = sum(await asyncio.gather(*[one() for _ in range(connections)]))
    return Figures(total / (time.perf_counter() - begun), (server.cpu() - used) / total * 1e6)


def main() -> None:
    """Print the three and their ratios; fail when a goal is missed."""
    asked = argparse.ArgumentParser(description="the HTTP door beside Starlette and FastAPI")
    asked.add_argument("--seconds", type=float, default=1.5, help="of each measurement")
    asked.add_argument("--turns", type=int, default=5)
    asked.add_argument("--connections", type=int, default=8)
    asked.add_argument("--serve", choices=NAMES, help=argparse.SUPPRESS)
    given = asked.parse_args()
    if given.serve:
        serve(given.serve)
        return
    servers = [Server(name) for name in NAMES]
    try:
        turns = [
            {server.name: uvloop.run(measure(server, given.seconds, given.connections)) for server in servers}
            for _ in range(given.turns + 1)
        ][1:]  # the first turn warms up
    finally:
        for server in servers:
            server.close()
    for name in NAMES:
        rate = statistics.median(turn[name].rate for turn in turns)
        cpu = statistics.median(turn[name].cpu for turn in turns)
        sys.stdout.write(f"{name:<12}{rate:>9.0f} requests/s {cpu:>8.1f} us of CPU each\n")
    bare = statistics.median(turn["moothall"].rate / turn["starlette"].rate for turn in turns)
    fast = statistics.median(turn["moothall"].rate / turn["fastapi"].rate for turn in turns)
    sys.stdout.write(f"{'to starlette':<12}{bare:>9.2f} (goal {GOAL})\n{'to fastapi':<12}{fast:>9.2f} (goal 1.0)\n")
    sys.exit(1 if bare < GOAL or fast <= 1 else 0)


if __name__ == "__main__":
    main()
