"""Who was asked, who is in the plan, and why the others are not (notes §10: unchosen agents stay visible). Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Literal

from pydantic import Field

from moothall.events.model import Event, RunRecord
from moothall.messages import Lang, text
from moothall.negotiation.demand.channel_view import CHANNEL_TYPES, Rows, offers_of, proposals_of
from moothall.negotiation.demand.models import Model, Offer, Percent
from moothall.negotiation.demand.people import is_person
from moothall.negotiation.demand.plan_models import Feedback, Proposal
from moothall.negotiation.demand.refusals import too_long_answers
from moothall.negotiation.demand.revising import revised
from moothall.negotiation.demand.unchosen import Unchosen
from moothall.negotiation.demand.view import FINALIZED, lang_of, understanding_of

ROSTER_TYPES = CHANNEL_TYPES | {"refused"}
"""The rows from which everything here can be told."""

ANSWERED = "towow.substitute.answered"

Standing = Literal[
    "reserve", "invited", "offered", "declined", "silent", "unknown", "in_plan", "not_chosen", "withdrawn"
]
WhyNot = Literal["not_needed_yet", "declined", "silent", "unknown", "not_chosen", "withdrawn"]


class Seat(Model):
    """One agent or person of a channel.

    ``standing`` is what the channel knows by now; ``why_not`` tells in the language of the demand why somebody is not
    in the plan, with the fixed word before it in ``why_not_code``.
    """

    agent_id: str
    display_name: str
    kind: Literal["agent", "person"]
    reason: str = Field(description="why it was thought of")
    match_score: Percent
    invited: bool
    standing: Standing
    in_plan: bool = False
    roles: tuple[str, ...] = ()
    why_not_code: WhyNot | None = None
    why_not: str = ""


class _Judge:
    """Tells for each agent where it stands."""

    def __init__(self, record: RunRecord, seen: Rows) -> None:
        self._lang: Lang = lang_of(record, seen.last)
        self._demand = understanding_of(record, seen.last)
        self._offers = _standing_offers(record, seen)
        self._answered = {row.payload["from"] for row in seen.messages("offer_response")}
        self._invited = {row.payload["to"] for row in seen.messages("demand_offer")}
        barriers = [row.payload for row in seen.of("barrier") if "counted" in row.payload]
        self._silent = {name for payload in barriers for name in payload["silent"]}
        self._unknown = {name: code for payload in barriers for name, code in payload.get("unknown", {}).items()}
        self._refused = too_long_answers(seen.all)
        self._left = {
            row.payload["agent_id"]: row.payload["reasoning"]
            for row in seen.of("towow.proposal.feedback")
            if row.payload["feedback_type"] == "withdraw"
        }
        self._no_stand_ins = _refused_place(seen)
        plans = proposals_of(seen)
        final = seen.last[FINALIZED].payload["final_proposal"] if FINALIZED in seen.last else None
        self._plan = Proposal.model_validate(final) if final else plans[-1] if plans else None

    def seat(self, agent_id: str, display_name: str, reason: str, score: int) -> Seat:
        """Where one of them stands."""
        roles = tuple(item.role for item in self._plan.of(agent_id)) if self._plan else ()
        standing, code, words = self._standing(agent_id, bool(roles))
        why = "" if code is None else words or text(f"channel.why_not.{code}", self._lang)
        return Seat(
            agent_id=agent_id,
            display_name=display_name,
            kind="person" if is_person(agent_id) else "agent",
            reason=reason,
            match_score=score,
            invited=agent_id in self._invited,
            standing=standing,
            in_plan=standing == "in_plan",
            roles=roles,
            why_not_code=code,
            why_not=why,
        )

    def _standing(self, agent_id: str, planned: bool) -> tuple[Standing, WhyNot | None, str]:  # noqa: FBT001 - one caller
        """What is known of one of them, and why it is not in the plan; the first that holds."""
        offer = self._offers.get(agent_id)
        declined = offer if offer is not None and offer.decision == "decline" else None
        unknown = self._unknown.get(agent_id)
        table: tuple[tuple[bool, Standing, WhyNot | None, str], ...] = (
            (agent_id in self._left, "withdrawn", "withdrawn", self._left.get(agent_id, "")),
            (planned, "in_plan", None, ""),
            (
                declined is not None,
                "declined",
                "declined",
                (declined.decline_reason or declined.reasoning) if declined else "",
            ),
            (offer is not None and self._plan is not None, "not_chosen", "not_chosen", self._unchosen(offer)),
            (
                unknown is not None,
                "unknown",
                "unknown",
                text(f"errors.{unknown}.message", self._lang) if unknown else "",
            ),
            (
                agent_id in self._silent and agent_id in self._refused,
                "silent",
                "silent",
                text("channel.why_not.too_large", self._lang),
            ),
            (agent_id in self._silent, "silent", "silent", ""),
            (agent_id in self._answered, "offered", None, ""),
            (agent_id in self._invited, "invited", None, ""),
            (True, "reserve", "not_needed_yet", ""),
        )
        return next((standing, code, words) for holds, standing, code, words in table if holds)

    def _unchosen(self, offer: Offer | None) -> str:
        """Why an offer is not in the plan, in the words in which the plan's own reasons tell it."""
        if offer is None or offer.decision == "decline" or self._plan is None or self._demand is None:
            return ""
        plan, standing = self._plan, [one for one in self._offers.values() if one.decision != "decline"]
        seen = Unchosen(
            demand=self._demand,
            offers=standing,
            assignments=plan.assignments,
            currency=plan.cost.currency,
            day=plan.timeline.start_date,
            refused=self._no_stand_ins,
        )
        return seen.words(seen.why(offer), self._lang)


def _standing_offers(record: RunRecord, seen: Rows) -> Mapping[str, Offer]:
    """The offers by agent, with what their owners asked for since."""
    offers: Mapping[str, Offer] = {offer.agent_id: offer for offer in offers_of(record.id, seen)}
    for plan in proposals_of(seen):
        answers = [row for row in seen.public("proposal.feedback") if row.get("round") == plan.version]
        offers = revised(offers, [Feedback.model_validate(answer) for answer in answers], plan)
    return offers


def roster(record: RunRecord, rows: Sequence[Event]) -> tuple[Seat, ...]:
    """Everybody who was thought of: the invited in the order of invitation, then the reserve."""
    seen = Rows(rows)
    judge = _Judge(record, seen)
    known: dict[str, Seat] = {}
    for payload in seen.public("filter.completed"):
        for item in payload["candidates"]:
            score = item.get("match_score", 0)
            known[item["agent_id"]] = judge.seat(item["agent_id"], item["display_name"], item["reason"], score)
    for name, shown, reason, score in _reserve(seen):
        known.setdefault(name, judge.seat(name, shown, reason, score))
    return tuple(known.values())


def _refused_place(seen: Rows) -> frozenset[str]:
    """Those who were asked after the last round to fill an open place, and are known not to have agreed."""
    agreed = {row.payload["agent_id"] for row in seen.of(ANSWERED) if row.payload["feedback_type"] == "accept"}
    said = {row.payload["agent_id"] for row in seen.of(ANSWERED)}
    silent = {
        name for row in seen.of("barrier") if row.key.startswith("feedback.standins.") for name in row.payload["silent"]
    }
    return frozenset((said | silent) - agreed)


def _reserve(seen: Rows) -> list[tuple[str, str, str, int]]:
    """The relevant agents that were not invited at once, from the order that opened the channel."""
    opened = [row.payload["body"] for row in seen.messages("create_channel")]
    return [
        (item["agent_id"], item["display_name"], item["reason"], item["relevance_score"])
        for body in opened
        for item in body.get("reserve", ())
    ]
