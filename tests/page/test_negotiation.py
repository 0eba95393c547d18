"""Who takes part, what they said, and what the plan made of it."""

from __future__ import annotations

import pytest
from playwright.async_api import Page, expect

from moothall.negotiation.demand.models import AgentResponse, Term
from moothall.negotiation.demand.participants import AnswerUnknownError, OfferAnswer, Participant, ReviewAnswer
from moothall.negotiation.demand.wire import DemandOffer, ProposalReview
from tests.page.hall import Hall
from tests.page.looking import in_state, opened_steps, tells, timeline
from tests.page.worlds import AGREED, DEMAND, POOL, TRIO, WITH_PHOTOS, Shy
from tests.support.demand import ACCEPT, DECLINE, SILENT, WITHDRAW, Script, of_type, profile, wish
from tests.support.fake_llm import FakeLLM

CAST = [
    profile("venue", "场地提供"),
    profile("loft", "场地提供", price=3000),
    *(profile(f"speaker_{number}", "演讲嘉宾", price=400 + 100 * number) for number in range(1, 5)),
    profile("planner", "活动策划"),
]
WITH_TERMS = AgentResponse(
    decision="conditional",
    contribution="讲一小时大模型应用",
    conditions=("需要投影仪",),
    reasoning="熟悉这个题目",
    terms=(Term(tag="演讲嘉宾", concept="speaker", price=400),),
)


class Unsure:
    """A party of which nobody can tell what it would answer."""

    def __init__(self, persona: Participant) -> None:
        self._persona = persona

    async def offer(self, invitation: DemandOffer, *, key: str) -> OfferAnswer:
        raise AnswerUnknownError("E004")

    async def review(self, request: ProposalReview, *, key: str) -> ReviewAnswer:
        return await self._persona.review(request, key=key)


async def stands(page: Page, **statuses: str) -> None:
    for name, status in statuses.items():
        candidate = page.get_by_test_id(f"candidate-user_agent_{name}")
        await expect(candidate, name).to_have_attribute("data-status", status)


@pytest.mark.requirement("NEG-UI-03")
async def test_candidates_are_shown_with_their_status_and_their_words(hall: Hall) -> None:
    scripts = {
        "speaker_1": Script(offer=WITH_TERMS),
        "speaker_2": Script(offer=DECLINE),
        "speaker_3": Script(offer=SILENT),
        "planner": Script(reviews=[WITHDRAW]),
    }
    closed = ["offer", "offer planner", "review"]
    stage = await hall.node(CAST, scripts, closed=closed, recast={"speaker_4": Unsure})
    demand_id = await stage.door.submit("我想在北京办一场AI主题聚会，需要场地和2位嘉宾")
    page = await hall.visit(stage.url, f"#/n/{demand_id}")
    await stands(page, **{agent.agent_id.removeprefix("user_agent_"): "invited" for agent in CAST})
    stage.gates.open("offer")
    await stands(page, venue="participate", speaker_1="conditional", speaker_2="decline", planner="invited")
    stage.gates.open("offer planner")
    await stands(page, venue="in_plan", loft="not_chosen", speaker_3="silent", speaker_4="unknown")
    stage.gates.open("review")
    await in_state(page, "failed")
    await stands(page, planner="withdrawn", speaker_2="decline")
    words = {
        "speaker_1": {"words": "讲一小时大模型应用", "conditions": "需要投影仪", "why-chosen": "演讲嘉宾"},
        "speaker_2": {"decline-reason": "没有档期"},
        "loft": {"why-not": "要价高于方案为同一角色支付的费用"},
        "planner": {"withdraw-reason": "有别的安排"},
    }
    for name, parts in words.items():
        candidate = page.get_by_test_id(f"candidate-user_agent_{name}")
        for part, text in parts.items():
            await expect(candidate.get_by_test_id(part), f"{part} of {name}").to_contain_text(text)


@pytest.mark.requirement("NEG-UI-06")
@pytest.mark.parametrize("policy", ["accept", "abstain"])
async def test_the_feedback_bar_shows_what_was_counted(hall: Hall, policy: str) -> None:
    scripts = {
        "venue": Script(reviews=[ACCEPT]),
        "speaker_1": Script(reviews=[SILENT]),
        "speaker_2": Script(reviews=[wish(price=650), ACCEPT]),
        "speaker_3": Script(reviews=[WITHDRAW]),
        "planner": Script(reviews=[ACCEPT]),
    }
    stage = await hall.node(CAST, scripts, feedback_timeout_policy=policy)
    demand_id = await stage.finished("我想在北京办一场AI主题聚会，需要场地和3位嘉宾")
    events = await stage.public(demand_id)
    page = await hall.visit(stage.url, f"#/n/{demand_id}")
    await in_state(page, "success")
    evaluated = of_type(events, "feedback.evaluated")
    assert len(evaluated) == 2
    for counted in evaluated:
        told = [item for item in of_type(events, "proposal.feedback") if item["round"] == counted["round"]]
        assert counted["defaults"] == sum(item["by_default"] and item["feedback_type"] == "accept" for item in told)
        shown = {
            "explicit": counted["accepts"] - counted["defaults"],
            "default": counted["defaults"],
            "negotiate": counted["negotiates"],
            "withdraw": counted["rejects"],
            "silent": counted["silent"],
        }
        bar = page.get_by_test_id(f"feedback-bar-{counted['round']}")
        for part, number in shown.items():
            await expect(bar.get_by_test_id(f"part-{part}"), part).to_have_attribute("data-count", str(number))
    assert (evaluated[0]["defaults"], evaluated[0]["silent"]) == {"accept": (1, 0), "abstain": (0, 1)}[policy]
    await expect(page.get_by_test_id("round-marker")).to_contain_text("2/3")
    (final,) = of_type(events, "proposal.finalized")
    unsaid = len(final["unconfirmed"])
    words = f"{unsaid} 位没有明说" if unsaid else "都明确同意"
    await expect(page.get_by_test_id("state-text")).to_contain_text(words)


@pytest.mark.requirement("NEG-UI-04", "NEG-ARCH-11")
async def test_two_versions_are_compared_and_a_change_names_its_request(hall: Hall) -> None:
    stage = await hall.node(TRIO, {**AGREED, "venue": Script(reviews=[wish(price=1100), ACCEPT])})
    demand_id = await stage.finished(DEMAND)
    page = await hall.visit(stage.url, f"#/n/{demand_id}")
    await in_state(page, "success")
    events = await stage.public(demand_id)
    final = of_type(events, "proposal.finalized")[0]["final_proposal"]
    card = page.get_by_test_id("proposal-card")
    await expect(card).to_have_attribute("data-form", "plan")
    await expect(card).to_contain_text(final["summary"])
    await expect(page.get_by_test_id("plan-rationale")).to_contain_text(final["rationale"])
    await expect(page.get_by_test_id("plan-timeline")).to_contain_text(final["timeline"]["milestones"][0]["name"])
    await expect(page.get_by_test_id("plan-cost")).to_contain_text("3,100")
    for item in final["assignments"]:
        await expect(page.get_by_test_id("plan-roles")).to_contain_text(item["display_name"])
        await expect(page.get_by_test_id("plan-roles")).to_contain_text(item["responsibility"])
    for version in (1, 2):
        await expect(page.get_by_test_id(f"plan-version-{version}")).to_be_visible()
    await page.get_by_test_id("plan-version-2").click()
    difference = page.get_by_test_id("plan-diff")
    linked = difference.locator("[data-request]").first
    await expect(linked).to_contain_text("1,100")
    asked = next(item for item in events if item.type == "towow.proposal.feedback" and item.payload["proposed_changes"])
    await expect(linked).to_have_attribute("data-request", asked.event_id)
    await page.get_by_test_id("plan-version-1").click()
    await expect(page.get_by_test_id("plan-version-1")).to_have_attribute("aria-selected", "true")
    await expect(page.get_by_test_id("plan-roles")).to_contain_text("1,000")
    await expect(page.get_by_test_id("plan-roles")).not_to_contain_text("1,100")


@pytest.mark.requirement("NEG-UI-04")
async def test_what_nobody_covers_is_a_gap_in_the_matrix(hall: Hall) -> None:
    stage = await hall.node(TRIO, AGREED)
    demand_id = await stage.finished(WITH_PHOTOS)
    page = await hall.visit(stage.url, f"#/n/{demand_id}")
    matrix = page.get_by_test_id("coverage-matrix")
    await expect(matrix.locator("[data-gap='true']").first).to_be_visible()
    rows = matrix.get_by_role("row")
    await expect(rows.filter(has_text="摄影").locator("[data-gap='true']").first).to_be_visible()
    await expect(rows.filter(has_text="场地提供").locator("[data-gap='true']")).to_have_count(0)


@pytest.mark.requirement("NEG-UI-07")
async def test_a_sub_negotiation_is_nested_in_its_parent_and_can_be_opened(hall: Hall) -> None:
    photographers = {agent.agent_id.removeprefix("user_agent_"): Shy for agent in POOL if "photo" in agent.agent_id}
    stage = await hall.node(POOL, closed=["review 1"], recast=photographers)
    demand_id = await stage.door.submit(WITH_PHOTOS)
    page = await hall.visit(stage.url, f"#/n/{demand_id}")
    await expect(page.get_by_test_id("plan-version-1").first).to_be_visible()
    await expect(page.locator("[data-testid^='subnet-d-']")).to_have_count(0)
    stage.gates.open()
    await in_state(page, "success")
    (triggered,) = of_type(await stage.public(demand_id), "subnet.triggered")
    child_id = triggered["sub_demand_id"]
    child = page.get_by_test_id("negotiation-page").get_by_test_id(f"subnet-{child_id}")
    await expect(child).to_contain_text("摄影")
    await child.get_by_test_id("subnet-open").click()
    for shown, told in ((child.get_by_test_id("event-timeline"), child_id), (timeline(page), demand_id)):
        await tells(shown, [event.event_id for event in await stage.public(told)])


async def test_the_steps_of_a_model_tell_what_they_took(hall: Hall, llm: FakeLLM) -> None:
    llm.script["understand"] = ["no tool is called", None]
    stage = await hall.node(TRIO, AGREED, **llm.settings())
    demand_id = await stage.finished(DEMAND)
    page = await hall.visit(stage.url, f"#/n/{demand_id}")
    await in_state(page, "success")
    inspector = await opened_steps(page)
    reply = (await stage.door.client.get(f"/api/v1/demand/{demand_id}/steps")).json()
    steps = {step["key"]: step for step in reply["steps"]}
    understood = next(step for step in steps.values() if step["prompt"] == "understand")
    assert understood["repaired"]
    for key, step in steps.items():
        row = inspector.get_by_test_id(f"step-{key}")
        await expect(row).to_have_count(1)
        if step["source"] == "llm":
            await expect(row).to_contain_text(step["model"])
            await expect(row).to_contain_text(f"{step['input_tokens']:,}")


async def test_without_a_model_the_steps_say_that_rules_decided(hall: Hall) -> None:
    stage = await hall.node(TRIO, AGREED)
    demand_id = await stage.finished(DEMAND)
    page = await hall.visit(stage.url, f"#/n/{demand_id}")
    inspector = await opened_steps(page)
    await expect(inspector.locator("[data-testid^='step-']").first).to_contain_text("规则")
