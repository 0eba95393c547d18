"""The event stream over a real server: every client gets every event once, whenever it comes and however often it is cut."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from moothall.clock import parse_rfc3339
from moothall.server.parts import HEARTBEAT_SECONDS
from tests.server.door import Door, Gate, on_message, opened, served, stream_of
from tests.support.demand import running


def ids(events: list[dict[str, object]]) -> list[object]:
    return [event["event_id"] for event in events]


async def ended(door: Door) -> None:
    """Wait until the server knows that no stream is open; it learns of a lost client by itself."""
    async with asyncio.timeout(10):
        while len(door.app.streams):  # noqa: ASYNC110 - the server tells nobody
            await asyncio.sleep(0.001)


def kinds(events: list[dict[str, object]]) -> list[str]:
    return [str(event["event_type"]) for event in events]


@pytest.mark.requirement("NEG-ARCH-22", "NEG-EVENT-05")
async def test_a_client_from_the_start_gets_offers_as_they_come_and_the_final_event(tmp_path: Path) -> None:
    gate = Gate()
    async with served(tmp_path, participants=gate.behind) as door:
        demand_id = await door.submit()
        live: list[dict[str, object]] = []
        async for _, event in door.events(demand_id):
            live.append(event)
            if event["event_type"] == "towow.proposal.distributed":
                gate.opened.set()
        responders = [event["payload"]["agent_id"] for event in live if event["event_type"] == "towow.offer.submitted"]
        assert sorted(responders) == sorted(set(responders))
        assert len(responders) == 4
        assert kinds(live)[-1] == "towow.proposal.finalized"


@pytest.mark.requirement("NEG-API-09")
async def test_the_stream_has_the_specified_headers_and_ends_after_the_terminal_event(door: Door) -> None:
    demand_id = await door.submit()
    async with door.client.stream("GET", stream_of(demand_id)) as answer:
        assert re.fullmatch(r"text/event-stream(; charset=utf-8)?", answer.headers["content-type"])
        assert answer.headers["cache-control"] == "no-cache"
        assert answer.headers["connection"] == "keep-alive"
        assert answer.headers["x-accel-buffering"] == "no"
        text = "".join([part async for part in answer.aiter_text()])
    last = text.rstrip("\n").split("\n\n")[-1]
    assert last.startswith(":")
    assert "towow.proposal.finalized" in text.rstrip("\n").split("\n\n")[-2]


@pytest.mark.requirement("NEG-API-10")
async def test_every_frame_is_an_id_line_and_a_data_line(door: Door) -> None:
    demand_id = await door.submit()
    answer = await door.client.get(stream_of(demand_id))
    frames = [frame for frame in answer.text.split("\n\n") if frame and not frame.startswith(":")]

    async def lines() -> object:
        for line in answer.text.split("\n"):
            yield line

    messages = [message async for message in on_message(lines())]
    assert len(messages) == len(frames)
    for frame, (last_id, event) in zip(frames, messages, strict=True):
        assert [line.partition(":")[0] for line in frame.split("\n")] == ["id", "data"]
        assert event.keys() == {"event_id", "event_type", "timestamp", "payload"}
        assert last_id == event["event_id"]
        assert re.fullmatch(r"evt-[0-9a-f]{8}-\d+", event["event_id"])
        assert event["timestamp"].endswith("Z")
        parse_rfc3339(event["timestamp"])


@pytest.mark.requirement("NEG-API-11")
async def test_a_late_subscriber_gets_history_then_live_events(tmp_path: Path) -> None:
    gate = Gate()
    async with served(tmp_path, participants=gate.behind) as door:
        demand_id = await door.submit()
        early = asyncio.create_task(door.stream(demand_id))
        async for _, event in door.events(demand_id):
            if event["event_type"] == "towow.proposal.distributed":
                break
        late: list[dict[str, object]] = []
        async for _, event in door.events(demand_id):
            late.append(event)
            if event["event_type"] == "towow.proposal.distributed":
                gate.opened.set()
        assert late == await early
        assert kinds(late)[0] == "towow.demand.submitted"


@pytest.mark.requirement("NEG-API-12")
@pytest.mark.parametrize("way", ["header", "query"])
async def test_a_client_cut_after_every_event_and_resumed_misses_and_repeats_nothing(door: Door, way: str) -> None:
    demand_id = await door.submit()
    other = await door.submit()
    whole = await door.stream(demand_id)
    pieces: list[dict[str, object]] = []
    while len(pieces) < len(whole):
        last = str(pieces[-1]["event_id"]) if pieces else ""
        request = {"headers": {"Last-Event-ID": last}} if way == "header" else {"params": {"last_event_id": last}}
        pieces += await door.first(1, demand_id, **request)
    assert pieces == whole
    assert not set(ids(whole)) & set(ids(await door.stream(other)))


@pytest.mark.requirement("NEG-API-12")
async def test_resuming_at_any_event_gives_exactly_the_later_ones(door: Door) -> None:
    demand_id = await door.submit()
    whole = await door.stream(demand_id)
    for place, event in enumerate(whole[:-1]):
        assert await door.stream(demand_id, headers={"Last-Event-ID": str(event["event_id"])}) == whole[place + 1 :]


@pytest.mark.requirement("NEG-API-12")
async def test_an_invented_id_gives_everything_and_does_no_harm(door: Door) -> None:
    demand_id = await door.submit()
    foreign = await door.stream(await door.submit())
    whole = await door.stream(demand_id)
    short = demand_id.removeprefix("d-")
    known = {int(str(name).rpartition("-")[2]) for name in ids(whole)}
    internal = next(seq for seq in range(max(known)) if seq not in known)
    for invented in (
        "0", "-1", "evt-", "x" * 4000, "'; DROP TABLE event; --", f"evt-{short}-999999999", f"evt-{short}-{10**30}",
        f"evt-{short}-{internal}", f"evt-{short}-01", f"evt-{short}--1", str(ids(foreign)[3]), "\u00e9vt",
    ):  # fmt: skip
        assert await door.stream(demand_id, params={"last_event_id": invented}) == whole, invented


async def test_the_header_counts_more_than_the_query(door: Door) -> None:
    demand_id = await door.submit()
    whole = await door.stream(demand_id)
    request = {"headers": {"Last-Event-ID": str(whole[4]["event_id"])}, "params": {"last_event_id": "unknown"}}
    assert await door.stream(demand_id, **request) == whole[5:]


@pytest.mark.requirement("NEG-API-09")
async def test_a_client_that_has_seen_the_end_is_told_to_stay_away(door: Door) -> None:
    demand_id = await door.submit()
    whole = await door.stream(demand_id)
    answer = await door.client.get(stream_of(demand_id), headers={"Last-Event-ID": str(whole[-1]["event_id"])})
    assert answer.status_code == 204
    assert answer.content == b""


@pytest.mark.requirement("NEG-API-13")
async def test_the_same_list_is_told_later_and_after_a_restart(tmp_path: Path, database_url: str) -> None:
    async with served(tmp_path, settings={"database_url": database_url}) as door:
        demand_id = await door.submit()
        first, second = await door.stream(demand_id), await door.stream(demand_id)
    async with running(tmp_path, database_url=database_url) as node, opened(node) as door:
        assert first == second == await door.stream(demand_id)


@pytest.mark.requirement("NEG-API-15")
async def test_three_clients_of_one_demand_get_equal_lists(tmp_path: Path) -> None:
    gate = Gate()
    async with served(tmp_path, participants=gate.behind) as door:
        demand_id = await door.submit()
        clients = [asyncio.create_task(door.stream(demand_id)) for _ in range(3)]
        gate.opened.set()
        first, second, third = await asyncio.gather(*clients)
        assert first == second == third
        assert len(first) > 10


async def _until(lines: AsyncIterator[str], last: str) -> AsyncIterator[str]:
    """The lines up to and including the first that equals ``last``."""
    async for line in lines:
        yield line
        if line == last:
            return


@pytest.mark.requirement("NEG-API-14")
async def test_an_idle_stream_shows_that_it_is_alive(tmp_path: Path) -> None:
    assert HEARTBEAT_SECONDS == 5
    gate = Gate()
    async with served(tmp_path, participants=gate.behind, heartbeat=0.05) as door:
        demand_id = await door.submit()
        async with door.client.stream("GET", stream_of(demand_id)) as answer:
            lines = answer.aiter_lines()
            assert ": heartbeat" in [line async for line in _until(lines, ": heartbeat")]
        gate.opened.set()
        await door.stream(demand_id)


@pytest.mark.requirement("NEG-API-08")
async def test_an_unknown_demand_is_told_before_any_stream_starts(door: Door) -> None:
    for unknown in ("d-00000000", "nonsense", "d-00000000%0a"):
        answer = await door.client.get(stream_of(unknown))
        assert answer.status_code == 404
        assert answer.headers["content-type"] == "application/json"
        assert answer.json()["error"]["code"] == "E002"


async def test_too_many_streams_are_refused_and_a_client_that_leaves_makes_room(tmp_path: Path) -> None:
    gate = Gate()
    async with served(tmp_path, participants=gate.behind, settings={"max_streams": 1}) as door:
        demand_id = await door.submit()
        async with door.client.stream("GET", stream_of(demand_id)) as held:
            lines = held.aiter_lines()
            await anext(lines)
            refused = await door.client.get(stream_of(demand_id))
            assert refused.status_code == 503
            assert refused.json()["error"]["code"] == "OVERLOADED"
        gate.opened.set()
        await ended(door)
        assert kinds(await door.stream(demand_id))[-1] == "towow.proposal.finalized"


async def test_stopping_the_server_ends_open_streams_which_go_on_after_the_restart(tmp_path: Path) -> None:
    gate = Gate()
    async with served(tmp_path, participants=gate.behind) as door:
        demand_id = await door.submit()
        seen: list[dict[str, object]] = []
        async for _, event in door.events(demand_id):
            seen.append(event)
            if event["event_type"] == "towow.proposal.distributed":
                door.stop.set()
        await door.serving
    async with running(tmp_path) as node, opened(node) as door:
        rest = await door.stream(demand_id, headers={"Last-Event-ID": str(seen[-1]["event_id"])})
        assert seen + rest == await door.stream(demand_id)


async def test_head_tells_the_headers_of_a_stream_without_opening_it(door: Door) -> None:
    answer = await door.client.head(stream_of(await door.submit()))
    assert answer.headers["content-type"].startswith("text/event-stream")
    assert answer.content == b""
    assert len(door.app.streams) == 0
