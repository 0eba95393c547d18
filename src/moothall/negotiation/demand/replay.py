"""Replays: a recorded negotiation shown again as a run of its own kind, marked, never mixed with real ones.

A replay is an ordinary run: its stream resumes, it survives a restart, and whoever may see it follows it like any
other. What it is not is a negotiation: it decides nothing, asks nobody and counts nowhere (row NEG-DATA-11).
"""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Literal

from moothall.clock import parse_rfc3339
from moothall.errors import Conflict, DemandNotFound, InvalidInput, Told
from moothall.events.log import EventLog
from moothall.events.model import CONSUMED, Draft, RunRecord
from moothall.events.run import Run
from moothall.negotiation.demand.channel import channel_id_of
from moothall.negotiation.demand.driver import KIND, new_demand_id
from moothall.negotiation.demand.outcome import FailReason
from moothall.negotiation.demand.recording import MARK, Moment, again, recorded, scenario
from moothall.telemetry import logger

REPLAY = "replay"
"""The kind of run that shows a recording."""

WAIT = timedelta(hours=24)
"""How long a replay waits to be started before it is closed."""

_START = "start"
_STARTED = f"{CONSUMED}{_START}"
_TOKEN_BYTES = 24
_log = logger("negotiation.demand")


async def moments_of(log: EventLog, replay: RunRecord) -> Sequence[Moment]:
    """What a replay shows: a scenario of the package, or an ended negotiation of this node (its parent).

    Raises:
        DemandNotFound: the negotiation was erased.
        InvalidInput: the scenario is not in the package any more.
    """
    if replay.parent is None:
        return scenario(str(replay.meta["scenario_id"])).moments
    source = await log.get(replay.parent)
    if source is None or source.erased_at is not None:
        raise DemandNotFound("the negotiation to replay was erased", told=Told("why.replayed_erased"))
    return recorded(await log.load(source.id, public=True))


class ReplayDriver:
    """Emits the moments of a recording in their order and rhythm; a restart goes on where it stopped."""

    def __init__(self, log: EventLog) -> None:
        self._log = log

    async def drive(self, run: Run) -> None:
        """Wait for the start, then show everything."""
        if run.recorded(_STARTED) is None and not await self._begin(run):
            return
        try:
            moments = await moments_of(self._log, run.record)
        except (DemandNotFound, InvalidInput) as error:
            await self.abandon(run, error)
            return
        speed = float(run.record.meta["speed"])
        for number, moment in enumerate(moments):
            key = f"moment.{number}"
            if run.recorded(key) is None:
                due = parse_rfc3339(run.history[-1].ts) + timedelta(seconds=moment.after_seconds / speed)
                await run.clock.sleep_until(due)
                await run.emit(Draft(key, moment.event_type, again(moment, run.id)), close=number == len(moments) - 1)

    async def abandon(self, run: Run, error: BaseException) -> None:
        """End a replay whose recording cannot be shown."""
        _log.error("replay %s is given up: %s", run.id, type(error).__name__)
        ids = {"demand_id": run.id, "channel_id": channel_id_of(run.id)}
        payload = {**ids, "reason": FailReason.INTERNAL, "demo": True, "mark": MARK}
        await run.emit(Draft("terminal", "towow.negotiation.failed", payload), close=True)

    async def _begin(self, run: Run) -> bool:
        """Whether the replay was started; rests until it is, or closes it when nobody did for `WAIT`."""
        deadline = run.record.created_at + WAIT
        posting = await run.receive(run.clock.now())
        if posting is not None:
            await run.emit(Draft(f"{CONSUMED}{posting.key}", "replay.started", {}))
            return True
        if run.clock.now() < deadline:
            await run.park(deadline)
        await run.emit(Draft("expired", "replay.expired", {}), close=True)
        return False


@dataclass(frozen=True, slots=True)
class Replay:
    """A replay and how far it is."""

    record: RunRecord
    state: Literal["waiting", "running", "ended"]


class Replays:
    """Prepares replays, starts them, and lists them."""

    def __init__(self, log: EventLog) -> None:
        self._log = log

    async def create(self, *, scenario_id: str, speed: float) -> Replay:
        """Prepare a replay of a scenario of the package.

        Raises:
            InvalidInput: there is no such scenario.
            StorageError: it could not be stored.
        """
        return await self._create({"scenario_id": scenario(scenario_id).scenario_id}, None, speed)

    async def create_from(self, demand_id: str, *, speed: float) -> Replay:
        """Prepare a replay of an ended negotiation of this node; erasing that one erases its replays.

        Raises:
            DemandNotFound: there is none of that id.
            Conflict: it has not ended.
        """
        source = await self._log.get(demand_id)
        if source is None or source.kind != KIND or source.erased_at is not None:
            raise DemandNotFound("no demand of that id", told=Told("why.no_demand"))
        if source.status != "closed":
            told = Told("why.not_ended", hint="why.rule.not_ended")
            raise Conflict("the negotiation has not ended", told=told)
        return await self._create({}, source.id, speed)

    async def start(self, replay_id: str) -> Replay:
        """Let a prepared replay run.

        Raises:
            DemandNotFound: there is none of that id.
            Conflict: it was started before, or has ended.
        """
        await self.get(replay_id)
        try:
            fresh = await self._log.post(replay_id, _START, _START, "admin", {})
        except DemandNotFound:
            fresh = False
        if not fresh:
            told = Told("why.replay_started", hint="why.rule.replay_started")
            raise Conflict("this replay was started before", told=told)
        return Replay((await self.get(replay_id)).record, "running")

    async def get(self, replay_id: str) -> Replay:
        """One replay.

        Raises:
            DemandNotFound: there is none of that id.
        """
        record = await self._log.get(replay_id)
        if record is None or record.kind != REPLAY or record.erased_at is not None:
            raise DemandNotFound("no replay of that id", told=Told("why.no_replay"))
        return (await self._seen([record]))[0]

    async def listed(self, limit: int) -> list[Replay]:
        """The newest replays."""
        return await self._seen(await self._log.runs(kind=REPLAY, limit=limit))

    async def _seen(self, records: Sequence[RunRecord]) -> list[Replay]:
        started = {event.run for event in await self._log.select([one.id for one in records], ["replay.started"])}
        return [
            Replay(one, "ended" if one.status == "closed" else "running" if one.id in started else "waiting")
            for one in records
        ]

    async def _create(self, source: dict[str, str], parent: str | None, speed: float) -> Replay:
        meta = {**source, "speed": speed, "stream_token": secrets.token_urlsafe(_TOKEN_BYTES)}
        while not await self._log.create(name := new_demand_id(), REPLAY, (), parent=parent, meta=meta):
            continue
        return await self.get(name)


def token_of(replay: Replay) -> str:
    """The stream token of a replay."""
    return str(replay.record.meta["stream_token"])
