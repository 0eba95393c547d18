"""A node behind a real HTTP server on a free port, and a reader of its event streams."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import aclosing, asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import httpx
import pytest

from moothall.directory.profiles import AgentProfile
from moothall.hosting.edges import Visitors
from moothall.negotiation.demand.participants import OfferAnswer, Participant, ReviewAnswer
from moothall.negotiation.demand.wire import DemandOffer, ProposalReview
from moothall.node import Node
from moothall.server.app import ServerApp, create_app
from moothall.server.language import accepted
from moothall.server.limited import LIMITS, Limits
from moothall.server.parts import ServerParts
from moothall.server.run import Address, serve
from tests.support.demand import profile, running

DEMAND = "我想在北京办一场AI主题聚会，需要场地和嘉宾"
SUBMIT = "/api/v1/demand/submit"
refused = pytest.mark.asyncio(loop_scope="module")
"""For tests that change nothing: they share a node, in whose event loop they run."""


def team() -> list[AgentProfile]:
    """Agents enough for the sample demand."""
    return [
        profile("hall", "场地提供"),
        profile("loft", "场地提供", price=1200),
        profile("speaker", "演讲嘉宾", price=600),
        profile("planner", "活动策划", price=800),
    ]


class Gate:
    """Holds every review back until it is opened, so that a run stands still in the middle."""

    def __init__(self) -> None:
        self.opened = asyncio.Event()

    def behind(self, node: Node, of: AgentProfile) -> Participant:
        return _Held(node.persona(of), self.opened)


class _Held:
    def __init__(self, persona: Participant, opened: asyncio.Event) -> None:
        self._persona = persona
        self._opened = opened

    async def offer(self, invitation: DemandOffer, *, key: str) -> OfferAnswer:
        return await self._persona.offer(invitation, key=key)

    async def review(self, request: ProposalReview, *, key: str) -> ReviewAnswer:
        await self._opened.wait()
        return await self._persona.review(request, key=key)


def parts_of(node: Node, **changes: Any) -> ServerParts:
    verifier = node.host.office.verifier
    parts = ServerParts(
        settings=node.settings,
        log=node.log,
        registry=node.registry,
        demands=node.demands,
        clock=node.clock,
        owner_token=node.owner_token,
        ready=lambda: node.ready,
        llm=node.llm,
        gateway=node.host.path,
        submissions=node.submissions,
        verifier=verifier,
        challenger=verifier.challenger,
        suspended=node.host.suspended,
        doors=node.host.edges.doors(Visitors(lang="en", accepted=accepted, origins=frozenset())),
    )
    return replace(parts, **changes)


@dataclass
class Door:
    """A served node: its client, and what ends the serving."""

    node: Node
    app: ServerApp
    client: httpx.AsyncClient
    address: Address
    stop: asyncio.Event
    serving: asyncio.Task[None]

    async def submit(self, demand: str = DEMAND, **more: object) -> str:
        answer = await self.client.post(SUBMIT, json={"raw_input": demand, **more})
        assert answer.status_code == 200, answer.text
        return str(answer.json()["demand_id"])

    async def stream(self, demand_id: str, **request: Any) -> list[dict[str, Any]]:
        """All events of a stream up to its end."""
        return [event async for _, event in self.events(demand_id, **request)]

    async def events(self, demand_id: str, **request: Any) -> AsyncIterator[tuple[str, dict[str, Any]]]:
        """The events of a stream as a browser's `onmessage` gets them: (last event id, parsed data)."""
        async with self.client.stream("GET", stream_of(demand_id), **request) as answer:
            assert answer.status_code == 200, await answer.aread()
            async for message in on_message(answer.aiter_lines()):
                yield message

    async def first(self, count: int, demand_id: str, **request: Any) -> list[dict[str, Any]]:
        """The first events of a stream, which is then cut."""
        got: list[dict[str, Any]] = []
        async with aclosing(self.events(demand_id, **request)) as events:
            async for _, event in events:
                got.append(event)
                if len(got) == count:
                    break
        return got


def stream_of(demand_id: str) -> str:
    return f"/api/v1/events/negotiations/{demand_id}/stream"


async def on_message(lines: AsyncIterator[str]) -> AsyncIterator[tuple[str, dict[str, Any]]]:
    """Dispatch as the HTML standard says; an event with a type of its own would not reach `onmessage`."""
    last, kind, data = "", "message", ""
    async for line in lines:
        if not line:
            if data and kind == "message":
                yield last, json.loads(data.removesuffix("\n"))
            kind, data = "message", ""
            continue
        field, _, value = line.partition(":")
        value = value.removeprefix(" ")
        if field == "data":
            data += value + "\n"
        elif field == "id":
            last = value
        elif field == "event":
            kind = value


@asynccontextmanager
async def opened(node: Node, *, limits: Limits = LIMITS, **changes: Any) -> AsyncIterator[Door]:
    """Serve a started node; `changes` are of its `ServerParts`."""
    app, stop = create_app(parts_of(node, **changes)), asyncio.Event()
    listening: asyncio.Future[Address] = asyncio.get_running_loop().create_future()
    serving = asyncio.create_task(
        serve(app, host="127.0.0.1", port=0, on_ready=listening.set_result, stop=stop, limits=limits)
    )
    address = await listening
    try:
        rested = httpx.Limits(keepalive_expiry=2)  # well before the server gives an idle connection up
        async with httpx.AsyncClient(base_url=address.url, trust_env=False, timeout=30, limits=rested) as client:
            yield Door(node, app, client, address, stop, serving)
    finally:
        stop.set()
        await serving


@asynccontextmanager
async def served(
    data: Path,
    *,
    participants: Callable[[Node, AgentProfile], Participant] | None = None,
    settings: dict[str, Any] | None = None,
    agents: bool = True,
    **changes: Any,
) -> AsyncIterator[Door]:
    """A node with a small team behind an HTTP server."""
    profiles = team() if agents else []
    async with (
        running(data, profiles, participants=participants, **(settings or {})) as node,
        opened(node, **changes) as door,
    ):
        yield door


@asynccontextmanager
async def shared(data: Path, **how: Any) -> AsyncIterator[Door]:
    """The same for the tests of a module that are `refused`.

    Its client keeps no connection open, since the node stands still while tests with event loops of their own run.
    """
    none_kept = httpx.Limits(max_keepalive_connections=0)
    async with (
        served(data, **how) as door,
        httpx.AsyncClient(base_url=door.address.url, trust_env=False, timeout=30, limits=none_kept) as client,
    ):
        yield replace(door, client=client)


@asynccontextmanager
async def read_only(node: Node) -> AsyncIterator[None]:
    """Let the SQLite store of a node refuse every write, as a full or write-protected disk does."""
    writer = node.log.store.writer
    assert writer is not None
    await writer.raw(lambda raw: raw.execute("PRAGMA query_only = ON"))
    try:
        yield
    finally:
        await writer.raw(lambda raw: raw.execute("PRAGMA query_only = OFF"))
