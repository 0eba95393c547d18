"""Who may leave how much in the mailbox of another, and what makes room there."""

from __future__ import annotations

import pytest

from moothall.errors import AgentNotFound, Overloaded, RateLimited
from moothall.events.model import Draft
from moothall.groups.channel import MESSAGE, reply_key
from moothall.groups.mailboxes import Mailboxes, MailboxLimits
from tests.groups.house import GroupHouse, did

ANN, BEN, CID = did("ann"), did("ben"), did("cid")


def boxes(house: GroupHouse, **limits: float) -> Mailboxes:
    found = MailboxLimits(**limits)  # type: ignore[arg-type]
    return Mailboxes(house.house.storage, house.topics, house.house.clock, lambda _: True, found)


async def held(house: GroupHouse, box: str) -> list[tuple[str, int]]:
    found = [event.payload for event in await house.topics.load(box) if event.public]
    return [(payload["sender"], payload["n"]) for payload in found]


def said(sender: str, n: int, **more: object) -> dict[str, object]:
    return {"sender": sender, "n": n, **more}


@pytest.mark.requirement("RTC-05")
async def test_one_sender_cannot_fill_the_box_of_another(house: GroupHouse) -> None:
    mail = boxes(house, messages=8, share=0.25)
    for n in range(2):
        await mail.put(ANN, BEN, str(n), said(BEN, n))
    for n in range(2, 5):
        with pytest.raises(RateLimited) as refused:  # its own doing, and no illness of the node
            await mail.put(ANN, BEN, str(n), said(BEN, n))
        assert refused.value.details == {"retry_after": 60}
    repeated = await mail.put(ANN, BEN, "1", said(BEN, 1))  # it is there: its sender is told so again
    fresh = await mail.put(ANN, CID, "0", said(CID, 0))
    assert await held(house, fresh.run) == [(BEN, 0), (BEN, 1), (CID, 0)]
    await mail.read(fresh.run, repeated.seq + 1)
    await mail.put(ANN, BEN, "2", said(BEN, 2))  # what was read is in nobody's share


async def test_a_box_that_others_filled_is_full_for_whoever_has_said_nothing(house: GroupHouse) -> None:
    mail = boxes(house, messages=4, share=0.5)
    for n in range(4):
        await mail.put(ANN, (BEN, CID)[n % 2], str(n), said(BEN, n))
    with pytest.raises(Overloaded):
        await mail.put(ANN, did("dan"), "0", said(did("dan"), 0))
    with pytest.raises(RateLimited):
        await mail.put(ANN, BEN, "4", said(BEN, 4))


async def test_bytes_are_shared_as_messages_are(house: GroupHouse) -> None:
    mail = boxes(house, bytes=4_000, share=0.25)
    await mail.put(ANN, BEN, "0", said(BEN, 0, text="x" * 1_500))
    with pytest.raises(RateLimited):
        await mail.put(ANN, BEN, "1", said(BEN, 1))
    await mail.put(ANN, CID, "0", said(CID, 0))


async def test_what_was_answered_makes_room_and_what_waits_stays(house: GroupHouse) -> None:
    mail = boxes(house, messages=8, share=0.5)
    first = await mail.put(ANN, CID, "waits", said(CID, 0))
    for n in range(40):  # a handler of ann's answers each of them
        event = await mail.put(ANN, BEN, str(n), said(BEN, n))
        await house.topics.append(event.run, Draft(reply_key(event.key, "desk.hear"), "agent.answered", {}))
    kept = await held(house, first.run)
    assert kept[0] == (CID, 0)
    assert kept[-1] == (BEN, 39)
    assert len(kept) <= 8
    events = await house.topics.load(first.run)
    assert sum(not event.public for event in events) == len(kept) - 1  # answers go with what they answer


async def test_what_nobody_reads_goes_after_days_wherever_it_stands(house: GroupHouse) -> None:
    mail = boxes(house, days=1)
    old = await mail.put(ANN, BEN, "old", said(BEN, 0))
    await mail.read(old.run, 0)
    await house.house.clock.advance(100_000)
    await mail.put(ANN, BEN, "new", said(BEN, 1))
    assert await held(house, old.run) == [(BEN, 1)]


async def test_a_box_that_was_never_opened_takes_nothing(house: GroupHouse) -> None:
    limits = MailboxLimits()
    mail = Mailboxes(house.house.storage, house.topics, house.house.clock, lambda _: False, limits)
    with pytest.raises(AgentNotFound):
        await mail.put(ANN, BEN, "0", said(BEN, 0))
    box = await mail.open(ANN)
    assert MESSAGE not in {event.type for event in await house.topics.load(box)}
    await mail.put(ANN, BEN, "0", said(BEN, 0))
