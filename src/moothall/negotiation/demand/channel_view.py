"""A channel as its requester reads it: candidates, offers, plans, answers, gaps, sub-negotiations. Pure.

Offers are sealed until their barrier has closed: before, only names and counts are told. Whatever an agent keeps to
itself is in none of the rows that are read here.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from pydantic import Field

from moothall.events.model import Event, JsonObject, RunRecord
from moothall.negotiation.demand.channel import channel_id_of
from moothall.negotiation.demand.machine import ChannelStatus
from moothall.negotiation.demand.models import Model, Offer
from moothall.negotiation.demand.payloads import CandidateShown
from moothall.negotiation.demand.plan_models import Compromise, Feedback, Gap, Proposal
from moothall.negotiation.demand.view import FAILED, FINALIZED, HEAD_TYPES, demand_state, last_of

CHANNEL_TYPES = HEAD_TYPES | {
    "message",
    "barrier",
    "deadline",
    "towow.filter.completed",
    "towow.substitute.invited",
    "towow.substitute.answered",
    "towow.proposal.distributed",
    "towow.proposal.feedback",
    "towow.gap.identified",
    "towow.subnet.triggered",
    "towow.subnet.completed",
}
"""The rows from which everything here can be told."""


class ShownOffer(Offer):
    """An offer without what the node thinks of it beside its card, which is not read from the log here."""

    doubts: int = Field(0, ge=0, exclude=True)


class GivenFeedback(Feedback):
    """An answer to a plan: in which round, when, and whether silence spoke."""

    display_name: str = ""
    round: int
    source: str | None = None
    degraded: bool = False
    at: str


class SubNegotiation(Model):
    """A sub-negotiation of this channel; ``outcome`` is null while it runs."""

    demand_id: str
    channel_id: str
    gap_type: str
    outcome: Literal["finalized", "failed", "timeout"] | None = None


class Parent(Model):
    """The channel for which this one closes a gap."""

    demand_id: str
    channel_id: str


class ChannelView(Model):
    """A channel, whole (row NEG-API-17)."""

    channel_id: str
    demand_id: str
    status: ChannelStatus
    round: int = Field(ge=0, le=3)
    max_rounds: int
    candidates: tuple[CandidateShown, ...] = ()
    invited_count: int = Field(0, ge=0)
    answered: tuple[str, ...] = Field((), description="who has offered or declined; sealed offers among them")
    offers_sealed: bool = Field(default=False, description="offers lie there that nobody may look at yet")
    offers: tuple[ShownOffer, ...] = ()
    proposals: tuple[Proposal, ...] = Field((), description="every version that was distributed, in order")
    final_proposal: Proposal | None = None
    feedback: tuple[GivenFeedback, ...] = ()
    gaps: tuple[Gap, ...] = Field((), description="at the end those still open, before all that were found")
    compromise: Compromise | None = None
    suggestions: tuple[str, ...] = ()
    unconfirmed: tuple[str, ...] = ()
    consensus: Literal["full", "partial"] | None = None
    reason: str | None = None
    deadline_at: str | None = Field(None, description="when the present phase ends")
    parent: Parent | None = None
    sub_negotiations: tuple[SubNegotiation, ...] = ()
    transitions_count: int = Field(0, ge=0)


class Rows:
    """The rows of one run, looked at as a channel."""

    def __init__(self, rows: Sequence[Event]) -> None:
        self.all = rows
        self.by_key = {row.key: row for row in rows}
        self.last = last_of(rows)

    def of(self, kind: str) -> list[Event]:
        """The rows of one type, in order."""
        return [row for row in self.all if row.type == kind]

    def public(self, kind: str) -> list[JsonObject]:
        """The payloads of one public type (without its prefix), in order."""
        return [row.payload for row in self.of(f"towow.{kind}")]

    def messages(self, kind: str) -> list[Event]:
        """The messages of one type, in order."""
        return [row for row in self.of("message") if row.payload["body"].get("type") == kind]

    def closed(self, phase: str) -> Event | None:
        """The row that closed the barrier of a phase, if it has closed."""
        return self.by_key.get(f"{phase}.closed")


def channel_view(record: RunRecord, rows: Sequence[Event]) -> ChannelView:
    """The channel of a run, from rows of `CHANNEL_TYPES`."""
    seen, state = Rows(rows), demand_state(record, rows)
    invited, answers = seen.messages("demand_offer"), seen.messages("offer_response")
    end = seen.last.get(FINALIZED) or seen.last.get(FAILED)
    final = seen.last[FINALIZED].payload["final_proposal"] if FINALIZED in seen.last else None
    told = end.payload if end else {}
    offers = offers_of(record.id, seen)
    return ChannelView(
        channel_id=channel_id_of(record.id),
        demand_id=record.id,
        status=state.channel_status,
        round=state.round,
        max_rounds=state.max_rounds,
        candidates=tuple(item for payload in seen.public("filter.completed") for item in payload["candidates"]),
        invited_count=len(invited),
        answered=tuple(dict.fromkeys(row.payload["from"] for row in answers)),
        offers_sealed=len(answers) > len(offers),
        offers=offers,
        proposals=proposals_of(seen),
        final_proposal=final,
        feedback=tuple(map(_given, answers_of(seen))),
        gaps=_gaps(seen, told if end else None),
        compromise=told.get("compromise"),
        suggestions=told.get("suggestions", ()),
        unconfirmed=told.get("unconfirmed", ()),
        consensus=state.consensus,
        reason=state.reason,
        deadline_at=None if end else _deadline(seen),
        parent=record.meta.get("parent"),
        sub_negotiations=_sub_negotiations(seen),
        transitions_count=len(seen.of("transition")),
    )


def offers_of(demand_id: str, seen: Rows) -> tuple[ShownOffer, ...]:
    """The offers that may be looked at, numbered in the order of invitation."""
    numbers = {row.payload["to"]: index for index, row in enumerate(seen.messages("demand_offer"), start=1)}
    matches = {row.payload["to"]: row.payload["body"]["match_score"] for row in seen.messages("demand_offer")}
    found: list[ShownOffer] = []
    for row in seen.messages("offer_response"):
        name = row.payload["from"]
        barrier = seen.closed(row.key.removesuffix(f".{name}"))
        if barrier is not None and name in barrier.payload["counted"]:
            body = {key: value for key, value in row.payload["body"].items() if key not in {"type", "round"}}
            found.append(
                ShownOffer(
                    **body,
                    offer_id=f"offer_{numbers[name]:03d}",
                    demand_id=demand_id,
                    submitted_at=row.ts,
                    match=matches[name],
                )
            )
    return tuple(sorted(found, key=lambda offer: offer.offer_id))


def proposals_of(seen: Rows) -> tuple[Proposal, ...]:
    """Every version of the plan that was distributed."""
    return tuple(Proposal.model_validate(payload["proposal"]) for payload in seen.public("proposal.distributed"))


def answers_of(seen: Rows) -> list[Event]:
    """Every answer to a plan: those of the rounds, then those of who was asked for an open place after the last."""
    return [*seen.of("towow.proposal.feedback"), *seen.of("towow.substitute.answered")]


def _given(row: Event) -> GivenFeedback:
    return GivenFeedback.model_validate({**row.payload, "at": row.ts})


def _gaps(seen: Rows, told: JsonObject | None) -> tuple[Gap, ...]:
    """What is missing: at the end what the end says, before it what was found."""
    found = [gap for payload in seen.public("gap.identified") for gap in payload["gaps"]]
    return tuple(map(Gap.model_validate, found if told is None else told.get("gaps", ())))


def _deadline(seen: Rows) -> str | None:
    deadlines = seen.of("deadline")
    if not deadlines:
        return None
    phase = deadlines[-1].key.removesuffix(".deadline")
    over = {"confirm": "confirmed", "subnet": "subnet.completed"}.get(phase, f"{phase}.closed")
    return None if over in seen.by_key else str(deadlines[-1].payload["at"])


def _sub_negotiations(seen: Rows) -> tuple[SubNegotiation, ...]:
    ended = {payload["sub_demand_id"]: payload["outcome"] for payload in seen.public("subnet.completed")}
    return tuple(
        SubNegotiation(
            demand_id=payload["sub_demand_id"],
            channel_id=payload["sub_channel_id"],
            gap_type=payload["gap_type"],
            outcome=ended.get(payload["sub_demand_id"]),
        )
        for payload in seen.public("subnet.triggered")
    )
