"""Server-sent events over the log, as one thing: recorded, replayed, resumed, and read-only for clients (NEG-ADR-05)."""

from __future__ import annotations

import asyncio
import re
from pathlib import Path

import pytest

from moothall.clock import parse_rfc3339
from tests.server.door import Gate, served, stream_of


@pytest.mark.requirement("NEG-ADR-05")
async def test_one_server_records_replays_and_resumes_for_clients_that_can_only_read(tmp_path: Path) -> None:
    gate = Gate()
    async with served(tmp_path, participants=gate.behind) as door:
        demand_id, other = await door.submit(), await door.submit()
        path = stream_of(demand_id)
        early = asyncio.create_task(door.stream(demand_id))
        late = await door.first(5, demand_id)
        assert late[0]["event_type"] == "towow.demand.submitted"
        gate.opened.set()
        whole = await early
        for method in ("POST", "PUT", "PATCH", "DELETE"):
            assert (await door.client.request(method, path)).status_code == 405
        assert await door.stream(demand_id) == whole
        assert whole[:5] == late

        cut = len(whole) // 2
        for how in ({"headers": {"Last-Event-ID": whole[cut]["event_id"]}},
                    {"params": {"last_event_id": whole[cut]["event_id"]}}):  # fmt: skip
            assert await door.stream(demand_id, **how) == whole[cut + 1 :]
        for unknown in ("evt-00000000-3", "nonsense", (await door.stream(other))[2]["event_id"]):
            assert await door.stream(demand_id, params={"last_event_id": unknown}) == whole

        async with door.client.stream("GET", path) as answer:
            frames = (await answer.aread()).decode().split("\n\n")
            assert answer.headers["content-type"].startswith("text/event-stream")
            assert answer.headers["cache-control"] == "no-cache"
            assert answer.headers["connection"] == "keep-alive"
        assert frames[-2:] == [": end", ""]
        assert len(frames) == len(whole) + 2
        for frame, event in zip(frames, whole, strict=False):
            first, second = frame.split("\n")
            assert first == f"id: {event['event_id']}"
            assert second.startswith("data: {")
            assert re.match(r"^evt-", str(event["event_id"]))
            assert parse_rfc3339(str(event["timestamp"])).utcoffset() is not None
        over = await door.client.get(path, headers={"Last-Event-ID": str(whole[-1]["event_id"])})
        assert over.status_code == 204
