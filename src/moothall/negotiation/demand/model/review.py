"""Prompt 5 by a model: it judges a plan for one agent; the rules see that it does not consent to its own loss.

What the rules would refuse even in the last round (pay below the agent's floor, a day on which it is not free, a
condition without which it does not come) no careless consent gives away: then their answer counts (row NEG-PROMPT-5a).
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import BeforeValidator, Field

from moothall.directory.profiles import MOST_MONEY
from moothall.errors import DecisionRefused
from moothall.llm.brief import Brief
from moothall.negotiation.demand.model.draft import LINE_CAP, LOOSE, Draft, Text, finite
from moothall.negotiation.demand.model.shown import shown_demand, shown_profile
from moothall.negotiation.demand.plan_models import ProposalFeedback
from moothall.negotiation.demand.prompts import REVIEW
from moothall.negotiation.demand.questions import ReviewInput
from moothall.negotiation.demand.rules.phrasing import clean
from moothall.negotiation.demand.rules.requests import MOST_FIELDS

if TYPE_CHECKING:
    from moothall.llm.decision import RulesBrain
    from moothall.messages import Lang
    from moothall.negotiation.demand.models import JsonObject
    from moothall.negotiation.demand.plan_models import Assignment
    from moothall.negotiation.demand.rules.phrasing import Lexica

FIELD_CAP = 40
DAYS = frozenset({"date", "start_date"})
_SAME = {"reject": "withdraw", "decline": "withdraw", "agree": "accept", "counter": "negotiate"}


def _changes(value: Any) -> Any:  # noqa: ANN401 - whatever a model wrote
    """Changes by field, also from ``[{field, new_value, reason}]`` or a single ``{field, new_value, reason}``."""
    if value is None or value == "":
        return {}
    if isinstance(value, Mapping) and isinstance(value.get("field"), str):
        value = [value]
    if not isinstance(value, list | tuple):
        return value
    found: dict[str, Any] = {}
    for item in value:
        if not isinstance(item, Mapping) or not isinstance(item.get("field"), str):
            return value
        found[item["field"]] = item.get("new_value", item.get("value"))
        if item.get("reason"):
            found["reason"] = item["reason"]
    return found


def _verdict(value: Any) -> Any:  # noqa: ANN401 - whatever a model wrote
    return _SAME.get(value, value) if isinstance(value, str) else value


class ReviewDraft(Draft):
    """The specification's output of prompt 5."""

    feedback_type: Annotated[Literal["accept", "negotiate", "withdraw"], BeforeValidator(_verdict), LOOSE]
    reasoning: Text = ""
    proposed_changes: Annotated[
        dict[str, Any],
        BeforeValidator(_changes),
        Field(description="the wanted value by field: price (number), date (YYYY-MM-DD), drop_role, requires; reason"),
    ] = Field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Verdict:
    """A model's answer to a plan beside that of the rules; ``last`` is theirs if this were the last round."""

    data: ReviewInput
    draft: ReviewDraft
    base: ProposalFeedback
    last: ProposalFeedback
    lexica: Lexica

    def feedback(self) -> ProposalFeedback:
        """The answer that reaches the channel.

        Raises:
            DecisionRefused: a withdrawal without a reason, or a request for change that names nothing to change.
        """
        if not self._mine:
            return self.base
        match self.draft.feedback_type:
            case "withdraw":
                if not self.draft.reasoning:
                    message = "a withdrawal needs reasoning"
                    raise DecisionRefused(message)
                return ProposalFeedback(feedback_type="withdraw", reasoning=self.draft.reasoning)
            case "accept":
                if self.last.feedback_type == "withdraw":
                    return self.base
                return ProposalFeedback(
                    feedback_type="accept", reasoning=self.draft.reasoning or self._consent().reasoning
                )
            case _:
                return self._negotiate()

    @property
    def _mine(self) -> tuple[Assignment, ...]:
        single = (self.data.my_assignment,) if self.data.my_assignment else ()
        return self.data.my_assignments or single

    def _consent(self) -> ProposalFeedback:
        return self.base if self.base.feedback_type == "accept" else self.last

    def _negotiate(self) -> ProposalFeedback:
        if self.base.feedback_type == "withdraw":
            return self.base
        wanted = self._wanted()
        if self.last.feedback_type == "withdraw":
            wanted = self._firm(wanted)
        if not wanted:
            message = "negotiate needs a concrete change: price (number), date (YYYY-MM-DD), drop_role or requires"
            raise DecisionRefused(message)
        why = self._reason(wanted)
        return ProposalFeedback(
            feedback_type="negotiate",
            reasoning=self.draft.reasoning or why,
            adjustment_request=why,
            proposed_changes={**wanted, "reason": why},
        )

    def _wanted(self) -> JsonObject:
        """The requested fields that mean something: known ones checked, others as short text."""
        wanted: JsonObject = {}
        for name, value in self.draft.proposed_changes.items():
            field = clean(str(name), FIELD_CAP).casefold()
            if not field or field == "reason" or value in (None, "", [], {}) or len(wanted) == MOST_FIELDS:
                continue
            understood = self._understood(field, value)
            if understood is not None:
                wanted["date" if field in DAYS else field] = understood
        return wanted

    def _understood(self, field: str, value: object) -> float | str | None:
        """A requested value in its type; ``None`` for one that asks for nothing that could be granted."""
        if field == "price":
            return _sum(value)
        if field in DAYS:
            return self._day(value)
        if field == "drop_role":
            vocabulary = self.lexica.vocabulary
            meant = vocabulary.key(str(value))
            roles = (item.concept for item in self._mine if meant in {item.concept, vocabulary.key(item.role)})
            return next((vocabulary.label(concept, self.data.demand.lang) for concept in roles), None)
        return clean(value if isinstance(value, str) else str(value), LINE_CAP) or None

    def _day(self, value: object) -> str | None:
        """A day that this agent has offered for all its roles."""
        try:
            day = date.fromisoformat(str(value).strip()[:10])
        except ValueError:
            return None
        concepts = {item.concept for item in self._mine}
        terms = [term for term in self.data.my_offer.terms if term.concept in concepts and term.dates is not None]
        return day.isoformat() if all(day in (term.dates or ()) for term in terms) else None

    def _firm(self, wanted: JsonObject) -> JsonObject:
        """The request together with what the rules insist on; of two prices the higher."""
        insisted = {name: value for name, value in self.base.proposed_changes.items() if name in {"date", "price"}}
        if "price" in insisted and "price" in wanted:
            insisted["price"] = max(insisted["price"], wanted["price"])
        return {**wanted, **insisted}

    def _reason(self, wanted: JsonObject) -> str:
        given = self.draft.proposed_changes.get("reason")
        if isinstance(given, str) and (words := clean(given, LINE_CAP)):
            return words
        said = ", ".join(f"{name}: {value}" for name, value in wanted.items())
        return clean(self.draft.reasoning, LINE_CAP) or said


def _sum(value: object) -> float | None:
    """A price in bounds, whole where it is whole."""
    try:
        amount = finite(value)
    except ValueError:
        return None
    if not 0 < amount <= MOST_MONEY:
        return None
    return math.floor(amount) if amount == math.floor(amount) else round(amount, 2)


def brief(lexica: Lexica, rules: RulesBrain) -> Brief[ReviewInput, ProposalFeedback, ReviewDraft]:
    """How prompt 5 is asked."""

    async def complete(data: ReviewInput, draft: ReviewDraft) -> ProposalFeedback:
        base = await rules.answer(REVIEW, data)
        last = await rules.answer(REVIEW, data.model_copy(update={"round": data.max_rounds}))
        return Verdict(data, draft, base, last, lexica).feedback()

    return Brief(REVIEW, ReviewDraft, _lang, _data, complete)


def _lang(data: ReviewInput) -> Lang:
    return data.demand.lang


def _data(data: ReviewInput) -> JsonObject:
    mine = data.my_assignments or ((data.my_assignment,) if data.my_assignment else ())
    return {
        "agent_profile": shown_profile(data.agent_profile),
        "demand": shown_demand(data.demand),
        "proposal": data.proposal.model_dump(mode="json"),
        "my_assignments": [item.model_dump(mode="json") for item in mine],
        "my_offer": data.my_offer.model_dump(mode="json", exclude={"refusals"}),
        "round": {"now": data.round, "last": data.max_rounds},
    }
