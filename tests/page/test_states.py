"""Each state of a negotiation's page, with a text of its own (row NEG-UI-01)."""

from __future__ import annotations

import asyncio
import re

import pytest
from playwright.async_api import Page, expect

from tests.page.hall import Hall
from tests.page.looking import PATIENCE, in_state
from tests.page.worlds import AGREED, DEMAND, TRIO, WITH_PHOTOS, Held, wishing
from tests.support.demand import ACCEPT, DECLINE, Script, wish
from tests.support.fake_llm import FakeLLM

TEXTS = {
    "understanding": "正在理解",
    "waiting": "确认后才会继续",
    "searching": "寻找并邀请",
    "negotiating": "方案已发出",
    "success": "协商成功",
    "partial": "部分共识",
    "compromise": "妥协方案",
    "failed": "协商失败",
    "cancelled": "已被取消",
}


async def shows(page: Page, state: str) -> None:
    await in_state(page, state)
    await expect(page.get_by_test_id("state-text")).to_contain_text(TEXTS[state])


@pytest.mark.requirement("NEG-UI-01")
async def test_a_run_passes_through_its_states(hall: Hall, llm: FakeLLM) -> None:
    understanding, search = Held(), Held()
    llm.script |= {"understand": understanding, "filter": search}
    stage = await hall.node(TRIO, AGREED, closed=["review"], **llm.settings(), llm_timeout=PATIENCE)
    submitting = asyncio.create_task(stage.door.submit(DEMAND, confirm=True))
    await llm.got(1, "understand")
    (run,) = await stage.node.log.runs(kind="demand")
    page = await hall.visit(stage.url, f"#/n/{run.id}")
    await shows(page, "understanding")
    understanding.let_go()
    await shows(page, "waiting")
    await page.get_by_test_id("confirm").click()
    await shows(page, "searching")
    search.let_go()
    await in_state(page, "negotiating")
    await expect(page.get_by_test_id("plan-version-1")).to_be_visible()
    await shows(page, "negotiating")
    await expect(page.get_by_test_id("round-marker")).to_contain_text("/3")
    stage.gates.open()
    await shows(page, "success")
    await submitting


@pytest.mark.requirement("NEG-UI-01")
async def test_before_the_first_event_the_page_says_that_it_is_empty(hall: Hall) -> None:
    stage = await hall.node(TRIO)
    page = await hall.visit(stage.url)
    hall.complaints[0].expect("status of 404")
    await page.goto(f"{stage.url}/#/n/d-00000000")
    await in_state(page, "empty")
    problem = page.get_by_test_id("negotiation-problem")
    await expect(problem).to_contain_text("没有这个协商")
    await expect(problem).to_contain_text("E002")
    await expect(page.get_by_test_id("reconnect")).to_have_count(0)
    await expect(page.get_by_test_id("candidate-list")).to_have_count(0)


@pytest.mark.requirement("NEG-UI-01", "NEG-FAIL-11")
async def test_a_plan_that_not_all_agreed_to_is_marked_as_partial(hall: Hall) -> None:
    stage = await hall.node(TRIO, wishing("planner"))
    demand_id = await stage.finished(DEMAND)
    page = await hall.visit(stage.url, f"#/n/{demand_id}")
    await shows(page, "partial")
    final = (await stage.ended(demand_id)).payload
    assert (final["consensus"], final["final_proposal"]["consensus"]) == ("partial", "partial")
    await expect(page.get_by_test_id("partial-badge")).to_have_text("部分共识")
    await expect(page.get_by_test_id("proposal-card")).to_have_attribute("data-form", "partial")


@pytest.mark.requirement("NEG-UI-01", "NEG-FAIL-11", "NEG-ARCH-11")
async def test_a_failure_after_the_last_round_keeps_the_plan_without_the_mark(hall: Hall) -> None:
    stage = await hall.node(TRIO, wishing("planner", "speaker"))
    demand_id = await stage.finished(DEMAND)
    page = await hall.visit(stage.url, f"#/n/{demand_id}")
    await shows(page, "failed")
    assert "final_proposal" not in (await stage.ended(demand_id)).payload
    await expect(page.get_by_test_id("proposal-card")).to_have_attribute("data-form", "last")
    await expect(page.get_by_test_id("plan-roles")).to_contain_text("speaker")
    await expect(page.get_by_test_id("partial-badge")).to_have_count(0)
    await expect(page.get_by_text("部分共识")).to_have_count(0)


@pytest.mark.requirement("NEG-UI-01", "NEG-UI-04")
async def test_a_plan_with_a_gap_is_shown_as_a_compromise(hall: Hall) -> None:
    stage = await hall.node(TRIO, AGREED)
    demand_id = await stage.finished(WITH_PHOTOS)
    page = await hall.visit(stage.url, f"#/n/{demand_id}")
    await shows(page, "compromise")
    final = (await stage.ended(demand_id)).payload
    card = page.get_by_test_id("proposal-card")
    await expect(card).to_have_attribute("data-form", "compromise")
    await expect(page.get_by_test_id("plan-gaps")).to_contain_text("摄影")
    assert final["compromise"]["suggestions"]
    for suggestion in final["compromise"]["suggestions"]:
        await expect(card).to_contain_text(suggestion)


@pytest.mark.requirement("NEG-UI-01", "NEG-OPS-03")
async def test_where_nobody_fits_the_page_says_why_and_what_helps(hall: Hall) -> None:
    stage = await hall.node(TRIO[1:2])
    demand_id = await stage.finished("我想在拉萨找一位潜水教练")
    page = await hall.visit(stage.url, f"#/n/{demand_id}")
    await shows(page, "failed")
    failed = (await stage.ended(demand_id)).payload
    assert failed["reason"] == "no_candidates"
    await expect(page.get_by_test_id("negotiation-page")).to_contain_text(failed["message"])
    assert failed["suggestions"]
    await expect(page.get_by_test_id("negotiation-page")).to_contain_text(failed["suggestions"][0])


async def test_where_everybody_declines_their_reasons_are_read(hall: Hall) -> None:
    stage = await hall.node(TRIO, {name: Script(offer=DECLINE) for name in AGREED})
    demand_id = await stage.finished(DEMAND)
    page = await hall.visit(stage.url, f"#/n/{demand_id}")
    await shows(page, "failed")
    for agent in TRIO:
        candidate = page.get_by_test_id(f"candidate-{agent.agent_id}")
        await expect(candidate).to_have_attribute("data-status", "decline")
        await expect(candidate).to_contain_text("没有档期")


@pytest.mark.requirement("NEG-UI-01")
async def test_a_negotiation_that_was_cancelled_says_so(hall: Hall) -> None:
    stage = await hall.node(TRIO, closed=["offer"])
    demand_id = await stage.door.submit(DEMAND)
    page = await hall.visit(stage.url, f"#/n/{demand_id}")
    await in_state(page, "negotiating")
    assert (await stage.door.client.post(f"/api/v1/demand/{demand_id}/cancel")).status_code == 200
    await shows(page, "cancelled")


@pytest.mark.requirement("NEG-UI-01", "NEG-OPS-03")
async def test_a_model_that_is_too_slow_marks_the_run_as_degraded_and_it_goes_on(hall: Hall, llm: FakeLLM) -> None:
    llm.script["*"] = Held()
    stage = await hall.node(TRIO, AGREED, **llm.settings(), llm_timeout=0.2)
    demand_id = await stage.finished(DEMAND)
    page = await hall.visit(stage.url, f"#/n/{demand_id}")
    await shows(page, "success")
    await expect(page.get_by_test_id("badge-degraded")).to_be_visible()
    assert (await stage.ended(demand_id)).payload["degraded_steps"]
    await expect(page.get_by_test_id("event-timeline")).to_contain_text(re.compile("降级"))


@pytest.mark.requirement("NEG-UI-01", "NEG-OPS-03", "NEG-ARCH-11")
async def test_a_normal_run_agrees_within_three_rounds(hall: Hall) -> None:
    scripts = {**AGREED, "venue": Script(reviews=[wish(price=1100), ACCEPT])}
    stage = await hall.node(TRIO, scripts)
    page = await hall.visit(stage.url)
    await page.get_by_test_id("demand-input").fill(DEMAND)
    await page.get_by_test_id("submit").click()
    await shows(page, "success")
    await expect(page.get_by_test_id("round-marker")).to_contain_text("2/3")
    await expect(page.get_by_test_id("badge-degraded")).to_have_count(0)
    (run,) = await stage.node.log.runs(kind="demand")
    assert (await stage.ended(run.id)).payload["rounds_taken"] == 2
