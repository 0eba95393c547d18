"""Whatever a model writes about a plan is refused or becomes an answer that holds; nothing else comes of it."""

from __future__ import annotations

import asyncio
import copy
import random
from functools import cache
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import BaseModel

from moothall.errors import DecisionRefused
from moothall.llm.reading import read_answer
from moothall.negotiation.demand.plan_models import AdjustedPlan, Compromise, PlanDraft
from moothall.negotiation.demand.questions import (
    AdjustInput,
    AggregateInput,
    CompromiseInput,
    GapInput,
    RecurseInput,
)
from tests.negotiation.demand.model.voices import BRIEFS
from tests.negotiation.demand.rules.worlds import TODAY, Played, play, proposal, random_world
from tests.support.fake_replies import default_reply

STRANGE = st.sampled_from(
    [
        None, True, 0, -1, 1e300, float("nan"), "", " ", "a0", "user_agent_a0", "user_agent_a1", "user_agent_ghost", "场地",
        "Speaker", "2027-01-20", "2027/2/30", "1,200", "90%", "high", "COMPROMISE", [], {}, [[]], ["演讲嘉宾"],
        {"agent_id": "user_agent_a2", "role": "摄影"}, [{"gap_type": "场地提供"}], "\u202e</data>",
    ]
)  # fmt: skip


@cache
def played(seed: int) -> Played:
    """A negotiation by rules, of which the questions are taken."""
    return asyncio.run(play(random_world(seed)))


def question(kind: str, seed: int) -> BaseModel | None:
    """The question as it would have been asked; ``None`` where that negotiation never came to it."""
    world, was = random_world(seed), played(seed)
    standing = tuple(offer for offer in was.offers if offer.decision != "decline")
    if not was.plans or not was.plans[-1].assignments:
        return None
    current = proposal(was.plans[0], 1)
    feedbacks = tuple(was.feedbacks[0])
    gaps = was.gaps.gaps if was.gaps else ()
    match kind:
        case "aggregate":
            return AggregateInput(demand=world.demand, offers=standing, today=TODAY, seed=seed)
        case "adjust":
            return AdjustInput(
                demand=world.demand,
                current_proposal=current,
                feedbacks=feedbacks,
                round=2,
                offers=standing,
                today=TODAY,
            )
        case "gaps":
            return GapInput(demand=world.demand, final_proposal=current, agent_feedbacks=feedbacks)
        case "recurse":
            cost = {"tokens": 100, "tokens_used": 5000}
            return RecurseInput.model_validate(
                {
                    "demand": world.demand,
                    "gaps": gaps,
                    "current_proposal": current,
                    "estimated_cost": cost,
                    "askable": {gap.gap_type: 2 for gap in gaps},
                }
            )
        case _:
            return CompromiseInput(
                demand=world.demand,
                available_resources=current.assignments,
                gaps=gaps,
                feedbacks=feedbacks,
                reason=random.Random(seed).choice(["gaps", "divided", "no_agreement"]),
            )


def spoil(reply: dict[str, Any], draw: random.Random, strange: list[Any]) -> dict[str, Any]:
    """The reply with some of its values replaced, taken out or doubled."""
    reply = copy.deepcopy(reply)
    for value in strange:
        at: Any = reply
        while True:
            places = list(at) if isinstance(at, dict) else list(range(len(at)))
            if not places:
                break
            place = draw.choice(places)
            if isinstance(at[place], dict | list) and at[place] and draw.random() < 0.8:
                at = at[place]
                continue
            if isinstance(at, list) and draw.random() < 0.3:
                at.append(copy.deepcopy(at[place]))
            elif draw.random() < 0.2:
                del at[place]
            else:
                at[place] = value
            break
    return reply


@pytest.mark.requirement("NEG-PROMPT-10")
@pytest.mark.parametrize("kind", ["aggregate", "adjust", "gaps", "recurse", "compromise"])
@settings(max_examples=60, deadline=None)
@given(seed=st.integers(0, 25), mix=st.integers(0, 10_000), strange=st.lists(STRANGE, max_size=4))
def test_any_draft_is_refused_or_holds(kind: str, seed: int, mix: int, strange: list[Any]) -> None:
    data = question(kind, seed)
    if data is None:
        return
    brief = BRIEFS[kind]
    shown = {name: _plain(value) for name, value in brief.data(data).items()}
    reply = spoil(default_reply(kind, shown), random.Random(mix), strange)
    try:
        output = asyncio.run(read_answer(brief, data, reply))
    except DecisionRefused:
        return
    assert brief.prompt.check(data, output) == output, "what was checked once stays as it is"
    assert brief.prompt.output.model_validate_json(output.model_dump_json()) == output
    if isinstance(output, PlanDraft):
        offers = getattr(data, "offers", ())
        assert {item.agent_id for item in output.assignments} <= {offer.agent_id for offer in offers}
        assert abs(sum(item.price for item in output.assignments) - output.cost.total) < 0.01
    if isinstance(output, AdjustedPlan):
        assert output.adjustment_summary.round == 2
    if isinstance(output, Compromise):
        assert output.confidence in {"low", "medium"}


def _plain(value: Any) -> Any:
    """A part of the data as the model reads it."""
    return value.model_dump(mode="json") if isinstance(value, BaseModel) else value


@pytest.mark.parametrize("kind", ["aggregate", "adjust", "gaps", "compromise"])
def test_a_sensible_answer_is_mostly_taken(kind: str) -> None:
    """The cheerful default of the fake model passes in most worlds; else the drafts above would prove little."""
    taken = asked = 0
    for seed in range(26):
        data = question(kind, seed)
        if data is None:
            continue
        asked += 1
        shown = {name: _plain(value) for name, value in BRIEFS[kind].data(data).items()}
        try:
            asyncio.run(read_answer(BRIEFS[kind], data, default_reply(kind, shown)))
            taken += 1
        except DecisionRefused:
            continue
    assert asked >= 10
    assert taken / asked >= 0.5
