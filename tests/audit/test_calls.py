"""Calls on record, from the call path to the verified chain (rows POL-08, DEL-05)."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from moothall.audit.listing import Wanted, page
from moothall.calls.meter import OK
from moothall.capability.decorators import capability
from moothall.errors import PermissionDeniedError, Unavailable
from moothall.identity.principal import ANONYMOUS, OWNER
from moothall.storage.store import Store
from tests.audit.chains import START, found, run, store, trail
from tests.calls.hall import ALICE, Hall
from tests.support.clock import ManualClock

AWAY = sa.text("ALTER TABLE audit_record RENAME TO away")
BACK = sa.text("ALTER TABLE away RENAME TO audit_record")


@capability(access="authenticated", read_only=True)
async def weather(city: str) -> str:
    """The weather."""
    return f"sun in {city}"


@capability(access="authenticated", read_only=True, classification=2)
async def salaries() -> str:
    """What everybody earns."""
    OPENED.append("salaries")
    return "much"


@capability
async def inner() -> str:
    """For the owner."""
    return "mine"


OPENED: list[str] = []


async def listed(of: Store) -> list[dict[str, Any]]:
    return (await of.read(lambda connection: page(connection, Wanted()))).records[::-1]


@pytest.mark.requirement("POL-08")
async def test_each_allow_and_each_deny_leaves_a_record_and_a_changed_one_is_found(
    database_url: str, tmp_path: Path
) -> None:
    async with store(tmp_path, database_url) as opened:
        async with trail(opened) as audit:
            hall = Hall(weather, inner, recorder=audit)
            assert (await hall.call("weather", ALICE, "http", city="Oslo")).data == "sun in Oslo"
            assert (await hall.call("inner", OWNER)).data == "mine"
            assert isinstance((await hall.call("inner", ALICE, "http")).error, PermissionDeniedError)
            assert (await hall.call("weather", ANONYMOUS, "http", city="Oslo")).error is not None
        rows = await listed(opened)
        said = [(row["kind"], row["effect"], row["actor"], row["resource"], row["action"]) for row in rows]
        assert said[:3] == [
            ("call", "allow", ALICE.id, "node.weather", "read"),
            ("call", "allow", "owner", "node.inner", "write"),
            ("decision", "deny", ALICE.id, "node.inner", "write"),
        ]
        assert [row["details"]["outcome"] for row in rows[:2]] == [OK, OK]
        assert "Oslo" not in str(rows)
        assert all(row["policies"] or row["reason"] for row in rows)
        assert len(rows) == 4
        assert rows[3]["actor"] == "anonymous"
        changed = sa.text("UPDATE audit_record SET body = replace(body, 'deny', 'allow') WHERE seq = 3")
        await run(opened, changed)
        (finding,) = await found(opened)
        assert finding.fault is not None
        assert finding.fault.seq == 3


@pytest.mark.requirement("POL-08")
async def test_with_the_audit_store_down_sensitive_calls_are_refused_and_others_are_buffered(
    database_url: str, tmp_path: Path
) -> None:
    clock = ManualClock(START)
    OPENED.clear()
    async with store(tmp_path, database_url) as opened:
        async with trail(opened, clock, signer=None) as audit:
            hall = Hall(weather, salaries, recorder=audit)
            assert (await hall.call("salaries", OWNER)).data == "much"
            await run(opened, AWAY)
            for _ in range(2):
                assert isinstance((await hall.call("salaries", OWNER)).error, Unavailable)
            assert OPENED == ["salaries"]
            assert (await hall.call("weather", ALICE, "http", city="Oslo")).data == "sun in Oslo"
            await clock.sleeping()
            await run(opened, BACK)
        rows = [row for row in await listed(opened) if row["effect"] == "allow"]
        assert [row["resource"] for row in rows].count("node.weather") == 1
        (finding,) = await found(opened)
        assert finding.fault is None
