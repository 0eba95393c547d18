"""What of calls is on record, and what happens when it cannot be."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from moothall.audit.trail import AuditTrail
from moothall.canonical import loads
from moothall.capability.context import CallContext
from moothall.capability.decorators import capability
from moothall.clock import SystemClock
from moothall.errors import PermissionDeniedError, StorageError, Unavailable
from moothall.storage.authority import audit_record
from moothall.storage.store import Store
from tests.calls.desk import Desk, Records
from tests.calls.hall import ALICE, ANONYMOUS, BOB, OWNER, Hall, code


class Work:
    """Capabilities of every kind; `done` says what was worked on."""

    def __init__(self) -> None:
        self.done: list[str] = []

    @capability(access="authenticated", read_only=True)
    async def look(self) -> int:
        self.done.append("look")
        return 1

    @capability
    async def own(self) -> int:
        return 1

    @capability(access="authenticated")
    async def fails(self) -> int:
        raise StorageError("its own")

    @capability(access="authenticated")
    async def outer(self, ctx: CallContext) -> Any:
        return await ctx.call("local:look")

    @capability(access="authenticated", personal_data=True, read_only=True)
    async def personal(self) -> int:
        self.done.append("personal")
        return 1

    @capability(access="authenticated", classification="confidential")
    async def secret(self) -> AsyncIterator[int]:
        self.done.append("secret")
        yield 1

    @capability(access="authenticated", approval=True)
    async def asks(self) -> int:
        self.done.append("asks")
        return 1


def hall(records: Records | None = None, **more: Any) -> tuple[Hall, Work, Records]:
    work, kept = Work(), records or Records()
    return Hall(work, recorder=kept, **more), work, kept


@pytest.mark.requirement("POL-08")
async def test_every_call_leaves_one_record_with_its_decision_and_how_it_ended() -> None:
    house, _, records = hall()
    reply = await house.call("look", ALICE, "http", _purpose="audit me")
    (record,) = records.kept
    assert (record.kind, record.action, record.actor, record.resource) == ("call", "read", ALICE.id, "node.look")
    assert (record.effect, record.policies, record.door) == ("allow", ("access-authenticated",), "http")
    assert record.request_id == reply.request_id
    assert record.revision
    assert record.details["outcome"] == "ok"
    assert record.details["purpose"] == f"sha-256:{sha256(b'audit me').hexdigest()}"
    assert "audit me" not in str(record)
    assert len(record.details["decision"]) == len(records.kept[0].details["decision"]) > 0


@pytest.mark.parametrize(
    ("name", "who", "told"),
    [
        ("fails", ALICE, ("call", "allow", "UNAVAILABLE")),
        ("own", ALICE, ("decision", "deny", "")),
        ("own", ANONYMOUS, ("decision", "deny", "")),
        ("asks", ALICE, ("call", "approve", "APPROVAL_PENDING")),
    ],
)
async def test_failures_denials_and_what_waits_are_on_record_too(name: str, who: Any, told: Any) -> None:
    house, _, records = hall(approvals=Desk())
    await house.call(name, who, "http")
    assert records.told == [told]


async def test_names_that_nobody_has_are_not_on_record() -> None:
    house, _, records = hall()
    await house.call("nothing", ALICE, "http")
    assert records.kept == []


async def test_a_call_inside_another_has_a_record_of_its_own_that_names_the_other() -> None:
    house, _, records = hall()
    reply = await house.call("outer", ALICE, "http")
    inner, outer = records.kept
    assert (inner.resource, outer.resource) == ("node.look", "node.outer")
    assert inner.details["parent"] == outer.request_id == reply.request_id


async def test_a_call_that_is_given_up_is_on_record() -> None:
    entered = asyncio.Event()

    @capability
    async def waits() -> None:
        entered.set()
        await asyncio.Event().wait()

    records = Records()
    task = asyncio.create_task(Hall(waits, recorder=records).call("waits"))
    await entered.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert records.told == [("call", "allow", "cancelled")]


@pytest.mark.requirement("AUT-05")
async def test_one_denial_has_one_key_at_every_door_and_the_caller_reads_the_one_on_record() -> None:
    keys = set()
    for door in ("local", "http", "mcp", "a2a", "anp"):
        house, _, records = hall()
        reply = await house.call("own", ALICE, door)
        assert isinstance(reply.error, PermissionDeniedError)
        (record,) = records.kept
        assert reply.error.details == {"decision": record.details["decision"]}
        keys.add(record.details["decision"])
    assert len(keys) == 1
    house, _, records = hall()
    other = await house.call("own", BOB, "http")
    assert other.error is not None
    assert other.error.details["decision"] not in keys


async def test_who_proved_nothing_hears_no_key() -> None:
    house, _, _ = hall()
    reply = await house.call("own", ANONYMOUS, "http")
    assert code(reply) == "UNAUTHENTICATED"
    assert reply.error is not None
    assert reply.error.details == {}


@pytest.mark.requirement("POL-08")
@pytest.mark.parametrize("name", ["personal", "secret"])
async def test_what_is_sensitive_is_on_record_before_it_happens_or_does_not_happen(name: str) -> None:
    house, work, records = hall()
    assert code(await house.call(name, OWNER, "http")) == "ok"
    assert [kind for kind, _, _ in records.told] == ["decision", "call"]
    records.down = StorageError("down")
    done = list(work.done)
    assert code(await house.call(name, OWNER, "http")) == "UNAVAILABLE"
    assert work.done == done
    assert code(await house.call("look", OWNER, "http")) == "ok"


async def test_a_stream_of_what_is_sensitive_begins_with_its_record() -> None:
    house, work, records = hall()
    records.down = StorageError("down")
    chunks = [chunk async for chunk in house.stream("secret", OWNER, "http")]
    assert [type(chunk).__name__ for chunk in chunks] == ["Reply"]
    assert work.done == []


async def test_an_approved_call_is_on_record_before_it_is_made_and_before_its_answer_is_given() -> None:
    desk = Desk()
    house, work, records = hall(approvals=desk)
    await house.call("asks", ALICE, "http")
    await desk.approve(house.path, "ap-0000000000000001")
    assert records.told == [
        ("call", "approve", "APPROVAL_PENDING"),
        ("decision", "approve", ""),
        ("call", "approve", "ok"),
    ]
    assert {record.details.get("approval") for record in records.kept[1:]} == {"ap-0000000000000001"}
    records.down = StorageError("down")
    reply = await house.call("asks", ALICE, "http", _approval="ap-0000000000000001")
    assert (code(reply), reply.data) == ("UNAVAILABLE", None)
    assert work.done == ["asks"]


async def test_when_no_record_fits_any_more_nothing_is_let_in_and_nothing_is_lost() -> None:
    house, work, records = hall()
    records.full = Unavailable("full")
    assert code(await house.call("look", ALICE, "http")) == "ok"  # the first to hear of it had been done by then
    for name in ("look", "own", "nothing"):
        assert code(await house.call(name, ALICE, "http")) == "UNAVAILABLE"
    assert (work.done, records.kept) == (["look"], [])
    records.full = None
    assert code(await house.call("look", ALICE, "http")) == "ok"
    assert records.told == [("call", "allow", "ok")] * 2


async def test_the_real_trail_holds_what_was_done(tmp_path: Path, database_url: str) -> None:
    store = await Store.open(tmp_path / "node", database_url)
    trail = await AuditTrail.open(store, SystemClock(), None, tmp_path / "anchors")
    try:
        house = Hall(Work(), recorder=trail)
        await house.call("look", ALICE, "http")
        await house.call("own", BOB, "mcp")
    finally:
        await trail.aclose()
    rows = await store.read(lambda connection: connection.execute(sa.select(audit_record.c.body)).scalars().all())
    await store.close()
    bodies = [loads(body) for body in rows]
    told = [(row["actor"], row["resource"], row["effect"]) for row in bodies if row["kind"] in {"call", "decision"}]
    assert told == [(ALICE.id, "node.look", "allow"), (BOB.id, "node.own", "deny")]
