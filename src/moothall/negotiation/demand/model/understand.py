"""Prompt 1 by a model: it reads between the lines; what stands in the lines is read by rules (row NEG-PROMPT-1b).

Money, days, places and head counts come from the extraction alone, and a sentence that states others, in digits or in
words, is left out: a figure that the demand does not state cannot enter. Motivation, preferences, mood and the
capabilities that a demand implies are the model's.
"""

from __future__ import annotations

import json
import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from functools import reduce
from typing import TYPE_CHECKING, Annotated

from moothall.directory.lexicon import fold
from moothall.errors import DecisionRefused
from moothall.llm.brief import Brief
from moothall.messages import detect_lang
from moothall.negotiation.demand.model.draft import LOOSE, Draft, Line, Lines, Text, Words
from moothall.negotiation.demand.model.stated import Facts, all_facts, cities
from moothall.negotiation.demand.models import Confidence, Context, DeepUnderstanding, DemandUnderstanding, Requirement
from moothall.negotiation.demand.prompts import UNDERSTAND
from moothall.negotiation.demand.questions import UnderstandInput
from moothall.negotiation.demand.rules.understand import IMPLIED, NAMED

if TYPE_CHECKING:
    from moothall.llm.decision import RulesBrain
    from moothall.messages import Lang
    from moothall.negotiation.demand.models import JsonObject
    from moothall.negotiation.demand.rules.phrasing import Lexica

MOST_TAGS = 12
"""Capabilities that a model may name for one demand."""
MOST_DOUBTS = 10
"""Uncertainties that a model may add to those of the rules."""
LONGEST_KNOWN = 4000
"""Characters of what is known of the requester that are read for sums and days."""
_FIGURE = re.compile(r"\d+(?:,\d{3})*(?:\.\d+)?")
_WHOLE = re.compile(r"\.0+$")


class DeepDraft(Draft):
    """Why the person asks, as far as the words show it."""

    motivation: Text = ""
    likely_preferences: Lines = ()
    emotional_context: Text = ""


class ContextDraft(Draft):
    """What a model read; only shows what it believes to be stated."""

    location: Line | None = None
    expected_attendees: int | Line | None = None
    date: Line | None = None
    budget: float | Line | None = None


class UnderstandDraft(Draft):
    """The specification's output of prompt 1."""

    surface_demand: Line
    deep_understanding: DeepDraft = DeepDraft()
    capability_tags: Words = ()
    context: ContextDraft = ContextDraft()
    uncertainties: Lines = ()
    confidence: Annotated[Confidence, LOOSE] = "low"


@dataclass(frozen=True, slots=True)
class Grounds:
    """The figures, days and cities that the demand itself, or what is known of its author, speaks of."""

    figures: frozenset[str]
    facts: Facts
    today: date
    lexica: Lexica

    def holds(self, words: str) -> bool:
        """Whether a text brings in no figure, sum, head count, day or city of its own, in digits or in words."""
        if not _figures(words) <= self.figures:
            return False
        said, known = all_facts(words, self.today, self.lexica), self.facts
        named = said.sums <= known.sums and said.heads <= known.heads and said.cities <= known.cities
        return named and all(map(self._known, said.spans))

    def _known(self, said: tuple[date, date]) -> bool:
        """Whether days are past, or hold all days that were named: who says December says nothing new of the 5th."""
        return said[1] < self.today or any(said[0] <= first and last <= said[1] for first, last in self.facts.spans)


def _figures(words: str) -> frozenset[str]:
    plain = unicodedata.normalize("NFKC", words)
    found = (_WHOLE.sub("", figure.replace(",", "")) for figure in _FIGURE.findall(plain))
    return frozenset(figure.lstrip("0") or "0" for figure in found)


@dataclass(frozen=True, slots=True)
class Reading:
    """A model's reading of a demand beside that of the rules."""

    data: UnderstandInput
    draft: UnderstandDraft
    base: DemandUnderstanding
    lexica: Lexica

    def understanding(self) -> DemandUnderstanding:
        """The rules' facts in the model's words."""
        draft, base, grounds = self.draft, self.base, self._grounds()
        deep = draft.deep_understanding
        tags, requirements = self._needs()

        def kept(words: str, instead: str) -> str:
            return words if words and grounds.holds(words) else instead

        return base.model_copy(
            update={
                "surface_demand": kept(draft.surface_demand, base.surface_demand),
                "deep_understanding": DeepUnderstanding(
                    motivation=kept(deep.motivation, base.deep_understanding.motivation),
                    likely_preferences=tuple(filter(grounds.holds, deep.likely_preferences)),
                    emotional_context=kept(deep.emotional_context, base.deep_understanding.emotional_context),
                ),
                "capability_tags": tags,
                "requirements": requirements,
                "uncertainties": self._uncertainties(grounds),
                "confidence": self._confidence(),
            }
        )

    def _grounds(self) -> Grounds:
        known = json.dumps(self.data.user_context, ensure_ascii=False, default=str)
        read = json.dumps(self.base.context.model_dump(mode="json"), ensure_ascii=False)
        counts = [item.count for item in self.base.requirements]
        told = f"{self.data.raw_input}\n{known}\n{read}\n{counts}"
        today, lexica = self.data.today, self.lexica
        stated = [all_facts(words, today, lexica) for words in (self.data.raw_input, known[:LONGEST_KNOWN])]
        return Grounds(_figures(told), reduce(Facts.__or__, stated, self._understood(told)), today, lexica)

    def _understood(self, told: str) -> Facts:
        """What the rules made of the demand: a budget per head times the heads, a window from two days."""
        limits = self.base.constraints
        ends = (limits.date_start or date.min, limits.date_end or date.max)
        return Facts(
            sums=frozenset({limits.budget} if limits.budget is not None else ()),
            heads=frozenset({limits.attendees} if limits.attendees is not None else ()),
            spans=frozenset({ends} if limits.date_start or limits.date_end else ()),
            cities=cities(told, self.lexica),
        )

    def _needs(self) -> tuple[tuple[str, ...], tuple[Requirement, ...]]:
        """The model's capabilities in its own words, then every stated need that it forgot.

        What the rules found implied gives way to what the model found implied; a capability that the demand refuses
        stays out.
        """
        base = self.base
        found = {item.concept: item for item in base.requirements}
        tags: list[str] = []
        needs: dict[str, Requirement] = {}
        for tag in dict.fromkeys(self.draft.capability_tags):
            concept = self._concept(tag, found)
            if not concept or concept in base.constraints.excluded or len(tags) == MOST_TAGS:
                continue
            tags.append(tag)
            needs.setdefault(concept, self._requirement(tag, concept, found.get(concept)))
        if not needs:
            return base.capability_tags, base.requirements
        forgotten = [item for item in base.requirements if item.named and item.concept not in needs]
        return (*tags, *(item.tag for item in forgotten)), (*needs.values(), *forgotten)

    def _concept(self, tag: str, found: Mapping[str, Requirement]) -> str:
        """What a tag means; one that only elaborates a stated need (``AI嘉宾`` of 嘉宾) is that need."""
        vocabulary = self.lexica.vocabulary
        if known := vocabulary.normalise(tag):
            return known
        named = {mention.concept.id for mention in vocabulary.find(tag)} & found.keys()
        return named.pop() if len(named) == 1 else vocabulary.key(tag)

    def _requirement(self, tag: str, concept: str, found: Requirement | None) -> Requirement:
        if found is not None:
            return found.model_copy(update={"tag": tag})
        stated = fold(tag) in fold(self.data.raw_input)
        return Requirement(tag=tag, concept=concept, importance=NAMED if stated else IMPLIED, named=stated)

    def _uncertainties(self, grounds: Grounds) -> tuple[str, ...]:
        """What the model finds open, then what the rules found open: of every fact that was not stated, a line."""
        own = [line for line in self.draft.uncertainties if grounds.holds(line)][:MOST_DOUBTS]
        return tuple(dict.fromkeys((*own, *self.base.uncertainties)))

    def _confidence(self) -> Confidence:
        """The model's own, but never high for a reading with invented facts, and low where nothing was stated."""
        stated = self.base.context != Context() or any(item.named for item in self.base.requirements)
        if not stated:
            return "low"
        return "medium" if self.draft.confidence == "high" and self._invented() else self.draft.confidence

    def _invented(self) -> bool:
        """Whether the model believes a fact stated that the demand does not state."""
        claimed, read = self.draft.context, self.base.context
        return any(_given(getattr(claimed, name)) and not _given(getattr(read, name)) for name in Context.model_fields)


def _given(value: object) -> bool:
    return value not in (None, "", 0) and str(value).casefold() not in _NOTHING


_NOTHING = frozenset({"unknown", "none", "null", "n/a", "not stated", "not specified", "未知", "未说明", "无", "不详"})


def brief(lexica: Lexica, rules: RulesBrain) -> Brief[UnderstandInput, DemandUnderstanding, UnderstandDraft]:
    """How prompt 1 is asked."""

    async def complete(data: UnderstandInput, draft: UnderstandDraft) -> DemandUnderstanding:
        if not draft.surface_demand:
            message = "surface_demand is empty: say in one sentence what the person wants"
            raise DecisionRefused(message)
        return Reading(data, draft, await rules.answer(UNDERSTAND, data), lexica).understanding()

    return Brief(UNDERSTAND, UnderstandDraft, _lang, _data, complete)


def _lang(data: UnderstandInput) -> Lang:
    return detect_lang(data.raw_input)


def _data(data: UnderstandInput) -> JsonObject:
    return {
        "raw_input": data.raw_input,
        "user_id": data.user_id,
        "user_context": data.user_context,
        "today": data.today.isoformat(),
    }
