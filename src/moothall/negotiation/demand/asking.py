"""What one person is asked at this moment, and what that person may know of the demand (row NEG-API-28). Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from pydantic import Field

from moothall.clock import parse_rfc3339
from moothall.events.model import Event, RunRecord
from moothall.negotiation.demand.channel import channel_id_of
from moothall.negotiation.demand.channel_view import Rows
from moothall.negotiation.demand.invitation import SharedPlan, shared_demand, shared_plan
from moothall.negotiation.demand.machine import MAX_NEGOTIATION_ROUNDS, ChannelStatus
from moothall.negotiation.demand.models import AgentResponse, DemandUnderstanding, JsonObject, Model
from moothall.negotiation.demand.people import Person
from moothall.negotiation.demand.plan_models import Assignment, Proposal
from moothall.negotiation.demand.view import HEAD_TYPES, demand_state
from moothall.negotiation.demand.wire import CHANNEL_ADMIN

ASKING_TYPES = HEAD_TYPES | {"message", "barrier", "deadline"}
"""The rows from which everything here can be told."""

Question = Literal["offer", "review"]


@dataclass(frozen=True, slots=True)
class Asked:
    """A question that waits for one person's answer; ``body`` is the message that put it.

    ``phase`` begins the keys of the rows of the phase that asks.
    """

    kind: Question
    phase: str
    channel_id: str
    round: int
    until: datetime | None
    body: JsonObject

    @property
    def key(self) -> str:
        """The same for every answer to the same question, so that only the first one counts."""
        return f"{self.kind}.r{self.round}"

    @property
    def last_word(self) -> bool:
        """Whether it is about a plan that will not be changed any more, whatever is answered."""
        return self.kind == "review" and self.round >= self.body["max_rounds"]


class Invitation(Model):
    """What a person sees of a demand: what is wanted, what is asked now, the plan when it is about a plan.

    Nobody else's offer or price is in it, nor the budget. ``asked`` is null while nothing is asked, so also once the
    answer is in.
    """

    channel_id: str
    demand_id: str
    agent_id: str
    display_name: str
    capability_tags: tuple[str, ...]
    status: ChannelStatus
    round: int = Field(ge=0, le=MAX_NEGOTIATION_ROUNDS)
    max_rounds: int
    last_word: bool = Field(
        default=False,
        description="the question is about a plan that will not be changed any more: whoever is asked to fill an open "
        "place, and everybody in the last round",
    )
    demand: DemandUnderstanding | None = None
    asked: Question | None = None
    deadline_at: str | None = None
    proposal: SharedPlan | None = Field(None, description="the plan to be reviewed, without anybody's money")
    your_assignments: tuple[Assignment, ...] = ()
    your_offer: AgentResponse | None = None


def asked_of(record: RunRecord, rows: Sequence[Event], agent_id: str, now: datetime) -> Asked | None:
    """The question that is open for one person at ``now``, if there is one."""
    seen = Rows(rows)
    for row in reversed(_letters(seen, agent_id)):
        body = row.payload["body"]
        reviewing = body["type"] == "proposal_review"
        phase = _reviewing(row.key, agent_id) if reviewing else "offers"
        if seen.closed(phase) is not None or f"{phase}.{agent_id}" in seen.by_key:
            continue
        deadline = seen.by_key.get(f"{phase}.deadline")
        until = parse_rfc3339(deadline.payload["at"]) if deadline else None
        if until is None or now <= until:
            kind: Question = "review" if reviewing else "offer"
            return Asked(kind, phase, channel_id_of(record.id), body["round"], until, body)
    return None


def invitation(record: RunRecord, rows: Sequence[Event], person: Person, now: datetime) -> Invitation:
    """What a person sees, from rows of `ASKING_TYPES`."""
    seen, state = Rows(rows), demand_state(record, rows)
    asked = asked_of(record, rows, person.agent_id, now)
    letters = _letters(seen, person.agent_id)
    offer = seen.by_key.get(f"offers.{person.agent_id}")
    proposal = Proposal.model_validate(asked.body["proposal"]) if asked and asked.kind == "review" else None
    deadline = seen.by_key.get(f"{asked.phase}.deadline") if asked else None
    demand = DemandUnderstanding.model_validate(letters[0].payload["body"]["demand"]) if letters else None
    return Invitation(
        channel_id=channel_id_of(record.id),
        demand_id=record.id,
        agent_id=person.agent_id,
        display_name=person.display_name,
        capability_tags=person.capability_tags,
        status=state.channel_status,
        round=state.round,
        max_rounds=state.max_rounds,
        last_word=asked is not None and asked.last_word,
        demand=shared_demand(demand) if demand else None,
        asked=asked.kind if asked else None,
        deadline_at=deadline.payload["at"] if deadline else None,
        proposal=shared_plan(proposal) if proposal else None,
        your_assignments=proposal.of(person.agent_id) if proposal else (),
        your_offer=AgentResponse.model_validate(offer.payload["body"]) if offer else None,
    )


def _reviewing(key: str, agent_id: str) -> str:
    """The phase to which a letter with a plan belongs: ``review.r1.<agent>`` to ``feedback.r1``."""
    return "feedback." + key.removeprefix("review.").removesuffix(f".{agent_id}")


def _letters(seen: Rows, agent_id: str) -> list[Event]:
    """What the channel's administrator wrote to one person, in order."""
    return [row for row in seen.of("message") if row.payload["to"] == agent_id and row.payload["from"] == CHANNEL_ADMIN]
