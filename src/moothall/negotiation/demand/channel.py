"""A channel as rows of the run's log: its state, its public events, its messages and transitions."""

from __future__ import annotations

from datetime import datetime

from moothall.clock import rfc3339
from moothall.events.model import Draft
from moothall.events.run import Run
from moothall.negotiation.demand.machine import MAX_NEGOTIATION_ROUNDS, ChannelState, Trigger
from moothall.negotiation.demand.models import JsonObject


def channel_id_of(demand_id: str) -> str:
    """The channel of a demand: same eight characters (row NEG-API-03)."""
    return "collab-" + demand_id.removeprefix("d-")


class Channel:
    """The state of one channel and the rows that tell of it.

    Every method returns drafts; the caller appends them in one batch with what caused them, so the log never shows
    an effect without its cause.
    """

    def __init__(self, run: Run, *, max_rounds: int = MAX_NEGOTIATION_ROUNDS) -> None:
        self.run = run
        self.demand_id = run.id
        self.channel_id = channel_id_of(run.id)
        self.max_rounds = max_rounds
        self.state = ChannelState()

    def event(self, key: str, kind: str, /, **payload: object) -> Draft:
        """A public event; ``kind`` without the ``towow.`` prefix."""
        ids = {"channel_id": self.channel_id, "demand_id": self.demand_id}
        return Draft(key, f"towow.{kind}", {**ids, **payload})

    def message(self, key: str, sender: str, to: str, body: JsonObject, /, **meta: object) -> Draft:
        """A message of the channel's log (row NEG-API-27)."""
        return Draft(key, "message", {"from": sender, "to": to, "body": body, "meta": meta})

    def move(self, trigger: Trigger) -> tuple[Draft, ...]:
        """Fire a trigger; the transition as a row, none when the channel had already ended."""
        self.state, moved = self.state.fire(trigger)
        if moved is None:
            return ()
        row = {
            "from_state": moved.from_state,
            "to_state": moved.to_state,
            "trigger": moved.trigger,
            "round": moved.round,
        }
        return (Draft(f"state.{moved.to_state}.r{moved.round}", "transition", row),)

    def deadline(self, key: str, when: datetime) -> Draft:
        """An absolute deadline, fixed the first time it is set."""
        return Draft(key, "deadline", {"at": rfc3339(when)})
