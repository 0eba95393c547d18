"""What a language model is asked about a request: which of the candidates it means, and which arguments it names.

A model only picks: what it names beside the candidates, or beside the parameters, is ignored. Everything that others
wrote is shown to it as data.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass
from datetime import date
from hashlib import sha256
from typing import Any, Final, Generic, TypeVar

from pydantic import BaseModel, ConfigDict, ValidationError

from moothall.directory.intent.schemas import fields_of
from moothall.directory.listing import Listing
from moothall.errors import BudgetSpent, DecisionRefused, ModelTimeout, ModelUnavailable, Told, Unavailable
from moothall.llm.base import BaseLLM
from moothall.llm.fencing import fenced
from moothall.llm.prompt_files import prompt_text
from moothall.llm.reading import object_in
from moothall.messages import Lang

_REMEMBERED: Final = 1_000
"""Answers of a kind that are remembered."""

FormT = TypeVar("FormT", bound=BaseModel)
T = TypeVar("T")

FAILED: Final = (ModelUnavailable, ModelTimeout, DecisionRefused, BudgetSpent)
"""Where a model gives nothing, the rules decide."""

_CHOOSE, _FILL, _ANSWER = "intent_choose", "intent_fill", "intent_answer"


@dataclass(frozen=True, slots=True)
class Ranking:
    """Targets in the order in which a model thinks that they fit, and whether it has no doubt about the first."""

    targets: tuple[str, ...]
    certain: bool


class _Ranked(BaseModel):
    model_config = ConfigDict(extra="ignore")

    ranking: list[str] = []
    certain: bool = False


class _Filled(BaseModel):
    model_config = ConfigDict(extra="ignore")

    arguments: dict[str, Any] = {}


class _Answered(BaseModel):
    model_config = ConfigDict(extra="ignore")

    answer: str = ""


class _Memory(Generic[T]):
    """The latest answers, each by everything that it was asked with."""

    def __init__(self) -> None:
        self._kept: OrderedDict[str, T] = OrderedDict()

    def get(self, *asked_with: object) -> T | None:
        key = _key(asked_with)
        if key in self._kept:
            self._kept.move_to_end(key)
        return self._kept.get(key)

    def put(self, answer: T, *asked_with: object) -> T:
        self._kept[_key(asked_with)] = answer
        if len(self._kept) > _REMEMBERED:
            self._kept.popitem(last=False)
        return answer


def _key(asked_with: object) -> str:
    return sha256(repr(asked_with).encode("utf-8", "backslashreplace")).hexdigest()


class IntentModel:
    """A language model behind calls by intent.

    Args:
        llm: the model.
        lang: of the prompts.
    """

    def __init__(self, llm: BaseLLM, lang: Lang = "en") -> None:
        self._llm = llm
        self._lang = lang
        self._ranked = _Memory[Ranking]()
        self._filled = _Memory[dict[str, Any]]()

    async def rank(self, text: str, candidates: Sequence[Listing]) -> Ranking:
        """Order candidates; the same words over the same candidates, as they describe themselves, are asked once.

        Raises:
            ModelUnavailable, ModelTimeout, DecisionRefused, BudgetSpent: there is no answer of any use.
        """
        shown = [_shown(each) for each in candidates]
        if (remembered := self._ranked.get(text, shown)) is not None:
            return remembered
        ranked = await self._asked(_CHOOSE, {"request": text, "candidates": shown}, _Ranked)
        known = {each.target for each in candidates}
        targets = tuple(dict.fromkeys(target for target in ranked.ranking if target in known))
        first = ranked.ranking[0] if ranked.ranking else ""
        return self._ranked.put(Ranking(targets, ranked.certain and first in known), text, shown)

    async def fill(self, text: str, schema: Mapping[str, Any], given: Mapping[str, Any], today: date) -> dict[str, Any]:
        """The arguments that a request names; the same question has the same answer.

        A call that is made again, once it was approved or by its key, has to be the same call.

        Raises:
            as `rank`.
        """
        material = {"request": text, "parameters": dict(schema), "given": dict(given), "today": today.isoformat()}
        if (remembered := self._filled.get(material)) is not None:
            return deepcopy(remembered)
        filled = await self._asked(_FILL, material, _Filled)
        known = {field.name for field in fields_of(schema)}
        found = {name: value for name, value in filled.arguments.items() if name in known and value is not None}
        return deepcopy(self._filled.put(found, material)) if found else found

    async def answer(self, text: str, value: object) -> str:
        """What came of a request, told to whoever asked.

        Raises:
            as `rank`.
        """
        answered = await self._asked(_ANSWER, {"request": text, "result": value}, _Answered)
        if not answered.answer.strip():
            raise DecisionRefused("the model says nothing")
        return answered.answer.strip()

    async def _asked(self, kind: str, material: Mapping[str, object], form: type[FormT]) -> FormT:
        return await asked(self._llm, prompt_text(kind, self._lang), material, form)


async def asked(llm: BaseLLM, system: str, material: Mapping[str, object], form: type[FormT]) -> FormT:
    """Ask for one JSON object of a form; one that has not that form is refused, and may be mended once.

    Raises:
        ModelUnavailable, ModelTimeout, DecisionRefused, BudgetSpent: there is no answer of any use.
    """
    user = fenced(material)
    for _ in range(2):
        text = await llm.async_generate_response(system, user)
        try:
            return form.model_validate(dict(object_in(text)))
        except (DecisionRefused, ValidationError):
            user = (
                f"{user}\n\n{fenced({'refused': 'the last answer was no JSON object of the form that is asked for'})}"
            )
    raise DecisionRefused("the model gives no answer of the form that is asked for")


def no_model() -> Unavailable:
    """The error of what cannot be done without a model."""
    return Unavailable("this needs a language model, and none is configured", told=Told("intent.no_model"))


def _shown(listing: Listing) -> dict[str, object]:
    return {
        "target": listing.target,
        "description": listing.description,
        "parameters": [field.name for field in fields_of(listing.input_schema)],
        "read_only": listing.read_only,
    }
