"""Sub-negotiations: one level deep, one at a time, with a deadline (ADR-003, rows NEG-ARCH-03 and NEG-EVENT-15)."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Protocol

from moothall.directory.index import RegistrySnapshot
from moothall.directory.query import Query, Ranked, Wanted
from moothall.directory.retrieval import rank
from moothall.events.model import Draft
from moothall.negotiation.demand.channel import channel_id_of
from moothall.negotiation.demand.deciding import Recorded
from moothall.negotiation.demand.models import Constraints, DemandUnderstanding, JsonObject, Model, Requirement
from moothall.negotiation.demand.plan_models import Gap, Proposal, covered
from moothall.negotiation.demand.questions import EstimatedCost, RecursionDecision
from moothall.negotiation.demand.spending import Planned, estimate
from moothall.negotiation.demand.talks import Talks

MAX_CANDIDATES = 5
"""Agents asked by a sub-negotiation at the most."""

ABLE_FIT = 0.6
"""Fit from which an agent is worth asking in a sub-negotiation."""

MAX_ROUNDS = 1
"""Rounds of a sub-negotiation."""

_OWNERSHIP = ("requester_id", "stream_token")
"""What a sub-negotiation has of its parent's meta, so that whoever may see the one may see the other."""


class Lead(Model):
    """Where a gap could be closed: ``able`` agents not yet invited that hold ``concept``.

    ``alternative``: nobody holds what the gap asks for, but they hold something related to it.
    """

    gap: Gap
    concept: str
    able: int
    alternative: bool


class Spawner(Protocol):
    """Starts and cancels other runs; both calls may be repeated."""

    async def free_id(self) -> str:
        """A demand id that no run has."""
        ...

    async def spawn(self, demand_id: str, parent: str, meta: JsonObject) -> None:
        """Create a run for a sub-demand, unless it exists."""
        ...

    async def cancel(self, demand_id: str, key: str) -> None:
        """Ask a run to end; a run that has ended stays as it is."""
        ...


class SubnetManager:
    """Opens the sub-negotiation of one channel and brings back what it found."""

    def __init__(self, talks: Talks, spawner: Spawner) -> None:
        self._talks = talks
        self._spawner = spawner

    async def leads(self, gaps: Sequence[Gap], proposal: Proposal) -> tuple[Lead, ...]:
        """For each gap, whom to ask among those not invited yet: the capability itself, else one related to it.

        Counted are agents that can come and look able on the plan's day (row NEG-PROMPT-8b). What the registry says
        is recorded, since it may say something else when the run is replayed.
        """
        talks = self._talks
        day = date.fromisoformat(proposal.timeline.start_date)

        async def look() -> list[JsonObject]:
            pool = await talks.registered()
            worth = [gap for gap in gaps if gap.importance >= talks.limits.recursion.min_importance]
            return [self._lead(gap, pool, day).model_dump(mode="json") for gap in worth]

        return tuple(Lead.model_validate(row) for row in await talks.run.step("subnet.leads", look))

    def _lead(self, gap: Gap, pool: RegistrySnapshot, day: date) -> Lead:
        own = _concept(gap, self._talks)
        key = self._talks.vocabulary.key
        concepts = dict.fromkeys((own, *(key(tag) for tag in gap.suggested_capability_tags)))
        counted = ((concept, self._able(concept, gap, pool, day)) for concept in concepts)
        concept, able = next((found for found in counted if found[1]), (own, 0))
        return Lead(gap=gap, concept=concept, able=able, alternative=concept != own)

    def _able(self, concept: str, gap: Gap, pool: RegistrySnapshot, day: date) -> int:
        talks, limits = self._talks, self._talks.demand.constraints
        query = Query(
            wanted=(Wanted(concept, gap.importance),),
            city=limits.city,
            online=limits.online,
            date_start=day,
            date_end=day,
            today=talks.today,
            attendees=limits.attendees,
            theme=limits.theme,
            excluded=frozenset(item.agent_id for item in talks.invited),
        )
        return min(sum(_looks_able(item, day) for item in rank(pool, query)), MAX_CANDIDATES)

    def cost(self, leads: Sequence[Lead]) -> EstimatedCost:
        """What a sub-negotiation for these leads would cost beside what the run has cost so far."""
        asked = min(sum(lead.able for lead in leads), MAX_CANDIDATES)
        return estimate(Planned(asked, min(len(leads), asked)), self._talks.run.history)

    async def negotiate(
        self, leads: Sequence[Lead], decided: Recorded[RecursionDecision], proposal: Proposal
    ) -> Proposal | None:
        """Run one sub-negotiation for the gaps behind ``leads``; its plan, or ``None`` when it found none in time.

        Whatever comes after the deadline is ignored: the gap stays open.
        """
        talks, run = self._talks, self._talks.run
        sub_id = str((await run.step("subnet.id", self._new_id))["demand_id"])
        understanding = self._understanding(leads, decided.value, proposal)
        meta = {
            "depth": talks.depth + 1,
            "today": talks.today.isoformat(),
            "parent": {"demand_id": talks.channel.demand_id, "channel_id": talks.channel.channel_id},
            "understanding": understanding.model_dump(mode="json"),
            "excluded": sorted(item.agent_id for item in talks.invited),
            **{key: run.record.meta[key] for key in _OWNERSHIP if key in run.record.meta},
        }
        await self._spawner.spawn(sub_id, run.id, meta)
        ids = {"sub_demand_id": sub_id, "sub_channel_id": channel_id_of(sub_id)}
        await run.emit(
            talks.channel.event(
                "subnet.triggered",
                "subnet.triggered",
                parent_channel_id=talks.channel.channel_id,
                parent_demand_id=talks.channel.demand_id,
                gap_type="、".join(lead.gap.gap_type for lead in leads),
                **ids,
                **decided.marks(),
            )
        )
        return await self._result(sub_id, ids)

    async def _result(self, sub_id: str, ids: dict[str, str]) -> Proposal | None:
        talks, run = self._talks, self._talks.run
        row = run.recorded("subnet.completed")
        if row is None:
            until = await talks.deadline("subnet.deadline", talks.limits.subnet_timeout)
            posting = await talks.barrier.wait_for("sub.ended", f"sub.{sub_id}", until)
            payload = posting.payload if posting else {"outcome": "timeout", "proposal": None}
            consumed = [Draft(f"in.sub.{sub_id}", "inbox", {"from": sub_id})] if posting else []
            await run.emit(talks.channel.event("subnet.completed", "subnet.completed", **ids, **payload), *consumed)
            row = run.recorded("subnet.completed")
        if row and row.payload["outcome"] == "timeout":
            await self._spawner.cancel(sub_id, f"parent.{run.id}")
        found = row.payload["proposal"] if row else None
        return Proposal.model_validate(found) if found else None

    async def _new_id(self) -> JsonObject:
        return {"demand_id": await self._spawner.free_id()}

    def _understanding(
        self, leads: Sequence[Lead], decision: RecursionDecision, proposal: Proposal
    ) -> DemandUnderstanding:
        """The sub-demand: what is missing, on the plan's day, for the money that is left."""
        parent = self._talks.demand
        wanted = tuple(self._requirement(lead, proposal) for lead in leads)
        return parent.model_copy(
            update={
                "surface_demand": "；".join(item.description for item in decision.sub_demands),
                "capability_tags": tuple(item.tag for item in wanted),
                "requirements": wanted,
                "constraints": _left(parent.constraints, proposal),
            }
        )

    def _requirement(self, lead: Lead, proposal: Proposal) -> Requirement:
        """What a lead asks for: as many as the plan lacks of a requirement, one of anything else."""
        talks = self._talks
        known = {item.concept: item for item in talks.demand.requirements}
        own = known.get(_concept(lead.gap, talks))
        lacking = 1 if own is None else own.count - covered(own, proposal.assignments)
        return Requirement(
            tag=talks.vocabulary.label(lead.concept, talks.demand.lang),
            concept=lead.concept,
            importance=lead.gap.importance,
            count=max(1, lacking),
            named=not lead.alternative,
        )


def _concept(gap: Gap, talks: Talks) -> str:
    """The capability a gap asks for: a requirement of the demand, else its first suggestion."""
    tags = (*gap.suggested_capability_tags, gap.gap_type)
    known = {item.tag: item.concept for item in talks.demand.requirements}
    return next((known[tag] for tag in tags if tag in known), talks.vocabulary.key(tags[0]))


def _looks_able(found: Ranked, day: date) -> bool:
    """Whether an agent has the very capability, can come, has room, and works on that day."""
    fits = any(item.strong and item.fit >= ABLE_FIT for item in found.matched)
    return fits and found.profile.capabilities.calendar.available(day)


def _left(constraints: Constraints, proposal: Proposal) -> Constraints:
    day = date.fromisoformat(proposal.timeline.start_date)
    same_money = constraints.budget is not None and constraints.currency == proposal.cost.currency
    spent = proposal.cost.total if same_money else 0
    budget = None if constraints.budget is None else max(0.0, constraints.budget - spent)
    return constraints.model_copy(update={"date_start": day, "date_end": day, "budget": budget})
