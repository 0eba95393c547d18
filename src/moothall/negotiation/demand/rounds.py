"""The rounds of a negotiation: review, evaluate, adjust, at most three times (spec C §2.3 steps 6 to 9)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from moothall.clock import rfc3339
from moothall.events.model import Draft
from moothall.negotiation.demand.channel import Channel
from moothall.negotiation.demand.deciding import Recorded
from moothall.negotiation.demand.feedback import Call, Review
from moothall.negotiation.demand.machine import Trigger
from moothall.negotiation.demand.models import JsonObject, Offer
from moothall.negotiation.demand.outcome import FailReason, Outcome, Tally, Verdict, decide
from moothall.negotiation.demand.plan_models import AdjustedPlan, Feedback, PlanDraft, Proposal, core_agents
from moothall.negotiation.demand.prompts import ADJUST
from moothall.negotiation.demand.questions import AdjustInput
from moothall.negotiation.demand.revising import revised
from moothall.negotiation.demand.substitutes import Substitutes
from moothall.negotiation.demand.talks import Talks
from moothall.telemetry import logger

_log = logger("negotiation.demand")


@dataclass(slots=True)
class RoundsEnd:
    """How the rounds ended: the verdict, the last plan, and everybody's last word.

    ``offers`` are those that stand, with what their owners asked for since; ``joined`` are those who came into the plan
    after the last round, ``refused`` those who were asked to and did not agree.
    """

    outcome: Outcome
    proposal: Proposal
    round: int
    feedbacks: list[Feedback]
    silent: list[str]
    withdrawn: list[str]
    lost_core: frozenset[str] = field(default_factory=frozenset)
    offers: tuple[Offer, ...] = ()
    joined: tuple[str, ...] = ()
    refused: tuple[str, ...] = ()


class Rounds:
    """Runs the rounds of one channel."""

    def __init__(self, talks: Talks, substitutes: Substitutes) -> None:
        self._talks = talks
        self._substitutes = substitutes
        self._withdrawn: list[str] = []
        self._offers: dict[str, Offer] = {}

    async def run(self, first: Recorded[PlanDraft]) -> RoundsEnd:
        """Take the first plan through as many rounds as it needs."""
        talks, channel = self._talks, self._talks.channel
        proposal, marks = await self._propose(first.value, 1), {**first.marks(), "adjustment": None}
        enter: Sequence[Draft] = channel.move(Trigger.PLAN_READY)
        number = 1
        while True:
            _log.info("Channel %s 进入第 %d 轮协商", channel.channel_id, number)
            review = Review(talks, proposal, Call(f"r{number}", proposal.assignees(), number, channel.max_rounds))
            await review.distribute(enter, marks)
            feedbacks, silent = await review.collect()
            end = await self._evaluate(proposal, number, feedbacks, silent)
            if end.outcome.verdict in {Verdict.FINALIZE, Verdict.FAIL}:
                return end
            number += 1
            adjusted = await self._adjust(proposal, feedbacks, number)
            if not adjusted.value.assignments:
                return replace(end, outcome=Outcome(Verdict.FAIL, FailReason.NO_FEASIBLE_PLAN))
            proposal, marks = await self._propose(adjusted.value, number), _adjusted(adjusted)
            started = channel.event(
                f"round.{number}", "negotiation.round_started", round=number, max_rounds=channel.max_rounds
            )
            enter = (started, *channel.move(Trigger.NEXT_ROUND))

    async def _evaluate(
        self, proposal: Proposal, number: int, feedbacks: list[Feedback], silent: list[str]
    ) -> RoundsEnd:
        channel = self._talks.channel
        left = [item.agent_id for item in feedbacks if item.feedback_type == "withdraw"]
        self._withdrawn += left
        core = core_agents(self._talks.demand.requirements, proposal.assignments)
        lost = core & set(left)
        tally = Tally(
            round=number,
            participants=len(proposal.assignees()),
            accepts=_count(feedbacks, "accept"),
            negotiates=_count(feedbacks, "negotiate"),
            withdraws=len(left),
            defaults=sum(item.by_default for item in feedbacks),
            silent=len(silent),
            core_lost=bool(lost),
            max_rounds=channel.max_rounds,
        )
        await self._talks.run.emit(_evaluated(channel, tally))
        if lost and number < channel.max_rounds and 2 * len(left) <= tally.participants:
            found = await self._substitutes.find(proposal, lost, self._withdrawn, number)
            tally = replace(tally, substitute=found)
        outcome, offers = decide(tally), tuple(self._latest().values())
        return RoundsEnd(outcome, proposal, number, feedbacks, silent, list(self._withdrawn), lost, offers)

    def _latest(self) -> dict[str, Offer]:
        """The offers that stand, by agent, as the rounds so far have left them."""
        standing = self._talks.standing(self._withdrawn)
        return {offer.agent_id: self._offers.get(offer.agent_id, offer) for offer in standing}

    async def _adjust(self, proposal: Proposal, feedbacks: list[Feedback], number: int) -> Recorded[AdjustedPlan]:
        talks = self._talks
        self._offers = revised(self._latest(), feedbacks, proposal)
        data = AdjustInput(
            demand=talks.demand,
            current_proposal=proposal,
            feedbacks=tuple(feedbacks),
            round=number,
            offers=tuple(self._offers.values()),
            withdrawn=tuple(self._withdrawn),
            today=talks.today,
            seed=talks.seed,
        )
        return await talks.decisions.decide(f"adjust.r{number}", ADJUST, data)

    async def _propose(self, draft: PlanDraft, number: int) -> Proposal:
        """Give a draft its identity; when it was made is fixed in the log."""
        talks = self._talks
        await talks.run.emit(Draft(f"proposal.r{number}", "proposal", {"created_at": rfc3339(talks.run.clock.now())}))
        row = talks.run.recorded(f"proposal.r{number}")
        fields = {name: getattr(draft, name) for name in PlanDraft.model_fields}
        return Proposal(
            **fields,
            proposal_id=f"prop_{number:03d}",
            demand_id=talks.channel.demand_id,
            version=number,
            created_at=row.payload["created_at"] if row else "",
        )


def _count(feedbacks: Sequence[Feedback], kind: str) -> int:
    return sum(item.feedback_type == kind for item in feedbacks)


def _adjusted(adjusted: Recorded[AdjustedPlan]) -> JsonObject:
    """What the event of a changed plan says beside it: who changed it, and what became of every request."""
    return {**adjusted.marks(), "adjustment": adjusted.value.adjustment_summary.model_dump(mode="json")}


def _evaluated(channel: Channel, tally: Tally) -> Draft:
    return channel.event(
        f"evaluated.r{tally.round}",
        "feedback.evaluated",
        accepts=tally.accepts,
        rejects=tally.withdraws,
        negotiates=tally.negotiates,
        accept_rate=tally.accept_rate,
        round=tally.round,
        defaults=tally.defaults,
        silent=tally.silent,
        participants=tally.participants,
    )
