"""The channel's administrator: one negotiation from the invitation to its end (spec C §2.2, §2.3).

Everything that lasts is a row of the run's log, written before it is acted upon; after a crash the same code runs
again from the top, finds its rows and goes on where they end.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import ClassVar

from moothall.clock import rfc3339
from moothall.negotiation.demand.closing import Closing
from moothall.negotiation.demand.deciding import Recorded
from moothall.negotiation.demand.machine import MAX_NEGOTIATION_ROUNDS, Trigger
from moothall.negotiation.demand.models import Offer
from moothall.negotiation.demand.offers import Invitations, Missing
from moothall.negotiation.demand.outcome import FailReason
from moothall.negotiation.demand.plan_models import PlanDraft
from moothall.negotiation.demand.prompts import AGGREGATE
from moothall.negotiation.demand.questions import AggregateInput
from moothall.negotiation.demand.rounds import Rounds
from moothall.negotiation.demand.standins import StandIns
from moothall.negotiation.demand.subnet import Spawner, SubnetManager
from moothall.negotiation.demand.substitutes import Substitutes
from moothall.negotiation.demand.talks import Talks
from moothall.negotiation.demand.user_agent import UserAgentFactory
from moothall.negotiation.demand.wire import CandidateRef
from moothall.telemetry import logger

_log = logger("negotiation.demand")

DISMISSAL = 1.0
"""Seconds that a participant may take to stop once its channel has ended."""


class ChannelAdmin:
    """Runs one channel: broadcast, collect, aggregate, up to three rounds, gaps, one terminal event."""

    MAX_NEGOTIATION_ROUNDS: ClassVar[int] = MAX_NEGOTIATION_ROUNDS

    def __init__(
        self,
        talks: Talks,
        factory: UserAgentFactory,
        spawner: Spawner,
        candidates: Sequence[CandidateRef],
        reserve: Sequence[CandidateRef] = (),
    ) -> None:
        self._talks = talks
        self._factory = factory
        self._candidates = tuple(candidates)
        self._agents: dict[str, asyncio.Task[None]] = {}
        substitutes = Substitutes(talks, reserve, self._welcome)
        self._rounds = Rounds(talks, substitutes)
        self._closing = Closing(talks, SubnetManager(talks, spawner), StandIns(talks, substitutes))

    async def serve(self) -> None:
        """Negotiate to the end.

        Raises:
            CancelledByRequesterError: the requester cancelled.
        """
        try:
            await self._negotiate()
        finally:
            await self._dismiss()

    async def _negotiate(self) -> None:
        offers, missing = await self._broadcast_demand()
        channel = self._talks.channel
        if not offers:
            reason = FailReason.NO_PARTICIPANTS if missing.code else FailReason.NO_ANSWER
            await self._closing.without_plan(reason, missing.code)
            return
        await self._talks.run.emit(
            channel.event(
                "aggregation",
                "aggregation.started",
                offers_count=len(offers),
                silent=list(missing.silent),
                unknown=dict(missing.unknown),
            ),
            *channel.move(Trigger.OFFERS_CLOSED),
        )
        if not self._talks.standing():
            await self._closing.without_plan(FailReason.NO_PARTICIPANTS)
            return
        draft = await self._aggregate_proposals()
        if not draft.value.assignments:
            await self._closing.without_plan(FailReason.NO_FEASIBLE_PLAN)
            return
        await self._closing.after_rounds(await self._rounds.run(draft))

    async def _broadcast_demand(self) -> tuple[list[Offer], Missing]:
        """Invite all candidates and wait behind the barrier for their sealed offers."""
        talks, channel = self._talks, self._talks.channel
        count = len(self._candidates)
        for candidate in self._candidates:
            self._welcome(candidate.agent_id)
        call = Invitations(talks, "offers", 1)
        await talks.run.emit(
            channel.event(
                "channel", "channel.created", participants_count=count, max_rounds=channel.max_rounds, depth=talks.depth
            ),
            *channel.move(Trigger.BROADCAST_STARTED),
            *call.letters(self._candidates),
        )
        call.send(self._candidates)
        until = await talks.deadline("offers.deadline", talks.limits.response_timeout)
        await talks.run.emit(
            channel.event("broadcast", "demand.broadcast", recipients_count=count, deadline_at=rfc3339(until)),
            *channel.move(Trigger.BROADCAST_DONE),
        )
        return await call.collect(self._candidates), call.missing()

    async def _aggregate_proposals(self) -> Recorded[PlanDraft]:
        """Prompt 4 over the offers in seeded random order."""
        talks = self._talks
        data = AggregateInput(demand=talks.demand, offers=talks.standing(), today=talks.today, seed=talks.seed)
        return await talks.decisions.decide("aggregate", AGGREGATE, data)

    def _welcome(self, agent_id: str) -> None:
        """Bring an agent into the channel: its own queue, its own task."""
        if agent_id not in self._agents:
            agent = self._factory.create(self._talks.profiles[agent_id])
            self._agents[agent_id] = asyncio.create_task(
                agent.run(), name=f"{self._talks.channel.channel_id}:{agent_id}"
            )

    async def _dismiss(self) -> None:
        """End the agents' tasks; an answer that nobody waits for any more is named in the node's log."""
        for task in self._agents.values():
            task.cancel()
        if self._agents:
            _, left = await asyncio.wait(self._agents.values(), timeout=DISMISSAL)
            for task in left:
                _log.warning("%s does not end when it is cancelled", task.get_name())
        while letter := self._talks.mailbox.take():
            _log.info(
                "%s: a %s of %s came too late", self._talks.channel.channel_id, letter.body["type"], letter.sender
            )


ChannelAdminAgent = ChannelAdmin
"""The specification's other name of :class:`ChannelAdmin`."""
