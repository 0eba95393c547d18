from __future__ import annotations

from datetime import UTC, datetime, timedelta

import sqlalchemy as sa

from moothall.clock import parse_rfc3339, rfc3339
from moothall.events import reading
from tests.events.house import BEGUN, House
from tests.support.clock import ManualClock

BEGIN = datetime(2026, 1, 1, tzinfo=UTC)


async def test_runs_of_one_moment_are_paged_without_a_hole_or_a_double(house: House) -> None:
    clock = ManualClock(BEGIN + timedelta(microseconds=1_999))
    log = await house.log(clock=clock)
    for number in (3, 1, 5, 2, 4):
        await log.create(f"d-0000000{number}", "test", [BEGUN], subject="ann")
    await log.create("d-00000006", "test", [BEGUN], subject="bob")
    seen: list[str] = []
    before = None
    while page := await log.runs(subject="ann", limit=2, before=before):
        seen += [record.id for record in page]
        before = (parse_rfc3339(rfc3339(page[-1].created_at)), page[-1].id)
    assert seen == [f"d-0000000{number}" for number in (5, 4, 3, 2, 1)]


async def test_a_run_that_comes_while_somebody_pages_moves_nothing(house: House) -> None:
    clock = ManualClock(BEGIN)
    log = await house.log(clock=clock)
    for number in range(4):
        await log.create(f"d-0000000{number}", "test", [BEGUN])
        await clock.advance(1)
    first = await log.runs(limit=2)
    await log.create("d-0000000f", "test", [BEGUN])
    second = await log.runs(limit=2, before=(first[-1].created_at, first[-1].id))
    assert [record.id for record in [*first, *second]] == ["d-00000003", "d-00000002", "d-00000001", "d-00000000"]


async def test_runs_are_listed_by_subject_and_without_those_that_belong_to_another(house: House) -> None:
    log = await house.log()
    await log.create("d-00000001", "test", [BEGUN], subject="ann")
    await log.create("d-00000002", "test", [BEGUN], parent="d-00000001")
    assert [record.id for record in await log.runs(top_level=True)] == ["d-00000001"]
    assert [record.subject for record in await log.runs(subject="ann")] == ["ann"]
    assert await log.runs(subject="nobody") == []


async def test_open_runs_are_counted_by_kind_and_subject_without_those_that_belong_to_another(house: House) -> None:
    log = await house.log()
    for number, (kind, subject) in enumerate([("test", "ann"), ("test", "ann"), ("test", "bob"), ("other", "ann")]):
        await log.create(f"d-0000000{number}", kind, [BEGUN], subject=subject)
    await log.create("d-0000000c", "test", [BEGUN], parent="d-00000000", subject="ann")
    assert await log.count_open("test", most=9) == 3
    assert await log.count_open("test", most=2) == 2
    assert await log.count_open("test", subject="ann", most=9) == 2
    await log.erase("d-00000000")
    assert await log.count_open("test", subject="ann", most=9) == 1


async def test_counting_open_runs_looks_at_nothing_but_open_runs(house: House) -> None:
    log = await house.log()

    def plan(connection: sa.Connection) -> str:
        sqlite = connection.dialect.name == "sqlite"
        if not sqlite:
            connection.execute(sa.text("SET LOCAL enable_seqscan = off"))
        question = str(reading.open_ones("test", "ann", 5).compile(connection, compile_kwargs={"literal_binds": True}))
        explain = "EXPLAIN QUERY PLAN " if sqlite else "EXPLAIN "
        return " ".join(str(tuple(row)) for row in connection.execute(sa.text(explain + question)))

    assert "run_open" in await log.store.read(plan)
