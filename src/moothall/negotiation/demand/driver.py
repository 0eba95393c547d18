"""Drives demand runs: wires coordinator, channel admin and user agents together for one activation."""

from __future__ import annotations

import secrets
from collections.abc import Awaitable, Callable

from moothall.directory.concepts import Vocabulary
from moothall.directory.index import RegistrySnapshot
from moothall.errors import Conflict, ModelTimeout, ModelUnavailable, MoothallError
from moothall.events.log import EventLog
from moothall.events.run import Run
from moothall.llm.decision import Decisions
from moothall.negotiation.demand.awaiting import NotConfirmedError
from moothall.negotiation.demand.barrier import Barrier, CancelledByRequesterError
from moothall.negotiation.demand.channel import Channel
from moothall.negotiation.demand.channel_admin import ChannelAdmin
from moothall.negotiation.demand.coordinator import PROFILE_COPY, Coordinator, today_of
from moothall.negotiation.demand.deciding import RunDecisions
from moothall.negotiation.demand.ending import fail
from moothall.negotiation.demand.interrupting import Interruptible
from moothall.negotiation.demand.machine import ChannelState, ChannelStatus
from moothall.negotiation.demand.models import DemandUnderstanding, JsonObject
from moothall.negotiation.demand.outcome import FailReason
from moothall.negotiation.demand.participants import ParticipantFactory
from moothall.negotiation.demand.people import read_profile, with_people
from moothall.negotiation.demand.post import PostOffice
from moothall.negotiation.demand.suggest import no_candidates
from moothall.negotiation.demand.talks import Limits, Talks
from moothall.negotiation.demand.user_agent import UserAgentFactory
from moothall.negotiation.demand.wire import CHANNEL_ADMIN, COORDINATOR, CreateChannel
from moothall.telemetry import logger

_log = logger("negotiation.demand")

KIND = "demand"
"""The kind of run that this driver drives."""


def new_demand_id() -> str:
    """A random demand id (row NEG-API-03)."""
    return f"d-{secrets.token_hex(4)}"


class RunSpawner:
    """Starts sub-negotiations as runs of their own."""

    def __init__(self, log: EventLog) -> None:
        self._log = log

    async def free_id(self) -> str:
        """A demand id that no run has."""
        while await self._log.get(demand_id := new_demand_id()) is not None:
            continue
        return demand_id

    async def spawn(self, demand_id: str, parent: str, meta: JsonObject) -> None:
        """Create the run unless it exists; a worker starts on it at once.

        Raises:
            Conflict: a run of that id belongs to somebody else.
        """
        if await self._log.create(demand_id, KIND, (), parent=parent, meta=meta):
            return
        found = await self._log.get(demand_id)
        if found is None or found.parent != parent:
            message = f"run {demand_id} is not a sub-negotiation of {parent}"
            raise Conflict(message)

    async def cancel(self, demand_id: str, key: str) -> None:
        """Ask a run to end, if it has not ended."""
        try:
            await self._log.post(demand_id, f"cancel.{key}", "cancel", key, {})
        except MoothallError as error:
            _log.info("sub-negotiation %s needs no cancelling: %s", demand_id, error.code)


class DemandDriver:
    """Drives a demand from its submission to its terminal event."""

    def __init__(
        self,
        *,
        decisions: Decisions,
        participants: ParticipantFactory,
        registered: Callable[[], Awaitable[RegistrySnapshot]],
        vocabulary: Vocabulary,
        spawner: RunSpawner,
        limits: Limits,
    ) -> None:
        self._decisions = decisions
        self._participants = with_people(participants)
        self._registered = registered
        self._vocabulary = vocabulary
        self._spawner = spawner
        self._limits = limits

    async def drive(self, run: Run) -> None:
        """Negotiate, from wherever the log ends."""
        async with Interruptible(run, self._decisions) as decisions:
            await self._drive(run, RunDecisions(run, decisions))

    async def _drive(self, run: Run, decisions: RunDecisions) -> None:
        office = PostOffice()
        admin_box = office.open(CHANNEL_ADMIN)
        box, wait = office.open(COORDINATOR), self._limits.confirm_timeout
        coordinator = Coordinator(run, box, decisions, self._registered, wait)
        channel = coordinator.channel
        demand: DemandUnderstanding | None = None
        try:
            order = await coordinator.coordinate()
            if isinstance(order, DemandUnderstanding):
                advice = no_candidates(order, (await self._registered()).profiles, self._vocabulary)
                await fail(channel, FailReason.NO_CANDIDATES, order, suggestions=advice)
                return
            demand = order.demand
            letter = await admin_box.receive()
            talks = self._talks(channel, Barrier(run, admin_box), decisions, letter.body)
            factory = UserAgentFactory(self._participants, office)
            admin = ChannelAdmin(talks, factory, self._spawner, order.candidates, order.reserve)
            await admin.serve()
        except CancelledByRequesterError:
            await fail(channel, FailReason.CANCELLED, demand)
        except NotConfirmedError:
            await fail(channel, FailReason.NOT_CONFIRMED)
        except (ModelUnavailable, ModelTimeout) as error:
            await fail(channel, FailReason.NOT_UNDERSTOOD, code=error.code)

    async def abandon(self, run: Run, error: BaseException) -> None:
        """End a run that keeps failing, in one failed event; the log of the node has the error."""
        _log.error("run %s is given up after repeated failures: %s", run.id, type(error).__name__)
        channel = Channel(run)
        channel.state = _state_of(run)
        await fail(channel, FailReason.INTERNAL)

    def _talks(self, channel: Channel, barrier: Barrier, decisions: RunDecisions, order: JsonObject) -> Talks:
        copies = (event.payload for event in channel.run.history if event.type == PROFILE_COPY)
        profiles = [read_profile(copy) for copy in copies]
        request = CreateChannel.model_validate(order)
        return Talks(
            channel=channel,
            barrier=barrier,
            mailbox=barrier.mailbox,
            decisions=decisions,
            limits=self._limits,
            demand=request.demand,
            profiles={profile.agent_id: profile for profile in profiles},
            vocabulary=self._vocabulary,
            today=today_of(channel.run),
            registered=self._registered,
            depth=int(channel.run.record.meta.get("depth", 0)),
        )


def _state_of(run: Run) -> ChannelState:
    """Where the log says the channel stands."""
    moves = [event.payload for event in run.history if event.type == "transition"]
    return ChannelState(ChannelStatus(moves[-1]["to_state"]), moves[-1]["round"]) if moves else ChannelState()
