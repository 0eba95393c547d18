"""What other calls wait while an MCP server or an A2A agent that this node calls hangs, floods, or sends 50 MB.

One process makes the calls, another plays the hostile peer, a third a healthy MCP server. Of each second between, the
calls that have nothing to do with the peer are timed: to this process, and to the healthy server; the first line and
the last show how quiet the machine itself is.

    python -m benchmarks.hostile [--seconds S]
"""

from __future__ import annotations

import argparse
import asyncio
import statistics
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Awaitable, Callable
from pathlib import Path

import uvloop

from benchmarks.beside import Server, serve, tell
from benchmarks.mcp_door import add, sdk
from moothall import MoothallError, Node
from moothall.server.run import bind
from moothall.settings import Settings

WAYS = ("hangs", "floods", "sends 50 MB")
CALLERS = 4
PATIENCE = 2.0
REST = 0.1
_HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: %b\r\nConnection: close\r\n%b\r\n"
_EVENT = b'data: {"jsonrpc":"2.0","method":"notifications/message","params":{"level":"info","data":"x"}}\n\n' * 100


async def misbehave(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Answer as the path says."""
    try:
        path = (await reader.readuntil(b"\r\n\r\n")).split(b" ", 2)[1]
        if path.startswith(b"/floods"):
            writer.write(_HEAD % (b"text/event-stream", b""))
            while True:
                writer.write(_EVENT)
                await writer.drain()
        if path.startswith(b"/sends"):
            writer.write(_HEAD % (b"application/json", b""))
            writer.write(b'{"jsonrpc":"2.0","id":1,"result":{"x":"')
            for _ in range(50):
                writer.write(b"x" * 2**20)
                await writer.drain()
            writer.write(b'"}}')
        else:
            await reader.read()
    except (ConnectionError, asyncio.IncompleteReadError):
        return
    finally:
        writer.close()


async def be_hostile() -> None:
    with bind("127.0.0.1", 0) as listener:
        tell(listener.getsockname()[1])
        server = await asyncio.start_server(misbehave, sock=listener)
        await server.serve_forever()


def node_between(folder: str, hostile: int, healthy: int) -> Node:
    base = f"http://127.0.0.1:{hostile}"
    names = {way: way.partition(" ")[0] for way in WAYS}
    node = Node(
        Settings(
            data=Path(folder),
            demo_agents=False,
            egress_allow=f"{base},http://127.0.0.1:{healthy}",
            mcp={"healthy": {"url": f"http://127.0.0.1:{healthy}/mcp"}}
            | {name: {"url": f"{base}/{name}", "timeout": PATIENCE} for name in names.values()},
            a2a={name: {"url": f"{base}/{name}", "auth": "none", "profile": "legacy"} for name in names.values()},
        )
    )
    node.include(add)
    return node


async def timed(one: Callable[[], Awaitable[object]], seconds: float) -> list[float]:
    """Milliseconds that calls take, made one after another with a short rest in between."""
    took, end = [], time.perf_counter() + seconds
    while time.perf_counter() < end:
        begun = time.perf_counter()
        await one()
        took.append((time.perf_counter() - begun) * 1e3)
        await asyncio.sleep(0.002)
    return took


async def others(node: Node, seconds: float) -> str:
    """How long the other calls take."""
    local, healthy = await asyncio.gather(
        timed(lambda: node.call("local:add", a=2, b=3), seconds),
        timed(lambda: node.call("mcp:healthy.add", a=2, b=3), seconds),
    )
    return "  ".join(f"{name} {shown(row)}" for name, row in (("in process", local), ("healthy server", healthy)))


def shown(row: list[float]) -> str:
    steps = statistics.quantiles(row, n=100)
    return f"p50 {steps[49]:7.2f} ms  p99 {steps[98]:7.2f} ms"


async def bothered(node: Node, target: str, ends: Counter[str]) -> None:
    """Call what is hostile, again and again."""
    while True:
        try:
            await node.caller().call(target, timeout=PATIENCE)
        except MoothallError as error:
            ends[error.code] += 1
            await asyncio.sleep(REST)


async def measure(seconds: float, hostile: int, healthy: int) -> None:
    with tempfile.TemporaryDirectory() as folder:
        node = node_between(folder, hostile, healthy)
        async with node:
            await others(node, 0.5)
            print(f"{'nobody hostile':<26}{await others(node, seconds)}")
            for scheme in ("mcp", "a2a"):
                for way in WAYS:
                    name, ends = way.partition(" ")[0], Counter[str]()
                    target = f"{scheme}:{name}.x" if scheme == "mcp" else f"{scheme}:{name}#x"
                    callers = [asyncio.create_task(bothered(node, target, ends)) for _ in range(CALLERS)]
                    told = await others(node, seconds)
                    for caller in callers:
                        caller.cancel()
                    await asyncio.wait(callers)
                    print(f"{scheme + ' that ' + way:<26}{told}  {dict(ends)}")
            print(f"{'nobody hostile any more':<26}{await others(node, seconds)}")


def main() -> None:
    """Print the latency of other calls with each kind of hostile peer and without."""
    asked = argparse.ArgumentParser(description="other calls beside hostile peers")
    asked.add_argument("--seconds", type=float, default=4.0, help="of each measurement")
    asked.add_argument("--serve", choices=["hostile", "healthy"], help=argparse.SUPPRESS)
    given = asked.parse_args()
    if given.serve == "hostile":
        uvloop.run(be_hostile())
        return
    if given.serve:
        serve(sdk)
        return
    servers = [Server(sys.executable, "-m", "benchmarks.hostile", "--serve", name) for name in ("hostile", "healthy")]
    try:
        uvloop.run(measure(given.seconds, servers[0].port, servers[1].port))
    finally:
        for server in servers:
            server.close()


if __name__ == "__main__":
    main()
