from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from moothall.capability.context import CallContext
from moothall.capability.decorators import capability
from moothall.capability.questions import Form
from moothall.errors import Conflict, MoothallError, PermissionDeniedError, ServiceNotFoundError, Unauthenticated
from moothall.protocols.a2a.failures import (
    ContentTypeNotSupported,
    InvalidParams,
    TaskNotCancelable,
    TaskNotFound,
    UnsupportedOperation,
)
from tests.calls.hall import ALICE, ANONYMOUS, BOB
from tests.protocols.a2a.engine import Gate, answers, asks, engine, error_of, kind, state, values, visit


@capability(access="public")
async def add(a: int, b: int = 1) -> int:
    """Add."""
    return a + b


@capability(access="public")
async def shout(words: str) -> str:
    """Say it louder."""
    return words.upper()


@capability(access="owner")
async def secret() -> str:
    """For the owner."""
    return "s"


@capability(access="public")
async def count(to: int) -> AsyncIterator[int]:
    """Count."""
    for each in range(to):
        yield each


@capability(access="public")
async def fail(kind: str) -> str:
    """Fail."""
    if kind == "known":
        raise Conflict("it is taken already")
    raise RuntimeError("secret: 12345")


@capability(access="public")
async def book(ctx: CallContext, room: str) -> str:
    """Ask for a name, then for a date."""
    given = await ctx.ask({"name": Form("Your name?", {"type": "object", "properties": {"name": {"type": "string"}}})})
    name = given["name"]["content"]["name"]
    given = await ctx.ask({"day": Form("Which day?", {"type": "object"})})
    return f"{room} for {name} on {given['day']['content']['day']}"


async def test_a_call_that_ends_in_time_gives_the_completed_task(database_url: str, tmp_path: Path) -> None:
    async with engine(tmp_path / "n", add, url=database_url) as house:
        task = await house.send(asks("add", {"a": 2}))
        assert (state(task), values(task)) == ("completed", [3])
        assert task["history"] == [
            {
                "messageId": "m-1",
                "role": "ROLE_USER",
                "parts": [{"data": {"skill": "add", "arguments": {"a": 2}}}],
                "contextId": task["contextId"],
                "taskId": task["id"],
            }
        ]
        assert await house.get(task["id"]) == task


async def test_integers_are_exact_on_their_way_in_and_out(tmp_path: Path) -> None:
    async with engine(tmp_path / "n", add) as house:
        for given in (2**53, str(2**53)):
            task = await house.send(asks("add", {"a": given}))
            assert values(task) == [str(2**53 + 1)]
        task = await house.send(asks("add", {"a": 2**70}))
        assert (await house.get(task["id"]))["history"][0]["parts"][0]["data"]["arguments"] == {"a": 2**70}


@pytest.mark.parametrize(
    ("request_", "expected"),
    [
        (asks(parts=[{"data": {"skill": "shout", "arguments": {"words": "a"}}}]), ["A"]),
        (asks(parts=[{"data": {"words": "b"}}], metadata={"skill": "shout"}), ["B"]),
        (asks(parts=[{"data": {"words": "c"}}]), ["C"]),
        (asks(parts=[{"text": "d"}]), ["D"]),
        (asks(parts=[{"text": "e"}], metadata={"skill": "shout"}), ["E"]),
    ],
    ids=["envelope", "metadata", "bare arguments", "text", "text with metadata"],
)
async def test_a_message_names_its_skill_in_several_ways(
    tmp_path: Path, request_: dict[str, Any], expected: list[str]
) -> None:
    async with engine(tmp_path / "n", add, agents={"loud": (shout, secret)}) as house:
        assert values(await house.send(request_, agent="loud")) == expected


@pytest.mark.parametrize(
    ("request_", "error"),
    [
        (asks("missing"), ServiceNotFoundError),
        (asks("loud.shout", {"words": "x"}), ServiceNotFoundError),
        (asks("secret"), PermissionDeniedError),
        (asks(parts=[{"text": "two skills"}]), InvalidParams),
        (asks("add", [1]), InvalidParams),
        (asks(parts=[{"data": {}}, {"data": {}}]), InvalidParams),
        (asks(parts=[{"raw": "AA==", "mediaType": "image/png"}]), ContentTypeNotSupported),
        (asks("add", {"a": 1}, acceptedOutputModes=["image/png"]), ContentTypeNotSupported),
        (asks("add", {"a": 1}, contextId="c\n"), InvalidParams),
        (asks("add", {"a": 1}, taskId="t-unknown"), TaskNotFound),
    ],
    ids=["skill", "agent", "right", "no skill", "list", "two data", "file", "modes", "context", "task"],
)
async def test_what_cannot_become_a_task_is_an_error_of_the_protocol(
    tmp_path: Path, request_: dict[str, Any], error: type[MoothallError]
) -> None:
    async with engine(tmp_path / "n", add, count, secret, agents={"loud": shout}) as house:
        with pytest.raises(error):
            await house.send(request_)
        with pytest.raises(error):
            await anext(aiter(house.stream(request_)))
        assert (await house.page())["totalSize"] == 0


async def test_a_client_that_takes_text_only_gets_the_result_as_text(tmp_path: Path) -> None:
    async with engine(tmp_path / "n", add, shout) as house:
        words = await house.send(asks("shout", {"words": "a"}, acceptedOutputModes=["text/plain"]))
        number = await house.send(asks("add", {"a": 1}, acceptedOutputModes=["text"]))
    assert words["artifacts"][0]["parts"] == [{"text": "A", "mediaType": "text/plain"}]
    assert number["artifacts"][0]["parts"] == [{"text": "2", "mediaType": "text/plain"}]


async def test_an_error_ends_the_task_with_public_words_in_the_language_of_the_client(tmp_path: Path) -> None:
    async with engine(tmp_path / "n", add, fail) as house:
        wrong = await house.send(asks("add", {"a": "x"}))
        assert (state(wrong), error_of(wrong)["code"]) == ("rejected", "VALIDATION_ERROR")
        assert error_of(wrong)["details"]["errors"][0]["loc"] == ["a"]
        known = await house.send(asks("fail", {"kind": "known"}))
        assert (state(known), error_of(known)["code"]) == ("rejected", "CONFLICT")
        hidden = await house.send(asks("fail", {"kind": "unknown"}), lang="zh")
        assert (state(hidden), error_of(hidden)["code"]) == ("failed", "INTERNAL_ERROR")
        assert "12345" not in str(await house.get(hidden["id"]))
        assert "artifacts" not in hidden
        assert any("\u4e00" <= character <= "\u9fff" for character in hidden["status"]["message"]["parts"][0]["text"])


async def test_a_stream_begins_with_the_task_and_ends_with_its_last_status(database_url: str, tmp_path: Path) -> None:
    async with engine(tmp_path / "n", add, url=database_url) as house:
        events = [event async for event in house.stream(asks("add", {"a": 2}))]
        task = events[0]["task"]
        assert [kind(event) for event in events] == ["submitted", "working", "artifact", "completed"]
        update = events[2]["artifactUpdate"]
        assert (update["append"], update["lastChunk"], update["taskId"]) == (False, True, task["id"])
        assert state(await house.get(task["id"])) == "completed"


async def test_values_come_one_by_one_and_the_last_is_marked(database_url: str, tmp_path: Path) -> None:
    async with engine(tmp_path / "n", count, url=database_url) as house:
        events = [
            event["artifactUpdate"]
            async for event in house.stream(asks("count", {"to": 3}))
            if "artifactUpdate" in event
        ]
        assert [event["artifact"]["parts"][0]["data"] for event in events] == [0, 1, 2]
        assert [event["append"] for event in events] == [False, True, True]
        assert [event["lastChunk"] for event in events] == [False, False, True]
        task = await house.get(events[0]["taskId"])
        assert (values(task), task["artifacts"][0]["metadata"]) == ([0, 1, 2], {"moothall/streamed": True})
        whole = await house.send(asks("count", {"to": 3}))
        assert whole["artifacts"] == (await house.get(whole["id"]))["artifacts"] == task["artifacts"]
        none = await house.send(asks("count", {"to": 0}))
        assert (state(none), values(none)) == ("completed", [])


async def test_a_value_is_not_held_back_until_the_next_comes(tmp_path: Path) -> None:
    gate = Gate()

    @capability(access="public")
    async def slowly() -> AsyncIterator[int]:
        yield 1
        await gate.wait()

    async with engine(tmp_path / "n", slowly) as house:
        events = house.stream(asks("slowly"))
        seen = [await anext(events) for _ in range(3)]
        assert [kind(event) for event in seen] == ["submitted", "working", "artifact"]
        gate.open.set()
        assert [kind(event) async for event in events] == ["completed"]


async def test_returning_immediately_gives_a_task_at_work_that_goes_on(database_url: str, tmp_path: Path) -> None:
    gate = Gate()

    @capability(access="public")
    async def wait() -> str:
        await gate.wait()
        return "done"

    async with engine(tmp_path / "n", wait, url=database_url) as house:
        task = await house.send(asks("wait", returnImmediately=True))
        assert state(task) == state(await house.get(task["id"])) == "working"
        assert [found["id"] for found in (await house.page(status="TASK_STATE_WORKING"))["tasks"]] == [task["id"]]
        gate.open.set()
        assert values(await house.rested(task["id"])) == ["done"]


async def test_progress_is_told_as_a_status_with_words_and_numbers(tmp_path: Path) -> None:
    @capability(access="public")
    async def steps(ctx: CallContext) -> str:
        await ctx.progress(1, 4, "a quarter")
        return "done"

    async with engine(tmp_path / "n", steps) as house:
        events = [event async for event in house.stream(asks("steps"))]
    assert [kind(event) for event in events] == ["submitted", "working", "working", "artifact", "completed"]
    words, data = events[2]["statusUpdate"]["status"]["message"]["parts"]
    assert words["text"] == "a quarter"
    assert data["data"] == {"progress": {"done": 1, "total": 4, "message": "a quarter"}}


async def test_questions_interrupt_the_task_and_answers_take_it_up(database_url: str, tmp_path: Path) -> None:
    async with engine(tmp_path / "n", book, url=database_url) as house:
        task = await house.send(asks("book", {"room": "blue"}))
        assert state(task) == "input_required"
        assert task["status"]["message"]["parts"][1]["data"]["questions"]["name"]["message"] == "Your name?"
        name = {"name": {"action": "accept", "content": {"name": "Ann"}}}
        task = await house.send(answers(task["id"], name, contextId=task["contextId"]))
        assert state(task) == "input_required"
        day = {"day": {"action": "accept", "content": {"day": "Monday"}}}
        task = await house.send(answers(task["id"], day))
        assert (state(task), values(task)) == ("completed", ["blue for Ann on Monday"])
        assert [message["role"] for message in task["history"]] == [
            "ROLE_USER",
            "ROLE_AGENT",
            "ROLE_USER",
            "ROLE_AGENT",
            "ROLE_USER",
        ]
        assert (await house.get(task["id"], historyLength=1))["history"] == task["history"][-1:]
        assert "history" not in await house.get(task["id"], historyLength=0)


async def test_a_task_takes_no_message_that_is_not_for_it(tmp_path: Path) -> None:
    async with engine(tmp_path / "n", book, add) as house:
        task = await house.send(asks("book", {"room": "blue"}))
        name = {"name": {"action": "accept", "content": {"name": "Ann"}}}
        with pytest.raises(InvalidParams):
            await house.send(answers(task["id"], name, contextId="another"))
        with pytest.raises(InvalidParams):
            await house.send(asks(parts=[{"text": "Ann"}], taskId=task["id"]))
        with pytest.raises(TaskNotFound):
            await house.send(answers(task["id"], name), BOB)
        with pytest.raises(TaskNotFound):
            await house.send(answers(task["id"], name), agent="other")
        assert state(await house.get(task["id"])) == "input_required"
        done = await house.send(asks("add", {"a": 1}))
        with pytest.raises(UnsupportedOperation):
            await house.send(answers(done["id"], name))


async def test_an_answer_of_another_form_is_refused_as_a_wrong_argument(tmp_path: Path) -> None:
    async with engine(tmp_path / "n", book) as house:
        task = await house.send(asks("book", {"room": "blue"}))
        task = await house.send(answers(task["id"], {"name": {"action": "perhaps"}}))
    assert (state(task), error_of(task)["code"]) == ("rejected", "VALIDATION_ERROR")


async def test_a_task_at_work_takes_no_message(tmp_path: Path) -> None:
    gate = Gate()

    @capability(access="public")
    async def wait() -> None:
        await gate.wait()

    async with engine(tmp_path / "n", wait) as house:
        task = await house.send(asks("wait", returnImmediately=True))
        with pytest.raises(UnsupportedOperation):
            await house.send(asks("wait", taskId=task["id"]))
        gate.open.set()


async def test_tasks_are_found_by_their_own_caller_at_their_agent_and_tenant_only(
    database_url: str, tmp_path: Path
) -> None:
    async with engine(tmp_path / "n", add, url=database_url, agents={"other": shout}) as house:
        task = await house.send(asks("add", {"a": 1}), tenant="east")
        assert await house.get(task["id"], tenant="east") == task
        for others in ({"principal": BOB, "tenant": "east"}, {"tenant": "west"}, {"tenant": "east", "agent": "other"}):
            who = visit(**{"principal": ALICE, **others})  # type: ignore[arg-type]
            for operation in (house.tasks.get_task, house.tasks.cancel_task):
                with pytest.raises(TaskNotFound):
                    await operation(who, {"id": task["id"]})
            with pytest.raises(TaskNotFound):
                await anext(aiter(house.tasks.subscribe(who, {"id": task["id"]})))
            for push in (house.tasks.list_push, house.tasks.get_push, house.tasks.delete_push, house.tasks.create_push):
                with pytest.raises(TaskNotFound):
                    await push(who, {"taskId": task["id"], "id": "p", "url": "https://a.example/"})
            assert (await house.tasks.list_tasks(who, {}))["totalSize"] == 0


async def test_a_caller_who_proves_nothing_has_tasks_for_its_request_only(tmp_path: Path) -> None:
    async with engine(tmp_path / "n", add, book) as house:
        task = await house.send(asks("add", {"a": 1}), ANONYMOUS)
        assert (state(task), values(task)) == ("completed", [2])
        events = [event async for event in house.stream(asks("add", {"a": 1}), ANONYMOUS)]
        assert kind(events[-1]) == "completed"
        with pytest.raises(TaskNotFound):
            await house.get(task["id"], ANONYMOUS)
        with pytest.raises(Unauthenticated):
            await house.send(asks("add", {"a": 1}, returnImmediately=True), ANONYMOUS)
        asked = await house.send(asks("book", {"room": "x"}), ANONYMOUS)
        assert (state(asked), error_of(asked)["code"]) == ("rejected", "INPUT_REQUIRED")
        assert "prove who you are" in error_of(asked)["hint"]
        assert (await house.page(ANONYMOUS))["totalSize"] == 0


@pytest.mark.parametrize("caller", [ALICE, ANONYMOUS], ids=["known", "stranger"])
async def test_work_for_a_request_whose_client_left_is_ended(tmp_path: Path, caller: Any) -> None:
    gate, ended = Gate(), asyncio.Event()

    @capability(access="public")
    async def wait() -> None:
        try:
            await gate.wait()
        finally:
            ended.set()

    async with engine(tmp_path / "n", wait) as house:
        request = asyncio.create_task(house.send(asks("wait"), caller))
        await gate.reached.wait()
        request.cancel()
        await ended.wait()
        assert (await house.page())["totalSize"] == 0


async def test_a_stream_that_is_left_does_not_end_its_task_unless_nobody_could_come_back(tmp_path: Path) -> None:
    gates = {name: Gate() for name in ("known", "stranger")}
    ended = asyncio.Event()

    @capability(access="public")
    async def wait(name: str) -> str:
        try:
            await gates[name].wait()
        finally:
            ended.set()
        return "done"

    async with engine(tmp_path / "n", wait) as house:
        events = house.stream(asks("wait", {"name": "known"}))
        task = (await anext(events))["task"]
        await gates["known"].reached.wait()
        await events.aclose()  # type: ignore[attr-defined]
        assert not ended.is_set()
        gates["known"].open.set()
        assert values(await house.rested(task["id"])) == ["done"]
        ended.clear()
        left = house.stream(asks("wait", {"name": "stranger"}), ANONYMOUS)
        await anext(left)
        await gates["stranger"].reached.wait()
        await left.aclose()  # type: ignore[attr-defined]
        await ended.wait()


async def test_cancelling_ends_the_work_and_its_streams(database_url: str, tmp_path: Path) -> None:
    gate = Gate()

    @capability(access="public")
    async def wait() -> None:
        await gate.wait()

    async with engine(tmp_path / "n", wait, url=database_url) as house:
        events = house.stream(asks("wait"))
        task = (await anext(events))["task"]
        await gate.reached.wait()
        gone = await house.tasks.cancel_task(visit(), {"id": task["id"]})
        assert state(gone) == state(await house.get(task["id"])) == "canceled"
        assert [kind(event) async for event in events] == ["working", "canceled"]
        with pytest.raises(TaskNotCancelable):
            await house.tasks.cancel_task(visit(), {"id": task["id"]})


async def test_a_task_that_waits_can_be_cancelled_and_those_who_watch_it_hear_it(tmp_path: Path) -> None:
    async with engine(tmp_path / "n", book) as house:
        task = await house.send(asks("book", {"room": "x"}))
        events = house.tasks.subscribe(visit(), {"id": task["id"]})
        assert kind(await anext(aiter(events))) == "input_required"
        gone = await house.tasks.cancel_task(visit(), {"id": task["id"]})
        assert state(gone) == "canceled"
        assert [kind(event) async for event in events] == ["canceled"]
        with pytest.raises(UnsupportedOperation):
            await house.send(answers(task["id"], {}))


async def test_several_may_watch_a_task_and_hear_the_same(tmp_path: Path) -> None:
    gate = Gate()

    @capability(access="public")
    async def wait() -> str:
        await gate.wait()
        return "done"

    async with engine(tmp_path / "n", wait) as house:
        task = await house.send(asks("wait", returnImmediately=True))
        await gate.reached.wait()
        watching = [aiter(house.tasks.subscribe(visit(), {"id": task["id"]})) for _ in range(3)]
        first = [await anext(events) for events in watching]
        assert {kind(event) for event in first} == {"working"}
        gate.open.set()
        heard = [[event async for event in events] for events in watching]
        assert [kind(event) for event in heard[0]] == ["artifact", "completed"]
        assert heard[0] == heard[1] == heard[2]
        with pytest.raises(UnsupportedOperation):
            await anext(aiter(house.tasks.subscribe(visit(), {"id": task["id"]})))


async def test_who_watches_a_task_that_waits_hears_it_go_on(tmp_path: Path) -> None:
    async with engine(tmp_path / "n", book) as house:
        task = await house.send(asks("book", {"room": "x"}))
        events = aiter(house.tasks.subscribe(visit(), {"id": task["id"]}))
        assert kind(await anext(events)) == "input_required"
        for name, content in (("name", {"name": "Ann"}), ("day", {"day": "Monday"})):
            await house.send(answers(task["id"], {name: {"action": "accept", "content": content}}))
        heard = [kind(event) async for event in events]
    assert heard == ["working", "input_required", "working", "artifact", "completed"]


async def test_a_watcher_that_is_slow_holds_up_nobody_and_gets_the_whole_task(tmp_path: Path) -> None:
    async with engine(tmp_path / "n", count) as house:
        slow = house.stream(asks("count", {"to": 500}))
        task = (await anext(slow))["task"]
        fast = [event async for event in house.tasks.subscribe(visit(), {"id": task["id"]})]
        got = [
            part["data"]
            for event in fast
            if "artifactUpdate" in event
            for part in event["artifactUpdate"]["artifact"]["parts"]
        ]
        assert values(await house.get(task["id"])) == list(range(500))
        assert got == list(range(500))[500 - len(got) :]
        rest = [event async for event in slow]
        assert values(rest[-1]["task"]) == list(range(500))
        assert len(rest) == 1
