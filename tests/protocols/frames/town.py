"""Two nodes in one process that can reach each other on loopback."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from moothall.hosting.frames import Spoken
from moothall.identity.keystore import DEFAULT_AGENT
from moothall.node import Node
from moothall.protocols.frames.door import Visit
from moothall.server.run import Address, bind, serve_on
from moothall.settings import Settings


class Guests:
    """A reception that keeps who came, and answers every frame with the same frame."""

    def __init__(self) -> None:
        self.visits: list[Visit] = []

    async def receive(self, visit: Visit) -> None:
        self.visits.append(visit)
        while True:
            await visit.link.send(await visit.link.receive())


@asynccontextmanager
async def served(data: Path, spoken: Spoken | None = None, *, speaks: bool = False) -> AsyncIterator[Node]:
    """A node on a free port; with ``spoken`` it talks over frames, with ``speaks`` in its own way."""
    frames = spoken is not None or speaks
    node = Node(Settings(data=data, demo_agents=False, egress_allow="http://localhost", enable_meta_frames=frames))
    stop, ready = asyncio.Event(), asyncio.Event()

    def on_ready(_: Address) -> None:
        ready.set()

    with bind("127.0.0.1", 0) as listener:
        node.listen_on(listener.getsockname()[1])
        async with node:
            if spoken is not None:
                node.host.edges.frames.spoken = spoken
            door = asyncio.create_task(serve_on(listener, node.app(), host="127.0.0.1", on_ready=on_ready, stop=stop))
            await ready.wait()
            try:
                yield node
            finally:
                stop.set()
                await door


def did(node: Node) -> str:
    identity = node.host.office.agent(DEFAULT_AGENT)
    assert identity is not None
    return identity.did.text
