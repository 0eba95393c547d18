from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import httpcore
import pytest
import sqlalchemy as sa

from moothall.capability.context import CallContext
from moothall.capability.decorators import capability
from moothall.capability.questions import Form
from moothall.errors import InvalidInput, Unauthenticated
from moothall.identity.allowed import Allowed
from moothall.identity.egress import Egress
from moothall.protocols.a2a import turns
from moothall.protocols.a2a.failures import InvalidParams, TaskNotFound
from moothall.protocols.a2a.push_configs import MOST
from moothall.protocols.a2a.tasks import WORKING
from moothall.storage.schema import a2a_task
from tests.calls.hall import ALICE, ANONYMOUS, BOB
from tests.identity.net.far_side import FarSide, Names, far_side, replies, reply, silence
from tests.protocols.a2a.engine import Gate, answers, asks, engine, kind, state, visit
from tests.support.clock import ManualClock

FORBIDDEN = ["127.0.0.1", "169.254.169.254", "10.1.2.3", "100.64.0.1", "::ffff:127.0.0.1", "fe80::1", "0.0.0.0"]


@capability(access="public")
async def add(a: int) -> int:
    """Add one."""
    return a + 1


@capability(access="public")
async def ask(ctx: CallContext) -> str:
    """Ask."""
    await ctx.ask({"name": Form("Your name?", {"type": "object"})})
    return "thanks"


async def heard(side: FarSide, number: int) -> list[dict[str, Any]]:
    """What a receiver was sent, once it is as much as this."""
    while len(side.asked) < number:
        side.arrived.clear()
        await side.arrived.wait()
    return [json.loads(asked.body) for asked in side.asked]


def listed(side: FarSide) -> Egress:
    """A client that may speak to this receiver."""
    return Egress(Allowed.parsed(f"http://127.0.0.1:{side.port}"))


def hook(side: FarSide, **more: Any) -> dict[str, Any]:
    """The configuration that names it."""
    return {"url": side.url("127.0.0.1", "/hook", "http"), **more}


@pytest.fixture
def opened(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The addresses that anything connects to; none is really called."""
    found: list[str] = []

    async def connect(_: httpcore.AnyIOBackend, host: str, *__: object, **___: object) -> httpcore.AsyncNetworkStream:
        found.append(host)
        raise httpcore.ConnectError

    monkeypatch.setattr(httpcore.AnyIOBackend, "connect_tcp", connect)
    return found


@pytest.fixture
async def receiver() -> AsyncIterator[FarSide]:
    async with far_side(reply(b"", "204 No Content")) as side:
        yield side


async def test_a_receiver_named_with_the_message_hears_everything_in_order(
    database_url: str, tmp_path: Path, receiver: FarSide
) -> None:
    config = hook(receiver, token="t-1", authentication={"scheme": "Bearer", "credentials": "c-1"})
    async with engine(tmp_path / "n", add, url=database_url, egress=listed(receiver)) as house:
        task = await house.send(asks("add", {"a": 1}, taskPushNotificationConfig=config))
        assert state(task) == "completed"
        events = await heard(receiver, 4)
    assert [kind(event) for event in events] == ["submitted", "working", "artifact", "completed"]
    asked = receiver.asked[0]
    assert asked.line.startswith("POST /hook ")
    assert asked.headers["content-type"] == "application/a2a+json"
    assert asked.headers["authorization"] == "Bearer c-1"
    assert asked.headers["x-a2a-notification-token"] == "t-1"


async def test_configurations_are_kept_given_replaced_and_forgotten(
    database_url: str, tmp_path: Path, receiver: FarSide
) -> None:
    async with engine(tmp_path / "n", ask, url=database_url, egress=listed(receiver)) as house:
        task = await house.send(asks("ask"))
        mine = {"taskId": task["id"]}
        config = hook(receiver, id="p-1", authentication={"scheme": "Bearer", "credentials": "c-1"})
        made = await house.tasks.create_push(visit(), {**mine, **config})
        assert made == {**mine, **config, "authentication": {"scheme": "Bearer"}}
        assert await house.tasks.get_push(visit(), {**mine, "id": "p-1"}) == made
        unnamed = await house.tasks.create_push(visit(), {**mine, **hook(receiver)})
        assert unnamed["id"] not in ("", "p-1")
        replaced = await house.tasks.create_push(visit(), {**mine, **config, "token": "t-2"})
        found = await house.tasks.list_push(visit(), mine)
        assert found["nextPageToken"] == ""
        assert sorted(found["configs"], key=str) == sorted([replaced, unnamed], key=str)
        for _ in range(2):
            await house.tasks.delete_push(visit(), {**mine, "id": "p-1"})
        assert (await house.tasks.list_push(visit(), mine))["configs"] == [unnamed]
        with pytest.raises(TaskNotFound):
            await house.tasks.get_push(visit(), {**mine, "id": "p-1"})


async def test_a_receiver_of_a_task_that_waits_hears_how_it_goes_on(
    database_url: str, tmp_path: Path, receiver: FarSide
) -> None:
    async with engine(tmp_path / "n", ask, url=database_url, egress=listed(receiver)) as house:
        task = await house.send(asks("ask"))
        await house.tasks.create_push(visit(), {"taskId": task["id"], **hook(receiver)})
        await house.send(answers(task["id"], {"name": {"action": "decline"}}))
        events = await heard(receiver, 3)
    assert [kind(event) for event in events] == ["working", "artifact", "completed"]


async def test_a_receiver_of_a_task_that_waits_hears_that_it_was_cancelled(tmp_path: Path, receiver: FarSide) -> None:
    async with engine(tmp_path / "n", ask, egress=listed(receiver)) as house:
        task = await house.send(asks("ask"))
        await house.tasks.create_push(visit(), {"taskId": task["id"], **hook(receiver)})
        await house.tasks.cancel_task(visit(), {"id": task["id"]})
        assert [kind(event) for event in await heard(receiver, 1)] == ["canceled"]


async def test_a_receiver_that_is_added_while_the_task_works_hears_the_rest_and_one_that_is_removed_does_not(
    tmp_path: Path,
) -> None:
    gate = Gate()

    @capability(access="public")
    async def wait() -> str:
        await gate.wait()
        return "done"

    async with far_side(reply()) as kept, far_side(reply()) as removed:
        egress = Egress(Allowed.parsed(f"http://127.0.0.1:{kept.port},http://127.0.0.1:{removed.port}"))
        async with engine(tmp_path / "n", wait, egress=egress) as house:
            task = await house.send(asks("wait", returnImmediately=True))
            mine = {"taskId": task["id"]}
            await house.tasks.create_push(visit(), {**mine, **hook(kept)})
            gone = await house.tasks.create_push(visit(), {**mine, **hook(removed)})
            await house.tasks.delete_push(visit(), {**mine, "id": gone["id"]})
            gate.open.set()
            assert [kind(event) for event in await heard(kept, 2)] == ["artifact", "completed"]
        assert removed.hits == 0


class Ended(logging.Handler):
    """Says when a push was given up."""

    def __init__(self) -> None:
        super().__init__()
        self.pushes = asyncio.Event()

    def emit(self, record: logging.LogRecord) -> None:
        if "push" in record.getMessage():
            self.pushes.set()


@pytest.fixture
def given_up() -> Iterator[asyncio.Event]:
    """Set when a push ends that could not be sent."""
    handler, log = Ended(), logging.getLogger("moothall.a2a")
    log.addHandler(handler)
    yield handler.pushes
    log.removeHandler(handler)


@pytest.mark.requirement("WIRE-NET-01")
@pytest.mark.parametrize("named", ["by address", "by name"])
async def test_an_address_that_is_not_public_is_refused_without_a_connection(
    tmp_path: Path, opened: list[str], named: str
) -> None:
    names = {f"name{number}_example": (address,) for number, address in enumerate(FORBIDDEN)}
    async with engine(tmp_path / "n", add, ask, egress=Egress(Allowed(), lookup=Names(**names))) as house:
        task = await house.send(asks("ask"))
        for number, address in enumerate(FORBIDDEN):
            written = f"[{address}]" if ":" in address else address
            config = {"url": f"https://{f'name{number}.example' if named == 'by name' else written}/hook"}
            with pytest.raises(InvalidInput):
                await house.send(asks("add", {"a": 1}, taskPushNotificationConfig=config))
            with pytest.raises(InvalidInput):
                await house.tasks.create_push(visit(), {"taskId": task["id"], **config})
        assert (await house.tasks.list_push(visit(), {"taskId": task["id"]}))["configs"] == []
        assert (await house.page())["totalSize"] == 1
    assert opened == []


@pytest.mark.requirement("WIRE-NET-01")
async def test_a_name_that_leads_elsewhere_when_it_is_sent_to_is_refused_without_a_connection(
    tmp_path: Path, opened: list[str], given_up: asyncio.Event
) -> None:
    names = Names(node_example=[("203.0.113.7", "8.8.8.8"), ("8.8.8.8",), ("169.254.169.254",)])
    async with engine(tmp_path / "n", add, egress=Egress(Allowed(), lookup=names)) as house:
        config = {"url": "https://node.example/hook"}
        with pytest.raises(InvalidInput):  # one of its addresses is of a network for documents
            await house.send(asks("add", {"a": 1}, taskPushNotificationConfig=config))
        task = await house.send(asks("add", {"a": 1}, taskPushNotificationConfig=config))
        assert state(task) == "completed"
        await given_up.wait()
    assert len(names.asked) == 3
    assert opened == []


@pytest.mark.parametrize(
    ("config", "error"),
    [
        ({"url": "http://node.example/"}, InvalidInput),
        ({"url": "https://user:pass@node.example/"}, InvalidInput),
        ({"url": "https://nowhere.example/"}, InvalidParams),
        ({"url": "https://node.example/", "token": "a\r\nb: c"}, InvalidParams),
        ({"url": "https://node.example/", "authentication": {"scheme": "Bearer", "credentials": "é"}}, InvalidParams),
        ({"url": "https://node.example/", "id": "x" * 129}, InvalidParams),
    ],
    ids=["http", "password", "no such name", "line break", "not ASCII", "long id"],
)
async def test_a_configuration_that_cannot_work_is_refused(
    tmp_path: Path, config: dict[str, Any], error: type[Exception]
) -> None:
    egress = Egress(Allowed(), lookup=Names(node_example=("8.8.8.8",)))
    async with engine(tmp_path / "n", add, egress=egress) as house:
        with pytest.raises(error):
            await house.send(asks("add", {"a": 1}, taskPushNotificationConfig=config))
        assert (await house.page())["totalSize"] == 0


async def test_a_caller_who_proves_nothing_sends_nobody_anywhere(tmp_path: Path, opened: list[str]) -> None:
    async with engine(tmp_path / "n", add) as house:
        with pytest.raises(Unauthenticated):
            await house.send(
                asks("add", {"a": 1}, taskPushNotificationConfig={"url": "https://node.example/"}), ANONYMOUS
            )
    assert opened == []


async def test_a_task_has_so_many_configurations_and_no_more(
    database_url: str, tmp_path: Path, receiver: FarSide
) -> None:
    async with engine(tmp_path / "n", ask, url=database_url, egress=listed(receiver)) as house:
        task = await house.send(asks("ask"))
        for number in range(MOST):
            await house.tasks.create_push(visit(), {"taskId": task["id"], **hook(receiver, id=f"p-{number}")})
        await house.tasks.create_push(visit(), {"taskId": task["id"], **hook(receiver, id="p-0", token="t")})
        with pytest.raises(InvalidParams):
            await house.tasks.create_push(visit(), {"taskId": task["id"], **hook(receiver)})


async def test_what_was_not_taken_is_sent_again_after_a_pause_and_delays_nothing(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    clock = ManualClock()
    caplog.set_level(logging.DEBUG)
    refusing = replies(reply(status="503 Service Unavailable"), reply(status="500 Oh"), reply())
    async with far_side(refusing) as side:
        config = hook(side, authentication={"scheme": "Bearer", "credentials": "secret-c"}, token="secret-t")
        async with engine(tmp_path / "n", add, egress=listed(side), clock=clock) as house:
            task = await house.send(asks("add", {"a": 1}, taskPushNotificationConfig=config))
            assert state(task) == "completed"
            for pause in (1, 4):
                await clock.sleeping()
                await clock.advance(pause)
            events = await heard(side, 6)
    assert [kind(event) for event in events] == ["submitted"] * 3 + ["working", "artifact", "completed"]
    assert "secret-" not in caplog.text


async def test_a_receiver_that_refuses_is_not_asked_again_for_the_same(tmp_path: Path) -> None:
    async with (
        far_side(reply(status="403 Forbidden")) as side,
        engine(tmp_path / "n", add, egress=listed(side), clock=ManualClock()) as house,
    ):
        await house.send(asks("add", {"a": 1}, taskPushNotificationConfig=hook(side)))
        events = await heard(side, 4)
    assert [kind(event) for event in events] == ["submitted", "working", "artifact", "completed"]


async def test_a_receiver_that_falls_behind_gets_the_whole_task_at_last(tmp_path: Path) -> None:
    clock = ManualClock()

    @capability(access="public")
    async def many() -> AsyncIterator[int]:
        for each in range(300):
            yield each

    async with (
        far_side(replies(reply(status="500 Oh"), reply())) as side,
        engine(tmp_path / "n", many, egress=listed(side), clock=clock) as house,
    ):
        task = await house.send(asks("many", taskPushNotificationConfig=hook(side)))
        assert state(task) == "completed"
        await clock.sleeping()
        await clock.advance(1)
        events = await heard(side, 3)
        assert events[-1] == {"task": await house.get(task["id"], ALICE)}
        assert len(events) == 3


async def test_a_node_that_stops_waits_for_receivers_a_few_seconds_only(tmp_path: Path) -> None:
    clock = ManualClock()
    async with far_side(silence) as side:
        house = engine(tmp_path / "n", add, egress=listed(side), clock=clock)
        running = await house.__aenter__()
        await running.send(asks("add", {"a": 1}, taskPushNotificationConfig=hook(side)))
        await side.arrived.wait()
        stopping = asyncio.create_task(house.__aexit__(None, None, None))
        await clock.sleeping()
        assert not stopping.done()
        await clock.advance(3)
        await stopping


async def test_receivers_hear_of_tasks_that_a_stop_ended(tmp_path: Path, receiver: FarSide) -> None:
    gate = Gate()

    @capability(access="public")
    async def wait() -> None:
        await gate.wait()

    async with engine(tmp_path / "n", wait, egress=listed(receiver)) as house:
        await house.send(asks("wait", returnImmediately=True, taskPushNotificationConfig=hook(receiver)))
        await gate.reached.wait()
    assert kind(json.loads(receiver.asked[-1].body)) == "failed"


async def test_receivers_hear_after_the_next_start_of_tasks_that_a_crash_ended(
    database_url: str, tmp_path: Path, receiver: FarSide
) -> None:
    async with engine(tmp_path / "n", ask, url=database_url, egress=listed(receiver)) as house:
        task = await house.send(asks("ask"))
        await house.tasks.create_push(visit(), {"taskId": task["id"], **hook(receiver)})
        held = sa.update(a2a_task).values(holder=house.store.node, state=WORKING)  # as a process that dies leaves it
        await house.store.write(lambda connection: connection.execute(held))
    assert receiver.asked == []
    async with engine(tmp_path / "n", ask, url=database_url, egress=listed(receiver)) as house:
        assert [event["task"] for event in await heard(receiver, 1)] == [await house.get(task["id"])]
        assert state(await house.get(task["id"])) == "failed"


async def test_receivers_that_never_answer_hold_up_nobody_else_and_not_for_ever(
    tmp_path: Path, receiver: FarSide, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(turns, "MOST_OF_OWNER", 20)
    clock = ManualClock()
    async with far_side(silence) as silent:
        egress = Egress(Allowed.parsed(f"http://127.0.0.1:{silent.port},http://127.0.0.1:{receiver.port}"))
        async with engine(tmp_path / "n", add, egress=egress, clock=clock) as house:
            for number in range(40):
                await house.send(asks("add", {"a": number}, taskPushNotificationConfig=hook(silent)))
            assert len(house.tasks._pusher._sending) == 20
            await heard(silent, 2)
            await house.send(asks("add", {"a": 1}, taskPushNotificationConfig=hook(receiver)), BOB)
            assert len(await heard(receiver, 4)) == 4
            assert silent.hits == 2
            closing = asyncio.create_task(house.tasks.aclose())
            await clock.sleeping()
            await clock.advance(3)
            await closing


async def test_a_host_that_fails_is_left_alone_by_all_senders_of_its_client(tmp_path: Path) -> None:
    clock = ManualClock()
    async with (
        far_side(reply(status="500 Oh")) as side,
        engine(tmp_path / "n", add, egress=listed(side), clock=clock) as house,
    ):
        await house.send(asks("add", {"a": 0}, taskPushNotificationConfig=hook(side)))
        await clock.sleeping()
        for number in range(10):
            await house.send(asks("add", {"a": number}, taskPushNotificationConfig=hook(side)))
        await clock.sleeping(11)
        assert len(side.asked) == 1
        for _ in range(20):
            await clock.advance(31)
            if not house.tasks._pusher._sending:
                break
            await clock.sleeping()
        assert not house.tasks._pusher._sending


async def test_a_receiver_that_missed_an_event_gets_the_whole_task_next(tmp_path: Path) -> None:
    clock = ManualClock()
    refusing = replies(*[reply(status="500 Oh")] * 4, reply())
    async with far_side(refusing) as side, engine(tmp_path / "n", add, egress=listed(side), clock=clock) as house:
        task = await house.send(asks("add", {"a": 1}, taskPushNotificationConfig=hook(side)))
        for pause in (1, 4, 16, 30):
            await clock.sleeping()
            await clock.advance(pause)
        events = await heard(side, 5)
    assert events[4] == {"task": task}


async def test_configurations_changed_in_another_process_count_at_once(postgres_url: str, tmp_path: Path) -> None:
    gate = Gate()

    @capability(access="public")
    async def wait() -> str:
        await gate.wait()
        return "done"

    async with far_side(reply()) as old, far_side(reply()) as new:
        allowed = f"http://127.0.0.1:{old.port},http://127.0.0.1:{new.port}"
        async with (
            engine(tmp_path / "a", wait, url=postgres_url, egress=Egress(Allowed.parsed(allowed))) as first,
            engine(tmp_path / "b", wait, url=postgres_url, egress=Egress(Allowed.parsed(allowed))) as second,
        ):
            config = hook(old, id="p-1")
            task = await first.send(asks("wait", returnImmediately=True, taskPushNotificationConfig=config))
            await heard(old, 2)
            mine = {"taskId": task["id"]}
            await second.tasks.delete_push(visit(), {**mine, "id": "p-1"})
            await second.tasks.create_push(visit(), {**mine, **hook(new)})
            gate.open.set()
            assert [kind(event) for event in await heard(new, 2)] == ["artifact", "completed"]
        assert len(old.asked) == 2


async def test_a_configuration_names_the_tenant_it_was_made_in(tmp_path: Path, receiver: FarSide) -> None:
    async with engine(tmp_path / "n", ask, egress=listed(receiver)) as house:
        task = await house.send(asks("ask"), tenant="t")
        there = visit(tenant="t")
        made = await house.tasks.create_push(there, {"taskId": task["id"], **hook(receiver, id="p-1")})
        assert made == {"tenant": "t", "id": "p-1", "taskId": task["id"], "url": hook(receiver)["url"]}
        assert await house.tasks.get_push(there, {"taskId": task["id"], "id": "p-1"}) == made
        assert (await house.tasks.list_push(there, {"taskId": task["id"]}))["configs"] == [made]
