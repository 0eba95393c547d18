"""Bounds of what a participant may say: beyond them an answer is refused before anybody computes with it."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from moothall.negotiation.demand.models import AgentResponse, Condition, RefusalFact, Term
from moothall.negotiation.demand.wire import OfferResponse

TERM = {"tag": "场地提供", "concept": "venue", "price": 3000}
DECLINE = {"decision": "decline", "channel_id": "collab-0000000a", "agent_id": "user_agent_x"}


@pytest.mark.parametrize(
    "change",
    [
        {"price": 1.7e308},
        {"price": 1_000_000_001},
        {"price": -1},
        {"quantity": 10_001},
        {"capacity": 10_000_001},
        {"capacity": -1},
        {"dates": ["2027-03-14"] * 401},
        {"conditions": [{"text": "x"}] * 24},
        {"conditions": [{"text": "x", "kind": "min_fee", "value": 1.7e308}]},
    ],
)
def test_a_term_beyond_its_bounds_is_refused(change: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        Term.model_validate(TERM | change)


def test_a_term_at_its_bounds_is_accepted() -> None:
    widest = {"price": 1e9, "quantity": 10_000, "capacity": 10_000_000, "dates": ["2027-03-14"] * 400}
    assert Term.model_validate(TERM | widest | {"conditions": [{"text": "x"}] * 23})
    assert Condition(text="x", value=1e9)


@pytest.mark.parametrize("model", [AgentResponse, OfferResponse])
@pytest.mark.parametrize(
    "body",
    [
        {"terms": [TERM] * 51},
        {"refusals": [{"kind": "date"}] * 51},
        {"refusals": [{"kind": "mood"}]},
        {"refusals": [{"kind": "price", "ask": 1.7e308}]},
        {"refusals": [{"kind": "capacity", "capacity": 10**400}]},
        {"refusals": [{"kind": "date", "next_day": "soon"}]},
        {"refusals": [{"kind": "city", "city": "x" * 201}]},
    ],
)
def test_an_answer_beyond_its_bounds_is_refused(
    model: type[AgentResponse | OfferResponse], body: dict[str, Any]
) -> None:
    with pytest.raises(ValidationError):
        model.model_validate(DECLINE | body)


def test_a_refusal_keeps_only_what_it_may_say() -> None:
    said = OfferResponse.model_validate(DECLINE | {"refusals": [{"kind": "price", "ask": 3000, "note": "pay me"}]})
    assert said.refusals == (RefusalFact(kind="price", ask=3000),)
    assert "note" not in said.model_dump(mode="json")["refusals"][0]
