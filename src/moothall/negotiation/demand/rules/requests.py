"""What participants asked for in a round, and what the next plan made of each request (row NEG-PROMPT-6a)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date

from moothall.directory.profiles import MOST_MONEY
from moothall.negotiation.demand.models import Condition, JsonObject
from moothall.negotiation.demand.plan_models import Assignment, Feedback, PlanDraft, Proposal
from moothall.negotiation.demand.rules.phrasing import TEXT_CAP, TITLE_CAP, Voice, clean

MOST_FIELDS = 12
"""How many fields of one request are considered."""


@dataclass(frozen=True, slots=True)
class Request:
    """One field that one participant wants changed."""

    agent_id: str
    field: str
    value: object

    @property
    def price(self) -> float | None:
        """The price asked for, if this is a request for one."""
        if self.field != "price" or isinstance(self.value, bool) or not isinstance(self.value, int | float):
            return None
        return float(self.value) if 0 <= self.value <= MOST_MONEY else None

    @property
    def day(self) -> date | None:
        """The day asked for, if this is a request for one."""
        if self.field not in {"date", "start_date"} or not isinstance(self.value, str):
            return None
        try:
            return date.fromisoformat(self.value)
        except ValueError:
            return None


def requests(feedbacks: Iterable[Feedback]) -> list[Request]:
    """Every requested field, of those who negotiate, in the order of agent and field."""
    found: list[Request] = []
    for feedback in sorted(feedbacks, key=lambda item: item.agent_id):
        if feedback.feedback_type != "negotiate":
            continue
        fields = [name for name in feedback.proposed_changes if name != "reason"][:MOST_FIELDS]
        if not fields:
            found.append(Request(feedback.agent_id, "note", clean(feedback.adjustment_request)))
        found.extend(Request(feedback.agent_id, clean(name, 40), feedback.proposed_changes[name]) for name in fields)
    return found


@dataclass(frozen=True, slots=True)
class Answers:
    """Compares two plans and answers the requests between them."""

    before: Proposal
    after: PlanDraft
    offered: frozenset[str]
    voice: Voice

    def split(self, asked: Sequence[Request]) -> tuple[tuple[JsonObject, ...], tuple[JsonObject, ...]]:
        """The requests that were addressed and those that were declined, each with result and reason."""
        addressed: list[JsonObject] = []
        declined: list[JsonObject] = []
        for request in asked:
            granted, result, reason = self._answer(request)
            entry: JsonObject = {
                "agent_id": request.agent_id,
                "field": request.field,
                "requested": _shown(request.value),
                "result": result,
                "reason": reason,
            }
            (addressed if granted else declined).append(entry)
        return tuple(addressed), tuple(declined)

    def _answer(self, request: Request) -> tuple[bool, object, str]:
        mine = [item for item in self.after.assignments if item.agent_id == request.agent_id]
        if request.field == "drop_role":
            concept = self.voice.lexica.vocabulary.key(str(request.value))
            gone = all(item.concept != concept for item in mine)
            return gone, gone, self.voice.say("answer.dropped" if gone else "answer.needed")
        if not mine:
            return False, None, self._replaced(request)
        if request.price is not None:
            return self._priced(request.agent_id, request.price, mine)
        if request.day is not None:
            start = self.after.timeline.start_date
            granted = start == request.day.isoformat()
            return granted, start, self.voice.say("answer.date_moved" if granted else "answer.date_fixed")
        return self._condition(request, mine)

    def _priced(self, agent_id: str, wanted: float, mine: Sequence[Assignment]) -> tuple[bool, object, str]:
        old = sum(item.price for item in self.before.of(agent_id))
        new = sum(item.price for item in mine)
        if new >= wanted and new != old:
            return True, new, self.voice.say("answer.price_full")
        fits = self._fits(wanted - new)
        if new > old:
            return True, new, self.voice.say("answer.price_some" if fits else "answer.price_part")
        return False, new, self.voice.say("answer.price_kept" if fits else "answer.price_none")

    def _replaced(self, request: Request) -> str:
        """What became of the roles of somebody who is no longer in the plan, as far as the two plans tell."""
        roles = {item.concept for item in self.before.of(request.agent_id)}
        others = [item for item in self.after.assignments if item.concept in roles]
        if not others:
            blame = request.price is not None and not self._fits(request.price)
            return self.voice.say("answer.left_out_money" if blame else "answer.left_out")
        name = self.voice.join(dict.fromkeys(clean(item.display_name, TITLE_CAP) for item in others))
        paid = sum(item.price for item in others)
        cheaper = request.price is not None and roles <= {item.concept for item in others} and paid < request.price
        price = self.voice.money(paid, self.after.cost.currency)
        return self.voice.say("answer.cheaper" if cheaper else "answer.replaced", name=name, price=price)

    def _fits(self, more: float) -> bool:
        """Whether the plan could cost that much more within the budget."""
        budget = self.after.cost.budget
        return budget is None or self.after.cost.total + more <= budget

    def _condition(self, request: Request, mine: Sequence[Assignment]) -> tuple[bool, object, str]:
        conditions = [item for assignment in mine for item in assignment.conditions if item.kind == request.field]
        if request.field == "requires":
            concept = self.voice.lexica.vocabulary.key(str(request.value))
            provider = next((item for item in self.after.assignments if item.concept == concept), None)
            if provider:
                name = clean(provider.display_name, TITLE_CAP)
                return True, name, self.voice.say("answer.provided", name=name)
            key = "left_out" if concept in self.offered else "nobody"
            return False, None, self.voice.say(f"settle.{key}", tag=self.voice.label(concept))
        if conditions:
            met = all(item.status == "met" for item in conditions)
            return met, conditions[0].status, _reason(conditions) or self.voice.say("settle.unknown")
        return False, None, self.voice.say("answer.not_changeable")


def _shown(value: object) -> str | float | bool | None:
    """A requested value as it may stand in the log: a number within bounds, or short text."""
    if value is None or (isinstance(value, bool | int | float) and abs(value) <= MOST_MONEY):
        return value
    return clean(str(value), TEXT_CAP)


def _reason(conditions: Sequence[Condition]) -> str:
    return next((item.reason for item in conditions if item.reason), "")


def changes(before: Proposal, after: PlanDraft, voice: Voice) -> tuple[JsonObject, ...]:
    """Every difference between two plans, by agent and field."""
    found: list[JsonObject] = []

    def note(agent_id: str, field: str, old: object, new: object) -> None:
        reason = voice.say(f"change.{field}")
        found.append({"agent_id": agent_id, "field": field, "from": old, "to": new, "reason": reason})

    old = {(item.agent_id, item.concept): item for item in before.assignments}
    new = {(item.agent_id, item.concept): item for item in after.assignments}
    moved = before.timeline.start_date != after.timeline.start_date
    for key in sorted(old.keys() | new.keys()):
        was, now = old.get(key), new.get(key)
        if was and now:
            if was.price != now.price:
                note(key[0], "price", was.price, now.price)
            if was.quantity != now.quantity:
                note(key[0], "quantity", was.quantity, now.quantity)
        elif was:
            note(key[0], "role_removed", was.role, None)
        elif now:
            note(key[0], "role_added", None, now.role)
    for agent_id in sorted({item.agent_id for item in after.assignments}) if moved else ():
        note(agent_id, "date", before.timeline.start_date, after.timeline.start_date)
    return tuple(found)
