"""The coordinator: understands a demand, picks the candidates, opens the channel (spec C §2.2)."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from datetime import date
from typing import Any

from moothall.directory.index import RegistrySnapshot
from moothall.events.model import Draft
from moothall.events.run import Run
from moothall.negotiation.demand.awaiting import confirmation, waits_for_confirmation
from moothall.negotiation.demand.channel import Channel
from moothall.negotiation.demand.deciding import Recorded, RunDecisions
from moothall.negotiation.demand.machine import MAX_NEGOTIATION_ROUNDS
from moothall.negotiation.demand.models import Candidate, DemandUnderstanding
from moothall.negotiation.demand.people import as_candidates, people_of, profile_of
from moothall.negotiation.demand.post import Mailbox
from moothall.negotiation.demand.prompts import FILTER, UNDERSTAND
from moothall.negotiation.demand.questions import FilterInput, SmartFilter, UnderstandInput
from moothall.negotiation.demand.subnet import MAX_CANDIDATES
from moothall.negotiation.demand.subnet import MAX_ROUNDS as MAX_SUBNET_ROUNDS
from moothall.negotiation.demand.wire import CHANNEL_ADMIN, COORDINATOR, CandidateRef, CreateChannel
from moothall.telemetry import logger

_log = logger("negotiation.demand")

MAX_INVITED = 20
"""Candidates of an ordinary demand at the most (row NEG-ARCH-17)."""

MAX_RESERVE = 10
"""Relevant agents kept in reserve as substitutes."""


PROFILE_COPY = "profile"
"""The type of the internal rows that hold a run's copies of profiles, reservation values included."""


def today_of(run: Run) -> date:
    """The day a run goes by: that of its submission, so that a replay after midnight decides as before."""
    return date.fromisoformat(run.record.meta["today"])


class Coordinator:
    """Prepares one run; from then on its channel admin is in charge.

    ``registered`` gives the active profiles as they are now. What the run needs of them is copied into its log, so
    an edit reaches the next demand and never a running one.
    """

    def __init__(
        self,
        run: Run,
        mailbox: Mailbox,
        decisions: RunDecisions,
        registered: Callable[[], Awaitable[RegistrySnapshot]],
        confirm_timeout: float,
    ) -> None:
        self._run = run
        self._mailbox = mailbox
        self._decisions = decisions
        self._registered = registered
        self._confirm_timeout = confirm_timeout
        self._people = people_of(run.record)
        self._today = today_of(run)
        self._sub = int(run.record.meta.get("depth", 0)) > 0
        self.channel = Channel(run, max_rounds=MAX_SUBNET_ROUNDS if self._sub else MAX_NEGOTIATION_ROUNDS)

    async def coordinate(self) -> CreateChannel | DemandUnderstanding:
        """Understand, wait for the requester's word where it was asked for, and filter.

        Returns:
            The channel that was asked for, or the understanding when nobody is relevant.

        Raises:
            ModelUnavailable, ModelTimeout: the model failed, and this node lets nothing stand in for it.
            Parked, CancelledByRequesterError, NotConfirmedError: as `confirmation`.
        """
        if not self._run.recorded("understand"):
            _log.info("需求 %s 开始处理", self._run.id)
        understanding = await self._understand_demand()
        if waits_for_confirmation(self._run.record.meta):
            understanding = await confirmation(self.channel, self._confirm_timeout)
        found = await self._smart_filter(understanding)
        ranked, invited = found.ranked(), found.invited or 0
        candidates = (*as_candidates(self._people, understanding.lang), *ranked[:invited])
        if not candidates:
            return understanding
        order = CreateChannel(
            demand_id=self.channel.demand_id,
            channel_id=self.channel.channel_id,
            demand=understanding,
            candidates=tuple(map(_reference, candidates)),
            reserve=tuple(map(_reference, ranked[invited : invited + MAX_RESERVE])),
        )
        await self.send_to_agent(CHANNEL_ADMIN, order.model_dump(mode="json"))
        return order

    async def send_to_agent(self, agent_id: str, body: dict[str, Any]) -> None:
        """Log a message, then put it into the receiver's queue."""
        await self._run.emit(self.channel.message(f"message.{body['type']}", COORDINATOR, agent_id, body))
        self._mailbox.send(agent_id, body)

    async def _understand_demand(self) -> DemandUnderstanding:
        """Prompt 1; a sub-demand arrives understood."""
        if self._sub:
            understanding = DemandUnderstanding.model_validate(self._run.record.meta["understanding"])
            marks = {"source": "rules", "degraded": False}
            await self._run.emit(self._understood(understanding, marks))
            return understanding
        meta = self._run.record.meta
        data = UnderstandInput(
            raw_input=meta["raw_input"],
            user_id=meta["requester_id"],
            user_context=meta.get("user_context", {}),
            today=self._today,
        )

        def also(recorded: Recorded[DemandUnderstanding]) -> Sequence[Draft]:
            return (self._understood(recorded.value, recorded.marks()),)

        return (await self._decisions.decide("understand", UNDERSTAND, data, also)).value

    async def _smart_filter(self, understanding: DemandUnderstanding) -> SmartFilter:
        """Prompt 2 over all active agents; their profiles are copied into the log with the choice.

        People whom the requester brought along are asked in any case and leave the agents so many places less.
        """
        row = self._run.recorded("filter")
        registry = None if row else await self._registered()
        profiles = registry.profiles if registry else ()
        known = {profile.agent_id: profile for profile in profiles}
        data = FilterInput(
            demand=understanding,
            all_agent_profiles=profiles,
            today=self._today,
            most=MAX_CANDIDATES if self._sub else MAX_INVITED - len(self._people),
            excluded=frozenset(self._run.record.meta.get("excluded", ())),
        )
        if registry is not None:
            data.among(registry)

        def also(recorded: Recorded[SmartFilter]) -> Sequence[Draft]:
            ranked, invited = recorded.value.ranked(), recorded.value.invited or 0
            agents = [known[item.agent_id] for item in ranked[: invited + MAX_RESERVE]]
            kept = [*map(profile_of, self._people), *agents]
            copies = [Draft(f"profile.{profile.agent_id}", PROFILE_COPY, profile.private()) for profile in kept]
            chosen = (*as_candidates(self._people, understanding.lang), *ranked[:invited])
            return (self._filtered(chosen, recorded), *copies)

        found = (await self._decisions.decide("filter", FILTER, data, also)).value
        if row is None:
            _log.info("智能筛选完成，找到 %d 个候选人", (found.invited or 0) + len(self._people))
        return found

    def _understood(self, understanding: DemandUnderstanding, marks: dict[str, object]) -> Draft:
        payload = understanding.model_dump(mode="json")
        waits = {"awaiting_confirmation": True} if waits_for_confirmation(self._run.record.meta) else {}
        return self.channel.event("understood", "demand.understood", **payload, **marks, **waits)

    def _filtered(self, chosen: Sequence[Candidate], recorded: Recorded[SmartFilter]) -> Draft:
        shown = [
            {**item.model_dump(mode="json"), "relevance_score": item.score, "match_score": item.score}
            for item in chosen
        ]
        return self.channel.event(
            "filtered",
            "filter.completed",
            candidates_count=len(shown),
            candidates=shown,
            analysis=recorded.value.analysis,
            **recorded.marks(),
        )


def _reference(candidate: Candidate) -> CandidateRef:
    return CandidateRef(
        agent_id=candidate.agent_id,
        reason=candidate.reason,
        relevance_score=candidate.score,
        display_name=candidate.display_name,
    )
