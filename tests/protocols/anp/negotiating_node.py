"""A whole node in a process of its own, killed with SIGKILL at a moment of a negotiation.

python -m tests.protocols.anp.negotiating_node ROLE DATA URL PORT PEER MOMENT

ROLE is ``provider`` or ``requester``; PEER the DID of the provider, or ``-``. MOMENT is ``before:KEY`` or ``after:KEY``,
the commit of the event with this key, or ``-``. On stdout: the DID, and of the requester how it ended.
"""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from moothall.capability.agents import Agent
from moothall.events.model import Draft
from moothall.events.run import Run
from moothall.hosting import agreeing
from moothall.negotiation.protocol.spoken import Speaker, SpokenProtocol
from moothall.node import Node
from moothall.server.run import Address, bind, serve_on
from moothall.settings import Settings
from tests.protocols.anp.front_town import EasyJudge
from tests.protocols.anp.weather import NEED, forecast

AGENTS = {"provider": "bob", "requester": "alice"}
BEGUN = "begun"
"""The file in which the requester notes the negotiation that it has begun."""


def say(**words: Any) -> None:
    """Past every buffer of this process."""
    os.write(1, (json.dumps(words) + "\n").encode())


def die_at(moment: str) -> None:
    """Have this process killed before or after an event is committed."""
    when, _, key = moment.partition(":")
    append = Run._append

    async def appending(run: Run, drafts: Sequence[Draft], outbox: Any, *, close: bool) -> Any:
        meant = any(draft.key == key for draft in drafts)
        if meant and when == "before":
            os.kill(os.getpid(), signal.SIGKILL)
        rows = await append(run, drafts, outbox, close=close)
        if meant:
            os.kill(os.getpid(), signal.SIGKILL)
        return rows

    Run._append = appending  # type: ignore[method-assign]


async def negotiated(node: Node, data: Path, peer: str) -> None:
    """Have a protocol with the provider, begun in this life or an earlier one, and speak it."""
    requests, own = node.host.agreeing.front.requests, node.host.office.agent("alice")
    assert own is not None

    async def calls(target: str, params: Any) -> Any:
        return await node.host.agreeing.call("alice", target, params)

    speaker = Speaker(name="alice", did=own.did.text, calls=calls)
    note = data.with_suffix(f".{BEGUN}")
    if not note.exists():
        note.write_text(await requests.begin(speaker, peer, NEED), encoding="utf-8")
    spoken: SpokenProtocol = await requests.outcome(note.read_text("utf-8"), peer, node.clock.monotonic() + 60)
    answer = await requests.speak(speaker, spoken, {"city": "Rome"})
    kept = await requests.agreements(own.did.text)
    say(protocol=spoken.protocol, answer=answer, kept=[each.protocol for each in kept])


async def main(role: str, data: Path, url: str, port: int, peer: str) -> None:
    """Serve; as the requester negotiate, and stop."""
    agreeing.Gate = lambda _sandbox: EasyJudge()  # type: ignore[assignment,misc,return-value]  # not what is tested
    given = {"database_url": url} if url != "-" else {}
    node = Node(Settings(data=data, demo_agents=False, egress_allow="http://localhost", lease_seconds=2, **given))
    node.add(Agent(AGENTS[role], *([forecast] if role == "provider" else [])))
    stop, ready = asyncio.Event(), asyncio.Event()

    def on_ready(_: Address) -> None:
        ready.set()

    with bind("127.0.0.1", port) as listener:
        node.listen_on(listener.getsockname()[1])
        async with node:
            door = asyncio.create_task(serve_on(listener, node.app(), host="127.0.0.1", on_ready=on_ready, stop=stop))
            await ready.wait()
            identity = node.host.office.agent(AGENTS[role])
            assert identity is not None
            say(did=identity.did.text, port=listener.getsockname()[1])
            if role == "requester":
                await negotiated(node, data, peer)
                stop.set()
            await door


if __name__ == "__main__":
    if sys.argv[6] != "-":
        die_at(sys.argv[6])
    asyncio.run(main(sys.argv[1], Path(sys.argv[2]), sys.argv[3], int(sys.argv[4]), sys.argv[5]))
