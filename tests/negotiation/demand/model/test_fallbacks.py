"""What stands in for a failing model: the answer of the rules, marked, in the shape of its prompt (NEG-FAIL-06)."""

from __future__ import annotations

import asyncio
import re
from typing import Any

import jsonschema
import pytest
from pydantic import BaseModel

from moothall.llm.decision import Prompt
from moothall.negotiation.demand.prompts import FALLBACK_RESPONSES, PROMPTS
from moothall.negotiation.demand.schemas import schemas
from tests.negotiation.demand.model.test_any_draft import question as about_people
from tests.negotiation.demand.model.test_any_plan_draft import question as about_plans
from tests.negotiation.demand.model.voices import DEAD, LATE, Answer, Spoken, deciding

KEYS = {"smart_filter", "response_generation", "proposal_aggregation", "proposal_adjustment", "gap_identify"}
DOCUMENT = schemas()


def asked(kind: str, seed: int) -> BaseModel | None:
    """A question of one kind out of an invented world."""
    if kind in {"understand", "filter", "respond", "review"}:
        return asyncio.run(about_people(kind, seed))
    return about_plans(kind, seed)


@pytest.mark.requirement("NEG-FAIL-06")
@pytest.mark.parametrize("prompt", PROMPTS, ids=lambda prompt: str(prompt.kind))
@pytest.mark.parametrize(
    ("failure", "code"), [(DEAD, "E003"), (LATE, "E004"), ("nothing of use", "DECISION_REFUSED")], ids=str
)
def test_every_prompt_has_a_marked_stand_in_of_its_own_shape(
    prompt: Prompt[Any, Any], failure: Answer, code: str
) -> None:
    decisions = deciding(Spoken({}, otherwise=failure))
    name = f"prompt.{prompt.number}.{prompt.kind}.output"
    shape = jsonschema.Draft202012Validator({**DOCUMENT, **DOCUMENT["schemas"][name]})
    answered = 0
    for seed in range(4, 12):
        data = asked(prompt.kind, seed)
        if data is None:
            continue
        decided = asyncio.run(decisions.decide(prompt, data))
        assert (decided.source, decided.degraded, decided.error) == ("fallback", True, code)
        shape.validate(decided.value.model_dump(mode="json"))
        named = set(re.findall(r"user_agent_\w+", decided.value.model_dump_json()))
        assert named <= set(re.findall(r"user_agent_\w+", data.model_dump_json())), "nobody is made up"
        answered += 1
    assert answered


@pytest.mark.requirement("NEG-FAIL-06")
def test_the_keys_of_the_specification_name_prompts() -> None:
    assert FALLBACK_RESPONSES.keys() >= KEYS
    assert len(FALLBACK_RESPONSES) == len(PROMPTS)
