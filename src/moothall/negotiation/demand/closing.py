"""After the rounds: what is missing, whether to look further, what to settle for (spec C §2.3 step 10)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from moothall.messages import Lang, text
from moothall.negotiation.demand.ending import Agreement, fail, finalize
from moothall.negotiation.demand.models import Requirement
from moothall.negotiation.demand.outcome import FailReason, Verdict
from moothall.negotiation.demand.plan_models import (
    Assignment,
    Compromise,
    Feedback,
    Gap,
    Proposal,
    core_agents,
    uncovered,
)
from moothall.negotiation.demand.prompts import COMPROMISE, GAPS, RECURSE
from moothall.negotiation.demand.questions import CompromiseInput, GapInput, RecurseInput
from moothall.negotiation.demand.rounds import RoundsEnd
from moothall.negotiation.demand.rules.present import Present
from moothall.negotiation.demand.standins import StandIns, present
from moothall.negotiation.demand.subnet import SubnetManager
from moothall.negotiation.demand.talks import Talks


class Closing:
    """Brings one channel to its end."""

    def __init__(self, talks: Talks, subnets: SubnetManager, stand_ins: StandIns) -> None:
        self._talks = talks
        self._subnets = subnets
        self._stand_ins = stand_ins

    async def after_rounds(self, end: RoundsEnd) -> None:
        """Close gaps where that can be done, settle the rest, and write the terminal event."""
        if end.outcome.verdict is Verdict.FAIL:
            await self._failed(end)
            return
        end = replace(end, proposal=self._without(end))
        if self._talks.depth == 0:
            end = await self._stand_ins.fill(end)
        plan = end.proposal
        gaps = await self._gaps(plan, end)
        alternatives: tuple[Assignment, ...] = ()
        if gaps:
            plan, alternatives = await self._look_further(end, gaps)
            open_now = {item.tag for item in uncovered(self._talks.demand.requirements, plan.assignments)}
            gaps = [gap for gap in gaps if self._still_open(gap, open_now, plan)]
        compromise = None
        if gaps or end.outcome.divided:
            compromise = await self._compromise(plan, gaps, end.feedbacks, "divided" if end.outcome.divided else "gaps")
            plan, gaps = self._settled(present(self._talks, end), plan, gaps, compromise)
        plan = plan.model_copy(update={"gaps": tuple(gap.gap_type for gap in gaps)})
        agreement = Agreement(
            full=not gaps and not end.outcome.divided and self._consented(plan, end),
            rounds_taken=end.round,
            unconfirmed=_unconfirmed(plan, end),
            gaps=gaps,
            compromise=compromise,
            suggestions=[self._instead(item, gaps) for item in alternatives],
        )
        await finalize(self._talks.channel, self._talks.demand, plan, agreement)

    async def without_plan(self, reason: FailReason, code: str = "") -> None:
        """Fail before there was a plan; prompt 9 says what could be done instead.

        ``code`` is that of the failure which left every answer unknown.
        """
        requirements = self._talks.demand.requirements
        gaps = [_gap(item, self._talks.demand.lang) for item in requirements]
        compromise = None
        if reason is not FailReason.NO_ANSWER:
            compromise = await self._compromise(None, gaps, (), str(reason))
        await fail(self._talks.channel, reason, self._talks.demand, gaps=gaps, compromise=compromise, code=code)

    async def _failed(self, end: RoundsEnd) -> None:
        reason = end.outcome.reason or FailReason.NO_AGREEMENT
        left = self._without(end)
        gaps = await self._gaps(left, end)
        compromise = await self._compromise(left, gaps, end.feedbacks, str(reason))
        await fail(
            self._talks.channel, reason, self._talks.demand, proposal=end.proposal, gaps=gaps, compromise=compromise
        )

    async def _gaps(self, plan: Proposal, end: RoundsEnd) -> list[Gap]:
        """Prompt 7; a sub-negotiation asks no brain what a comparison of tags shows."""
        talks = self._talks
        offers = {**talks.offers, **{offer.agent_id: offer for offer in end.offers}}
        data = GapInput(
            demand=talks.demand,
            final_proposal=plan,
            agent_feedbacks=tuple(end.feedbacks),
            offers=tuple(offers.values()),
        )
        found = await talks.decisions.decide("gaps", GAPS, data, by_rules=talks.depth > 0)
        if found.value.gaps:
            shown = [gap.model_dump(mode="json") for gap in found.value.gaps]
            event = talks.channel.event("gaps.identified", "gap.identified", gaps=shown, **found.marks())
            await talks.run.emit(event)
        return list(found.value.gaps)

    async def _look_further(self, end: RoundsEnd, gaps: Sequence[Gap]) -> tuple[Proposal, tuple[Assignment, ...]]:
        """Prompt 8 and, if it says so, one sub-negotiation.

        Returns the plan with what that found, and beside it what was found instead of what was asked for: related
        capabilities, which the requester may want and did not order.
        """
        talks, plan = self._talks, end.proposal
        if talks.depth > 0:
            return plan, ()
        leads = await self._subnets.leads(gaps, plan)
        data = RecurseInput(
            demand=talks.demand,
            gaps=tuple(gaps),
            current_proposal=plan,
            estimated_cost=self._subnets.cost([lead for lead in leads if lead.able]),
            depth=talks.depth,
            askable={lead.gap.gap_type: lead.able for lead in leads},
            limits=talks.limits.recursion,
        )
        decision = await talks.decisions.decide("recurse", RECURSE, data)
        if not decision.value.should_recurse:
            return plan, ()
        wanted = [lead for lead in leads if lead.able] or list(leads)
        found = await self._subnets.negotiate(wanted, decision, plan)
        if found is None or (found.assignments and found.cost.currency != plan.cost.currency):
            return plan, ()
        other = {lead.concept for lead in wanted if lead.alternative}
        alternatives = tuple(item for item in found.assignments if item.concept in other)
        wanted_too = [item for item in found.assignments if item.concept not in other]
        if not wanted_too:
            return plan, alternatives
        now = present(talks, end)
        came = now.of(found, wanted_too).assignments if alternatives else found.assignments
        return now.of(plan, (*plan.assignments, *came)), alternatives

    async def _compromise(
        self, plan: Proposal | None, gaps: Sequence[Gap], feedbacks: Sequence[Feedback], reason: str
    ) -> Compromise:
        """Prompt 9; a sub-negotiation leaves it to rules, for the negotiation that opened it settles the whole."""
        talks = self._talks
        data = CompromiseInput(
            demand=talks.demand,
            available_resources=plan.assignments if plan else (),
            gaps=tuple(gaps),
            feedbacks=tuple(feedbacks),
            declines=tuple(
                {
                    "agent_id": offer.agent_id,
                    "display_name": offer.display_name,
                    "reason": offer.decline_reason,
                    "refusals": list(offer.refusals),
                }
                for _, offer in sorted(talks.offers.items())
                if offer.decision == "decline"
            ),
            offers=tuple(offer for _, offer in sorted(talks.offers.items()) if offer.decision != "decline"),
            reason=reason,
        )
        return (await talks.decisions.decide("compromise", COMPROMISE, data, by_rules=talks.depth > 0)).value

    def _settled(
        self, now: Present, plan: Proposal, gaps: list[Gap], compromise: Compromise
    ) -> tuple[Proposal, list[Gap]]:
        """The plan as the compromise keeps it, and what that leaves open."""
        kept = {(item.agent_id, item.concept) for item in compromise.assignments}
        assignments = tuple(item for item in plan.assignments if (item.agent_id, item.concept) in kept)
        known = {gap.gap_type for gap in gaps}
        lost = uncovered(self._talks.demand.requirements, assignments)
        if len(assignments) < len(plan.assignments):
            plan = now.of(plan, assignments)
        return plan, [
            *gaps,
            *(_gap(item, self._talks.demand.lang) for item in lost if item.tag not in known),
        ]

    def _without(self, end: RoundsEnd) -> Proposal:
        """The plan of the last round without those who left."""
        plan, gone = end.proposal, set(end.withdrawn)
        kept = [item for item in plan.assignments if item.agent_id not in gone]
        if len(kept) == len(plan.assignments):
            return plan
        return present(self._talks, end).of(plan, kept)

    def _instead(self, found: Assignment, gaps: Sequence[Gap]) -> str:
        """An alternative in words: who could do what for how much, in place of what is missing."""
        tags = [
            gap.gap_type
            for gap in gaps
            if found.concept in map(self._talks.vocabulary.key, gap.suggested_capability_tags)
        ]
        return text(
            "channel.advice.alternative",
            self._talks.demand.lang,
            name=found.display_name,
            role=found.role,
            price=f"{found.price:g} {found.currency}",
            gap=tags[0] if tags else found.role,
        )

    def _still_open(self, gap: Gap, open_now: set[str], plan: Proposal) -> bool:
        wanted = {gap.gap_type, *gap.suggested_capability_tags}
        known = {item.tag for item in self._talks.demand.requirements}
        if wanted & known:
            return bool(wanted & open_now)
        keys = {self._talks.vocabulary.key(tag) for tag in wanted}
        return not any(item.concept in keys for item in plan.assignments)

    def _consented(self, plan: Proposal, end: RoundsEnd) -> bool:
        """Every core role, whoever joined and at least one participant accepted explicitly; no condition is open."""
        explicit = {item.agent_id for item in end.feedbacks if item.feedback_type == "accept" and not item.by_default}
        reviewed = set(end.proposal.assignees())
        core = core_agents(self._talks.demand.requirements, plan.assignments) & reviewed
        settled = all(condition.status != "open" for item in plan.assignments for condition in item.conditions)
        return bool(explicit) and core.union(end.joined) <= explicit and settled


def _gap(requirement: Requirement, lang: Lang) -> Gap:
    """A requirement nobody covers, as a gap."""
    return Gap(
        gap_type=requirement.tag,
        importance=requirement.importance,
        reason=text("demand.gaps.nobody", lang, tag=requirement.tag),
        suggested_capability_tags=(requirement.tag,),
    )


def _unconfirmed(plan: Proposal, end: RoundsEnd) -> list[str]:
    """Those in the plan whose consent was not given in words."""
    explicit = {item.agent_id for item in end.feedbacks if item.feedback_type == "accept" and not item.by_default}
    reviewed = set(end.proposal.assignees())
    return [name for name in plan.assignees() if name in reviewed and name not in explicit]
