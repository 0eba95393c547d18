"""Old records go, and what is left can still be checked."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import sqlalchemy as sa

from moothall.audit.anchor_file import FILE
from moothall.audit.trail import AuditTrail, Terms
from moothall.storage.authority import audit_record
from tests.audit.chains import START, anchored, found, kept, record, run, store, trail
from tests.support.clock import ManualClock


async def days(audit: AuditTrail, clock: ManualClock, number: int, each: int = 3) -> None:
    """So many days, of so many records each, signed at the end of each."""
    for _ in range(number):
        for n in range(each):
            await audit.settle(record(n))
        await clock.advance(timedelta(days=1))
        await audit.flush()


async def test_records_go_up_to_a_signed_one_and_verification_begins_there(database_url: str, tmp_path: Path) -> None:
    clock = ManualClock(START)
    async with store(tmp_path, database_url) as opened:
        async with trail(opened, clock, terms=Terms(every=3)) as audit:
            await days(audit, clock, 5)
            assert await audit.prune(START + timedelta(days=1, hours=1)) == 6
            assert await audit.prune(START + timedelta(days=1, hours=1)) == 0
            await audit.flush()
        rows = await kept(opened)
        assert [row.seq for row in rows] == list(range(7, 17))
        assert '"action":"prune"' in rows[-1].body
        (finding,) = await found(opened)
        assert (finding.first, finding.last, finding.fault) == (7, 16, None)
        (tmp_path / FILE).unlink()
        (finding,) = await found(opened)
        assert (finding.first, finding.fault) == (7, None)
        async with trail(opened, clock) as audit:
            audit.put(record(0))
        (finding,) = await found(opened)
        assert (finding.last, finding.fault) == (17, None)


async def test_more_that_goes_than_was_signed_to_go_is_missed(tmp_path: Path) -> None:
    clock = ManualClock(START)
    async with store(tmp_path) as opened:
        async with trail(opened, clock, terms=Terms(every=3)) as audit:
            await days(audit, clock, 4)
            await audit.prune(START + timedelta(hours=1))
        await run(opened, sa.delete(audit_record).where(audit_record.c.seq == 4))
        (finding,) = await found(opened)
        assert finding.fault is not None
        assert (finding.fault.seq, finding.fault.trouble) == (4, "gap")


async def test_the_last_records_stay_however_old_they_are_and_so_does_what_is_not_signed(tmp_path: Path) -> None:
    clock = ManualClock(START)
    late = START + timedelta(days=90)
    async with store(tmp_path) as opened:
        async with trail(opened, clock, signer=None) as audit:
            assert await audit.prune(late) == 0
            await days(audit, clock, 2)
            assert await audit.prune(late) == 0
        async with trail(opened, clock) as audit:
            assert await audit.prune(late) == 0
        assert await anchored(opened) == [6]
        async with trail(opened, clock) as audit:
            assert await audit.prune(late) == 0
            await audit.settle(record(1))
            assert await audit.prune(late) == 6
        (finding,) = await found(opened)
        assert (finding.first, finding.last, finding.fault) == (7, 8, None)


async def test_a_row_that_differs_from_what_was_signed_is_not_hidden_by_pruning(tmp_path: Path) -> None:
    clock = ManualClock(START)
    async with store(tmp_path) as opened, trail(opened, clock, terms=Terms(every=3)) as audit:
        await days(audit, clock, 3)
        await run(opened, sa.update(audit_record).where(audit_record.c.seq.in_([3, 6])).values(hash="0" * 64))
        assert await audit.prune(START + timedelta(days=2)) == 0
        (finding,) = await found(opened)
        assert finding.fault is not None
        assert finding.fault.seq == 3
