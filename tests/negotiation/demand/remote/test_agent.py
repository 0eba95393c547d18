"""An author's agent: by rules from its profile without code, by its own code with a few lines of it."""

from __future__ import annotations

import ast
import importlib.util
from pathlib import Path

import pytest

from moothall import DemandAgent, DemandInvitation, OfferReply, PlanReview
from moothall.errors import InvalidInput
from moothall.negotiation.demand.models import AgentResponse, Constraints, DemandUnderstanding, Requirement
from moothall.negotiation.demand.remote.messages import asked_of, shown_to
from tests.negotiation.demand.remote.test_reading import INVITATION, MINE, REVIEW
from tests.support.demand import profile

EXAMPLE = Path(__file__).parents[4] / "examples" / "participant.py"


async def test_an_agent_without_code_offers_and_reviews_by_its_profile() -> None:
    hall = DemandAgent("hall", MINE)
    offer = await hall.offer(asked_of(INVITATION))
    assert offer.decision != "decline"
    assert [(term.tag, term.price) for term in offer.terms] == [("场地提供", 1000)]
    shown = shown_to(MINE.agent_id, REVIEW.model_copy(update={"your_offer": AgentResponse(decision="participate")}))
    assert (await hall.review(shown)).feedback_type == "accept"
    public = await hall.demand_profile()
    assert "reservation" not in public
    assert "800" not in str(public)


async def test_an_agent_without_code_declines_what_it_cannot_do() -> None:
    demand = DemandUnderstanding(
        surface_demand="上海的活动",
        requirements=(Requirement(tag="场地提供", concept="venue"),),
        constraints=Constraints(city="上海"),
    )
    invitation = DemandInvitation(demand_id="d-00000001", channel_id="collab-00000001", demand=demand)
    offer = await DemandAgent("hall", profile("x", "场地提供", city="北京")).offer(invitation)
    assert (offer.decision, bool(offer.decline_reason)) == ("decline", True)


def test_a_profile_that_is_none_is_refused_where_the_agent_is_made() -> None:
    with pytest.raises(InvalidInput):
        DemandAgent("hall", {"agent_id": "user_agent_hall"})


async def test_the_agent_of_the_example_takes_at_most_twenty_lines_and_decides_by_itself() -> None:
    tree = ast.parse(EXAMPLE.read_text(encoding="utf-8"))
    code = [node for node in tree.body if not (isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant))]
    data = [node for node in code if isinstance(node, ast.Assign) and isinstance(node.value, ast.Dict | ast.BinOp)]
    lines = sum((node.end_lineno or 0) - node.lineno + 1 for node in code if node not in data)
    assert lines <= 20
    spec = importlib.util.spec_from_file_location("participant_example", EXAMPLE)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    hall = module.node.agents["hall"]
    asked = asked_of(INVITATION)
    assert (await hall.offer(asked)).price == 3000
    crowd = asked.demand.model_copy(update={"constraints": Constraints(attendees=500)})
    refused: OfferReply = await hall.offer(asked.model_copy(update={"demand": crowd}))
    assert refused.decision == "decline"
    shown: PlanReview = shown_to(MINE.agent_id, REVIEW)
    assert (await hall.review(shown)).feedback_type == "accept"
