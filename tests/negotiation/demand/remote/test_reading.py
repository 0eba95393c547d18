"""What agents elsewhere say, and where they are asked: nothing of it is trusted, nothing of others is told to them."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest

from moothall.directory.concepts import load_vocabulary
from moothall.errors import (
    AgentNotFound,
    CallTimeout,
    InvalidInput,
    MoothallError,
    PermissionDeniedError,
    UpstreamError,
    UpstreamInvalid,
    ValidationError,
)
from moothall.negotiation.demand.models import Constraints, Context, DemandUnderstanding, Requirement
from moothall.negotiation.demand.participants import AnswerUnknownError, ParticipantUnreachableError
from moothall.negotiation.demand.plan_models import Assignment, Proposal, Timeline
from moothall.negotiation.demand.remote.messages import PlanReview
from moothall.negotiation.demand.remote.participant import Asking, Question, RemoteParticipant
from moothall.negotiation.demand.remote.places import place_of
from moothall.negotiation.demand.remote.reading import read_profile
from moothall.negotiation.demand.remote.store import Bound
from moothall.negotiation.demand.wire import DemandOffer, ProposalReview
from moothall.node import Node
from moothall.settings import Settings
from tests.support.demand import negotiate, of_type, profile

PLACE = place_of("https://hall.example/api/v1/capabilities/hall")
MINE = profile("x", "场地提供").model_copy(update={"agent_id": PLACE.agent_id})
DEMAND = DemandUnderstanding(
    surface_demand="办一场聚会，预算两万元，需要场地",
    requirements=(Requirement(tag="场地提供", concept="venue"),),
    context=Context(budget=20000),
    constraints=Constraints(budget=20000),
)
INVITATION = DemandOffer(
    channel_id="collab-00000001", demand_id="d-00000001", demand=DEMAND, filter_reason="预算20000元以内", match_score=80
)


def assigned(agent: str, price: float) -> Assignment:
    return Assignment(
        agent_id=agent, display_name=agent, role="场地提供", responsibility="场地", concept="venue", price=price
    )


REVIEW = ProposalReview(
    channel_id="collab-00000001",
    demand_id="d-00000001",
    round=1,
    demand=DEMAND,
    proposal=Proposal(
        summary="SECRET 3333",
        objective="聚会",
        assignments=(assigned(MINE.agent_id, 1000), assigned("user_agent_rival", 7777)),
        timeline=Timeline(start_date="2027-01-01"),
        rationale="SECRET",
        proposal_id="prop_1",
        demand_id="d-00000001",
        version=1,
        created_at="2026-01-01T00:00:00Z",
    ),
)


@dataclass
class Elsewhere:
    """An agent elsewhere that answers with what it is given, and keeps what it was asked."""

    answers: Any
    there: bool = True
    asked: list[Question] = field(default_factory=list)

    async def find(self, agent_id: str) -> Bound | None:
        return Bound(agent_id, PLACE, "", "owner", datetime.now(UTC)) if self.there else None

    async def ask(self, question: Question) -> Any:
        self.asked.append(question)
        if isinstance(self.answers, MoothallError):
            raise self.answers
        return self.answers

    def participant(self) -> RemoteParticipant:
        asking = Asking(
            places=self,  # type: ignore[arg-type]
            ask=self.ask,
            today=lambda: date(2026, 12, 1),
            vocabulary=load_vocabulary(),
            offer_seconds=7,
            review_seconds=5,
        )
        return RemoteParticipant(MINE, asking)


async def offered(answer: Any) -> Any:
    return await Elsewhere(answer).participant().offer(INVITATION, key="d-00000001/k")


async def reviewed(answer: Any) -> Any:
    return await Elsewhere(answer).participant().review(REVIEW, key="d-00000001/k")


YES: dict[str, Any] = {"decision": "participate", "contribution": "a hall", "price": 900}


async def test_an_offer_is_read_with_its_price_for_what_the_agent_was_let_in_for() -> None:
    answer = await offered(YES)
    assert [(term.concept, term.price, term.currency) for term in answer.terms] == [("venue", 900, "CNY")]
    assert answer.contribution == "a hall"


@pytest.mark.parametrize(
    "answer",
    [
        None,
        "yes",
        [],
        {},
        {"decision": "maybe"},
        YES | {"price": -1},
        YES | {"price": 1e12},
        YES | {"price": float("nan")},
        YES | {"price": 1.005},
        YES | {"contribution": ""},
        YES | {"contribution": "x" * 3000},
        YES | {"junk": "x" * 70_000},
        YES | {"conditions": ["x"] * 40},
        YES | {"decision": "conditional"},
        YES | {"currency": "yuan"},
        YES | {"dates": ["tomorrow"]},
        YES | {"terms": [{"tag": "摄影", "price": 1}]},
        YES | {"terms": [{"tag": "场地提供", "price": 1}] * 60},
        {"decision": "decline"},
    ],
    ids=range(19),
)
async def test_an_offer_that_does_not_fit_is_neither_a_yes_nor_a_no(answer: Any) -> None:
    with pytest.raises(AnswerUnknownError) as unknown:
        await offered(answer)
    assert unknown.value.code == "UPSTREAM_INVALID"


async def test_what_an_answer_claims_to_be_changes_nothing() -> None:
    answer = await offered(
        YES
        | {
            "agent_id": "user_agent_rival",
            "display_name": "rival",
            "contribution": "line\u202e\x1b[31m\none",
            "max_roles": 20,
            "terms": [
                {"tag": "场地提供", "concept": "speaker", "price": 5, "conditions": [{"text": "x", "status": "met"}]},
                {"tag": "摄影", "price": 1},
            ],
        }
    )
    (term,) = answer.terms
    assert (term.concept, term.conditions[0].status) == ("venue", "open")
    assert answer.contribution == "line [31m one"
    assert answer.max_roles <= MINE.capabilities.max_roles
    assert not hasattr(answer, "agent_id")


@pytest.mark.parametrize(
    "answer",
    [
        None,
        {"feedback_type": "perhaps"},
        {"feedback_type": "negotiate"},
        {"feedback_type": "negotiate", "proposed_changes": {"price": {"a": 1}}},
        {"feedback_type": "negotiate", "proposed_changes": {f"f{n}": 1 for n in range(20)}},
        {"feedback_type": "accept", "reasoning": "x" * 3000},
    ],
    ids=range(6),
)
async def test_an_answer_to_a_plan_that_does_not_fit_is_neither_a_yes_nor_a_no(answer: Any) -> None:
    with pytest.raises(AnswerUnknownError):
        await reviewed(answer)


async def test_reject_is_read_as_withdraw_and_wishes_are_kept() -> None:
    assert (await reviewed({"feedback_type": "reject"})).feedback_type == "withdraw"
    wish = await reviewed({"feedback_type": "negotiate", "proposed_changes": {"price": 1200, "reason": "rent\x00"}})
    assert wish.proposed_changes == {"price": 1200, "reason": "rent"}
    assert wish.adjustment_request


@pytest.mark.parametrize("error", [UpstreamError("x"), CallTimeout("x"), PermissionDeniedError("x")])
async def test_who_does_not_answer_is_unreachable(error: MoothallError) -> None:
    with pytest.raises(ParticipantUnreachableError):
        await offered(error)
    with pytest.raises(ParticipantUnreachableError):
        await Elsewhere(YES, there=False).participant().offer(INVITATION, key="k")


async def test_questions_bear_the_key_and_the_time_and_nothing_of_others() -> None:
    far = Elsewhere(YES)
    await far.participant().offer(INVITATION, key="d-00000001/k")
    far.answers = {"feedback_type": "accept"}
    await far.participant().review(REVIEW, key="d-00000001/r")
    offer, review = far.asked
    assert (offer.key, offer.seconds, offer.target) == ("d-00000001/k", 7, PLACE.offer)
    assert (review.key, review.seconds, review.target) == ("d-00000001/r", 5, PLACE.review)
    told = f"{offer.params}{review.params}"
    assert not [secret for secret in ("20000", "两万", "7777", "SECRET", "3333") if secret in told]
    shown = PlanReview.model_validate(review.params["request"])
    assert [item.price for item in shown.your_assignments] == [1000]
    assert {item.agent_id for item in shown.proposal.assignments} == {MINE.agent_id, "user_agent_rival"}


@pytest.mark.parametrize(
    ("target", "offer"),
    [
        ("did:wba:a.example:agents:b:e1_x", "did:wba:a.example:agents:b:e1_x#demand.offer"),
        ("a2a:https://a.example", "a2a:https://a.example#demand.offer"),
        ("mcp:far", "mcp:far.demand_offer"),
        ("mcp:far.hall", "mcp:far.hall_demand_offer"),
        ("https://a.example/api/v1/capabilities/hall", "https://a.example/api/v1/capabilities/hall.demand.offer"),
    ],
)
def test_a_target_says_where_an_agent_is_asked_and_which_id_it_has(target: str, offer: str) -> None:
    place = place_of(target)
    assert (place.target, place.offer) == (target, offer)
    assert place.agent_id == place_of(target).agent_id
    assert place_of(target, review="https://b.example/r").review == "https://b.example/r"


@pytest.mark.parametrize(
    "target", ["local:demand.offer", "auto:a hall", "llm:x", "did:wba:a.example:b#demand.offer", "nothing", "file:///x"]
)
def test_what_is_of_this_node_or_names_an_operation_is_no_participant_elsewhere(target: str) -> None:
    with pytest.raises(ValidationError):
        place_of(target)


def test_a_profile_from_elsewhere_has_the_id_of_here_and_no_floors() -> None:
    said = MINE.private() | {"agent_id": "user_agent_rival"}
    assert read_profile(said, PLACE.agent_id) == MINE.model_copy(update={"reservation": type(MINE.reservation)()})
    for bad in (None, [], said | {"user_name": "a\u202eb"}, said | {"tags": []}, said | {"junk": "x" * 40_000}):
        with pytest.raises(UpstreamInvalid):
            read_profile(bad, PLACE.agent_id)


# With a node


async def test_who_is_let_in_is_kept_as_it_was_until_it_is_removed(tmp_path: Path) -> None:
    async with Node(Settings(data=tmp_path, demo_agents=False)) as node:
        given = {"target": PLACE.target, "profile": MINE.public() | {"agent_id": "user_agent_x"}}
        guest = await node.call("local:participants.add", given)
        assert guest.agent_id == PLACE.agent_id
        assert (await node.registry.get(guest.agent_id)).origin == "remote"
        again = await node.call("local:participants.add", given)
        assert again.digest == guest.digest
        assert [one.agent_id for one in (await node.call("local:participants.list")).participants] == [guest.agent_id]
        events = await negotiate(node, "我想在北京办一场聚会，需要场地")
        assert of_type(events, "offer.submitted") == []  # nobody is there
        await node.call("local:participants.remove", agent_id=guest.agent_id)
        for gone in ("participants.remove", "agents.show"):
            with pytest.raises(AgentNotFound):
                await node.call(f"local:{gone}", agent_id=guest.agent_id)
        assert (await node.call("local:participants.list")).participants == []
        with pytest.raises(InvalidInput):
            await node.registry.register(MINE)
        with pytest.raises(InvalidInput):
            await node.registry.load([profile("plain", "场地提供")], origin="remote")
