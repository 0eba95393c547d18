"""A persona whose model fails: structured offers speak for themselves, prose stays silent (row NEG-FAIL-06)."""

from __future__ import annotations

from typing import Any

import pytest

from moothall.directory.profiles import AgentProfile
from moothall.llm.decision import Decided
from moothall.negotiation.demand.models import AgentResponse, DemandUnderstanding
from moothall.negotiation.demand.participants import AnswerUnknownError
from moothall.negotiation.demand.persona import Persona
from moothall.negotiation.demand.plan_models import Assignment, Proposal, Timeline
from moothall.negotiation.demand.sizing import too_long
from moothall.negotiation.demand.wire import DemandOffer, OfferResponse, ProposalReview
from tests.negotiation.demand.model.test_respond import YES, prose
from tests.negotiation.demand.model.voices import DEAD, LATE, Spoken, deciding
from tests.negotiation.demand.rules.worlds import LEXICA, TODAY, agent, demand

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


def heaviest(kind: str, tags: tuple[str, ...], **more: Any) -> AgentProfile:
    """The card with the most conditions of a kind, for each of its offers, that the registry accepts."""
    carried = {"requires": {"tag": "音响设备"}, "theme": {"texts": ["无人问津的主题"]}, "min_fee": {"value": 1200}}[
        kind
    ]
    found = None
    for count in range(1, 21):
        asked = [{"kind": kind, "text": f"{number}" + "条" * 180, **carried} for number in range(count)]
        asked = asked if more.get("long") else [{**one, "text": f"{one['text'][:9]}"} for one in asked]
        offers = [{"tag": tag, "price": 2000, "min_attendees": 5, "conditions": asked} for tag in tags]
        try:
            found = agent("full", *offers, max_roles=more.get("roles", 1), floors=dict.fromkeys(tags, 100))
        except ValueError:
            break
    assert found is not None
    return found


TAGS = ("场地提供", "摄影", "餐饮")
CARDS = [
    heaviest(kind, TAGS[:count], roles=count, long=long)
    for kind in ("requires", "theme", "min_fee")
    for count in (1, 2)
    for long in (False, True)
]
WORDY = YES | {"decision": "conditional", "conditions": [f"第{number}条" + "须" * 190 for number in range(3)]}


@pytest.mark.parametrize("card", CARDS)
@pytest.mark.parametrize("answer", [DEAD, YES, WORDY])
async def test_an_agent_of_this_node_never_says_more_than_its_channel_accepts(card: AgentProfile, answer: Any) -> None:
    wanted = demand("venue", "photography", "catering", budget=1500, currency="CNY")
    decided = await persona(card, Spoken({"respond": answer})).offer(invitation(wanted), key="k")
    said = OfferResponse(channel_id="collab-00000000", agent_id=card.agent_id, **decided.value.model_dump())
    assert said.decision == "conditional"
    assert too_long(said) == ""


async def test_conditions_that_leave_no_room_take_roles_from_an_offer_and_never_a_condition() -> None:
    concepts = tuple(one.id for one in LEXICA.vocabulary.all()[:12])
    offers = ({"tag": LEXICA.vocabulary.label(one, "zh"), "price": 2000, "min_attendees": 5} for one in concepts)
    card = agent("many", *offers, max_roles=12)
    wanted = demand(*concepts)
    decided = await persona(card, Spoken({"respond": DEAD})).offer(invitation(wanted), key="k")
    said = OfferResponse(channel_id="collab-00000000", agent_id=card.agent_id, **decided.value.model_dump())
    assert 1 < said.max_roles < 12
    assert len(said.terms) == 12
    assert all("min_attendees" in {one.kind for one in term.conditions} for term in said.terms)
    assert too_long(said) == ""
