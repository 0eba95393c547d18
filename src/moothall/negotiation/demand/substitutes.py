"""Who can take over a lost role (row NEG-STATE-10 for core roles): an unchosen offer, else an agent not yet invited."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import date

from moothall.clock import rfc3339
from moothall.negotiation.demand.models import Offer, Requirement
from moothall.negotiation.demand.offers import Invitations
from moothall.negotiation.demand.plan_models import Proposal, uncovered
from moothall.negotiation.demand.talks import Talks
from moothall.negotiation.demand.wire import CandidateRef

MOST_INVITED = 3
"""Substitutes invited at once for one lost role."""


class Substitutes:
    """Finds substitutes; ``welcome`` brings an agent into the channel before it is invited."""

    def __init__(self, talks: Talks, reserve: Sequence[CandidateRef], welcome: Callable[[str], None]) -> None:
        self._talks = talks
        self._reserve = list(reserve)
        self._welcome = welcome

    async def find(self, proposal: Proposal, lost: frozenset[str], gone: Sequence[str], number: int) -> bool:
        """Whether every role that ``lost`` leaves open can be filled by an offer that stands.

        Agents that were not invited are asked only where no unchosen offer fits; their offers are collected behind
        a barrier of their own and stand from then on like all others.
        """
        left = [item for item in proposal.assignments if item.agent_id not in lost]
        requirements = self._talks.demand.requirements
        lacking = [item for item in uncovered(requirements, left) if self._only_by(lost, item, proposal)]
        chosen = set(proposal.assignees())
        spare = [offer for offer in self._talks.standing(gone) if offer.agent_id not in chosen]
        missing = [item for item in lacking if not _offered(item, spare)]
        if missing:
            spare += await self._ask([item for item in self._reserve if self._can(item, missing)], number)
        return all(_offered(item, spare) for item in lacking)

    async def on(self, day: date, missing: Sequence[Requirement], number: int) -> list[Offer]:
        """The offers of agents that were not invited, can do what is missing, and work on that day."""
        profiles = self._talks.profiles
        able = [item for item in self._reserve if self._can(item, missing)]
        return await self._ask(
            [item for item in able if profiles[item.agent_id].capabilities.calendar.available(day)], number
        )

    async def _ask(self, able: Sequence[CandidateRef], number: int) -> list[Offer]:
        wanted = able[:MOST_INVITED]
        if not wanted:
            return []
        self._reserve = [item for item in self._reserve if item not in wanted]
        talks = self._talks
        for item in wanted:
            self._welcome(item.agent_id)
        call = Invitations(talks, f"substitutes.r{number}", number)
        until = rfc3339(await call.due())
        events = [
            talks.channel.event(
                f"substitutes.r{number}.{item.agent_id}.invited",
                "substitute.invited",
                agent_id=item.agent_id,
                display_name=item.display_name,
                reason=item.reason,
                round=number,
                deadline_at=until,
            )
            for item in wanted
        ]
        await talks.run.emit(*events, *call.letters(wanted))
        call.send(wanted)
        return [offer for offer in await call.collect(wanted) if offer.decision != "decline"]

    def _can(self, candidate: CandidateRef, missing: Sequence[Requirement]) -> bool:
        profile = self._talks.profiles.get(candidate.agent_id)
        if profile is None:
            return False
        can = {self._talks.vocabulary.key(tag) for tag in profile.tags}
        return any(item.concept in can for item in missing)

    @staticmethod
    def _only_by(lost: frozenset[str], requirement: Requirement, proposal: Proposal) -> bool:
        providers = {item.agent_id for item in proposal.assignments if item.concept == requirement.concept}
        return bool(providers) and providers <= lost


def _offered(requirement: Requirement, offers: Sequence[Offer]) -> bool:
    return any(term.concept == requirement.concept for offer in offers for term in offer.terms)
