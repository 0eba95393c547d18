"""Submitting demands: the front desk of the negotiation (spec C §3.1.1)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from typing import Literal

from moothall.errors import BadDemand, DemandNotFound, EventPushFailed, InternalError, Overloaded, StorageError
from moothall.events.log import EventLog
from moothall.events.model import Draft, Event, RunRecord
from moothall.negotiation.demand.channel import channel_id_of
from moothall.negotiation.demand.driver import KIND, new_demand_id
from moothall.negotiation.demand.models import DemandUnderstanding

MAX_RAW_INPUT = 10_000
"""Characters of a demand at the most (row NEG-API-07)."""

MAX_USER_ID = 200
ANONYMOUS = "anonymous"


@dataclass(frozen=True, slots=True)
class Submitted:
    """The reply to a submission."""

    demand_id: str
    channel_id: str
    status: Literal["processing"]
    understanding: DemandUnderstanding
    source: str
    degraded: bool


class DemandService:
    """Takes demands in and finds them again; ``room`` says whether the node can drive one more."""

    def __init__(self, log: EventLog, room: Callable[[], bool], today: Callable[[], date]) -> None:
        self._log = log
        self._room = room
        self._today = today

    async def submit(self, raw_input: object, user_id: object = None) -> Submitted:
        """Store a demand, start its run, and return once it is understood.

        Raises:
            BadDemand: ``raw_input`` is no text, blank or over-long, or ``user_id`` is no text. Nothing is stored.
            Overloaded: too many negotiations are open.
            EventPushFailed: the store cannot take the demand (code E009).
        InternalError: the run ended before it was understood; the node's log says why.
        """
        text, requester = _checked(raw_input, user_id)
        if not self._room():
            message = "too many negotiations are open on this node"
            raise Overloaded(message)
        demand_id = await self._create(text, requester)
        understood = await self._understood(demand_id)
        return Submitted(
            demand_id=demand_id,
            channel_id=channel_id_of(demand_id),
            status="processing",
            understanding=DemandUnderstanding.model_validate(understood.payload),
            source=understood.payload["source"],
            degraded=understood.payload["degraded"],
        )

    async def _create(self, raw_input: str, requester: str) -> str:
        """Store the demand under an id that is free; the day it was stated on goes with it, for replays."""
        meta = {"raw_input": raw_input, "requester_id": requester}
        try:
            while True:
                demand_id = new_demand_id()
                ids = {"demand_id": demand_id, "channel_id": channel_id_of(demand_id)}
                first = Draft("submitted", "towow.demand.submitted", {**ids, **meta})
                kept = {**meta, "today": self._today().isoformat()}
                if await self._log.create(demand_id, KIND, (first,), meta=kept):
                    return demand_id
        except StorageError as error:
            message = "the demand could not be stored"
            raise EventPushFailed(message) from error

    async def record(self, demand_id: str) -> RunRecord:
        """The run of a demand.

        Raises:
            DemandNotFound: there is none of that id.
        """
        found = await self._log.get(demand_id)
        if found is None or found.kind != KIND:
            message = "no demand of that id"
            raise DemandNotFound(message)
        return found

    async def _understood(self, demand_id: str) -> Event:
        async for event in self._log.follow(demand_id):
            if event.type == "towow.demand.understood":
                return event
        message = "the demand ended before it was understood"
        raise InternalError(message)


def _checked(raw_input: object, user_id: object) -> tuple[str, str]:
    if not isinstance(raw_input, str) or not _is_text(raw_input):
        message = "raw_input must be a text"
        raise BadDemand(message)
    if not raw_input.strip():
        message = "raw_input is empty"
        raise BadDemand(message)
    if len(raw_input) > MAX_RAW_INPUT:
        message = f"raw_input has {len(raw_input)} characters, {MAX_RAW_INPUT} are allowed"
        raise BadDemand(message, details={"max": MAX_RAW_INPUT})
    if user_id is None or user_id == "":
        return raw_input, ANONYMOUS
    if not isinstance(user_id, str) or len(user_id) > MAX_USER_ID or not _is_text(user_id):
        message = f"user_id must be a text of at most {MAX_USER_ID} characters"
        raise BadDemand(message)
    return raw_input, user_id


def _is_text(value: str) -> bool:
    """Whether a string is text: a lone surrogate is not, and no store can keep it."""
    try:
        value.encode()
    except UnicodeEncodeError:
        return False
    return True
