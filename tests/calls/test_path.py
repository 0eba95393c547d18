"""The call path from the target to the reply."""

from __future__ import annotations

import asyncio
import logging
import threading
import uuid
from datetime import UTC
from typing import Any

import pytest
from pydantic import BaseModel

from moothall.calls.target import Target
from moothall.calls.terms import Terms
from moothall.capability.context import CallContext
from moothall.capability.decorators import capability
from moothall.errors import (
    A2AServiceError,
    AuthenticationError,
    Conflict,
    MoothallError,
    PermissionDeniedError,
    ServiceNotFoundError,
    UsageError,
    ValidationError,
)
from moothall.identity.principal import Principal
from moothall.policy.engine import PolicyEngine
from moothall.policy.ports import FixedRules
from tests.calls.hall import ALICE, ANONYMOUS, BOB, OWNER, Hall, Remote, SleeplessClock, code, facts


@capability
async def add(a: int, b: int = 1) -> int:
    return a + b


@capability(access="authenticated")
async def whoami(ctx: CallContext) -> dict[str, Any]:
    return {"id": ctx.principal.id, "agent": ctx.agent, "door": ctx.door, "request": ctx.request_id}


# -- resolve ----------------------------------------------------------------------------------------------------


class Weather:
    @capability
    async def get_current(self, city: str) -> str:
        return f"rain in {city}"


@pytest.mark.requirement("CAL-03")
async def test_a_local_target_gives_what_a_direct_call_gives() -> None:
    hall = Hall(add, agents={"weather": Weather(), "math_agent": add})
    assert await hall.caller.call("local:weather.get_current", city="Bern") == await Weather().get_current("Bern")
    assert await hall.caller.call("local:math_agent.add", a=1, b=2) == await add(1, 2)
    assert await hall.caller.call("local:get_current", city="Bern") == "rain in Bern"
    assert await hall.caller.call("local:add", a=1) == 2


@pytest.mark.requirement("CAL-03")
async def test_an_unknown_name_is_not_found_and_similar_ones_are_told_only_to_those_who_may_call_them() -> None:
    hall = Hall(add, whoami)
    reply = await hall.call("ad", OWNER, "http")
    assert isinstance(reply.error, ServiceNotFoundError)
    assert reply.error.details == {"similar": ["node.add"]}
    for caller in (ALICE, ANONYMOUS):
        reply = await hall.call("ad", caller, "http")
        assert isinstance(reply.error, ServiceNotFoundError)
        assert reply.error.details == {}
        assert "add" not in str(reply.error.told)


@pytest.mark.requirement("DEC-31")
async def test_a_version_is_addressed_and_the_newest_is_meant_without_one() -> None:
    def versioned(version: str) -> Any:
        @capability(name="greet", version=version)
        async def greet() -> str:
            return version

        return greet

    hall = Hall(versioned("2.0.0"), versioned("1.0.0"), versioned("10.0.0"))
    assert (await hall.call("greet@1.0.0")).data == "1.0.0"
    assert (await hall.call("node.greet@2.0.0")).data == "2.0.0"
    reply = await hall.call("greet")
    assert (reply.data, reply.metadata and reply.metadata.api_version) == ("10.0.0", "10.0.0")
    assert code(await hall.call("greet@3.0.0")) == "NOT_FOUND"


async def test_names_that_several_agents_have_are_ambiguous_unless_the_default_agent_is_among_them() -> None:
    @capability(name="f")
    async def one() -> int:
        return 1

    @capability(name="f")
    async def two() -> int:
        return 2

    assert code(await Hall(agents={"a": one, "b": two}).call("f")) == "NOT_FOUND"
    assert (await Hall(one, agents={"b": two}).call("f")).data == 1
    assert (await Hall(one, agents={"b": two}).call("b.f")).data == 2


async def test_a_capability_that_is_not_exposed_at_a_door_is_not_there() -> None:
    @capability(expose_to="local", auth=False)
    async def inner() -> int:
        return 1

    @capability(expose_to="net", auth=False)
    async def outer() -> int:
        return 2

    hall = Hall(inner, outer)
    assert [code(await hall.call("inner", OWNER, door)) for door in ("local", "http", "anp")] == [
        "ok",
        "NOT_FOUND",
        "NOT_FOUND",
    ]
    assert [code(await hall.call("outer", OWNER, door)) for door in ("local", "http", "anp")] == [
        "NOT_FOUND",
        "ok",
        "ok",
    ]
    assert [entry.spec.name for entry in await hall.path.visible(ANONYMOUS, "http")] == ["outer"]


async def test_what_is_hidden_at_a_door_answers_as_what_does_not_exist() -> None:
    @capability(expose_to="local")
    def report_secret() -> int:
        return 1

    @capability(access="authenticated")
    def report_public() -> int:
        return 1

    hall = Hall(report_secret, report_public)
    for state in (hall.registry.enable, hall.registry.disable):
        state("node.report_secret")
        for _ in range(2):
            for caller in (ANONYMOUS, ALICE, OWNER):
                hidden, nothing = [await hall.call(f"report_{name}", caller, "http") for name in ("secret", "secreT")]
                assert (code(hidden), code(nothing)) == ("NOT_FOUND", "NOT_FOUND")
                assert hidden.error is not None
                assert nothing.error is not None
                assert (str(hidden.error), hidden.error.told, hidden.error.details) == (
                    str(nothing.error),
                    nothing.error.told,
                    nothing.error.details,
                )
    hall.registry.disable("node.report_public")
    assert code(await hall.call("report_public", ANONYMOUS, "http")) == "GONE"
    assert code(await hall.call("report_secret")) == "GONE"


async def test_similar_names_are_found_among_those_that_the_caller_may_see() -> None:
    def named(name: str, **options: Any) -> Any:
        @capability(name=name, **options)
        def function() -> int:
            return 1

        return function

    hidden = [named(f"report{number}") for number in range(5)]
    hall = Hall(named("reports_all", access="authenticated"), *hidden)
    reply = await hall.call("report", ALICE, "http")
    assert reply.error is not None
    assert reply.error.details == {"similar": ["node.reports_all"]}


async def test_changes_of_the_registry_count_at_the_next_call() -> None:
    hall = Hall(add)
    assert code(await hall.call("add", a=1)) == "ok"
    hall.registry.disable("node.add")
    assert code(await hall.call("add", a=1)) == "GONE"
    hall.registry.enable("node.add")
    assert code(await hall.call("add", a=1)) == "ok"
    hall.registry.remove("node.add")
    assert code(await hall.call("add", a=1)) == "NOT_FOUND"


async def test_what_a_caller_may_call_is_listed_by_id() -> None:
    hall = Hall(whoami, add)
    assert [entry.id for entry in await hall.path.visible(OWNER, "http")] == ["node.add", "node.whoami"]
    assert [entry.id for entry in await hall.path.visible(ALICE, "http")] == ["node.whoami"]
    assert await hall.path.visible(ANONYMOUS, "http") == ()


# -- authorize --------------------------------------------------------------------------------------------------


@pytest.mark.requirement("DEC-08", "DEC-09", "DEC-25")
@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ({}, ["UNAUTHENTICATED", "PERMISSION_DENIED", "ok", "PERMISSION_DENIED"]),
        ({"auth": False}, ["ok", "ok", "ok", "ok"]),
        ({"access": "authenticated"}, ["UNAUTHENTICATED", "ok", "ok", "ok"]),
        ({"auth_required": True}, ["UNAUTHENTICATED", "PERMISSION_DENIED", "ok", "PERMISSION_DENIED"]),
        ({"auth_required": False}, ["ok", "ok", "ok", "ok"]),
        ({"permissions": ["pay"]}, ["UNAUTHENTICATED", "PERMISSION_DENIED", "ok", "ok"]),
        ({"permissions": ["pay", "read"]}, ["UNAUTHENTICATED", "PERMISSION_DENIED", "ok", "PERMISSION_DENIED"]),
    ],
)
async def test_who_gets_in(options: dict[str, Any], expected: list[str]) -> None:
    @capability(**options)
    async def private_admin_thing() -> int:
        return 1

    hall = Hall(private_admin_thing)
    own = Principal(id="did:wba:own", kind="did", binding="request", owner=True)
    granted = Principal(id="did:wba:g", kind="did", binding="request", permissions=frozenset({"pay"}))
    callers = [ANONYMOUS, ALICE, own, granted]
    statuses = {"UNAUTHENTICATED": 401, "PERMISSION_DENIED": 403, "ok": 200}
    replies = [await hall.call("private_admin_thing", caller, "http") for caller in callers]
    assert [reply.status_code for reply in replies] == [statuses[each] for each in expected]
    assert [code(await hall.call("private_admin_thing", caller, "http")) for caller in callers] == expected


@pytest.mark.requirement("AUT-06")
async def test_a_forged_principal_is_refused_and_nothing_runs() -> None:
    ran = []

    @capability
    async def secret() -> None:
        ran.append(1)

    forged = Principal(id=OWNER.id, kind="owner", verified=False, owner=True, permissions=frozenset({"*"}))
    hall = Hall(secret)
    assert [code(await hall.call("secret", forged, door)) for door in ("local", "http")] == ["UNAUTHENTICATED"] * 2
    assert ran == []


async def test_a_capability_that_asks_for_a_signed_request_gets_one_through_others_too() -> None:
    @capability(binding="request")
    async def strict() -> str:
        return "done"

    @capability
    async def through(ctx: CallContext) -> str:
        try:
            return str(await ctx.call("local:strict"))
        except PermissionDeniedError:
            return "refused"

    hall = Hall(strict, through)
    signed = Principal(id="did:wba:own", kind="did", binding="request", owner=True)
    shown = Principal(id="did:wba:own", kind="did", binding="token", owner=True)
    assert [(await hall.call("through", caller, "http")).data for caller in (signed, OWNER)] == ["done", "done"]
    assert code(await hall.call("strict", shown, "http")) == "PERMISSION_DENIED"
    assert (await hall.call("through", shown, "http")).data == "refused"


@pytest.mark.requirement("TPL-38")
async def test_authorization_comes_before_the_arguments_are_looked_at() -> None:
    hall = Hall(add)
    with pytest.raises(PermissionDeniedError):
        await hall.path.admit(Target.parse("local:add"), facts(ALICE, "http"))
    assert code(await hall.call("add", ALICE, "http", a="no number")) == "PERMISSION_DENIED"


@pytest.mark.requirement("TPL-38")
async def test_the_context_is_injected_by_its_type_and_no_caller_can_supply_it() -> None:
    hall = Hall(add, whoami)
    reply = await hall.call("whoami", ALICE, "anp")
    assert reply.data == {"id": ALICE.id, "agent": "node", "door": "anp", "request": reply.request_id}
    for given in ({"ctx": {"principal": "owner"}}, {"_auth_context": {}}, {"ctx": None}):
        assert code(await hall.call("whoami", ALICE, "http", params=given)) == "VALIDATION_ERROR"
    assert code(await hall.call("add", a=1)) == "ok"


@pytest.mark.requirement("ENV-08")
async def test_the_reason_of_a_refusal_is_in_the_record_and_not_told(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "moothall")
    reply = await Hall(add).call("add", ALICE, "http", a=1)
    assert "no_policy_matched: No sufficient authorization" in caplog.text
    assert reply.request_id in caplog.text
    assert reply.error is not None
    shown = f"{reply.error} {reply.error.told} {reply.error.details}"
    assert "no_policy_matched" not in shown
    assert "authorization" not in shown


async def test_a_suspended_identity_is_refused_with_its_reason() -> None:
    @capability(auth=False)
    async def open_to_all() -> int:
        return 1

    hall = Hall(open_to_all, authorizer=PolicyEngine.usual(FixedRules(suspended=[ALICE.id])))
    reply = await hall.call("open_to_all", ALICE, "http")
    assert isinstance(reply.error, PermissionDeniedError)
    assert reply.error.reason == "forbidden_did"
    assert code(await hall.call("open_to_all", BOB, "http")) == "ok"


async def test_a_call_that_asks_for_approval_waits_with_the_digest_of_its_arguments() -> None:
    ran = []

    @capability(access="authenticated", approval=True)
    async def pay(cents: int, to: str = "x") -> None:
        ran.append(cents)

    hall = Hall(pay)
    first, same, other = [
        await hall.call("pay", ALICE, "http", params=given)
        for given in ({"cents": 5}, {"to": "x", "cents": 5}, {"cents": 6})
    ]
    assert [code(reply) for reply in (first, same, other)] == ["APPROVAL_PENDING"] * 3
    digests = [reply.error.details["digest"] for reply in (first, same, other) if reply.error]
    assert digests[0] == digests[1] != digests[2]
    assert code(await hall.call("pay", ALICE, "http", params={"cents": "much"})) == "VALIDATION_ERROR"
    assert ran == []
    assert code(await hall.call("pay", OWNER, "http", cents=7)) == "ok"
    assert ran == [7]


async def test_a_gateway_runs_only_what_it_admitted_itself() -> None:
    hall = Hall(add)
    admitted = await hall.path.admit(Target.parse("local:add"), facts())
    forged: Any = type("Admitted", (), {"entry": admitted.entry, "facts": admitted.facts})()
    with pytest.raises(UsageError):
        await hall.path.run(forged, {"a": 1})


# -- reply ------------------------------------------------------------------------------------------------------


async def test_a_reply_has_an_id_a_time_and_what_it_took() -> None:
    reply = await Hall(add).call("add", a=1, b=2)
    assert uuid.UUID(reply.request_id).version == 4
    assert reply.timestamp.tzinfo is UTC
    assert (reply.success, reply.status_code, reply.data, reply.replayed) == (True, 200, 3, False)
    assert reply.metadata is not None
    assert 0 <= reply.metadata.processing_time < 5
    given = await Hall(add).call("add", a=1, _request_id="11111111-1111-4111-8111-111111111111")
    assert given.request_id == "11111111-1111-4111-8111-111111111111"


async def test_ids_of_calls_are_random_uuids_and_differ() -> None:
    hall = Hall(add)
    ids = [(await hall.call("add", a=1)).request_id for _ in range(600)]
    assert len(set(ids)) == 600
    assert all(str(uuid.UUID(each)) == each and uuid.UUID(each).variant == uuid.RFC_4122 for each in ids)


@pytest.mark.requirement("TPL-40")
async def test_a_plain_function_gives_what_an_asynchronous_one_gives() -> None:
    def plain(a: int, b: int = 1) -> int:
        plain.thread = threading.get_ident()  # type: ignore[attr-defined]
        return a + b

    hall = Hall(capability(plain), add)
    for given in ({"a": 1, "b": 2}, {"a": "x"}, {}, {"a": 1, "c": 1}):
        one, two = await hall.call("plain", params=given), await hall.call("add", params=given)
        assert (one.data, code(one)) == (two.data, code(two))
        assert (one.error and one.error.details) == (two.error and two.error.details)
    assert plain.thread != threading.get_ident()  # type: ignore[attr-defined]


@pytest.mark.requirement("TPL-41")
async def test_a_result_has_the_form_of_its_door_and_of_its_annotation(caplog: pytest.LogCaptureFixture) -> None:
    @capability
    async def pair() -> list[int]:
        return (1, 2)  # type: ignore[return-value]

    @capability
    async def wrong() -> int:
        return "SECRET"  # type: ignore[return-value]

    @capability
    async def big() -> int:
        return 2**60

    class Model(BaseModel):
        n: int

    @capability
    async def thing() -> dict[str, int]:
        return Model(n=1)  # type: ignore[return-value]

    hall = Hall(pair, wrong, big, thing)
    assert (await hall.call("thing", OWNER, "http")).data == {"n": 1}
    assert (await hall.call("pair", OWNER, "http")).data == [1, 2]
    assert (await hall.call("big", OWNER, "http")).data == str(2**60)
    assert (await hall.call("big")).data == 2**60
    for door in ("local", "http"):
        caplog.clear()
        reply = await hall.call("wrong", OWNER, door)
        assert (code(reply), reply.status_code) == ("INTERNAL_ERROR", 500)
        assert "SECRET" not in str(reply.error)
        assert any(record.levelno == logging.ERROR and "node.wrong" in record.getMessage() for record in caplog.records)


@pytest.mark.requirement("ENV-04")
@pytest.mark.parametrize(
    "raised",
    [
        RuntimeError,
        ValueError,
        PermissionError,
        TimeoutError,
        LookupError,
        ConnectionError,
        KeyError,
        SystemExit,
        asyncio.CancelledError,
        ExceptionGroup,
    ],
)
@pytest.mark.parametrize("door", ["local", "http"])
@pytest.mark.parametrize("sync", [False, True])
async def test_what_a_function_raises_is_never_told(
    raised: type[BaseException], door: str, sync: bool, caplog: pytest.LogCaptureFixture
) -> None:
    error = ExceptionGroup("SECRET", [ValueError("SECRET")]) if raised is ExceptionGroup else raised("SECRET")

    @capability
    async def fails() -> int:
        raise error

    @capability(name="fails")
    def fails_in_a_thread() -> int:
        raise error

    hall = Hall(fails_in_a_thread if sync else fails)
    reply = await hall.call("fails", OWNER, door)
    assert code(reply) == "INTERNAL_ERROR"
    assert reply.error is not None
    shown = f"{reply.error} {reply.error.message} {reply.error.why} {reply.error.hint} {reply.error.details} {reply.error.told} {reply!r}"
    assert "SECRET" not in shown
    assert reply.request_id in caplog.text
    assert hall.counted("node.fails") == {"INTERNAL_ERROR": 1}


@pytest.mark.requirement("ENV-06")
async def test_our_own_errors_pass_as_they_were_raised() -> None:
    error = Conflict("it is taken", details={"by": "me"})

    @capability
    async def taken() -> int:
        raise error

    reply = await Hall(taken).call("taken", OWNER, "http")
    assert reply.error is error
    for named in (PermissionDeniedError, ServiceNotFoundError, A2AServiceError, AuthenticationError, ValidationError):
        assert issubclass(named, MoothallError)
    assert issubclass(PermissionDeniedError, PermissionError)


@pytest.mark.requirement("TPL-45", "TPL-46")
async def test_every_call_leaves_one_line_and_one_count(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "moothall.calls")
    hall = Hall(add)
    good = await hall.call("add", OWNER, "http", a=41, b=1)
    bad = await hall.call("add", OWNER, "http", a="SECRET")
    refused = await hall.call("add", ALICE, "http", a=1)
    nobody = await hall.call("made.up.by.a.stranger", ALICE, "http")
    assert hall.counted("node.add") == {"ok": 1, "VALIDATION_ERROR": 1, "PERMISSION_DENIED": 1}
    assert hall.counted("unknown") == {"NOT_FOUND": 1}
    lines = [record.getMessage() for record in caplog.records if " at http: " in record.getMessage()]
    assert [line.split()[0] for line in lines] == [reply.request_id for reply in (good, bad, refused, nobody)]
    assert "node.add by owner at http: ok in " in lines[0]
    assert f"node.add by {ALICE.id} at http: PERMISSION_DENIED in " in lines[2]
    assert "SECRET" not in caplog.text
    assert "41" not in lines[0].replace(good.request_id, "").rpartition(" in ")[0]


@pytest.mark.requirement("TPL-45", "TPL-46")
async def test_the_counts_are_there_for_prometheus() -> None:
    from prometheus_client import CollectorRegistry, generate_latest

    hall = Hall(add)
    for value in (1, 2, "x"):
        await hall.call("add", OWNER, "http", a=value)
    registry = CollectorRegistry()
    registry.register(hall.path.meter)
    text = generate_latest(registry).decode()
    assert 'capability_calls_total{capability="node.add",door="http",outcome="ok"} 2.0' in text
    assert 'capability_calls_total{capability="node.add",door="http",outcome="VALIDATION_ERROR"} 1.0' in text
    assert 'capability_latency_seconds_count{capability="node.add"} 3.0' in text
    assert 'capability_latency_seconds_bucket{capability="node.add",le="+Inf"} 3.0' in text


async def test_names_that_nobody_has_get_no_figures_of_their_own() -> None:
    hall = Hall(add)
    for number in range(50):
        await hall.call(f"made.up{number}", ANONYMOUS, "http")
    assert [name for name, _ in hall.path.meter.capabilities.rows()] == ["unknown"]


# -- limits -----------------------------------------------------------------------------------------------------


@pytest.mark.requirement("ENV-02")
async def test_what_is_left_falls_by_one_with_every_call() -> None:
    @capability(rate_limit="3/minute", auth=False)
    async def limited() -> int:
        return 1

    @capability(auth=False)
    async def free() -> int:
        return 1

    hall = Hall(limited, free, terms=Terms(caller_limit=10))

    async def left(name: str, principal: Principal = ALICE, door: str = "http") -> int | None:
        reply = await hall.call(name, principal, door)
        assert reply.metadata is not None
        return reply.metadata.rate_limit_remaining

    assert [await left("limited") for _ in range(3)] == [2, 1, 0]
    assert [await left("free") for _ in range(3)] == [6, 5, 4]
    assert await left("free", OWNER, "local") is None


async def test_a_caller_has_a_limit_and_an_address_without_proof_has_its_own() -> None:
    @capability(auth=False)
    async def free() -> int:
        return 1

    hall = Hall(free, terms=Terms(caller_limit=2, address_limit=1))
    calls = [(ALICE, "1.1.1.1")] * 3 + [
        (BOB, "1.1.1.1"),
        (ANONYMOUS, "1.1.1.1"),
        (ANONYMOUS, "1.1.1.1"),
        (ANONYMOUS, "2.2.2.2"),
    ]
    codes = [code(await hall.call("free", who, "http", _address=address)) for who, address in calls]
    assert codes == ["ok", "ok", "RATE_LIMITED", "ok", "ok", "RATE_LIMITED", "ok"]
    assert [code(await hall.call("free")) for _ in range(5)] == ["ok"] * 5


async def test_a_call_that_goes_in_a_circle_ends_at_the_hop_limit() -> None:
    deepest = []

    @capability
    async def ping(ctx: CallContext, n: int = 0) -> int:
        deepest.append(ctx.hops)
        value: int = await ctx.call("local:pong", n=n + 1)
        return value

    @capability
    async def pong(ctx: CallContext, n: int) -> int:
        value: int = await ctx.call("local:ping", {"n": n + 1})
        return value

    hall = Hall(ping, pong, terms=Terms(max_hops=5))
    reply = await hall.call("ping")
    assert isinstance(reply.error, Conflict)
    assert reply.error.told is not None
    assert reply.error.told.why == "calls.hops"
    assert max(deepest) <= 5
    assert code(await hall.call("ping", _hops=6)) == "CONFLICT"


async def test_a_circle_without_the_context_ends_as_well() -> None:
    @capability
    async def again() -> int:
        value: int = await hall.caller.call("local:again")
        return value

    hall = Hall(again, terms=Terms(max_hops=4))
    assert code(await hall.call("again")) == "CONFLICT"
    assert hall.counted("node.again") == {"CONFLICT": 6}


# -- remote targets ---------------------------------------------------------------------------------------------


async def test_a_node_is_no_open_proxy() -> None:
    remote = Remote(1)
    hall = Hall(add, remote=remote)
    for target in ("did:wba:x.example#f", "https://x.example/f", "mcp:s.t"):
        assert code(await hall.call(target, OWNER, "http")) == "NOT_FOUND"
    assert remote.seen == []


async def test_a_scheme_without_a_connector_says_so() -> None:
    reply = await Hall(add).call("llm:poet")
    assert (code(reply), reply.error and reply.error.told and reply.error.told.values) == (
        "UNAVAILABLE",
        {"scheme": "llm"},
    )


@pytest.mark.requirement("TPL-42")
async def test_the_processing_time_is_what_passed_between_the_door_and_the_answer() -> None:
    clock = SleeplessClock()

    @capability
    async def slow() -> None:
        await clock.advance(1.5)

    reply = await Hall(slow, clock=clock).call("slow", OWNER, "http")
    assert reply.metadata is not None
    assert reply.metadata.processing_time == 1.5
    assert reply.timestamp == clock.now()


@pytest.mark.requirement("DEC-35")
async def test_twenty_plain_functions_run_at_once_through_the_path_while_the_loop_beats() -> None:
    together, beats = threading.Barrier(20), 0

    @capability
    def meet() -> int:
        return together.wait(30)  # nobody gets further before all twenty are here

    async def heart() -> None:
        nonlocal beats
        while True:
            beats += 1
            await asyncio.sleep(0)

    hall = Hall(meet)
    beating = asyncio.create_task(heart())
    replies = await asyncio.gather(*(hall.call("meet", OWNER, "http") for _ in range(20)))
    beating.cancel()
    assert sorted(reply.data for reply in replies) == list(range(20))
    assert beats > 0
