"""Calls of A2A agents: what is sent, what becomes of the task, and what a failure is here."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest

from moothall.calls.reply import Progress
from moothall.errors import (
    ApprovalPending,
    CallTimeout,
    Conflict,
    InputRequired,
    MoothallError,
    RateLimited,
    ServiceNotFoundError,
    Unauthenticated,
    UpstreamError,
    UpstreamInvalid,
    ValidationError,
)
from moothall.protocols.a2a.remote.connector import A2aConnector
from tests.protocols.a2a.remote_town import (
    ScriptedAgent,
    chunk,
    connecting,
    declared,
    listening,
    outgoing,
    status,
    task,
)

BIG = 2**53 + 1


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


async def ended(agent: ScriptedAgent, near: A2aConnector, result: Any) -> Any:
    agent.answers["SendMessage"] = result
    return await near.call(outgoing(f"a2a:{agent.url}#forecast"))


class TestWhatIsSent:
    @pytest.mark.requirement("TPL-30")
    async def test_a_call_is_a_message_with_the_skill_and_its_arguments(
        self, agent: ScriptedAgent, near: A2aConnector
    ) -> None:
        agent.answers["SendMessage"] = {"task": task("COMPLETED", BIG)}
        call = outgoing(f"a2a:{agent.url}#forecast", {"city": "oslo"}, hops=2, idempotency_key="k")
        assert await near.call(call) == BIG
        (sent,) = agent.calls("SendMessage")
        params = sent.json["params"]
        assert params["message"]["parts"][0]["data"] == {"skill": "forecast", "arguments": {"city": "oslo"}}
        assert (params["message"]["role"], params["message"]["messageId"]) == ("ROLE_USER", call.call_id)
        assert params["metadata"] == {"moothall/timeout": 10.0, "moothall/hops": 2, "moothall/idempotencyKey": "k"}
        assert sent.headers["a2a-version"] == "1.0"
        assert "a2a-extensions" not in sent.headers

    async def test_our_extension_is_announced_to_agents_that_have_it(
        self, agent: ScriptedAgent, near: A2aConnector
    ) -> None:
        agent.ours = True
        await ended(agent, near, {"task": task("COMPLETED", 1)})
        assert agent.calls("SendMessage")[0].headers["a2a-extensions"] == "urn:moothall:a2a:capabilities:v1"

    @pytest.mark.parametrize(
        ("params", "part"),
        [
            ({"text": "hello"}, {"text": "hello", "mediaType": "text/plain"}),
            ({"message": "hello"}, {"text": "hello", "mediaType": "text/plain"}),
            ({"text": 1}, {"data": {"text": 1}, "mediaType": "application/json"}),
            ({"text": "a", "lang": "en"}, {"data": {"text": "a", "lang": "en"}, "mediaType": "application/json"}),
        ],
        ids=["text", "message", "no-text", "more"],
    )
    async def test_an_agent_without_a_skill_gets_words_or_the_arguments(
        self, agent: ScriptedAgent, near: A2aConnector, params: dict[str, Any], part: dict[str, Any]
    ) -> None:
        agent.answers["SendMessage"] = {"message": {"messageId": "m", "role": "ROLE_AGENT", "parts": [{"text": "hi"}]}}
        assert await near.call(outgoing(f"a2a:{agent.url}", params)) == "hi"
        assert await near.call(declared(agent.url, params, name="not_a_skill")) == "hi"
        assert [each.json["params"]["message"]["parts"][0] for each in agent.calls("SendMessage")] == [part, part]

    async def test_a_function_that_bears_the_name_of_a_skill_calls_it(
        self, agent: ScriptedAgent, near: A2aConnector
    ) -> None:
        agent.answers["SendMessage"] = {"task": task("COMPLETED", 1)}
        await near.call(declared(agent.url, {"text": "a"}))
        await near.call(declared(agent.url, {"text": "a"}, method="other"))
        skills = [each.json["params"]["message"]["parts"][0]["data"]["skill"] for each in agent.calls("SendMessage")]
        assert skills == ["forecast", "other"]

    async def test_an_agent_is_described_where_nothing_is_called(
        self, agent: ScriptedAgent, near: A2aConnector
    ) -> None:
        agent.ours = True
        described = await near.call(outgoing(f"a2a:{agent.url}"))
        assert described["name"] == "Weather"
        assert described["signature"] == "none"
        assert described["skills"][0]["input_schema"] == {"type": "object"}
        assert described == await near.describe(outgoing(f"a2a:{agent.url}").target, "node")
        assert [each.method for each in agent.asked] == ["GET"]


class TestValues:
    @pytest.mark.parametrize(
        ("result", "value"),
        [
            ({"task": task("COMPLETED", {"a": BIG})}, {"a": BIG}),
            ({"task": task("COMPLETED", None)}, None),
            ({"task": task("COMPLETED")}, None),
            ({"task": task("COMPLETED", said="done")}, "done"),
            ({"task": task("COMPLETED", 1, [2])}, [1, [2]]),
            ({"message": {"messageId": "m", "parts": [{"data": 3}]}}, 3),
            ({"message": {"messageId": "m", "parts": [{"text": "a"}, {"text": "b"}]}}, ["a", "b"]),
            (
                {
                    "message": {
                        "messageId": "m",
                        "parts": [{"url": "https://x.example/a.png", "mediaType": "image/png"}],
                    }
                },
                {"url": "https://x.example/a.png", "mediaType": "image/png"},
            ),
        ],
        ids=["object", "null", "nothing", "words", "several", "message", "texts", "file"],
    )
    async def test_the_value_of_a_task(self, agent: ScriptedAgent, near: A2aConnector, result: Any, value: Any) -> None:
        assert await ended(agent, near, result) == value

    async def test_values_that_stream_come_one_by_one(self, agent: ScriptedAgent, near: A2aConnector) -> None:
        agent.streaming = True
        agent.answers["SendStreamingMessage"] = [
            {"task": task("WORKING")}, chunk(1, append=False), chunk(2), status("WORKING"), chunk(3), status("COMPLETED"),
        ]  # fmt: skip
        call = outgoing(f"a2a:{agent.url}#forecast")
        assert [value async for value in near.stream(call)] == [1, 2, 3]
        assert await near.call(call) == [1, 2, 3]

    async def test_a_streamed_value_stays_a_list_when_it_is_the_only_one(
        self, agent: ScriptedAgent, near: A2aConnector
    ) -> None:
        agent.streaming = agent.ours = True
        only = chunk(1, append=False, metadata={"moothall/streamed": True})
        agent.answers["SendStreamingMessage"] = [{"task": task("WORKING")}, only, status("COMPLETED")]
        agent.answers["SendMessage"] = {"task": task("COMPLETED")}
        agent.answers["SendMessage"]["task"]["artifacts"] = [only["artifactUpdate"]["artifact"]]
        assert await near.call(outgoing(f"a2a:{agent.url}#forecast")) == [1]

    async def test_progress_is_passed_on(self, agent: ScriptedAgent, near: A2aConnector) -> None:
        agent.streaming, seen = True, list[Progress]()
        told = {"progress": {"done": 1, "total": 4, "message": "near"}}
        agent.answers["SendStreamingMessage"] = [
            {"task": task("WORKING")}, status("WORKING", told), status("WORKING", "far"), chunk(7), status("COMPLETED"),
        ]  # fmt: skip

        async def report(progress: Progress) -> None:
            seen.append(progress)

        assert await near.call(outgoing(f"a2a:{agent.url}#forecast", report=report)) == 7
        assert seen == [Progress(1.0, 4.0, "near"), Progress(0.0, None, "far")]


class TestTasksThatTakeLonger:
    async def test_a_task_that_works_on_is_asked_after(self, agent: ScriptedAgent, near: A2aConnector) -> None:
        agent.answers["GetTask"] = [task("WORKING"), task("WORKING"), task("COMPLETED", 5)]
        assert await ended(agent, near, {"task": task("SUBMITTED")}) == 5
        assert [each.json["params"] for each in agent.calls("GetTask")] == [{"id": "t1"}] * 3

    async def test_a_stream_that_ends_early_is_taken_up_again(self, agent: ScriptedAgent, near: A2aConnector) -> None:
        agent.streaming = True
        agent.answers["SendStreamingMessage"] = [{"task": task("WORKING")}, chunk(1, append=False)]
        agent.answers["GetTask"] = [task("WORKING", 1)]
        agent.answers["SubscribeToTask"] = [{"task": task("WORKING", 1)}, chunk(2), status("COMPLETED")]
        assert [value async for value in near.stream(outgoing(f"a2a:{agent.url}#forecast"))] == [1, 2]

    @pytest.mark.parametrize("how", ["timeout", "cancel"])
    async def test_a_task_that_nobody_waits_for_is_cancelled(self, agent: ScriptedAgent, how: str) -> None:
        agent.streaming, agent.awaited = True, "SendStreamingMessage"
        never = asyncio.Event()
        agent.answers["SendStreamingMessage"] = [{"task": task("WORKING")}, chunk(1), never]
        agent.answers["CancelTask"] = task("CANCELED")
        async with connecting() as near:
            values = near.stream(outgoing(f"a2a:{agent.url}#forecast", timeout=0.4 if how == "timeout" else 30.0))
            assert await anext(values) == 1
            if how == "timeout":
                with pytest.raises(CallTimeout):
                    await anext(values)
            else:
                await values.aclose()  # type: ignore[attr-defined]
        never.set()
        assert [each.json["params"] for each in agent.calls("CancelTask")] == [{"id": "t1"}]

    async def test_a_cancelled_call_cancels_its_task(self, agent: ScriptedAgent) -> None:
        agent.streaming = True
        never, told = asyncio.Event(), asyncio.Event()

        async def report(_progress: Progress) -> None:
            told.set()

        agent.answers["SendStreamingMessage"] = [{"task": task("WORKING")}, status("WORKING", "begun"), never]
        agent.answers["CancelTask"] = task("CANCELED")
        async with connecting() as near:
            calling = asyncio.ensure_future(near.call(outgoing(f"a2a:{agent.url}#forecast", report=report)))
            await told.wait()
            calling.cancel()
            with pytest.raises(asyncio.CancelledError):
                await calling
        never.set()
        assert len(agent.calls("CancelTask")) == 1


def told(code: str, **details: Any) -> dict[str, Any]:
    return {"error": {"code": code, "message": "SECRET", "details": details}}


class TestFailures:
    @pytest.mark.parametrize(
        ("result", "kind"),
        [
            (task("REJECTED", said=told("VALIDATION_ERROR")), ValidationError),
            (task("FAILED", said=told("CONFLICT")), Conflict),
            (task("FAILED", said=told("INTERNAL_ERROR")), UpstreamError),
            (task("FAILED", said="SECRET"), UpstreamError),
            (task("REJECTED"), UpstreamError),
            (task("CANCELED"), UpstreamError),
            (task("AUTH_REQUIRED"), Unauthenticated),
            (task("AUTH_REQUIRED", said=told("APPROVAL_PENDING")), ApprovalPending),
            (task("INPUT_REQUIRED", said="SECRET"), InputRequired),
        ],
        ids=["rejected", "failed", "internal", "words", "silent", "canceled", "auth", "approval", "input"],
    )
    async def test_the_end_of_a_task_becomes_an_error(
        self, agent: ScriptedAgent, near: A2aConnector, result: Any, kind: type[MoothallError]
    ) -> None:
        with pytest.raises(kind) as raised:
            await ended(agent, near, {"task": result})
        assert type(raised.value) is kind
        assert "SECRET" not in str(raised.value)
        assert "SECRET" not in str(raised.value.told)

    @pytest.mark.parametrize(
        ("error", "kind"),
        [
            ({"code": -32602, "message": "SECRET"}, ValidationError),
            ({"code": -32601, "message": "SECRET"}, ServiceNotFoundError),
            ({"code": -32603, "message": "SECRET"}, UpstreamError),
            (
                {
                    "code": -32043,
                    "message": "SECRET",
                    "data": [
                        {"@type": "…ErrorInfo", "reason": "RATE_LIMITED", "domain": "moothall"},
                        {"@type": "…Struct", "value": {"code": "RATE_LIMITED", "details": {"retry_after": 7}}},
                    ],
                },
                RateLimited,
            ),
            ({"code": 1, "data": [{"reason": "CONFLICT", "domain": "moothall"}]}, Conflict),
            ({"code": 1, "data": [{"reason": "CONFLICT", "domain": "other"}]}, UpstreamError),
        ],
        ids=["params", "method", "internal", "ours", "reason", "their-reason"],
    )
    async def test_an_error_of_the_protocol_becomes_one_of_ours(
        self, agent: ScriptedAgent, near: A2aConnector, error: Any, kind: type[MoothallError]
    ) -> None:
        with pytest.raises(kind) as raised:
            await ended(agent, near, {"error": error})
        assert type(raised.value) is kind
        assert "SECRET" not in str(raised.value)
        if kind is RateLimited:
            assert raised.value.details["retry_after"] == 7

    @pytest.mark.parametrize(
        "result",
        [
            {},
            {"task": {"id": "t1"}},
            {"task": task("COMPLETE")},
            {"task": {**task(), "id": 5}},
            {"task": {**task(), "id": "x" * 1000}},
            {"message": {"parts": ["no part"]}},
            {"statusUpdate": 7},
        ],
        ids=["empty", "no-status", "unknown-state", "number-id", "long-id", "no-part", "no-update"],
    )
    async def test_an_answer_of_another_form_is_said_to_be_so(
        self, agent: ScriptedAgent, near: A2aConnector, result: Any
    ) -> None:
        with pytest.raises(UpstreamInvalid):
            await ended(agent, near, result)

    @pytest.mark.parametrize(
        "events",
        [
            [{"task": task("WORKING")}, chunk(1, task_id="t2")],
            [{"task": task("WORKING")}, status("COMPLETED", task_id="t2")],
            [{"task": task("WORKING")}, {"task": task("COMPLETED", task_id="t2")}],
        ],
        ids=["artifact", "status", "task"],
    )
    async def test_events_of_another_task_are_refused(
        self, agent: ScriptedAgent, near: A2aConnector, events: list[Any]
    ) -> None:
        agent.streaming = True
        agent.answers["SendStreamingMessage"] = events
        agent.answers["CancelTask"] = task("CANCELED")
        with pytest.raises(UpstreamInvalid):
            await near.call(outgoing(f"a2a:{agent.url}#forecast"))

    async def test_a_stream_without_a_task_is_cut_off(self, agent: ScriptedAgent, near: A2aConnector) -> None:
        agent.streaming = True
        agent.answers["SendStreamingMessage"] = []
        with pytest.raises(UpstreamError):
            await near.call(outgoing(f"a2a:{agent.url}#forecast"))
