"""Small invented worlds for the rules: agents with secrets, demands, and a negotiation played without any engine."""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any

from moothall.directory.activities import load_activities
from moothall.directory.concepts import load_vocabulary
from moothall.directory.places import load_gazetteer
from moothall.directory.profiles import AgentProfile
from moothall.llm.decision import Decisions
from moothall.negotiation.demand.models import AgentResponse, Constraints, DemandUnderstanding, Offer, Requirement
from moothall.negotiation.demand.plan_models import Compromise, Feedback, PlanDraft, Proposal
from moothall.negotiation.demand.prompts import ADJUST, AGGREGATE, COMPROMISE, FILTER, GAPS, RESPOND, REVIEW
from moothall.negotiation.demand.questions import (
    AdjustInput,
    AggregateInput,
    CompromiseInput,
    FilterInput,
    GapInput,
    GapReport,
    RespondInput,
    ReviewInput,
    SmartFilter,
)
from moothall.negotiation.demand.rules.brain import rules_brain
from moothall.negotiation.demand.rules.phrasing import Lexica

TODAY = date(2027, 1, 4)
LEXICA = Lexica(load_vocabulary(), load_gazetteer(), load_activities())
BRAIN = Decisions(rules_brain(LEXICA.vocabulary, LEXICA.gazetteer, LEXICA.activities, solver_seconds=20))
SUMMARY = "这份简介为测试而写，与任何真实的人或机构都没有关系，内容只用来占满所需的长度。" * 7
CONCEPTS = ("venue", "speaker", "catering", "photography", "sound_equipment", "event_planning")
CITIES = ("beijing", "shanghai", "shenzhen")


def agent(
    name: str, *offers: Mapping[str, Any], city: str = "北京", floors: Mapping[str, float] | None = None, **more: Any
) -> AgentProfile:
    """An agent; an offer needs a ``tag`` and a ``price`` only."""
    return AgentProfile.model_validate(
        {
            "agent_id": f"user_agent_{name}",
            "user_name": more.get("user_name", f"{name.title()} 工作室"),
            "profile_summary": more.get("summary", SUMMARY[:230]),
            "location": city,
            "tags": sorted({str(offer["tag"]) for offer in offers}) or ["远足"],
            "capabilities": {
                "max_roles": more.get("max_roles", 1),
                "calendar": more.get("calendar", {}),
                "offers": [{"title": f"{offer['tag']}服务", **offer} for offer in offers],
            },
            "reservation": {"floors": floors or {}},
        }
    )


def demand(
    *needs: str, lang: str = "zh", counts: Mapping[str, int] | None = None, **limits: Any
) -> DemandUnderstanding:
    """A demand for concepts."""
    requirements = tuple(
        Requirement(tag=LEXICA.vocabulary.label(one, lang), concept=one, count=(counts or {}).get(one, 1))  # type: ignore[arg-type]
        for one in needs
    )
    return DemandUnderstanding.model_validate(
        {
            "surface_demand": "办一场聚会" if lang == "zh" else "hold a meetup",
            "capability_tags": tuple(item.tag for item in requirements),
            "requirements": requirements,
            "constraints": Constraints.model_validate(limits),
            "lang": lang,
            "confidence": "high",
        }
    )


@dataclass
class World:
    """Agents and one demand."""

    demand: DemandUnderstanding
    agents: list[AgentProfile]
    seed: int = 0


def random_world(seed: int) -> World:
    """Agents with floors, calendars, conditions and secrets; a demand that leaves something open now and then."""
    draw = random.Random(seed)
    lang = draw.choice(["zh", "en"])
    needs = draw.sample(CONCEPTS, draw.randrange(1, 5))
    start = TODAY + timedelta(days=draw.randrange(5, 40))
    limits: dict[str, Any] = {"city": draw.choice([*CITIES, CITIES[0], None])}
    if draw.random() < 0.7:
        limits |= {"date_start": start, "date_end": start + timedelta(days=draw.choice([0, 3, 14]))}
    if draw.random() < 0.7:
        limits["attendees"] = draw.choice([15, 40, 90])
    if draw.random() < 0.6:
        limits["budget"] = draw.randrange(15, 120) * 100 + 7
    wanted = demand(*needs, lang=lang, counts={"speaker": draw.choice([1, 2, 3])}, **limits)
    return World(wanted, [random_agent(draw, index) for index in range(draw.randrange(3, 16))], seed)


def random_agent(draw: random.Random, index: int) -> AgentProfile:
    offers: dict[str, dict[str, Any]] = {}
    for concept in draw.sample(CONCEPTS, draw.choice([1, 1, 2])):
        tag = LEXICA.vocabulary.label(concept, draw.choice(["zh", "en"]))  # type: ignore[arg-type]
        unit = draw.choice(["event", "event", "event", "day", "hour", "person"])
        conditions = [
            {"kind": "requires", "tag": "音响设备", "text": "要有音响"},
            {"kind": "min_attendees", "value": draw.choice([10, 35, 60]), "text": ""},
            {"kind": "min_fee", "value": 300, "text": "最低三百"},
            {"kind": "weekdays", "values": [4, 5, 6]},
            {"kind": "theme", "texts": ["技术", "meetup"], "text": "只做技术主题"},
        ]
        offers[tag] = {
            "tag": tag,
            "price": float(draw.randrange(20, 90) if unit == "person" else draw.randrange(301, 5003)),
            "unit": unit,
            "capacity": draw.choice([None, 30, 60, 100]),
            "quantity": draw.choice([1, 1, 2]),
            "remote": concept == "speaker" and draw.random() < 0.4,
            "travel_cities": draw.choice([[], ["上海"], ["Beijing", "深圳"]]),
            "travel_fee": float(draw.choice([0, 123])),
            "conditions": draw.sample(conditions, draw.choice([0, 0, 1, 2])),
        }
    floors = {tag: round(offer["price"] * draw.choice([0.71, 0.83, 0.97]), 2) for tag, offer in offers.items()}
    return agent(
        f"a{index}",
        *offers.values(),
        city=draw.choice(["北京", "上海", "Shenzhen"]),
        floors=floors,
        max_roles=draw.choice([1, 2]),
        calendar={
            "weekdays": draw.choice([[0, 1, 2, 3, 4, 5, 6], [4, 5, 6], [0, 2, 5]]),
            "lead_days": draw.choice([0, 3, 10]),
        },
    )


@dataclass
class Played:
    """Everything a played negotiation produced; every decision passed its check on the way."""

    filter: SmartFilter
    offers: list[Offer] = field(default_factory=list)
    plans: list[PlanDraft] = field(default_factory=list)
    feedbacks: list[list[Feedback]] = field(default_factory=list)
    gaps: GapReport | None = None
    compromise: Compromise | None = None

    @property
    def agreed(self) -> bool:
        """Everybody in the last plan accepted it."""
        return bool(self.feedbacks) and all(one.feedback_type == "accept" for one in self.feedbacks[-1])

    def texts(self) -> list[str]:
        """Everything that was said by or about the agents."""
        said: list[str] = []
        for offer in self.offers:
            said += [offer.contribution, offer.reasoning, offer.decline_reason, *offer.conditions, str(offer.refusals)]
        for plan in self.plans:
            said.append(plan.model_dump_json())
        for round_ in self.feedbacks:
            said += [one.model_dump_json() for one in round_]
        return said + ([self.compromise.model_dump_json()] if self.compromise else [])


async def offers_of(world: World, found: SmartFilter) -> list[Offer]:
    """The answers of everybody invited."""
    by_id = {profile.agent_id: profile for profile in world.agents}
    offers: list[Offer] = []
    for candidate in (*found.definitely_related, *found.possibly_related)[:20]:
        data = RespondInput(
            agent_profile=by_id[candidate.agent_id], demand=world.demand, filter_reason=candidate.reason, today=TODAY
        )
        response: AgentResponse = (await BRAIN.decide(RESPOND, data)).value
        offers.append(
            Offer(
                **{name: getattr(response, name) for name in AgentResponse.model_fields},
                offer_id=f"offer_{len(offers):03d}",
                agent_id=candidate.agent_id,
                display_name=candidate.display_name,
                demand_id="d-00000000",
                submitted_at="2027-01-04T00:00:00.000Z",
                match=candidate.score,
            )
        )
    return offers


async def play(world: World, rounds: int = 3) -> Played:
    """A whole negotiation by rules."""
    found = (
        await BRAIN.decide(
            FILTER, FilterInput(demand=world.demand, all_agent_profiles=tuple(world.agents), today=TODAY)
        )
    ).value
    played = Played(found, await offers_of(world, found))
    standing = [offer for offer in played.offers if offer.decision != "decline"]
    if not standing:
        await settle(world, played, None)
        return played
    data = AggregateInput(demand=world.demand, offers=tuple(standing), today=TODAY, seed=world.seed)
    plan: PlanDraft = (await BRAIN.decide(AGGREGATE, data)).value
    gone: list[str] = []
    for number in range(1, rounds + 1):
        played.plans.append(plan)
        current = proposal(plan, number)
        feedbacks = await reviews(world, current, standing, number, rounds)
        played.feedbacks.append(feedbacks)
        gone += [one.agent_id for one in feedbacks if one.feedback_type == "withdraw"]
        if number == rounds or all(one.feedback_type == "accept" for one in feedbacks):
            break
        adjust = AdjustInput(
            demand=world.demand,
            current_proposal=current,
            feedbacks=tuple(feedbacks),
            round=number + 1,
            offers=tuple(offer for offer in standing if offer.agent_id not in gone),
            withdrawn=tuple(gone),
            today=TODAY,
            seed=world.seed,
        )
        plan = (await BRAIN.decide(ADJUST, adjust)).value
    await settle(world, played, proposal(played.plans[-1], len(played.plans)))
    return played


async def reviews(
    world: World, current: Proposal, standing: Sequence[Offer], number: int, rounds: int
) -> list[Feedback]:
    """The answers of everybody in the plan."""
    by_id = {profile.agent_id: profile for profile in world.agents}
    feedbacks: list[Feedback] = []
    for name in current.assignees():
        data = ReviewInput(
            agent_profile=by_id[name],
            demand=world.demand,
            proposal=current,
            my_assignments=current.of(name),
            my_offer=next(offer for offer in standing if offer.agent_id == name),
            round=number,
            max_rounds=rounds,
        )
        answer = (await BRAIN.decide(REVIEW, data)).value
        feedbacks.append(Feedback(**{key: getattr(answer, key) for key in type(answer).model_fields}, agent_id=name))
    return feedbacks


async def settle(world: World, played: Played, current: Proposal | None) -> None:
    """Gaps and compromise at the end."""
    feedbacks = tuple(played.feedbacks[-1]) if played.feedbacks else ()
    if current:
        data = GapInput(demand=world.demand, final_proposal=current, agent_feedbacks=feedbacks)
        played.gaps = (await BRAIN.decide(GAPS, data)).value
    declines = tuple(
        {"agent_id": offer.agent_id, "reason": offer.decline_reason, "refusals": list(offer.refusals)}
        for offer in played.offers
        if offer.decision == "decline"
    )
    rest = CompromiseInput(
        demand=world.demand,
        available_resources=current.assignments if current else (),
        gaps=played.gaps.gaps if played.gaps else (),
        feedbacks=feedbacks,
        declines=declines,
        offers=tuple(offer for offer in played.offers if offer.decision != "decline"),
    )
    played.compromise = (await BRAIN.decide(COMPROMISE, rest)).value


def proposal(plan: PlanDraft, version: int) -> Proposal:
    """A plan with an identity."""
    return Proposal(
        **{name: getattr(plan, name) for name in PlanDraft.model_fields},
        proposal_id=f"prop_{version:03d}",
        demand_id="d-00000000",
        version=version,
        created_at="2027-01-04T00:00:00.000Z",
    )
