"""What the call path makes of decisions: new ones for every call, none that fails open, none that tells too much."""

from __future__ import annotations

import asyncio
from itertools import pairwise
from typing import Any

import pytest

from moothall.calls.terms import Terms
from moothall.capability.agents import Agent
from moothall.capability.context import CallContext
from moothall.capability.decorators import capability
from moothall.errors import PermissionDeniedError, StorageError
from moothall.identity.principal import Principal
from moothall.policy.decision import AccessRequest, PermissionResult, Subject
from moothall.policy.engine import PolicyEngine
from moothall.policy.file import Rules
from tests.calls.desk import Records
from tests.calls.hall import ALICE, ANONYMOUS, BOB, OWNER, Hall, code
from tests.support.clock import ManualClock

CONCEALED = Terms(conceal=True)


@capability(permissions=["books"], read_only=True, cache_ttl=60)
async def ledger() -> str:
    return "42"


@capability(access="authenticated")
async def lodger() -> str:
    return "me"


class Settings:
    """What is granted by name, as it is now."""

    def __init__(self, **granted: str) -> None:
        self.rules = Rules.of({ALICE.id: granted.get("alice", "").split()}, granted.get("suspended", "").split())

    def now(self, **granted: str) -> None:
        self.__init__(**granted)  # type: ignore[misc]


class Authorizer(PolicyEngine):
    """The engine, with answers that a test puts in front of it."""

    answer: PermissionResult | BaseException | None = None

    def decide(self, request: AccessRequest) -> PermissionResult:
        if isinstance(self.answer, BaseException):
            raise self.answer
        return self.answer or super().decide(request)


def authorizer(settings: Settings | None = None) -> Authorizer:
    return Authorizer.usual(settings)


@pytest.mark.requirement("DEL-05", "AUT-05")
async def test_a_right_that_is_taken_back_is_gone_for_the_next_equal_call_whatever_is_kept_of_the_last() -> None:
    settings = Settings(alice="books")
    hall = Hall(ledger, authorizer=PolicyEngine.usual(settings))
    ends = []
    for granted in ("books", "books", "", "books"):
        if granted != "books" or len(ends) > 2:
            settings.now(alice=granted)
        ends.append(code(await hall.call("ledger", ALICE, "http")))
        ends.append(code(await hall.call("ledger", ALICE, "http")))
    assert ends == ["ok"] * 4 + ["PERMISSION_DENIED"] * 2 + ["ok"] * 2
    settings.now(alice="books", suspended=ALICE.id)
    reply = await hall.call("ledger", ALICE, "http")
    assert isinstance(reply.error, PermissionDeniedError)
    assert reply.error.reason == "forbidden_did"


@pytest.mark.parametrize("failure", [RuntimeError("a fault"), RecursionError(), SystemExit(0)], ids=repr)
async def test_a_policy_that_fails_denies_and_hides(failure: BaseException) -> None:
    policy, records = authorizer(), Records()
    hall = Hall(lodger, authorizer=policy, recorder=records)
    policy.answer = failure
    for who in (OWNER, ALICE):
        reply = await hall.call("lodger", who, "http")
        assert isinstance(reply.error, PermissionDeniedError)
        assert "fault" not in str(reply.error)
    assert {(record.effect, record.policies) for record in records.kept} == {("deny", ("policy-failed",))}
    assert await hall.path.visible(ALICE, "http") == ()


async def test_who_cannot_be_looked_up_is_not_let_in() -> None:
    class Blind(PolicyEngine):
        def __init__(self, *given: Any, **more: Any) -> None:
            super().__init__(*given, **more)
            self.known = lambda _: None  # type: ignore[method-assign, assignment]
            self.subject = self._subject  # type: ignore[method-assign]

        async def _subject(self, principal: Principal) -> Subject:
            raise StorageError("down")

    hall = Hall(lodger, authorizer=Blind.usual())
    assert code(await hall.call("lodger", ALICE, "http")) == "UNAVAILABLE"
    assert code(await hall.call("nothing", ALICE, "http")) == "UNAVAILABLE"
    with pytest.raises(StorageError):
        await hall.path.visible(ALICE, "http")
    with pytest.raises(StorageError):
        _ = [chunk async for chunk in hall.stream("lodger", ALICE, "http")]


async def test_a_look_up_that_fails_lets_nobody_in_and_tells_nothing() -> None:
    class Broken(PolicyEngine):
        def __init__(self, *given: Any, **more: Any) -> None:
            super().__init__(*given, **more)
            self.known = self._fails  # type: ignore[method-assign]

        def _fails(self, principal: Principal) -> Subject | None:
            raise RuntimeError("a secret")

    reply = await Hall(lodger, authorizer=Broken.usual()).call("lodger", OWNER, "http")
    assert code(reply) == "INTERNAL_ERROR"
    assert "secret" not in str(reply.error)


async def test_a_caller_that_has_to_be_looked_up_is_let_in_all_the_same() -> None:
    class Slow(PolicyEngine):
        def __init__(self, *given: Any, **more: Any) -> None:
            super().__init__(*given, **more)
            self.known = lambda _: None  # type: ignore[method-assign, assignment]

    hall = Hall(lodger, authorizer=Slow.usual())
    assert code(await hall.call("lodger", ALICE, "http")) == "ok"
    assert [entry.id for entry in await hall.path.visible(ALICE, "http")] == ["node.lodger"]


async def told(hall: Hall, name: str, who: Principal) -> Any:
    reply = await hall.call(name, who, "http")
    assert reply.error is not None
    error = reply.error
    return type(error), str(error), error.told, error.hint, error.details


@pytest.mark.parametrize("who", [ALICE, BOB, ANONYMOUS], ids=["denied", "suspended", "unproved"])
async def test_a_denial_can_be_concealed_as_a_name_that_nobody_has(who: Principal) -> None:
    engine = PolicyEngine.usual(Settings(suspended=BOB.id))
    without, with_it = (
        Hall(lodger, terms=CONCEALED, authorizer=engine),
        Hall(ledger, lodger, terms=CONCEALED, authorizer=engine, recorder=(records := Records())),
    )
    assert await told(with_it, "ledger", who) == await told(without, "ledger", who)
    with_it.registry.disable("node.ledger")
    assert await told(with_it, "ledger", who) == await told(without, "ledger", who)
    assert [record.effect for record in records.kept] == ["deny", "deny"]


async def test_what_is_concealed_is_there_for_whom_it_is_for() -> None:
    hall = Hall(ledger, lodger, terms=CONCEALED, authorizer=PolicyEngine.usual(Settings(alice="books")))
    assert code(await hall.call("ledger", ALICE, "http")) == "ok"
    assert code(await hall.call("ledger", ANONYMOUS, "http")) == "UNAUTHENTICATED"
    hall.registry.disable("node.ledger")
    assert code(await hall.call("ledger", ALICE, "http")) == "GONE"
    assert code(await Hall(ledger).call("ledger", BOB, "http")) == "PERMISSION_DENIED"


async def test_whose_right_is_used_is_told_beside_who_calls() -> None:
    seen: list[tuple[str, str]] = []

    @capability(access="authenticated")
    async def whose(ctx: CallContext) -> None:
        seen.append((ctx.principal.id, ctx.on_behalf_of))

    policy, records = authorizer(), Records()
    hall = Hall(whose, authorizer=policy, recorder=records)
    assert code(await hall.call("whose", ALICE, "http")) == "ok"
    policy.answer = PermissionResult("allow", "delegated", "delegation", on_behalf_of=BOB.id, grants=("g1", "g2"))
    assert code(await hall.call("whose", ALICE, "http")) == "ok"
    assert seen == [(ALICE.id, ""), (ALICE.id, BOB.id)]
    assert [(record.actor, record.subject, record.grants) for record in records.kept] == [
        (ALICE.id, "", ()),
        (ALICE.id, BOB.id, ("g1", "g2")),
    ]


async def test_a_policy_hears_what_a_call_is_for_and_so_do_those_of_the_calls_inside_it() -> None:
    purposes: list[str] = []

    class Listening(PolicyEngine):
        def decide(self, request: AccessRequest) -> PermissionResult:
            purposes.append(request.purpose)
            return super().decide(request)

    @capability(access="authenticated")
    async def outer(ctx: CallContext) -> Any:
        return await ctx.call("local:lodger")

    hall = Hall(outer, lodger, authorizer=Listening.usual())
    assert code(await hall.call("outer", ALICE, "http", _purpose="treatment")) == "ok"
    assert purposes == ["treatment", "treatment"]


class Counting(PolicyEngine):
    """Counts what it is asked, and takes a second of a clock for each answer."""

    def __init__(self, *given: Any, **more: Any) -> None:
        super().__init__(*given, **more)
        self.seconds, self.asked = 0.0, 0

    def decide(self, request: AccessRequest) -> PermissionResult:
        self.seconds += 1
        self.asked += 1
        return super().decide(request)


class Slow(ManualClock):
    """The clock of what is counted."""

    def __init__(self, counting: Counting) -> None:
        super().__init__()
        self._counting = counting

    def monotonic(self) -> float:
        return self._counting.seconds


def many(number: int, **options: Any) -> Agent:
    agent = Agent("lots")
    for each in range(number):
        agent.include(capability(name=f"thing_{each}", **options)(lambda: None))
    return agent


async def test_others_go_on_while_much_has_to_be_decided_for_a_listing() -> None:
    counting = Counting.usual()
    hall = Hall(authorizer=counting, clock=Slow(counting))
    many(50, access="authenticated").join(hall.registry)
    listing = asyncio.create_task(hall.path.visible(ALICE, "http"))
    seen = []
    while not listing.done():
        await asyncio.sleep(0)
        seen.append(counting.asked)
    assert len(listing.result()) == 50
    assert max(later - earlier for earlier, later in pairwise([0, *seen])) == 1


async def test_a_name_that_nobody_has_costs_few_decisions_however_many_look_like_it() -> None:
    counting = Counting.usual()
    hall = Hall(lodger, authorizer=counting)
    many(300).join(hall.registry)
    for name in ("thing_", "lots.thing_1000", "thing_of_the_kind"):
        assert code(await hall.call(name, ALICE, "http")) == "NOT_FOUND"
    assert counting.asked <= 3 * 8
    reply = await hall.call("logder", ALICE, "http")
    assert reply.error is not None
    assert reply.error.details == {"similar": ["node.lodger"]}


async def test_of_similar_names_those_are_told_that_may_be_called_also_after_some_that_may_not() -> None:
    hall = Hall(lodger)
    for each in range(4):
        Agent("node", capability(name=f"lodger{each}")(lambda: None)).join(hall.registry)
    reply = await hall.call("lodgers", ALICE, "http")
    assert reply.error is not None
    assert reply.error.details == {"similar": ["node.lodger"]}
