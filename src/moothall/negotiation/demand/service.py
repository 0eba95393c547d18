"""The front desk of demand negotiations, for every door: submitting, finding, reading, steering (spec C §3.1)."""

from __future__ import annotations

import re
import secrets
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field, replace
from datetime import date
from typing import Literal

from moothall.errors import (
    ChannelNotFound,
    Conflict,
    DemandNotFound,
    EventPushFailed,
    InternalError,
    ModelTimeout,
    ModelUnavailable,
    StorageError,
    Told,
)
from moothall.events.log import EventLog
from moothall.events.model import Draft, Event, RunRecord
from moothall.negotiation.demand.awaiting import CONFIRM
from moothall.negotiation.demand.capacity import Capacity
from moothall.negotiation.demand.channel import channel_id_of
from moothall.negotiation.demand.driver import KIND, new_demand_id
from moothall.negotiation.demand.models import DemandUnderstanding, JsonObject
from moothall.negotiation.demand.outcome import FailReason
from moothall.negotiation.demand.people import Person, admit_people
from moothall.negotiation.demand.people_desk import PeopleDesk
from moothall.negotiation.demand.reading import DemandReader
from moothall.negotiation.demand.replay import REPLAY
from moothall.negotiation.demand.rules.phrasing import Lexica
from moothall.negotiation.demand.steering import Steering
from moothall.negotiation.demand.submission import MAX_RAW_INPUT, Submission, checked
from moothall.negotiation.demand.view import FAILED, UNDERSTOOD

__all__ = ["MAX_RAW_INPUT", "DemandService", "Submitted"]

TOKEN_BYTES = 32
_DEMAND_ID = re.compile(r"d-[0-9a-f]{8}")
_CHANNEL_ID = re.compile(r"collab-([0-9a-f]{8})")
_STRICT = {error.code: error for error in (ModelUnavailable, ModelTimeout)}


@dataclass(frozen=True, slots=True)
class Submitted:
    """The reply to a submission.

    ``stream_token`` opens the demand's events to whoever has it; ``participant_tokens`` maps the people who were
    brought along to the tokens by which they answer. The node keeps no participant token, so this is the only time
    they are told.
    """

    demand_id: str
    channel_id: str
    status: Literal["processing"]
    understanding: DemandUnderstanding
    source: str
    degraded: bool
    awaiting_confirmation: bool = False
    stream_token: str = field(default="", repr=False)
    participant_tokens: Mapping[str, str] = field(default_factory=dict, repr=False)


class DemandService:
    """Takes demands in, as many as there is capacity for, and finds them again.

    Attributes:
        read: demands and channels as their requesters see them.
        steer: cancel, confirm, erase.
        people: people who take part.
    """

    def __init__(self, log: EventLog, capacity: Capacity, today: Callable[[], date], lexica: Lexica) -> None:
        self._log = log
        self._capacity = capacity
        self._today = today
        self.read = DemandReader(log)
        self.steer = Steering(log, lexica)
        self.people = PeopleDesk(log, lexica.vocabulary)

    async def submit(
        self,
        raw_input: object,
        user_id: object = None,
        *,
        user_context: object = None,
        confirm: object = False,
        participants: object = (),
    ) -> Submitted:
        """Store a demand, start its run, and return once it is understood.

        Args:
            raw_input: the demand in somebody's own words.
            user_id: the requester; ``anonymous`` without.
            user_context: what is known about the requester, a JSON object.
            confirm: the run waits for the requester's word on what was understood.
            participants: people to be asked beside the agents: ``display_name`` and ``capability_tags`` of each.

        Raises:
            BadDemand: something of it is no demand, or too much. Nothing is stored.
            Overloaded, RateLimited: too many demands are open, on the node or of this requester.
            EventPushFailed: the store cannot take the demand (code E009).
            ModelUnavailable, ModelTimeout: the model failed, and this node lets nothing stand in for it.
            Conflict: it was cancelled or erased before it was understood.
            InternalError: the run ended before it was understood; the node's log says why.
        """
        submission = checked(raw_input, user_id, user_context, confirm, participants)
        people, tokens = admit_people(submission.participants)
        stream_token = secrets.token_urlsafe(TOKEN_BYTES)
        async with self._capacity.entrance(submission.requester_id):
            demand_id = await self._create(submission, people, stream_token)
        understood = await self._understood(demand_id)
        reply = _submitted(demand_id, understood.payload, stream_token, tokens)
        return replace(reply, awaiting_confirmation=submission.confirm)

    async def record(self, demand_id: str) -> RunRecord:
        """The run of a demand.

        Raises:
            DemandNotFound: there is none of that id, or it was erased.
        """
        return await self._find(demand_id, {KIND})

    async def stream(self, demand_id: str) -> RunRecord:
        """The run whose events may be followed under that id: a demand's, or a replay's. Raises as `record` does."""
        return await self._find(demand_id, {KIND, REPLAY})

    async def by_channel(self, channel_id: str, *, replays: bool = False) -> RunRecord:
        """The run of a channel, with ``replays`` also one that only shows a recording.

        Raises:
            ChannelNotFound: there is none of that id, or it was erased.
        """
        match = _CHANNEL_ID.fullmatch(channel_id)
        try:
            return await self._find(f"d-{match[1]}" if match else "", {KIND, REPLAY} if replays else {KIND})
        except DemandNotFound as error:
            raise ChannelNotFound("no channel of that id", told=Told("why.no_channel")) from error

    async def _find(self, demand_id: str, kinds: Collection[str]) -> RunRecord:
        found = await self._log.get(demand_id) if _DEMAND_ID.fullmatch(demand_id) else None
        if found is None or found.kind not in kinds or found.erased_at is not None:
            raise DemandNotFound("no demand of that id", told=Told("why.no_demand"))
        return found

    async def _create(self, submission: Submission, people: list[Person], stream_token: str) -> str:
        """Store the demand under an id that is free; the day it was stated on goes with it, for replays."""
        said = {"raw_input": submission.raw_input, "requester_id": submission.requester_id}
        meta = {
            **said,
            "today": self._today().isoformat(),
            "user_context": submission.user_context,
            CONFIRM: submission.confirm,
            "stream_token": stream_token,
            "people": [person.model_dump(mode="json") for person in people],
        }
        try:
            while True:
                demand_id = new_demand_id()
                ids = {"demand_id": demand_id, "channel_id": channel_id_of(demand_id)}
                first = Draft("submitted", "towow.demand.submitted", {**ids, **said})
                if await self._log.create(demand_id, KIND, (first,), meta=meta, subject=submission.requester_id):
                    return demand_id
        except StorageError as error:
            raise EventPushFailed("the demand could not be stored") from error

    async def _understood(self, demand_id: str) -> Event:
        async for event in self._log.follow(demand_id):
            if event.type == UNDERSTOOD:
                return event
            if event.type == FAILED and (failure := _STRICT.get(event.payload.get("code", ""))):
                raise failure("the demand was not understood")
            if event.type == FAILED and event.payload["reason"] == FailReason.CANCELLED:
                raise Conflict("the demand was cancelled before it was understood", told=Told("why.cancelled_early"))
        if (record := await self._log.get(demand_id)) is not None and record.erased_at is not None:
            raise Conflict("the demand was erased before it was understood", told=Told("why.erased_early"))
        raise InternalError("the demand ended before it was understood")


def _submitted(demand_id: str, understood: JsonObject, stream_token: str, tokens: Mapping[str, str]) -> Submitted:
    return Submitted(
        demand_id=demand_id,
        channel_id=channel_id_of(demand_id),
        status="processing",
        understanding=DemandUnderstanding.model_validate(understood),
        source=understood["source"],
        degraded=understood["degraded"],
        stream_token=stream_token,
        participant_tokens=tokens,
    )
