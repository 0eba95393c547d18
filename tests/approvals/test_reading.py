"""Lists and views: everybody sees what concerns them, page by page."""

from __future__ import annotations

import pytest

from moothall.approvals.kept import OPENED
from moothall.errors import Forbidden, InvalidInput, ServiceNotFoundError, StorageError
from moothall.events.retention import Retention
from tests.approvals.hall import ANNA, ASKER, BEN, OPERATOR, STRANGER, Hall, Site, ask, config
from tests.events.remains import everything

STEPS = config({"approvers": ["user:anna"]})


async def asked(site: Site, number: int) -> list[str]:
    made = []
    for n in range(number):
        begun = await site.desk.ask(ask(ASKER if n % 2 else STRANGER, workflow="two-eyes", n=n))
        await site.until(begun.id, OPENED)
        made.append(begun.id)
    return made


async def test_each_sees_its_own_what_waits_for_it_and_the_operator_all(hall: Hall) -> None:
    site = await hall.site(STEPS)
    ids = set(await asked(site, 4))
    mine = await site.desk.page(ASKER, whose="mine")
    assert [one.requester for one in mine.approvals] == [ASKER.id] * 2
    waiting = await site.desk.page(ANNA, whose="waiting")
    assert {one.approval_id for one in waiting.approvals} == ids
    assert {one.approval_id for one in (await site.desk.page(OPERATOR)).approvals} == ids
    assert {one.approval_id for one in (await site.desk.page(OPERATOR, whose="all")).approvals} == ids
    assert (await site.desk.page(BEN)).approvals == []
    with pytest.raises(Forbidden):
        await site.desk.page(ASKER, whose="all")
    decided = waiting.approvals[0].approval_id
    await site.desk.decide(ANNA, decided, "rejected")
    left = await site.desk.page(ANNA, whose="waiting")
    assert {one.approval_id for one in left.approvals} == ids - {decided}
    ended = await site.desk.page(ANNA, status="rejected")
    assert [(one.approval_id, one.status, one.waiting_for) for one in ended.approvals] == [(decided, "rejected", [])]


async def test_pages_follow_each_other_without_a_hole_or_a_double(hall: Hall, monkeypatch: pytest.MonkeyPatch) -> None:
    site = await hall.site(STEPS)
    ids = await asked(site, 5)
    seen: list[str] = []
    cursor = ""
    while True:
        page = await site.desk.page(OPERATOR, limit=2, cursor=cursor)
        seen += [one.approval_id for one in page.approvals]
        if not (cursor := page.next_cursor or ""):
            break
    assert sorted(seen) == sorted(ids)
    monkeypatch.setattr("moothall.approvals.reader.MAX_SCANNED", 2)
    monkeypatch.setattr("moothall.approvals.reader.BATCH", 2)
    short = await site.desk.page(BEN, limit=2)
    assert short.approvals == []
    assert short.next_cursor is not None
    for odd in ("x", "2026-13-40T10:05:00.000Z~ap-0000000000000000"):
        with pytest.raises(InvalidInput):
            await site.desk.page(OPERATOR, cursor=odd)


async def test_what_is_shown_is_the_very_call_and_texts_stay_as_they_are(hall: Hall) -> None:
    site = await hall.site(STEPS)
    begun = await site.desk.ask(ask(workflow="two-eyes", to="<script>", amount=7))
    await site.until(begun.id, OPENED)
    for who in (ASKER, ANNA, OPERATOR):
        shown = await site.desk.show(who, begun.id)
        assert shown.arguments == {"to": "<script>", "amount": 7}
        assert (shown.digest, shown.policy) == (begun.digest, "finance.large-payments")
        assert (shown.status, shown.current_step, shown.waiting_for) == ("pending", 0, ["user:anna"])


async def test_a_change_that_cannot_be_recorded_is_not_made_and_goes_on_when_it_can(hall: Hall) -> None:
    hall.records.failing = StorageError("the audit trail cannot be written")
    site = await hall.site(STEPS, name="node")
    begun = await site.desk.ask(ask(workflow="two-eyes"))
    await hall.records.refused.wait()
    assert not (await site.told(begun.id))[OPENED]
    await hall.house.stack.aclose()
    hall.records.failing = None
    site = await hall.site(STEPS, name="node")
    await site.until(begun.id, OPENED)
    assert (await site.desk.decide(ANNA, begun.id, "approved")).status == "approved"
    await site.end(begun.id)
    assert [(one.action, one.actor, one.subject) for one in hall.records.kept] == [
        ("asked", ASKER.id, ASKER.id),
        ("decided", ANNA.id, ASKER.id),
        ("executed", ASKER.id, ASKER.id),
    ]
    assert all(one.kind == "approval" and one.resource == begun.id for one in hall.records.kept)
    assert hall.records.kept[1].details == {"target": "bank.transfer@1.0.0", "step": 0, "decision": "approved"}


async def test_what_ended_long_ago_is_erased_with_its_call_and_its_id_is_not_given_again(hall: Hall) -> None:
    site = await hall.site(STEPS)
    secret = "words-of-a-person"
    begun = await site.desk.ask(ask(workflow="two-eyes", note=secret))
    await site.until(begun.id, OPENED)
    await site.desk.decide(ANNA, begun.id, "rejected", secret)
    await site.end(begun.id)
    await hall.clock.advance(40 * 86_400)
    assert await Retention(site.log, 30).sweep(hall.clock.now()) == 1
    assert secret not in await everything(site.log.store)
    assert await site.desk.standing(begun.id) is None
    with pytest.raises(ServiceNotFoundError):
        await site.desk.show(ASKER, begun.id)
    assert (await site.desk.page(OPERATOR)).approvals == []
    again = await site.desk.ask(ask(workflow="two-eyes", note=secret))
    assert (again.id != begun.id, again.status) == (True, "pending")
