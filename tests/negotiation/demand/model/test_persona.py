"""A persona whose model fails: structured offers speak for themselves, prose stays silent (row NEG-FAIL-06)."""

from __future__ import annotations

import pytest

from moothall.directory.profiles import AgentProfile
from moothall.llm.decision import Decided
from moothall.negotiation.demand.models import AgentResponse, Assignment, DemandUnderstanding, Proposal, Timeline
from moothall.negotiation.demand.participants import AnswerUnknownError
from moothall.negotiation.demand.persona import Persona
from moothall.negotiation.demand.wire import DemandOffer, ProposalReview
from tests.negotiation.demand.model.test_respond import YES, prose
from tests.negotiation.demand.model.voices import DEAD, LATE, Spoken, deciding
from tests.negotiation.demand.rules.worlds import TODAY, agent, demand

WANTED = demand("venue", city="beijing")
HALL = agent("hall", {"tag": "场地提供", "price": 2000}, floors={"场地提供": 1500})
PROSE = prose("场地提供")


def persona(profile: AgentProfile, model: Spoken) -> Persona:
    return Persona(profile, deciding(model), lambda: TODAY)


def invitation(wanted: DemandUnderstanding = WANTED) -> DemandOffer:
    return DemandOffer(
        channel_id="collab-00000000", demand_id="d-00000000", demand=wanted, filter_reason="有场地", match_score=90
    )


def request(of: AgentProfile, concept: str = "venue") -> ProposalReview:
    mine = Assignment(
        agent_id=of.agent_id, display_name="谁", role="角色", responsibility="负责", concept=concept, price=2000
    )
    plan = Proposal(
        proposal_id="prop_001",
        demand_id="d-00000000",
        version=1,
        created_at="2027-01-04T00:00:00.000Z",
        summary="聚会",
        objective="办聚会",
        assignments=(mine,),
        timeline=Timeline(start_date="2027-01-20"),
    )
    return ProposalReview(channel_id="collab-00000000", demand_id="d-00000000", proposal=plan, round=1, demand=WANTED)


@pytest.mark.requirement("NEG-FAIL-06", "NEG-PROMPT-5a")
@pytest.mark.parametrize(("failure", "code"), [(DEAD, "E003"), (LATE, "E004"), ("no json at all", "E003")])
async def test_an_agent_with_prose_only_neither_refuses_nor_consents(failure: object, code: str) -> None:
    model = Spoken({}, otherwise=failure)  # type: ignore[arg-type]
    with pytest.raises(AnswerUnknownError) as unknown:
        await persona(PROSE, model).offer(invitation(), key="k")
    assert unknown.value.code == code
    with pytest.raises(AnswerUnknownError) as unknown:
        await persona(PROSE, model).review(request(PROSE), key="k")
    assert unknown.value.code == code


@pytest.mark.requirement("NEG-FAIL-06")
async def test_an_agent_with_structured_offers_answers_by_them_and_the_answer_is_marked() -> None:
    speaker = persona(HALL, Spoken({}, otherwise=LATE))
    offer = await speaker.offer(invitation(), key="k")
    assert isinstance(offer, Decided)
    assert (offer.value.decision, offer.source, offer.degraded, offer.error) == (
        "participate",
        "fallback",
        True,
        "E004",
    )
    assert [(term.concept, term.price) for term in offer.value.terms] == [("venue", 2000)]
    review = await speaker.review(request(HALL), key="k")
    assert isinstance(review, Decided)
    assert (review.value.feedback_type, review.source, review.degraded) == ("accept", "fallback", True)


async def test_an_offer_for_something_else_does_not_speak_for_what_stands_in_prose() -> None:
    both = HALL.model_copy(update={"tags": ("场地提供", "摄影")})
    dead = persona(both, Spoken({}))
    with pytest.raises(AnswerUnknownError):
        await dead.offer(invitation(demand("photography", city="beijing")), key="k")
    with pytest.raises(AnswerUnknownError):
        await dead.review(request(both, concept="photography"), key="k")
    declined = await dead.offer(invitation(demand("catering", city="beijing")), key="k")
    assert isinstance(declined, Decided)
    assert declined.value.decision == "decline"


async def test_a_persona_whose_model_works_speaks_for_prose_as_well() -> None:
    model = Spoken({"respond": {**YES, "price": 900}, "review": {"feedback_type": "accept", "reasoning": "好"}})
    offer = await persona(PROSE, model).offer(invitation(), key="k")
    assert isinstance(offer, Decided)
    assert isinstance(offer.value, AgentResponse)
    assert (offer.value.decision, offer.source) == ("participate", "llm")
    review = await persona(PROSE, model).review(request(PROSE), key="k")
    assert isinstance(review, Decided)
    assert review.value.feedback_type == "accept"
