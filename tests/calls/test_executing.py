"""The node makes an approved call: once, with the rights and the capability of that moment, whatever happens to it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from moothall.approvals.asking import Ask
from moothall.calls.path import CallPath
from moothall.calls.terms import Terms
from moothall.capability.agents import Agent
from moothall.capability.context import CallContext
from moothall.capability.decorators import capability
from moothall.errors import MoothallError, RateLimited, StorageError, Unavailable
from moothall.identity.principal import Principal
from moothall.policy.engine import PolicyEngine
from moothall.policy.file import Rules
from moothall.storage.store import Store
from tests.calls.desk import Desk, Records
from tests.calls.hall import ALICE, OWNER, Hall, code

PAYER = Principal(id="did:wba:a.example:e1_payer", kind="did", binding="request", permissions=frozenset({"pay"}))
APPROVAL = "ap-0000000000000001"


@pytest.fixture
async def store(tmp_path: Path, database_url: str) -> AsyncIterator[Store]:
    opened = await Store.open(tmp_path / "node", database_url)
    yield opened
    await opened.close()


class Bank:
    """Pays; `gate` holds the work up, `error` ends it."""

    def __init__(self) -> None:
        self.paid: list[int] = []
        self.who: list[str] = []
        self.error: MoothallError | None = None
        self.gate, self.entered = asyncio.Event(), asyncio.Event()
        self.gate.set()

    @capability(permissions=["pay"])
    async def pay(self, ctx: CallContext, cents: int) -> int:
        return await self._pay(ctx, cents)

    @capability(permissions=["pay"], idempotent=True)
    async def put(self, ctx: CallContext, cents: int) -> int:
        return await self._pay(ctx, cents)

    @capability(permissions=["pay"], quota=1)
    async def once(self, cents: int) -> int:
        self.paid.append(cents)
        return len(self.paid)

    async def _pay(self, ctx: CallContext, cents: int) -> int:
        self.paid.append(cents)
        self.who.append(f"{ctx.principal.id} at {ctx.door}")
        self.entered.set()
        await self.gate.wait()
        if self.error is not None:
            raise self.error
        return len(self.paid)


class Settings:
    """What is granted by name, and can be taken back."""

    def __init__(self) -> None:
        self.rules = Rules.of({PAYER.id: ["pay"]}, ())

    def take_back(self) -> None:
        self.rules = Rules.of({}, ())


class House:
    """A node whose bank asks for an approval of everything."""

    def __init__(self, store: Store | None = None, **more: Any) -> None:
        self.bank, self.settings = Bank(), Settings()
        self.desk = Desk(**dict.fromkeys(("pay", "put", "once"), lambda _: True))
        self.hall = Hall(
            self.bank, store=store, approvals=self.desk, authorizer=PolicyEngine.usual(self.settings), **more
        )

    @property
    def path(self) -> CallPath:
        return self.hall.path

    async def asked(self, name: str = "pay", who: Principal = PAYER, door: str = "http") -> Ask:
        assert code(await self.hall.call(name, who, door, cents=7)) == "APPROVAL_PENDING"
        return self.desk.asked[-1]

    async def ends(self, name: str = "pay", who: Principal = PAYER, door: str = "http") -> str:
        """How the approved call went, as its caller hears it."""
        approval = f"ap-{len(self.desk.asked):016x}"
        await self.desk.approve(self.path, approval)
        return code(await self.hall.call(name, who, door, cents=7, _approval=approval))


async def test_parallel_requests_to_execute_make_the_call_once(store: Store) -> None:
    house = House(store)
    ask = await house.asked()
    await asyncio.gather(*(house.path.execute(APPROVAL, ask) for _ in range(20)))
    await house.path.execute(APPROVAL, ask)
    assert house.bank.paid == [7]
    assert house.bank.who == [f"{PAYER.id} at http"]


async def test_without_a_store_it_is_made_once_while_it_is_under_way() -> None:
    house = House()
    ask = await house.asked()
    await asyncio.gather(*(house.path.execute(APPROVAL, ask) for _ in range(20)))
    assert house.bank.paid == [7]


async def test_a_right_that_is_gone_by_then_is_gone() -> None:
    house = House()
    await house.asked()
    house.settings.take_back()
    await house.desk.approve(house.path, APPROVAL)
    outcome = await house.path.approved(APPROVAL, 0.0)
    assert code(outcome) == "PERMISSION_DENIED"
    assert house.bank.paid == []


async def test_the_permissions_of_the_day_it_asked_do_not_count_and_those_of_today_do() -> None:
    house = House()
    house.settings.take_back()
    await house.asked()
    assert await house.ends() == "PERMISSION_DENIED"
    house = House(renewed=lambda principal: replace(principal, permissions=frozenset({"pay"})))
    house.settings.take_back()
    await house.asked()
    assert await house.ends() == "ok"


async def test_an_agent_that_is_of_this_node_no_more_does_not_act_for_its_owner() -> None:
    done: list[str] = []

    @capability()
    async def wipe(ctx: CallContext) -> None:
        done.append(ctx.principal.id)

    desk = Desk(wipe=lambda _: True)
    hall = Hall(wipe, approvals=desk, terms=Terms(agents=agent))
    for who in (agent("node"), agent("gone")):
        assert code(await hall.call("wipe", who, "http")) == "APPROVAL_PENDING"
        await desk.approve(hall.path, f"ap-{len(desk.asked):016x}")
    assert done == [agent("node").id]


def agent(name: str) -> Principal:
    return Principal(id=f"did:wba:n.example:e1_{name}", kind="did", binding="request", owner=True)


async def test_a_requester_that_nobody_would_let_in_by_then_is_refused_and_on_record() -> None:
    house = House(renewed=lambda _: None, recorder=(records := Records()))
    await house.asked()
    await house.desk.approve(house.path, APPROVAL)
    assert code(await house.path.approved(APPROVAL, 0.0)) == "PERMISSION_DENIED"
    assert house.bank.paid == []
    assert [record.policies for record in records.kept if record.effect == "deny"] == [("requester-gone",)]


async def test_the_operator_keeps_its_rights() -> None:
    house = House()
    await house.asked("pay", OWNER, "local")
    assert await house.ends("pay", OWNER, "local") == "ok"
    assert house.bank.who == ["owner at local"]


async def test_the_capability_is_of_the_very_version_that_was_approved() -> None:
    house = House()
    await house.asked()

    @capability(name="pay", permissions=["pay"], version="1.1.0")
    async def pay(cents: int) -> str:
        return "another"

    Agent("node", pay).join(house.hall.registry)
    await house.desk.approve(house.path, APPROVAL)
    assert house.bank.paid == [7]
    assert (await house.path.approved(APPROVAL, 0.0)).data == 1
    await house.desk.ask(replace(house.desk.asked[0], digest="sha-256:another"))
    house.hall.registry.remove("node.pay@1.0.0")
    await house.desk.approve(house.path, "ap-0000000000000002")
    assert code(await house.path.approved("ap-0000000000000002", 0.0)) == "NOT_FOUND"


async def test_a_node_that_runs_without_the_code_leaves_the_call_to_one_that_has_it(store: Store) -> None:
    house = House(store)
    ask = await house.asked()
    without = Hall(store=store, approvals=house.desk, authorizer=PolicyEngine.usual(house.settings))
    with pytest.raises(Unavailable):
        await without.path.execute(APPROVAL, ask)
    await house.path.execute(APPROVAL, ask)
    assert house.bank.paid == [7]


@pytest.mark.parametrize("conceal", [False, True])
async def test_a_capability_that_is_out_of_service_is_called_when_it_is_back(store: Store, conceal: bool) -> None:
    house = House(store, terms=Terms(conceal=conceal))
    ask = await house.asked()
    house.hall.registry.disable("node.pay")
    with pytest.raises(Unavailable):
        await house.path.execute(APPROVAL, ask)
    house.hall.registry.enable("node.pay")
    await house.path.execute(APPROVAL, ask)
    assert house.bank.paid == [7]


async def test_arguments_that_mean_something_else_by_now_are_refused() -> None:
    house = House()
    await house.asked()
    house.hall.registry.remove("node.pay")

    @capability(permissions=["pay"])
    async def pay(cents: int, tip: int = 5) -> int:
        raise AssertionError

    Agent("node", pay).join(house.hall.registry)
    await house.desk.approve(house.path, APPROVAL)
    assert code(await house.path.approved(APPROVAL, 0.0)) == "CONFLICT"


@pytest.mark.parametrize(("name", "paid", "outcome"), [("pay", [7], "CONFLICT"), ("put", [7, 7], "ok")])
async def test_after_a_crash_in_mid_call_only_what_is_harmless_is_made_again(
    store: Store, name: str, paid: list[int], outcome: str
) -> None:
    house = House(store)
    ask = await house.asked(name)
    house.bank.gate.clear()
    dying = asyncio.create_task(house.path.execute(APPROVAL, ask))
    await house.bank.entered.wait()
    await house.path.aclose()  # the process ends with the claim written, and no answer
    with pytest.raises(Unavailable):
        await dying
    restarted = House(store)
    restarted.bank.paid = house.bank.paid
    await restarted.asked(name)
    assert await restarted.ends(name) == outcome
    assert house.bank.paid == paid


async def test_after_a_crash_behind_the_call_its_answer_is_there(store: Store) -> None:
    house = House(store)
    await house.path.execute(APPROVAL, await house.asked())
    restarted = House(store)
    await restarted.asked()
    assert await restarted.ends() == "ok"
    assert (house.bank.paid, restarted.bank.paid) == ([7], [])


async def test_no_caller_can_take_the_key_of_an_approved_call(store: Store) -> None:
    house = House(store)
    await house.asked()
    for key in (f"approval/{APPROVAL}", f"approval:{PAYER.id}"):
        house.desk._rules.clear()
        assert code(await house.hall.call("pay", PAYER, "http", cents=7, _idempotency_key=key)) == "ok"
    before = len(house.bank.paid)
    await house.desk.approve(house.path, APPROVAL)
    assert (await house.path.approved(APPROVAL, 0.0)).data == before + 1


async def test_a_call_that_cannot_be_put_on_record_is_not_made_yet(store: Store) -> None:
    records = Records()
    house = House(store, recorder=records)
    ask = await house.asked()
    records.down = StorageError("down")
    with pytest.raises(Unavailable):
        await house.path.execute(APPROVAL, ask)
    assert house.bank.paid == []
    records.down = None
    await house.desk.approve(house.path, APPROVAL)
    assert (await house.path.approved(APPROVAL, 0.0)).data == 1
    (settled,) = [record for record in records.kept if record.kind == "decision"]
    assert (settled.actor, settled.resource, settled.details["approval"]) == (PAYER.id, "node.pay", APPROVAL)


@pytest.mark.parametrize(
    "error", [StorageError("its own"), Unavailable("closed"), RateLimited("slower")], ids=lambda error: error.code
)
async def test_an_error_of_the_work_itself_is_the_outcome(store: Store, error: MoothallError) -> None:
    house = House(store)
    house.bank.error = error
    await house.asked()
    assert await house.ends() == error.envelope_code
    assert house.bank.paid == [7]


async def test_a_quota_is_taken_when_the_call_is_made_and_not_when_it_is_asked_for(store: Store) -> None:
    house = House(store)
    await house.asked("once")
    house.desk._rules.clear()
    assert code(await house.hall.call("once", PAYER, "http", cents=1)) == "ok"
    assert code(await house.hall.call("once", PAYER, "http", cents=2)) == "RATE_LIMITED"
    assert house.bank.paid == [1]


async def test_an_approved_call_counts_and_is_made_also_where_the_days_calls_are_used_up_meanwhile(
    store: Store,
) -> None:
    house = House(store)
    ask = await house.asked("once")
    for approval in (APPROVAL, APPROVAL, "ap-0000000000000002"):
        await house.path.execute(approval, ask)
    assert house.bank.paid == [7, 7]
    house.desk._rules.clear()
    assert code(await house.hall.call("once", PAYER, "http", cents=2)) == "RATE_LIMITED"


async def test_a_stranger_without_the_right_is_denied_and_asks_nobody() -> None:
    house = House()
    assert code(await house.hall.call("pay", ALICE, "http", cents=7)) == "PERMISSION_DENIED"
    assert house.desk.asked == []
