"""Calls inside calls: whose errors they are."""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest

from moothall.calls.caller import UnifiedCaller
from moothall.calls.ports import Outgoing
from moothall.calls.relay import Relay
from moothall.calls.reply import Item, Progress, Reply
from moothall.capability.context import CallContext
from moothall.capability.decorators import capability
from moothall.capability.questions import Answers, LogLevel, Questions, Roots
from moothall.clock import SystemClock
from moothall.errors import (
    Conflict,
    Gone,
    MoothallError,
    PermissionDeniedError,
    ServiceNotFoundError,
    Unauthenticated,
    ValidationError,
)
from moothall.storage.store import Store
from tests.calls.hall import ALICE, OWNER, Hall, Remote, code

FAR = "did:wba:far.example#x"
REFUSALS: tuple[Callable[[str], MoothallError], ...] = (
    PermissionDeniedError,
    ServiceNotFoundError,
    Gone,
    Unauthenticated,
)


@capability(access="authenticated")
async def outer(ctx: CallContext, target: str = FAR) -> Any:
    return await ctx.call(target)


@capability(access="authenticated")
async def outer_stream(ctx: CallContext, target: str = FAR) -> AsyncIterator[Any]:
    async for value in ctx.stream(target):
        yield value


@pytest.mark.parametrize("refusal", REFUSALS)
async def test_a_refusal_that_a_capability_met_is_not_its_callers(
    refusal: Callable[[str], MoothallError], caplog: pytest.LogCaptureFixture
) -> None:
    hall = Hall(outer, outer_stream, remote=Remote(refusal("SECRET")))
    for door in ("http", "anp"):
        for name in ("outer", "outer_stream"):
            caplog.clear()
            reply = await hall.call(name, ALICE, door)
            assert (code(reply), reply.status_code) == ("UPSTREAM_ERROR", 502)
            assert "SECRET" not in f"{reply.error} {reply.error and reply.error.details}"
            assert f"{reply.request_id} node.{name}: what it called answered {refusal('').code}" in caplog.text
    assert code(await hall.call("outer")) == refusal("").envelope_code
    assert code(await hall.call(FAR)) == refusal("").envelope_code


@pytest.mark.parametrize("refusal", REFUSALS)
async def test_what_is_elsewhere_refuses_the_node_and_not_the_caller_of_a_capability(
    refusal: Callable[[str], MoothallError],
) -> None:
    @capability(source="did", did="did:wba:far.example", access="authenticated")
    async def there() -> str: ...  # type: ignore[empty-body]

    @capability(source="did", did="did:wba:far.example", access="authenticated", fallback=True)
    async def here() -> str:
        return "here"

    hall = Hall(there, here, remote=Remote(refusal("no")))
    assert code(await hall.call("there", ALICE, "http")) == "UPSTREAM_ERROR"
    assert (await hall.call("here", ALICE, "http")).data == "here"


async def test_the_inner_ones_arguments_and_names_are_not_shown_outside(caplog: pytest.LogCaptureFixture) -> None:
    @capability(expose_to="local", access="authenticated")
    async def inner(secret_param: int) -> int:
        return secret_param

    @capability(access="authenticated")
    async def wrongly(ctx: CallContext) -> Any:
        return await ctx.call("local:inner", secret_param="abc")

    hall = Hall(inner, wrongly, outer)
    caplog.set_level(logging.INFO)
    reply = await hall.call("wrongly", ALICE, "http")
    assert code(reply) == "INTERNAL_ERROR"
    assert reply.error is not None
    assert reply.error.details == {}
    assert "secret_param" not in str(reply.error)
    assert "secret_param" in caplog.text
    assert code(await hall.call("wrongly")) == "VALIDATION_ERROR"
    assert code(await hall.call("outer", ALICE, "http", target="local:inne")) == "UPSTREAM_ERROR"


async def test_a_refusal_through_several_capabilities_stays_one_of_the_innermost() -> None:
    @capability
    async def owners() -> None: ...

    @capability(access="authenticated")
    async def middle(ctx: CallContext) -> Any:
        return await ctx.call("local:owners")

    assert code(await Hall(owners, middle, outer).call("outer", ALICE, "http", target="local:middle")) == (
        "UPSTREAM_ERROR"
    )


async def test_what_a_capability_raises_by_itself_is_its_own_even_if_others_met_it_before() -> None:
    denied = PermissionDeniedError("not on Sundays")

    @capability(access="authenticated")
    async def closed() -> None:
        raise denied

    @capability(access="authenticated")
    async def explains(ctx: CallContext) -> None:
        try:
            await ctx.call("local:closed")
        except PermissionDeniedError as error:
            raise PermissionDeniedError("it is Sunday") from error

    hall = Hall(closed, explains, outer)
    assert code(await hall.call("outer", ALICE, "http", target="local:closed")) == "UPSTREAM_ERROR"
    assert code(await hall.call("closed", ALICE, "http")) == "PERMISSION_DENIED"
    assert code(await hall.call("explains", ALICE, "http")) == "PERMISSION_DENIED"


async def test_other_answers_pass_as_they_are() -> None:
    hall = Hall(outer, remote=Remote(Conflict("it is taken")))
    assert code(await hall.call("outer", ALICE, "http")) == "CONFLICT"


async def test_every_way_to_call_inside_a_capability_counts_as_one() -> None:
    hall: Hall

    @capability
    async def owners() -> None: ...

    @capability(access="authenticated")
    async def by_caller(ctx: CallContext, way: str) -> Any:
        caller = UnifiedCaller(hall.path, ALICE)
        if way == "call":
            return await caller.call("local:owners")
        if way == "stream":
            return [value async for value in caller.stream("local:owners")]
        reply: Reply[Any] = await caller.try_call("local:owners")
        assert reply.error is not None
        raise reply.error

    hall = Hall(owners, by_caller)
    for way in ("call", "stream", "try_call"):
        assert code(await hall.call("by_caller", ALICE, "http", way=way)) == "UPSTREAM_ERROR"


@pytest.mark.parametrize("error", [*REFUSALS, ValidationError])
async def test_the_relay_passes_on_what_it_met(error: Callable[[str], MoothallError]) -> None:
    hall = Hall(Relay(lambda _: ()), remote=Remote(error("why")))
    for name in ("relay.call", "relay.stream"):
        reply = await hall.call(name, OWNER, "http", target=FAR)
        assert code(reply) == error("").envelope_code
        assert "why" in str(reply.error)


async def test_a_kept_answer_is_the_same_at_every_door(tmp_path: Path) -> None:
    store = await Store.open(tmp_path, "")
    hall = Hall(outer, remote=Remote(PermissionDeniedError("no")), store=store, clock=SystemClock())
    replies = [await hall.call("outer", ALICE, door, _idempotency_key="k") for door in ("local", "http")]
    assert [code(reply) for reply in replies] == ["UPSTREAM_ERROR"] * 2
    await store.close()


@capability
async def counting(ctx: CallContext) -> AsyncIterator[int]:
    await ctx.progress(1, 2)
    yield 7
    await ctx.progress(2, 2)


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("relay.call", [Progress(1, 2), Progress(2, 2)]),
        ("relay.stream", [Progress(1, 2), Item(7), Progress(2, 2)]),
        ("outer", []),
        ("outer_stream", [Item(7)]),
    ],
)
async def test_the_relay_passes_on_the_progress_of_what_it_calls_and_other_capabilities_tell_their_own(
    name: str, expected: list[object]
) -> None:
    hall = Hall(Relay(lambda _: ()), counting, outer, outer_stream)
    *before, reply = [chunk async for chunk in hall.stream(name, OWNER, "http", target="local:counting")]
    assert isinstance(reply, Reply)
    assert (reply.error, before) == (None, expected)


async def test_the_relay_passes_on_the_progress_of_what_is_elsewhere() -> None:
    async def answer(outgoing: Outgoing) -> int:
        assert outgoing.report is not None
        await outgoing.report(Progress(1))
        return 7

    hall = Hall(Relay(lambda _: ()), remote=Remote(answer))
    chunks = [chunk async for chunk in hall.stream("relay.call", OWNER, "http", target=FAR)]
    assert chunks[0] == Progress(1)
    assert isinstance(chunks[1], Reply)
    assert chunks[1].data == 7


async def test_what_is_called_through_the_relay_may_ask_its_client() -> None:
    @capability
    async def asks(ctx: CallContext) -> Any:
        return await ctx.ask({"where": Roots()})

    class Client:
        async def ask(self, questions: Questions) -> Answers:
            return {name: {"roots": []} for name in questions}

        async def log(self, level: LogLevel, data: Any, topic: str) -> None:
            raise AssertionError

    hall = Hall(Relay(lambda _: ()), asks, outer)
    replies = [
        await hall.call(name, OWNER, "mcp", target="local:asks", _partner=Client()) for name in ("relay.call", "outer")
    ]
    assert [code(reply) for reply in replies] == ["ok", "INPUT_REQUIRED"]
    assert replies[0].data == {"where": {"roots": []}}
