"""One desk, two kinds: at a running node and at its folder, with the same results."""

from __future__ import annotations

import stat
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import httpx
import pytest

from moothall.cli import nodefile, remote
from moothall.cli.desk import Desk, opened
from moothall.cli.local import LocalDesk
from moothall.cli.nodefile import NodeFile
from moothall.cli.remote import RemoteDesk, RemoteFailure, alive, is_ready
from moothall.cli.sse import data_of
from moothall.errors import AgentNotFound, Conflict, DemandNotFound, MoothallError, NodeUnreachable, StoreLocked
from moothall.events.model import Draft
from moothall.messages import explain
from moothall.settings import Settings
from tests.server.door import DEMAND, Door, served
from tests.support.demand import profile

NEW = profile("photographer", "摄影", price=900, floor=700)
NOWHERE = NodeFile("http://127.0.0.1:9", 1, "token")


def known(door: Door) -> NodeFile:
    return NodeFile(door.address.url, 1, door.node.owner_token)


@asynccontextmanager
async def desks(data: Path, kind: str) -> AsyncIterator[tuple[Desk, Door]]:
    async with served(data) as door:
        if kind == "local":
            yield LocalDesk(door.node), door
        else:
            async with RemoteDesk(known(door)) as desk:
                yield desk, door


@pytest.mark.parametrize("kind", ["local", "remote"])
async def test_a_demand_is_submitted_followed_and_read_again(tmp_path: Path, kind: str) -> None:
    async with desks(tmp_path, kind) as (desk, door):
        assert await desk.newest() is None
        ticket = await desk.submit(DEMAND)
        followed = [event async for event in desk.follow(ticket.demand_id)]
        assert followed == list(await desk.history(ticket.demand_id)) == await door.stream(ticket.demand_id)
        assert ticket.channel_id == ticket.demand_id.replace("d-", "collab-")
        assert "场地提供" in ticket.understanding["capability_tags"]
        await door.node.log.create("d-0000beef", "demand", [Draft("x", "x", {})], parent=ticket.demand_id)
        await door.node.log.create("a-0000beef", "another kind", [Draft("x", "x", {})])
        assert await desk.newest() == ticket.demand_id


@pytest.mark.parametrize("kind", ["local", "remote"])
async def test_agents_are_edited(tmp_path: Path, kind: str) -> None:
    async with desks(tmp_path, kind) as (desk, door):
        created = await desk.register(NEW)
        assert (await desk.agent(NEW.agent_id)) == created
        edited = await desk.edit(NEW.agent_id, {"location": "上海", "capabilities.max_roles": 4})
        assert (edited["location"], edited["capabilities"]["max_roles"]) == ("上海", 4)
        assert (await door.node.registry.get(NEW.agent_id)).profile.reservation == NEW.reservation
        await desk.edit(NEW.agent_id, {"reservation": {"floors": {"摄影": 650}}})
        assert (await door.node.registry.get(NEW.agent_id)).profile.reservation.floors == {"摄影": 650}
        assert [row["agent_id"] for row in await desk.agents("摄影", "active")] == [NEW.agent_id]
        assert (await desk.set_status(NEW.agent_id, "disabled"))["status"] == "disabled"
        assert await desk.agents("摄影", "active") == []
        assert (await desk.set_status(NEW.agent_id, "active"))["status"] == "active"
        assert await desk.load([NEW, profile("second", "摄影")], "user") == 2


@pytest.mark.parametrize("kind", ["local", "remote"])
async def test_an_error_keeps_its_code_on_the_way(tmp_path: Path, kind: str) -> None:
    async with desks(tmp_path, kind) as (desk, _):
        caught: list[MoothallError] = []
        for work in (
            desk.agent("user_agent_nobody"),
            desk.history("d-00000000"),
            anext(aiter(desk.follow("d-00000000"))),
        ):
            with pytest.raises(MoothallError) as error:
                await work
            caught.append(error.value)
        await desk.register(NEW)
        with pytest.raises(MoothallError) as error:
            await desk.register(NEW)
        codes = [each.code for each in (*caught, error.value)]
        assert codes == [AgentNotFound.code, DemandNotFound.code, DemandNotFound.code, Conflict.code]
        assert [each.exit_code for each in caught] == [5, 5, 5]


async def test_the_live_node_is_used_and_without_one_the_folder(tmp_path: Path) -> None:
    settings = Settings(data=tmp_path, demo_agents=False)
    async with served(tmp_path) as door:
        nodefile.write(tmp_path, known(door))
        async with opened(settings) as desk:
            assert isinstance(desk, RemoteDesk)
    async with opened(settings) as desk:
        assert isinstance(desk, LocalDesk)
        assert len(await desk.agents("", None)) == 4


async def test_a_folder_that_a_silent_process_holds_is_a_typed_error(tmp_path: Path) -> None:
    async with served(tmp_path):
        nodefile.write(tmp_path, NOWHERE)
        with pytest.raises(StoreLocked):
            async with opened(Settings(data=tmp_path)):
                pass


async def test_a_node_is_alive_only_if_it_is_the_one_that_wrote_the_file(tmp_path: Path) -> None:
    async with served(tmp_path) as door:
        assert await alive(known(door))
        assert await is_ready(known(door))
        assert not await alive(NodeFile(door.address.url, 1, "another token"))
    assert not await alive(known(door))
    assert not await is_ready(known(door))


async def test_a_node_that_is_gone_is_unreachable(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(remote, "RETRIES", (0.0, 0.0))
    async with RemoteDesk(NOWHERE) as desk:
        for work in (desk.submit(DEMAND), anext(aiter(desk.follow("d-00000000")))):
            with pytest.raises(NodeUnreachable) as caught:
                await work
            assert caught.value.exit_code == 8


async def test_a_stream_that_is_cut_is_taken_up_where_it_was_cut(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(remote, "RETRIES", (0.0,) * 3)
    async with served(tmp_path) as door, RemoteDesk(known(door)) as desk:
        whole = await door.stream(await door.submit())
        asked: list[str] = []
        stream = desk._stream

        async def cut(demand_id: str, last: str) -> AsyncIterator[tuple[str, str]]:
            asked.append(last)
            count = 0
            async for pair in stream(demand_id, last):
                yield pair
                count += 1
                if count == 3:
                    raise httpx.ReadError("cut")

        monkeypatch.setattr(desk, "_stream", cut)
        demand_id = whole[0]["payload"]["demand_id"]
        assert [event async for event in desk.follow(demand_id)] == whole
        assert asked == ["", *(event["event_id"] for event in whole[2:-1:3])]


async def test_an_answer_that_is_not_ours_is_a_remote_failure() -> None:
    async with RemoteDesk(NOWHERE) as desk:
        plain = desk._failure(httpx.Response(502, text="bad gateway"))
        newer = desk._failure(
            httpx.Response(418, json={"error": {"code": "NEW", "message": "m", "why": "w", "hint": ""}})
        )
        ours = desk._failure(
            httpx.Response(404, json={"error": {"code": "E002", "message": "m", "why": "", "hint": "h"}})
        )
    assert (plain.exit_code, newer.exit_code) == (8, 8)
    assert isinstance(ours, RemoteFailure)
    assert (ours.code, ours.message, ours.hint, ours.exit_code) == ("E002", "m", "h", 5)


async def test_an_event_that_was_cut_off_is_none() -> None:
    async def lines() -> AsyncIterator[str]:
        for line in (": hello", "", "id: a", "data: {", "data: }", "", "id: b", "data: half"):
            yield line

    assert [pair async for pair in data_of(lines())] == [("a", "{\n}")]


def test_the_node_file_is_private_and_removed_by_its_own_node_only(tmp_path: Path) -> None:
    mine, other = NodeFile("http://127.0.0.1:1", 1, "mine"), NodeFile("http://127.0.0.1:2", 2, "other")
    nodefile.write(tmp_path, mine)
    path = tmp_path / nodefile.NAME
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert nodefile.read(tmp_path) == mine
    nodefile.write(tmp_path, other)
    nodefile.remove(tmp_path, mine)
    assert nodefile.read(tmp_path) == other
    nodefile.remove(tmp_path, other)
    assert [child.name for child in tmp_path.iterdir()] == []


@pytest.mark.parametrize(
    "content", ["", "{}", "[]", "nonsense", '{"url": 1}', '{"url":"u","pid":"x","owner_token":"t"}']
)
def test_what_is_no_node_file_is_none(tmp_path: Path, content: str) -> None:
    assert nodefile.read(tmp_path) is None
    (tmp_path / nodefile.NAME).write_text(content, encoding="utf-8")
    assert nodefile.read(tmp_path) is None


async def test_a_live_node_says_why_in_the_language_of_the_command(tmp_path: Path) -> None:
    async with served(tmp_path) as door, RemoteDesk(known(door), "zh") as desk:
        with pytest.raises(MoothallError) as refused:
            await desk.submit(" ")
    assert explain(refused.value, "zh").why == "raw_input 是空的"
