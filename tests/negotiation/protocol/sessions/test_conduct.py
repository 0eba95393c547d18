"""A negotiation from the first proposal to code on both sides, over any carrier, and started again at any point."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from moothall.clock import SystemClock
from moothall.errors import BudgetSpent, ModelUnavailable, NegotiationRejected
from moothall.negotiation.protocol.brain import Cases
from moothall.negotiation.protocol.conduct import Conducted, Side, conduct
from moothall.negotiation.protocol.limits import Limits
from moothall.negotiation.protocol.memory_journal import MemoryJournal
from moothall.negotiation.protocol.ports import Journal
from moothall.negotiation.protocol.results import NegotiationStatus, protocol_hash
from tests.negotiation.protocol.sessions.joined import (
    NEED,
    FakeCoder,
    ScriptedBrain,
    accepted,
    case,
    countered,
    protocol,
    rejected,
    wires,
)

CLOCK = SystemClock()
FAST = Limits(message_timeout=0.05, code_generation_timeout=0.05, negotiation_timeout=5)


def requester(brain: ScriptedBrain, **more: Any) -> Side:
    return Side(**{"role": "requester", "brain": brain, "need": NEED, "coder": FakeCoder(), **more})


def provider(brain: ScriptedBrain, **more: Any) -> Side:
    return Side(**{"role": "provider", "brain": brain, "coder": FakeCoder(), **more})


async def both(one: Side, other: Side) -> tuple[Conducted, Conducted]:
    left, right = wires()
    return await asyncio.gather(
        conduct(one, left, MemoryJournal(), CLOCK), conduct(other, right, MemoryJournal(), CLOCK)
    )


async def test_after_a_counter_proposal_both_sides_hold_the_same_protocol_and_are_ready() -> None:
    text = protocol("Get the schools of a user, by id.")
    ours, theirs = await both(requester(ScriptedBrain(accepted)), provider(ScriptedBrain(countered(text))))
    assert ours.document == theirs.document == text
    assert ours.digest == theirs.digest == protocol_hash(text)
    assert ours.ready
    assert theirs.ready
    assert [entry.own for entry in ours.history] == [True, False]
    assert ours.messages[:2] == theirs.messages[:2]


async def test_both_sides_code_with_the_cases_that_they_agreed_on() -> None:
    first, added = case("known user", "u1", "Wuhan University"), case("nobody", "u2")
    brain = ScriptedBrain(accepted, cases=[first], judged=lambda cases: Cases("accepted"))
    other = ScriptedBrain(accepted, judged=lambda cases: Cases("negotiating", (first, added), "one more"))
    one, two = FakeCoder(), FakeCoder()
    ours, theirs = await both(requester(brain, coder=one), provider(other, coder=two))
    assert ours.cases == theirs.cases == (first, added)
    assert one.coded == two.coded == [(protocol(), (first, added))]
    assert ours.ready
    assert theirs.ready


async def test_refused_cases_leave_both_without_any() -> None:
    brain = ScriptedBrain(accepted, cases=[case("one")])
    other = ScriptedBrain(accepted, judged=lambda cases: Cases("rejected", reason="no tests here"))
    ours, theirs = await both(requester(brain), provider(other))
    assert ours.cases == theirs.cases == ()
    assert ours.ready
    assert theirs.ready


async def test_cases_that_do_not_fit_the_agreed_schemas_are_not_proposed() -> None:
    bad = {"name": "bad", "request": {"user": 1}, "expected": {"code": 200, "schools": []}}
    ours, theirs = await both(
        requester(ScriptedBrain(accepted, cases=[bad, case("good")])), provider(ScriptedBrain(accepted))
    )
    assert ours.cases == theirs.cases == (case("good"),)


async def test_a_rejection_ends_both_sides_with_its_reason() -> None:
    ours, theirs = await both(requester(ScriptedBrain(accepted)), provider(ScriptedBrain(rejected("not our trade"))))
    assert ours.status is theirs.status is NegotiationStatus.REJECTED
    assert ours.reason == theirs.reason == "not our trade"
    assert not ours.document
    assert not ours.ready


async def test_sides_that_never_agree_stop_at_the_round_limit() -> None:
    never = [countered(protocol(f"Version {n}.")) for n in range(40)]
    ours, theirs = await both(requester(ScriptedBrain(*never[::2])), provider(ScriptedBrain(*never[1::2])))
    assert ours.status is theirs.status is NegotiationStatus.TIMEOUT
    assert len([m for _, m in ours.messages if m["status"] == "negotiating"]) <= Limits().max_rounds


@pytest.mark.requirement("META-LIMIT-04")
@pytest.mark.parametrize("side", ["requester", "provider"])
async def test_a_spent_budget_ends_both_sides_rejected_for_that_reason(side: str) -> None:
    spent, willing = ScriptedBrain(error=BudgetSpent("no more")), ScriptedBrain(accepted)
    brains = (ScriptedBrain(accepted), spent) if side == "provider" else (spent, willing)
    fast = Limits(message_timeout=0.05)
    ours, theirs = await both(requester(brains[0], limits=fast), provider(brains[1], limits=fast))
    failed = ours if side == "requester" else theirs
    assert failed.status is NegotiationStatus.REJECTED
    assert (failed.code, failed.reason) == ("budget", "budget")
    if side == "provider":
        assert ours.status is NegotiationStatus.REJECTED
        assert ours.reason == "budget"


async def test_a_model_that_cannot_be_asked_ends_it() -> None:
    broken = ScriptedBrain(error=ModelUnavailable("it is off"))
    ours, theirs = await both(requester(ScriptedBrain(accepted)), provider(broken))
    assert theirs.code == "model"
    assert ours.status is NegotiationStatus.REJECTED


async def test_a_need_that_is_not_clear_is_rejected_before_anything_is_sent() -> None:
    unclear = ScriptedBrain(error=NegotiationRejected("what is given is missing"))
    left, _ = wires()
    ours = await conduct(requester(unclear), left, MemoryJournal(), CLOCK)
    assert ours.status is NegotiationStatus.REJECTED
    assert "missing" in ours.reason
    assert left.sent == []


async def test_a_proposal_that_cannot_be_read_is_not_accepted_whatever_the_brain_says() -> None:
    left, right = wires()
    willing = provider(ScriptedBrain(accepted))
    left.incoming.put_nowait({})
    task = asyncio.ensure_future(conduct(willing, right, MemoryJournal(), CLOCK))
    await left.send(
        {"action": "protocolNegotiation", "sequenceId": 1, "candidateProtocols": "yes please", "status": "negotiating"}
    )
    theirs = await task
    assert theirs.status is NegotiationStatus.REJECTED
    assert theirs.reason


@pytest.mark.requirement("META-LIMIT-03")
@pytest.mark.parametrize("role", ["requester", "provider"])
async def test_a_silent_peer_ends_it_at_the_limit_and_leaves_no_task(role: str) -> None:
    before = asyncio.all_tasks()
    left, _ = wires()
    make = requester if role == "requester" else provider
    ours = await conduct(make(ScriptedBrain(accepted), limits=FAST), left, MemoryJournal(), CLOCK)
    assert ours.status is NegotiationStatus.TIMEOUT
    assert asyncio.all_tasks() == before


@pytest.mark.requirement("META-LIMIT-03")
async def test_a_brain_that_never_answers_ends_it_at_the_limit_of_the_whole() -> None:
    class Endless(ScriptedBrain):
        async def propose(self, need: object) -> str:
            await asyncio.Event().wait()
            return ""

    left, _ = wires()
    ours = await conduct(
        requester(Endless(accepted), limits=Limits(negotiation_timeout=0.05)), left, MemoryJournal(), CLOCK
    )
    assert ours.status is NegotiationStatus.TIMEOUT


@pytest.mark.requirement("META-LIMIT-07")
@pytest.mark.parametrize("failing", ["requester", "provider"])
async def test_code_that_cannot_be_made_leaves_neither_side_ready(failing: str) -> None:
    coders = {role: FakeCoder(fails=role == failing) for role in ("requester", "provider")}
    ours, theirs = await both(
        requester(ScriptedBrain(accepted), coder=coders["requester"]),
        provider(ScriptedBrain(accepted), coder=coders["provider"]),
    )
    assert not ours.ready
    assert not theirs.ready
    assert {ours.code, theirs.code} == {"generation", "peer_generation"}


async def test_a_peer_that_leaves_ends_it() -> None:
    left, _ = wires()
    left.incoming.put_nowait(None)  # type: ignore[arg-type]
    ours = await conduct(requester(ScriptedBrain(accepted)), left, MemoryJournal(), CLOCK)
    assert ours.code == "left"


@pytest.mark.parametrize(
    "message",
    [
        {"action": "protocolNegotiation"},
        {"action": "nonsense"},
        {"action": "protocolNegotiation", "sequenceId": 7, "candidateProtocols": "x", "status": "negotiating"},
        {"action": "protocolNegotiation", "sequenceId": 2, "candidateProtocols": "other", "status": "accepted"},
    ],
    ids=["missing", "action", "sequence", "other text"],
)
async def test_messages_that_break_the_rules_are_answered_with_an_error(message: dict[str, Any]) -> None:
    left, right = wires()
    for _ in range(5):
        left.incoming.put_nowait(message)
    ours = await conduct(requester(ScriptedBrain(accepted), limits=FAST), left, MemoryJournal(), CLOCK)
    assert ours.status is not NegotiationStatus.ACCEPTED
    assert any(sent["action"] == "error" for sent in left.sent)
    assert not right.sent


async def test_an_acceptance_as_the_very_first_message_is_an_error() -> None:
    left, right = wires()
    await left.send(
        {"action": "protocolNegotiation", "sequenceId": 1, "candidateProtocols": protocol(), "status": "accepted"}
    )
    theirs = await conduct(provider(ScriptedBrain(accepted)), right, MemoryJournal(), CLOCK)
    assert theirs.code == "violation"
    assert right.sent[0]["action"] == "error"


async def test_a_known_protocol_is_accepted_without_asking_the_brain() -> None:
    asked: list[str] = []

    async def known(digest: str) -> bool:
        asked.append(digest)
        return True

    brain = ScriptedBrain(rejected("never"))
    ours, theirs = await both(requester(ScriptedBrain(accepted)), provider(brain, known=known))
    assert ours.ready
    assert theirs.ready
    assert asked == [protocol_hash(protocol())]
    assert brain.asked == 0


class _Dying(MemoryJournal):
    """Stops the run after a number of new steps."""

    def __init__(self) -> None:
        super().__init__()
        self.left = 0

    async def step(self, key: str, fn: Any) -> object:
        if key in self.keys:
            return await super().step(key, fn)
        if self.left == 0:
            raise _DiedError
        self.left -= 1
        return await super().step(key, fn)


class _DiedError(Exception):
    pass


@pytest.mark.requirement("META-LIMIT-04")
async def test_a_run_killed_after_every_step_says_and_decides_everything_once() -> None:
    """Both sides start again after each recorded step; nothing is sent, asked or coded twice."""
    text = protocol("Get the schools of a user, by id.")
    cases = [case("known user", "u1", "Wuhan University")]
    brains = ScriptedBrain(accepted, cases=cases), ScriptedBrain(countered(text))
    coders = FakeCoder(), FakeCoder()
    left, right = wires()
    sides = requester(brains[0], coder=coders[0]), provider(brains[1], coder=coders[1])

    async def reborn(side: Side, wire: Any, journal: _Dying) -> Conducted:
        while True:
            journal.left = 1
            try:
                return await conduct(side, wire, journal, CLOCK)
            except _DiedError:
                await asyncio.sleep(0)

    ours, theirs = await asyncio.gather(reborn(sides[0], left, _Dying()), reborn(sides[1], right, _Dying()))
    assert ours.digest == theirs.digest == protocol_hash(text)
    assert ours.ready
    assert theirs.ready
    assert ours.cases == theirs.cases == tuple(cases)
    assert brains[0].asked == 3  # the proposal, the counter-proposal, the cases
    assert brains[1].asked == 2  # the proposal, the cases
    assert len(coders[0].coded) == len(coders[1].coded) == 1
    assert len({(m["action"], m.get("sequenceId"), m["status"]) for m in left.sent}) == len(left.sent)


def test_a_journal_is_a_port() -> None:
    journal: Journal = MemoryJournal()
    assert journal is not None


async def test_a_journal_runs_each_step_once_even_when_it_is_asked_for_twice_at_once() -> None:
    journal, runs = MemoryJournal(), []

    async def fn() -> object:
        runs.append(1)
        await asyncio.sleep(0)
        return {"n": len(runs)}

    assert await asyncio.gather(journal.step("k", fn), journal.step("k", fn)) == [{"n": 1}, {"n": 1}]
