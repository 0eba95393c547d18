"""Negotiations in random small worlds: every decision passes its check, and some things hold in all of them."""

from __future__ import annotations

import re

import pytest

from moothall.negotiation.demand.plan_models import AdjustedPlan, PlanDraft, covered
from moothall.negotiation.demand.rules.places import reach
from moothall.negotiation.demand.rules.pricing import quote
from tests.negotiation.demand.rules.worlds import LEXICA, Played, World, play, random_world

SEEDS = range(220)
CJK = re.compile(r"[\u4e00-\u9fff]")


def floors(world: World, name: str, concept: str, quantity: int) -> list[int]:
    """What the named agent needs for a role, at least."""
    profile = next(one for one in world.agents if one.agent_id == name)
    limits = world.demand.constraints
    return [
        quote(profile, offer, limits, units=quantity, travels=reach(profile, offer, limits, LEXICA) == "travels").floor
        for offer in profile.capabilities.offers
        if LEXICA.vocabulary.key(offer.tag) == concept
    ]


def accepted_below_floor(world: World, played: Played) -> list[str]:
    terms = {offer.agent_id: {term.concept: term for term in offer.terms} for offer in played.offers}
    below: list[str] = []
    for plan, feedbacks in zip(played.plans, played.feedbacks, strict=True):
        for feedback in feedbacks:
            mine = [item for item in plan.assignments if item.agent_id == feedback.agent_id]
            paid = sum(item.price for item in mine)
            least = sum(
                min(floors(world, item.agent_id, item.concept, terms[item.agent_id][item.concept].quantity))
                for item in mine
            )
            if feedback.feedback_type == "accept" and paid < least:
                below.append(feedback.agent_id)
    return below


@pytest.mark.parametrize("seed", SEEDS)
async def test_a_negotiation_by_rules_is_sound_from_end_to_end(seed: int) -> None:
    world = random_world(seed)
    played = await play(world)
    assert accepted_below_floor(world, played) == []
    for plan in played.plans:
        assert_within_limits(world, plan)
    for before, after in zip(played.plans, played.plans[1:], strict=False):
        assert isinstance(after, AdjustedPlan)
        assert_changes_are_told(before, after)
    assert played.compromise is not None
    assert played.compromise.suggestions or played.compromise.assignments


def assert_within_limits(world: World, plan: PlanDraft) -> None:
    names = [item.agent_id for item in plan.assignments]
    roles = {profile.agent_id: profile.capabilities.max_roles for profile in world.agents}
    assert all(names.count(name) <= roles[name] for name in names)
    needs = {need.concept: need for need in world.demand.requirements}
    for concept in {item.concept for item in plan.assignments}:
        units = sum(item.quantity for item in plan.assignments if item.concept == concept)
        assert units <= (needs[concept].count if concept in needs else 1)
    assert all(milestone.date >= "2027-01-04" for milestone in plan.timeline.milestones)
    missing = [need.tag for need in needs.values() if covered(need, plan.assignments) < need.count]
    assert list(plan.gaps) == missing


def assert_changes_are_told(before: PlanDraft, after: AdjustedPlan) -> None:
    """Every difference of role or price is listed, and everything listed is a difference."""
    old = {(item.agent_id, item.concept): item.price for item in before.assignments}
    new = {(item.agent_id, item.concept): item.price for item in after.assignments}
    changed = {key[0] for key in old.keys() | new.keys() if old.get(key) != new.get(key)}
    told = {
        str(entry["agent_id"])
        for entry in after.adjustment_summary.changes_made
        if entry["field"] in {"price", "role_added", "role_removed"}
    }
    assert told == changed
    for entry in after.adjustment_summary.requests_addressed:
        if entry["field"] == "price":
            assert sum(price for key, price in new.items() if key[0] == entry["agent_id"]) == entry["result"]
            assert entry["agent_id"] in changed


@pytest.mark.parametrize("seed", range(0, 220, 2))
async def test_no_text_states_what_an_agent_would_settle_for(seed: int) -> None:
    world = random_world(seed)
    played = await play(world)
    said = "\n".join(played.texts()).replace(",", "")
    figures = set(re.findall(r"\d+(?:\.\d+)?", said))
    public = {float(item.price) for offer in played.offers for item in offer.terms}
    public |= {float(item.price) for plan in played.plans for item in plan.assignments}
    for profile in world.agents:
        for offer in profile.capabilities.offers:
            secret = profile.reservation.floors[offer.tag]
            whole = floors(world, profile.agent_id, LEXICA.vocabulary.key(offer.tag), 1)
            for value in (secret, *whole):
                if value in public or value < 200 or value == offer.price:
                    continue
                assert f"{value:g}" not in figures, profile.agent_id


@pytest.mark.parametrize("seed", range(0, 220, 4))
async def test_what_is_said_is_in_the_demands_language(seed: int) -> None:
    world = random_world(seed)
    played = await play(world)
    own = [word for plan in played.plans for word in (plan.summary, plan.rationale)]
    own += [one.reasoning for round_ in played.feedbacks for one in round_]
    own += [offer.decline_reason for offer in played.offers if offer.decline_reason]
    assert all(bool(CJK.search(text)) == (world.demand.lang == "zh") or _only_names(text) for text in own if text)


def _only_names(text: str) -> bool:
    """English sentences may hold Chinese names, titles and conditions in the words of their owners."""
    return bool(re.search(r"[a-z]{3,} [a-z]{2,} ", text))


@pytest.mark.parametrize("seed", range(0, 220, 3))
async def test_the_order_of_the_agents_changes_nothing(seed: int) -> None:
    world = random_world(seed)
    backwards = World(world.demand, world.agents[::-1], world.seed)
    first, second = await play(world), await play(backwards)
    assert [plan.model_dump() for plan in first.plans] == [plan.model_dump() for plan in second.plans]


async def test_most_worlds_with_a_team_come_to_an_agreement() -> None:
    played = [await play(random_world(seed)) for seed in range(60)]
    teams = [one for one in played if one.plans and one.plans[0].assignments]
    assert len(teams) > 30
    assert sum(one.agreed for one in teams) / len(teams) > 0.7
    assert max(len(one.plans) for one in teams) > 1, "some need to bargain"
