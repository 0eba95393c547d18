"""Reading the trail: newest first, a page at a time, and no more than one may see."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from moothall.audit.anchor import holds, read
from moothall.audit.capabilities import READS_LOG, AuditCapabilities
from moothall.audit.listing import Wanted, page
from moothall.calls.path import CallPath
from moothall.calls.ports import CallFacts
from moothall.calls.target import Target
from moothall.capability.members import members_of
from moothall.capability.registry import Registry
from moothall.errors import InvalidInput, StorageError
from moothall.identity.principal import OWNER, Principal
from moothall.policy.engine import PolicyEngine
from moothall.storage.authority import audit_record
from tests.audit.chains import OURS, START, record, run, store, trail
from tests.support.clock import ManualClock

BOB = Principal(id="user:bob", kind="user")


async def everybody(_principal: Principal) -> frozenset[str] | None:
    return None


async def myself(principal: Principal) -> frozenset[str] | None:
    return frozenset({principal.id})


async def call(capabilities: AuditCapabilities, name: str, **params: Any) -> Any:
    registry = Registry()
    entries = registry.add("node", members_of(capabilities))
    assert {entry.spec.name for entry in entries} == READS_LOG
    path = CallPath(registry, PolicyEngine.usual())
    return await path.call(Target.parse(f"local:node.{name}"), params, CallFacts(door="local", principal=OWNER))


async def test_records_are_listed_newest_first_and_page_by_page(database_url: str, tmp_path: Path) -> None:
    clock = ManualClock(START)
    async with store(tmp_path, database_url) as opened, trail(opened, clock) as audit:
        for number in range(7):
            audit.put(record(number))
            await clock.advance(0.5)
        await audit.flush()
        seen, cursor, pages = [], "", 0
        while True:
            wanted = Wanted(limit=3, cursor=cursor)
            shown = await opened.read(lambda connection, wanted=wanted: page(connection, wanted))
            seen += [each["details"]["n"] for each in shown.records]
            pages += 1
            if not (cursor := shown.cursor):
                break
        assert seen == [6, 5, 4, 3, 2, 1, 0]
        assert pages == 3
        assert all("salt" not in each for each in shown.records)


@pytest.mark.parametrize(
    ("wanted", "expected"),
    [
        (Wanted(actor="user:ann"), [4, 1]),
        (Wanted(kind="grant"), [5]),
        (Wanted(since=START + timedelta(seconds=4)), [5, 4]),
        (Wanted(until=START + timedelta(seconds=2)), [1, 0]),
        (Wanted(whose=frozenset({"user:ann"})), [5, 4, 1]),
        (Wanted(whose=frozenset()), []),
        (Wanted(kind="grant", actor="user:ann"), []),
    ],
    ids=["actor", "kind", "since", "until", "whose", "nobody", "both"],
)
async def test_records_are_selected(database_url: str, tmp_path: Path, wanted: Wanted, expected: list[int]) -> None:
    clock = ManualClock(START)
    async with store(tmp_path, database_url) as opened, trail(opened, clock) as audit:
        for number in range(6):
            fields = {"kind": "grant", "subject": "user:ann"} if number == 5 else {}
            audit.put(record(number, actor="user:ann" if number in {1, 4} else "user:bob", **fields))
            await clock.advance(1)
        await audit.flush()
        shown = await opened.read(lambda connection: page(connection, wanted))
        assert [each["details"]["n"] for each in shown.records] == expected


async def test_a_broken_record_is_listed_by_its_place(tmp_path: Path) -> None:
    async with store(tmp_path) as opened, trail(opened) as audit:
        await audit.settle(record(0))
        await run(opened, sa.update(audit_record).values(body="nonsense"))
        (shown,) = (await opened.read(lambda connection: page(connection, Wanted()))).records
        assert (shown["seq"], shown["actor"]) == (1, "user:bob")


async def test_an_actor_that_no_database_could_hold_is_found_as_it_was_written(
    database_url: str, tmp_path: Path
) -> None:
    async with store(tmp_path, database_url) as opened, trail(opened) as audit:
        audit.put(record(actor="odd\0one"))
        audit.put(record())
        await audit.flush()
        found = await opened.read(lambda connection: page(connection, Wanted(actor="odd\0one")))
    assert len(found.records) == 1


@pytest.mark.parametrize(
    "cursor",
    [
        "x",
        "2026-03-01T12:00:00Z/x/n",
        "2026/1/n",
        "2026-03-01T12:00:00Z/1",
        "2026-03-01T12:00:00Z/1/n\0",
        "2026-03-01T12:00:00Z/9223372036854775808/n",
        "2026-03-01T12:00:00Z/-1/n",
    ],
)
async def test_what_is_no_cursor_is_refused(tmp_path: Path, cursor: str) -> None:
    async with store(tmp_path) as opened:
        with pytest.raises(InvalidInput):
            await opened.read(lambda connection: page(connection, Wanted(cursor=cursor)))


async def test_the_list_has_what_was_handed_in_just_now_and_only_what_the_caller_may_see(
    database_url: str, tmp_path: Path
) -> None:
    async with store(tmp_path, database_url) as opened, trail(opened) as audit:
        audit.put(record(1))
        audit.put(record(2, actor="user:ann", subject="owner"))
        reply = await call(AuditCapabilities(opened, audit, everybody), "audit.list", limit=1)
        assert [each["details"]["n"] for each in reply.data.records] == [2]
        assert reply.data.cursor
        reply = await call(AuditCapabilities(opened, audit, everybody), "audit.list", cursor=reply.data.cursor)
        assert [each["details"]["n"] for each in reply.data.records] == [1]
        reply = await call(AuditCapabilities(opened, audit, myself), "audit.list", since="2026-01-01T00:00:00Z")
        assert [each["details"]["n"] for each in reply.data.records] == [2]
        for wrong in ({"since": "yesterday"}, {"limit": 0}, {"kind": "nonsense"}, {"cursor": "x"}):
            reply = await call(AuditCapabilities(opened, audit, everybody), "audit.list", **wrong)
            assert isinstance(reply.error, InvalidInput)


async def test_the_head_is_where_the_chain_ends_with_the_newest_statement(database_url: str, tmp_path: Path) -> None:
    async with store(tmp_path, database_url) as opened:
        async with trail(opened) as audit:
            audit.put(record(1))
        async with trail(opened) as audit:
            audit.put(record(2))
            reply = await call(AuditCapabilities(opened, audit, everybody), "audit.head")
            (head,) = reply.data.heads
            assert (head.node, head.seq, head.anchored) == (opened.node, 2, 1)
            said = read(head.anchor)
            assert holds(said, OURS)
            assert (said.seq, said.node) == (1, opened.node)


async def test_a_trail_that_cannot_be_written_is_not_read_as_if_it_were_whole(tmp_path: Path) -> None:
    clock = ManualClock(START)
    async with store(tmp_path) as opened, trail(opened, clock, signer=None) as audit:
        away = sa.text("ALTER TABLE audit_record RENAME TO away")
        await opened.write(lambda connection: connection.execute(away))
        audit.put(record(1))
        reply = await call(AuditCapabilities(opened, audit, everybody), "audit.list")
        assert isinstance(reply.error, StorageError)
        back = sa.text("ALTER TABLE away RENAME TO audit_record")
        await opened.write(lambda connection: connection.execute(back))
