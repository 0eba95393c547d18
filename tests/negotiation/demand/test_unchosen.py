"""Why an offer is not in a plan: the true reason, out of the offer and the plan."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from moothall.negotiation.demand.models import Condition, Constraints, DemandUnderstanding, Offer, Requirement, Term
from moothall.negotiation.demand.plan_models import Assignment
from moothall.negotiation.demand.unchosen import Unchosen

DAY = date(2027, 5, 1)


def offer(name: str, *terms: Term, **more: Any) -> Offer:
    return Offer(
        offer_id=f"offer_{name}", agent_id=name, display_name=name, demand_id="d-00000000", decision="participate",
        confidence=90, submitted_at="2027-01-01T00:00:00.000Z", terms=terms, **more,
    )  # fmt: skip


def term(concept: str = "venue", price: float = 1000, **more: Any) -> Term:
    return Term(tag=concept, concept=concept, price=price, **more)


def reason(*terms: Term, chosen: Term | None = None, **limits: Any) -> str:
    needs = tuple(Requirement(tag=tag, concept=tag, importance=80) for tag in ("venue", "catering"))
    demand = DemandUnderstanding(surface_demand="x", requirements=needs, constraints=Constraints(**limits))
    taken = chosen or term(capacity=100)
    assignments = (
        Assignment(agent_id="winner", display_name="winner", role="venue", responsibility="x", concept="venue",
                   price=taken.price),
    )  # fmt: skip
    offers = (offer("winner", taken), mine := offer("mine", *terms))
    return Unchosen(demand, offers, assignments, "CNY", DAY.isoformat()).why(mine)


@pytest.mark.parametrize(("terms", "limits", "expected"), [
    ((term(capacity=15, price=10),), {}, "too_small"),
    ((term(capacity=15, price=10), term("tea")), {}, "too_small"),
    ((term(capacity=40, price=10),), {"attendees": 50}, "too_small"),
    ((term("tea"),), {}, "not_needed"),
    ((term(currency="USD"),), {}, "currency"),
    ((term(dates=(date(2027, 5, 2),)),), {}, "busy"),
    ((term(price=1001),), {}, "dearer"),
    ((term(price=900),), {}, "taken"),
    ((term("catering"),), {}, "combination"),
    ((term("catering"),), {"budget": 1200}, "money"),
    ((term(capacity=15), term(price=2000)), {}, "dearer"),
    ((), {}, "whole"),
])  # fmt: skip
def test_the_reason_is_what_really_kept_the_offer_out(
    terms: tuple[Term, ...], limits: dict[str, Any], expected: str
) -> None:
    assert reason(*terms, **limits) == expected


def test_somebody_elsewhere_is_told_so_where_the_team_chose_the_city() -> None:
    def at(city: str) -> tuple[Condition, ...]:
        return (Condition(text=city, kind="city", concept=city),)

    assert reason(term(conditions=at("shanghai")), chosen=term(conditions=at("beijing"))) == "elsewhere"
