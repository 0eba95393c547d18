"""Tasks elsewhere that ask, that refuse to be listened to, and that send without end."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from typing import Any

import pytest

from moothall.capability.questions import Answers, Form, LogLevel, Questions
from moothall.errors import InputRequired, Told, UpstreamInvalid
from moothall.protocols.a2a.remote.connector import A2aConnector
from tests.protocols.a2a.remote_town import Asked, ScriptedAgent, chunk, connecting, listening, outgoing, status, task

SCHEMA = {"type": "object", "properties": {"name": {"type": "string"}}}
FORM = {"type": "form", "message": "Who?", "schema": SCHEMA}
BOB = {"action": "accept", "content": {"name": "Bob"}}


@pytest.fixture
async def agent() -> AsyncIterator[ScriptedAgent]:
    made = ScriptedAgent()
    async with listening(made) as url:
        made.url = url
        yield made


@pytest.fixture
async def near() -> AsyncIterator[A2aConnector]:
    async with connecting() as made:
        yield made


class Person:
    """A partner that gives one answer to everything, or has to be asked by another request."""

    def __init__(self, answer: Mapping[str, Any] | None = None) -> None:
        self.answer = answer
        self.asked: list[Questions] = []

    async def ask(self, questions: Questions) -> Answers:
        self.asked.append(questions)
        if self.answer is None:
            raise InputRequired("later", told=Told("a2a.state.questions"))
        return {name: dict(self.answer) for name in questions}

    async def log(self, level: LogLevel, data: Any, topic: str) -> None: ...


class Turns(ScriptedAgent):
    """Answers one message after another; the last for ever."""

    def __init__(self, *turns: Any, **more: Any) -> None:
        super().__init__(**more)
        self.turns = list(turns)

    async def _operation(self, asked: Asked, send: Any) -> None:
        if asked.operation in {"SendMessage", "SendStreamingMessage"}:
            self.answers[asked.operation] = self.turns.pop(0) if len(self.turns) > 1 else self.turns[0]
        await super()._operation(asked, send)


def asking(**questions: Any) -> dict[str, Any]:
    return {"task": task("INPUT_REQUIRED", said={"questions": questions})}


REFUSALS = {
    "over": {"error": {"code": -32004, "message": "over", "data": [{"code": "VALIDATION_ERROR"}]}},
    "no method": {"error": {"code": -32601, "message": "none"}},
    "forbidden": {"error": {"code": -32000, "message": "no", "data": [{"code": "PERMISSION_DENIED"}]}},
}


class TestAgentsThatDoNotLetThemselvesBeListenedTo:
    @pytest.mark.parametrize("why", REFUSALS)
    async def test_a_task_whose_stream_is_refused_is_asked_after(
        self, agent: ScriptedAgent, near: A2aConnector, why: str
    ) -> None:
        agent.streaming = True
        agent.answers["SendStreamingMessage"] = [{"task": task("WORKING")}]
        agent.answers["GetTask"] = [task("WORKING"), task("WORKING"), task("COMPLETED", 7)]
        agent.answers["SubscribeToTask"] = REFUSALS[why]
        assert await near.call(outgoing(f"a2a:{agent.url}#forecast")) == 7
        assert len(agent.calls("SubscribeToTask")) == 1
        assert agent.calls("CancelTask") == []


class TestAgentsThatSendWithoutEnd:
    @pytest.mark.parametrize("how", ["parts", "states"])
    async def test_what_one_call_takes_in_is_bounded_over_all_connections(
        self, agent: ScriptedAgent, near: A2aConnector, how: str
    ) -> None:
        agent.streaming = True
        many = [chunk("y" * 3_000_000) for _ in range(2)]
        agent.answers["SendStreamingMessage"] = [{"task": task("WORKING")}, *many]
        agent.answers["GetTask"] = [task("WORKING")]
        agent.answers["SubscribeToTask"] = many if how == "parts" else [{"task": task("WORKING", "y" * 3_000_000)}]
        with pytest.raises(UpstreamInvalid):
            await near.call(outgoing(f"a2a:{agent.url}#forecast"))
        assert len(agent.calls("SubscribeToTask")) < 7

    async def test_states_that_take_the_place_of_one_another_count_once(
        self, agent: ScriptedAgent, near: A2aConnector
    ) -> None:
        agent.answers["SendMessage"] = {"task": task("WORKING")}
        agent.answers["GetTask"] = [task("WORKING", "y" * 3_000_000)] * 8 + [task("COMPLETED", "y" * 3_000_000)]
        assert await near.call(outgoing(f"a2a:{agent.url}#forecast")) == "y" * 3_000_000

    async def test_states_keep_the_values_of_the_last_of_them(self, agent: ScriptedAgent, near: A2aConnector) -> None:
        other = task("COMPLETED", 2)
        other["artifacts"][0]["artifactId"] = "other"
        agent.answers["SendMessage"] = {"task": task("WORKING", 1)}
        agent.answers["GetTask"] = [other]
        assert await near.call(outgoing(f"a2a:{agent.url}#forecast")) == 2


async def test_looking_for_the_card_and_the_stream_have_one_deadline(
    agent: ScriptedAgent, near: A2aConnector, monkeypatch: pytest.MonkeyPatch
) -> None:
    agent.streaming = True
    agent.answers["SendStreamingMessage"] = [{"task": task("WORKING")}, chunk(1), status("COMPLETED")]
    ends, timeout_at = set[float | None](), asyncio.timeout_at

    def noted(when: float | None) -> asyncio.Timeout:
        ends.add(when)
        return timeout_at(when)

    monkeypatch.setattr(asyncio, "timeout_at", noted)
    assert [value async for value in near.stream(outgoing(f"a2a:{agent.url}#forecast"))] == [1]
    assert len(ends) == 1


async def test_a_description_does_not_tell_the_query_of_an_address(agent: ScriptedAgent) -> None:
    named = {"it": {"url": f"{agent.url}/.well-known/agent-card.json?key=SECRET", "auth": "none"}}
    async with connecting(named) as near:
        told = await near.call(outgoing("a2a:it"))
    assert told["card"] == f"{agent.url}/.well-known/agent-card.json"
    assert "SECRET" not in str(told)


async def test_a_stream_that_is_marked_and_gives_nothing_is_an_empty_list(
    agent: ScriptedAgent, near: A2aConnector
) -> None:
    agent.ours = True
    agent.answers["SendMessage"] = {"task": {**task("COMPLETED"), "metadata": {"moothall/streamed": True}}}
    assert await near.call(outgoing(f"a2a:{agent.url}#forecast")) == []


class TestTasksThatAsk:
    @pytest.mark.parametrize("streaming", [False, True])
    async def test_questions_are_passed_on_and_answered(self, near: A2aConnector, streaming: bool) -> None:
        first, last = asking(who=FORM), {"task": task("COMPLETED", "Bob")}
        agent, person = Turns(*([first], [last]) if streaming else (first, last), streaming=streaming), Person(BOB)
        async with listening(agent) as url:
            agent.url = url
            assert await near.call(outgoing(f"a2a:{url}#forecast", partner=person)) == "Bob"
        ((question,),) = [each.values() for each in person.asked]
        assert question == Form("Who?", SCHEMA)
        begun, answered = agent.calls("SendStreamingMessage" if streaming else "SendMessage")
        message = answered.json["params"]["message"]
        assert message["taskId"] == "t1"
        assert message["messageId"] != begun.json["params"]["message"]["messageId"]
        assert [part["data"] for part in message["parts"]] == [{"answers": {"who": BOB}}]
        assert agent.calls("CancelTask") == []

    async def test_values_that_come_again_after_an_answer_are_passed_over(self, near: A2aConnector) -> None:
        first = [{"task": task("WORKING")}, chunk(1, append=False), chunk(2), status("INPUT_REQUIRED", {"questions": {"who": FORM}})]  # fmt: skip
        again = [{"task": task("WORKING")}, chunk(1, append=False), chunk(2), chunk(3), status("COMPLETED")]
        agent = Turns(first, again, streaming=True)
        async with listening(agent) as url:
            agent.url = url
            call = outgoing(f"a2a:{url}#forecast", partner=Person(BOB))
            assert [value async for value in near.stream(call)] == [1, 2, 3]

    async def test_one_that_asks_again_and_again_is_left(self) -> None:
        agent, person = Turns(asking(who=FORM)), Person(BOB)
        agent.answers["CancelTask"] = task("CANCELED")
        async with listening(agent) as url:
            agent.url = url
            async with connecting() as near:
                with pytest.raises(InputRequired):
                    await near.call(outgoing(f"a2a:{url}#forecast", partner=person))
        assert len(person.asked) == 16
        assert len({name for each in person.asked for name in each}) == 16
        assert len(agent.calls("CancelTask")) == 1

    @pytest.mark.parametrize(
        "questions",
        [
            {"m": {"type": "sampling", "messages": [], "maxTokens": 5}},
            {"r": {"type": "roots"}, "f": FORM},
            {"f": 1},
            {},
        ],
        ids=["model", "folders", "no form", "nothing"],
    )
    async def test_what_is_no_form_is_asked_of_nobody(self, questions: dict[str, Any]) -> None:
        agent, person = Turns(asking(**questions)), Person(BOB)
        agent.answers["CancelTask"] = task("CANCELED")
        async with listening(agent) as url:
            agent.url = url
            async with connecting() as near:
                with pytest.raises(InputRequired):
                    await near.call(outgoing(f"a2a:{url}#forecast", partner=person))
        assert person.asked == []
        assert len(agent.calls("CancelTask")) == 1

    async def test_a_caller_that_has_to_come_again_leaves_the_task(self) -> None:
        agent, person = Turns(asking(who=FORM)), Person()
        agent.answers["CancelTask"] = task("CANCELED")
        async with listening(agent) as url:
            agent.url = url
            async with connecting() as near:
                for _ in range(2):
                    with pytest.raises(InputRequired):
                        await near.call(outgoing(f"a2a:{url}#forecast", partner=person))
                with pytest.raises(InputRequired):
                    await near.call(outgoing(f"a2a:{url}#forecast", {"city": "x"}, partner=person))
        first, again, other = (list(each) for each in person.asked)
        assert first == again
        assert first != other
        assert len(agent.calls("CancelTask")) == 3
