"""Prompt 2 over a large registry: nobody waits for its index, and nothing of a question outlives it."""

from __future__ import annotations

import gc
import threading
import weakref
from typing import Any

import pytest

from moothall.directory import retrieval
from moothall.directory.index import RegistrySnapshot
from moothall.llm.decision import Decisions
from moothall.llm.model import ModelFailure, Question
from moothall.negotiation.demand import indexing
from moothall.negotiation.demand.indexing import WORTH_A_THREAD
from moothall.negotiation.demand.model import filter as model_filter
from moothall.negotiation.demand.prompts import FILTER
from moothall.negotiation.demand.questions import FilterInput
from moothall.negotiation.demand.rules import shortlist
from tests.negotiation.demand.model.test_filter import WANTED, halls, pick, rows
from tests.negotiation.demand.model.voices import RULES, Answer, Spoken, deciding
from tests.negotiation.demand.rules.worlds import LEXICA, TODAY

POOL = tuple(halls(WORTH_A_THREAD + 20))
NOBODY = {"definitely_related": [pick("nobody")]}
Ranking = list[tuple[int, bool]]


def question() -> FilterInput:
    return FilterInput(demand=WANTED, all_agent_profiles=POOL, today=TODAY)


def picked(asked: Question) -> dict[str, Any]:
    """The first agent that is shown."""
    first = rows(asked)[0]["agent_id"].removeprefix("user_agent_")
    return {"analysis": "", "definitely_related": [pick(first)]}


def down(_: Question) -> dict[str, Any]:
    raise ModelFailure("unavailable", "refused", outage=True)


@pytest.fixture
def ranked(monkeypatch: pytest.MonkeyPatch) -> Ranking:
    """How many agents each ranking saw, and whether it ran in the thread of the event loop."""
    seen: Ranking = []

    def rank(snapshot: RegistrySnapshot, asked: Any) -> Any:
        seen.append((len(snapshot), threading.current_thread() is threading.main_thread()))
        return retrieval.rank(snapshot, asked)

    monkeypatch.setattr(model_filter, "rank", rank)
    monkeypatch.setattr(shortlist, "rank", rank)
    return seen


@pytest.fixture
def indexed(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How many profiles each index that had to be made holds."""
    made: list[int] = []

    def make(profiles: Any, *rest: Any) -> RegistrySnapshot:
        made.append(len(profiles))
        return RegistrySnapshot(profiles, *rest)

    monkeypatch.setattr(indexing, "RegistrySnapshot", make)
    return made


async def test_many_agents_are_ranked_in_a_thread_and_once_for_each_question(ranked: Ranking) -> None:
    decided = await deciding(Spoken({"filter": [NOBODY, picked]})).decide(FILTER, question())
    assert decided.source == "llm"
    assert [item for item in ranked if item[0] == len(POOL)] == [(len(POOL), False)]
    ranked.clear()
    await Decisions(RULES).decide(FILTER, question())
    assert ranked == [(len(POOL), False)]


async def test_the_index_of_the_registry_is_used_as_it_is(indexed: list[int]) -> None:
    registry = RegistrySnapshot(POOL, LEXICA.vocabulary, LEXICA.gazetteer)
    for answer in (picked, down):
        await deciding(Spoken({"filter": answer})).decide(FILTER, question().among(registry))
    assert [size for size in indexed if size >= WORTH_A_THREAD] == []


async def test_an_index_is_made_once_and_the_agents_shown_do_not_take_its_place(indexed: list[int]) -> None:
    await Decisions(RULES).decide(FILTER, question())
    indexed.clear()
    await deciding(Spoken({"filter": picked})).decide(FILTER, question())
    await Decisions(RULES).decide(FILTER, question())
    assert len([size for size in indexed if size >= WORTH_A_THREAD]) <= 1, "the model's own, where it had none yet"
    assert len([size for size in indexed if size < WORTH_A_THREAD]) == 1, "the reserve among those shown"


@pytest.mark.parametrize("answer", [picked, down, NOBODY])
async def test_nothing_of_a_question_is_kept_once_it_is_answered(answer: Answer) -> None:
    data = question()
    gone = weakref.ref(data)
    await deciding(Spoken({"filter": answer})).decide(FILTER, data)
    del data
    gc.collect()
    assert gone() is None


def test_registered_profiles_are_taken_as_they_are_and_others_are_read() -> None:
    assert all(one is other for one, other in zip(question().all_agent_profiles, POOL, strict=True))
    read = FilterInput.model_validate({"demand": WANTED, "all_agent_profiles": [POOL[0].private()]})
    assert read.all_agent_profiles == POOL[:1]
