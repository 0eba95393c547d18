"""Events told to 1,000 streams and 200 WebSockets by one process, beside the same over bare ASGI.

The peer has the same server library, the same event as JSON, one shared ring and a cursor for each client: no rights,
no log, nobody is asked who it is. Ours commits each message of a group by way of the call path and holds every client
to what it may see. Each server is a process of its own; one client reads all connections and looks whether each of them
got every event once and in order. They are measured in turns; where other programs run, the rate says how much of a
core each was given, and only the CPU time which a delivery costs the server says what it is worth.

    python benchmarks/realtime.py [--streams N] [--sockets N] [--events N] [--turns N]
"""

from __future__ import annotations

import argparse
import asyncio
import base64
import gc
import json
import os
import re
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import uvicorn
import uvloop
from starlette.types import Receive, Scope, Send

from moothall import Agent, Node
from moothall.cli.process import SWITCH_SECONDS
from moothall.identity.signing import sign_request
from moothall.protocols.realtime.door import SOCKET, STREAM
from moothall.server.run import bind, serve_on
from moothall.settings import Settings

GOAL = 0.6
EACH = 15
"""Connections of one agent."""

NAMES = ("asgi", "moothall")
NUMBER = re.compile(rb'"n":(\d+)[,}]')
TEXT = "x" * 149 + "|"
MARK = b"|"
"""Stands once in each event and nowhere else: one byte is never cut in two, and costs nothing to count."""

PING, PONG = b"\x89\x04", b"\x8a\x84\0\0\0\0"
"""What begins a ping of the server library, which is no text, and the answer to it."""

BLOCK = 128 * 1024
"""Bytes of a connection that are looked through at once; the client must not be what takes the time."""

GROUP = "bench"


async def commands(publish: Callable[[int], Awaitable[None]]) -> None:
    """Do what the client asks for on the standard input, until it is closed."""
    loop = asyncio.get_running_loop()
    while line := await loop.run_in_executor(None, sys.stdin.readline):
        first, count = map(int, line.split())
        for n in range(first, first + count):
            await publish(n)
        print("published", flush=True)


# ---------------------------------------------------------------- the peer


class Bare:
    """A ring of encoded events and an ASGI application over it."""

    def __init__(self) -> None:
        self.frames: list[tuple[bytes, str]] = []
        self.changed = asyncio.Event()

    async def publish(self, n: int) -> None:
        event = {
            "event_id": f"evt-0123abcd-{n}",
            "event_type": "moot.group.message",
            "timestamp": "2026-01-22T10:05:00.123Z",
            "topic": "grp-0123456789abcdef01234567",
            "seq": n,
            "payload": {
                "id": "0123456789abcdef01234567",
                "sender": "did:wba:localhost%3A54321:agents:node:e1_" + "k" * 43,
                "role": "member",
                "group": GROUP,
                "content": {"n": n, "text": TEXT},
            },
        }
        text = json.dumps(event, separators=(",", ":"))
        token = f"r1~0123456789ab.0~0123456789ab.{n}"
        sse = f"id: {token}\ndata: {text}\n\n".encode()
        self.frames.append((sse, f'{{"type":"event","resume":"{token}","event":{text}}}'))
        old, self.changed = self.changed, asyncio.Event()
        old.set()
        await asyncio.sleep(0)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "websocket":
            await receive()
            await send({"type": "websocket.accept"})
            await send({"type": "websocket.send", "text": '{"type":"ready"}'})
            body = self.sockets(send)
        else:
            head = [(b"content-type", b"text/event-stream")]
            await send({"type": "http.response.start", "status": 200, "headers": head})
            await send({"type": "http.response.body", "body": b"retry: 1\n\n", "more_body": True})
            body = self.streams(send)
        task = asyncio.create_task(body)
        while not (await receive())["type"].endswith("disconnect"):
            pass
        task.cancel()

    async def streams(self, send: Send) -> None:
        at = len(self.frames)
        while True:
            changed = self.changed
            if at < len(self.frames):
                chunk, at = b"".join(frame for frame, _ in self.frames[at:]), len(self.frames)
                await send({"type": "http.response.body", "body": chunk, "more_body": True})
            else:
                await changed.wait()

    async def sockets(self, send: Send) -> None:
        at = len(self.frames)
        while True:
            changed = self.changed
            if at < len(self.frames):
                await send({"type": "websocket.send", "text": self.frames[at][1]})
                at += 1
            else:
                await changed.wait()


async def serve_bare(folder: Path, count: int) -> None:
    app = Bare()
    with bind("127.0.0.1", 0) as listener:
        port = listener.getsockname()[1]
        config = uvicorn.Config(
            app,
            loop="none",
            http="httptools",
            ws="websockets-sansio",
            ws_per_message_deflate=False,
            lifespan="off",
            log_config=None,
            access_log=False,
            backlog=4096,
        )
        server = uvicorn.Server(config)
        serving = asyncio.create_task(server.serve([listener]))
        while not server.started:  # noqa: ASYNC110 - the library says it nowhere else
            await asyncio.sleep(0.01)
        (folder / "ready").write_text(json.dumps({"port": port, "headers": [{} for _ in range(count)]}))
        print("ready", flush=True)
        await commands(app.publish)
        while server.server_state.connections:  # noqa: ASYNC110 - the client has closed them; the server sees it soon
            await asyncio.sleep(0.01)
        server.should_exit = True
        await serving


# ---------------------------------------------------------------- ours


async def serve_ours(folder: Path, streams: int, sockets: int) -> None:
    agents = [f"a{n}" for n in range(-(-(streams + sockets) // EACH))]
    with bind("127.0.0.1", 0) as listener:
        port = listener.getsockname()[1]
        node = Node(Settings(data=folder / "data", demo_agents=False, log_level="ERROR"))
        node.listen_on(port)
        node.add(*map(Agent, agents))
        async with node:
            office, manager = node.host.office, node.host.live.manager
            await node.call("local:groups.create", group=GROUP, members=[office.did(name) for name in agents])
            ready, stop = asyncio.Event(), asyncio.Event()
            door = asyncio.create_task(
                serve_on(listener, node.app(), host="127.0.0.1", on_ready=lambda _: ready.set(), stop=stop)
            )
            await ready.wait()
            gc.freeze()  # both as the command `moot serve` does
            sys.setswitchinterval(SWITCH_SECONDS)

            def signed(n: int) -> dict[str, str]:
                identity = office.agent(agents[n // EACH])
                assert identity is not None
                path = STREAM if n < streams else SOCKET
                url = f"http://localhost:{port}{path}"
                return sign_request(identity.signer, "GET", url, b"", now=int(time.time()))

            headers = [signed(n) for n in range(streams + sockets)]
            (folder / "ready").write_text(json.dumps({"port": port, "headers": headers}))
            print("ready", flush=True)

            async def publish(n: int) -> None:
                await manager.broadcast_to_group(GROUP, {"n": n, "text": TEXT})

            await commands(publish)
            stop.set()
            await door


# ---------------------------------------------------------------- the client


class Reader(asyncio.Protocol):
    """One connection: which events it got."""

    def __init__(self, request: bytes, begun: asyncio.Event, tally: Tally) -> None:
        self.request, self.begun, self.tally = request, begun, tally
        self.got: list[int] = []
        self.parts: list[bytes] = []
        self.size = 0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast("asyncio.Transport", transport)
        self.transport.write(self.request)

    def data_received(self, data: bytes) -> None:
        if (at := data.find(PING)) >= 0:
            end = at + len(PING) + 4
            self.transport.write(PONG + data[at + len(PING) : end])
            data = data[:at] + data[end:]
        self.parts.append(data)
        self.size += len(data)
        if count := data.count(MARK):
            self.tally.add(count)
        elif not self.begun.is_set() and (b"retry:" in data or b'"ready"' in data):
            self.begun.set()
        if self.size > BLOCK:
            self.look()

    def look(self) -> None:
        """Note the events that came whole."""
        whole, _, rest = b"".join(self.parts).rpartition(MARK)
        self.got += [int(match[1]) for match in NUMBER.finditer(whole)]
        self.parts, self.size = [rest], len(rest)

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002 - however it was
        self.tally.lost += 1


class Tally:
    """How many events all connections got, and who waits for how many."""

    def __init__(self) -> None:
        self.count = self.lost = 0
        self.goal = 0
        self.reached = asyncio.Event()

    def add(self, count: int) -> None:
        self.count += count
        if self.count >= self.goal > 0:
            self.reached.set()


@dataclass
class Figures:
    rate: float
    cpu: float
    wrong: int
    memory: float
    grown: float
    reading: float


def cpu_of(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def memory_of(pid: int) -> float:
    status = Path(f"/proc/{pid}/status").read_text()
    return int(re.findall(r"VmRSS:\s+(\d+)", status)[0]) / 1024


async def measure(name: str, streams: int, sockets: int, events: int) -> Figures:
    with tempfile.TemporaryDirectory() as folder:
        command = [
            sys.executable,
            __file__,
            "--serve",
            name,
            folder,
            "--streams",
            str(streams),
            "--sockets",
            str(sockets),
        ]
        server = subprocess.Popen(  # noqa: ASYNC220 - nothing else goes on yet
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        assert server.stdin
        assert server.stdout
        loop = asyncio.get_running_loop()
        try:
            await loop.run_in_executor(None, server.stdout.readline)
            ready = json.loads((Path(folder) / "ready").read_text())
            empty = memory_of(server.pid)
            tally = Tally()
            readers = await connect(ready, streams, tally)
            before, memory = cpu_of(server.pid), memory_of(server.pid)
            assert tally.count == 0
            tally.goal = events * len(readers)
            begun, busy = time.perf_counter(), time.process_time()
            server.stdin.write(f"0 {events}\n")
            server.stdin.flush()
            await asyncio.wait_for(tally.reached.wait(), 300)
            seconds = time.perf_counter() - begun
            cpu, busy = cpu_of(server.pid) - before, time.process_time() - busy
            expected = list(range(events))
            for reader in readers:
                reader.look()
            wrong = sum(reader.got != expected for reader in readers) + tally.lost
            grown = memory_of(server.pid) - memory
            for reader in readers:
                reader.transport.close()
        finally:
            server.stdin.close()
            try:
                server.wait(20)
            except subprocess.TimeoutExpired:
                server.kill()
    each = events * len(readers)
    kept = (memory - empty) / len(readers) * 1024
    return Figures(each / seconds, cpu / each * 1e6, wrong, kept, grown, busy / seconds)


async def connect(ready: dict[str, Any], streams: int, tally: Tally) -> list[Reader]:
    """Open all connections and wait until each has begun."""
    readers = []
    loop = asyncio.get_running_loop()
    for n, headers in enumerate(ready["headers"]):
        path = STREAM if n < streams else SOCKET
        lines = [f"GET {path} HTTP/1.1", f"Host: localhost:{ready['port']}"]
        if n >= streams:
            key = base64.b64encode(os.urandom(16)).decode()
            lines += [
                "Upgrade: websocket",
                "Connection: Upgrade",
                f"Sec-WebSocket-Key: {key}",
                "Sec-WebSocket-Version: 13",
            ]
        lines += [f"{name}: {value}" for name, value in headers.items()]
        request = "\r\n".join([*lines, "", ""]).encode()
        reader = Reader(request, asyncio.Event(), tally)
        await loop.create_connection(lambda reader=reader: reader, "127.0.0.1", ready["port"])
        readers.append(reader)
        if n % 50 == 49:
            await asyncio.wait_for(reader.begun.wait(), 30)
    for reader in readers:
        await asyncio.wait_for(reader.begun.wait(), 30)
    return readers


async def compare(streams: int, sockets: int, events: int, turns: int) -> None:
    found: dict[str, list[Figures]] = {name: [] for name in NAMES}
    for turn in range(turns):
        for name in NAMES if turn % 2 == 0 else reversed(NAMES):
            figures = await measure(name, streams, sockets, events)
            found[name].append(figures)
            print(
                f"{name:9} {figures.rate:8.0f} deliveries/s {figures.cpu:6.1f} us of CPU each,"
                f" {figures.wrong} connections with lost or double events,"
                f" {figures.memory:5.1f} KB a connection, {figures.grown:+.1f} MB during {events} events,"
                f" of a core had the server {figures.rate * figures.cpu / 1e6:.0%}, the client {figures.reading:.0%}",
                flush=True,
            )
    pairs = list(zip(found["moothall"], found["asgi"], strict=True))
    rates = statistics.median(ours.rate / bare.rate for ours, bare in pairs)
    cpus = statistics.median(bare.cpu / ours.cpu for ours, bare in pairs)
    print(f"deliveries/s: {rates:.2f} of bare ASGI (goal {GOAL}); by CPU of the server: {cpus:.2f}")


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--streams", type=int, default=1_000)
    parser.add_argument("--sockets", type=int, default=200)
    parser.add_argument("--events", type=int, default=200)
    parser.add_argument("--turns", type=int, default=3)
    parser.add_argument("--serve", nargs=2)
    given = parser.parse_args()
    if given.serve is None:
        uvloop.run(compare(given.streams, given.sockets, given.events, given.turns))
    elif given.serve[0] == "asgi":
        uvloop.run(serve_bare(Path(given.serve[1]), given.streams + given.sockets))
    else:
        uvloop.run(serve_ours(Path(given.serve[1]), given.streams, given.sockets))


if __name__ == "__main__":
    main()
