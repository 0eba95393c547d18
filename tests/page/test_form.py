"""Saying what is wanted: by keyboard alone, in both languages, never empty."""

from __future__ import annotations

import pytest
from playwright.async_api import expect

from tests.page.hall import Hall
from tests.page.looking import in_state, tab_to
from tests.page.worlds import AGREED, DEMAND, ENGLISH, TRIO
from tests.support.demand import Script, wish
from tests.support.page_node import Stage


@pytest.mark.requirement("NEG-UI-09")
@pytest.mark.parametrize(("lang", "demand"), [("zh", DEMAND), ("en", ENGLISH)])
async def test_the_way_from_the_form_to_the_plan_needs_no_mouse(hall: Hall, lang: str, demand: str) -> None:
    stage = await hall.node(TRIO, AGREED, closed=["review"])
    page = await hall.visit(stage.url, lang=lang)
    await expect(page.locator("html")).to_have_attribute("lang", lang)
    await tab_to(page, "demand-input")
    await page.keyboard.type(demand)
    await page.keyboard.press("Control+Enter")
    await in_state(page, "negotiating")
    await expect(page.get_by_test_id("connection-badge")).to_have_attribute("data-connection", "live")
    await expect(page.get_by_test_id("plan-version-1").first).to_be_visible()
    stage.gates.open()
    await in_state(page, "success")
    await expect(page.get_by_test_id("connection-badge")).to_have_attribute("data-connection", "ended")
    for agent in TRIO:
        await expect(page.get_by_test_id("plan-roles")).to_contain_text(agent.user_name)


@pytest.mark.requirement("NEG-UI-09")
async def test_an_empty_form_cannot_be_sent(hall: Hall, quiet: Stage) -> None:
    page = await hall.visit(quiet.url)
    sent: list[str] = []
    page.on("request", lambda request: sent.append(request.url) if request.method == "POST" else None)
    for text in ("", "   \n "):
        await page.get_by_test_id("demand-input").fill(text)
        await page.get_by_test_id("demand-input").press("Control+Enter")
        await page.get_by_test_id("submit").click()
        await expect(page.get_by_test_id("demand-form")).to_contain_text("还没有写需求")
        await expect(page.get_by_test_id("demand-input")).to_be_focused()
    assert sent == []
    assert await quiet.node.log.runs(kind="demand") == []


async def test_an_example_fills_the_form(hall: Hall, quiet: Stage) -> None:
    page = await hall.visit(quiet.url)
    await expect(page.get_by_test_id("demand-input")).to_have_value("")
    await page.get_by_test_id("example-1").click()
    await expect(page.get_by_test_id("demand-input")).not_to_have_value("")
    await expect(page.get_by_test_id("submit")).to_be_enabled()


@pytest.mark.requirement("NEG-UI-09")
async def test_what_was_understood_is_shown_edited_and_confirmed(hall: Hall) -> None:
    stage = await hall.node(TRIO, AGREED)
    page = await hall.visit(stage.url)
    await page.get_by_test_id("demand-input").fill(DEMAND)
    await page.get_by_test_id("confirm-first").check()
    await page.get_by_test_id("submit").click()
    understanding = page.get_by_test_id("understanding")
    await expect(understanding.get_by_test_id("understanding-tags")).to_contain_text("场地提供")
    await expect(page.get_by_test_id("edit-location")).to_have_value("北京")
    (run,) = await stage.node.log.runs(kind="demand")
    (understood,) = [event for event in await stage.public(run.id) if event.type == "towow.demand.understood"]
    assert understood.payload["uncertainties"]
    for doubt in understood.payload["uncertainties"]:
        await expect(understanding.get_by_test_id("understanding-uncertainties")).to_contain_text(doubt)
    await page.get_by_test_id("edit-date").fill("2027-03-15")
    await page.get_by_test_id("confirm").click()
    await in_state(page, "success")
    (confirmed,) = [event for event in await stage.public(run.id) if event.type == "towow.demand.confirmed"]
    assert confirmed.payload["edited"] == ["context.date"]
    final = (await stage.ended(run.id)).payload["final_proposal"]
    assert final["timeline"]["start_date"] == "2027-03-15"


async def test_a_demand_that_is_too_long_stays_in_the_form_with_the_reason(hall: Hall, quiet: Stage) -> None:
    page = await hall.visit(quiet.url)
    await page.get_by_test_id("demand-input").fill("要" * 10_003)
    await page.get_by_test_id("submit").click()
    await expect(page.get_by_test_id("demand-form")).to_contain_text("超出 3 个字符")
    await expect(page.get_by_test_id("demand-input")).to_have_attribute("aria-invalid", "true")
    assert len(await page.get_by_test_id("demand-input").input_value()) == 10_003


async def test_a_demand_that_the_node_refuses_stays_in_the_form_with_its_words(hall: Hall) -> None:
    stage = await hall.node(TRIO, closed=["offer"], max_open_runs=1)
    await stage.door.submit(DEMAND)
    page = await hall.visit(stage.url)
    hall.complaints[0].expect("status of 503")
    await page.get_by_test_id("demand-input").fill(DEMAND)
    await page.get_by_test_id("submit").click()
    await expect(page.get_by_test_id("demand-form")).to_contain_text("OVERLOADED")
    await expect(page.get_by_test_id("demand-input")).to_have_value(DEMAND)


async def test_the_language_is_switched_in_place_and_kept(hall: Hall, quiet: Stage) -> None:
    page = await hall.visit(quiet.url)
    before = await page.get_by_test_id("submit").inner_text()
    await page.get_by_test_id("demand-input").fill(DEMAND)
    await page.get_by_test_id("lang-switch").click()
    await expect(page.get_by_test_id("submit")).not_to_have_text(before)
    await expect(page.get_by_test_id("demand-input")).to_have_value(DEMAND)
    await page.reload()
    await expect(page.locator("html")).to_have_attribute("lang", "en")


async def test_a_request_of_the_requester_to_stop_ends_the_run(hall: Hall) -> None:
    stage = await hall.node(TRIO, {"venue": Script(reviews=[wish(price=1100)])}, closed=["review"])
    demand_id = await stage.door.submit(DEMAND)
    page = await hall.visit(stage.url, f"#/n/{demand_id}")
    await in_state(page, "negotiating")
    await expect(page.get_by_test_id("plan-version-1").first).to_be_visible()
    await page.get_by_test_id("cancel").click()
    dialog = page.get_by_role("dialog")
    await expect(dialog).to_be_visible()
    await dialog.get_by_test_id("cancel-confirm").click()
    await in_state(page, "cancelled")
    await expect(page.get_by_test_id("proposal-card")).to_have_attribute("data-form", "last")
    await expect(page.get_by_test_id("cancel")).to_have_count(0)
    assert (await stage.ended(demand_id)).payload["reason"] == "cancelled"


@pytest.mark.parametrize("lang", ["zh", "en"])
async def test_the_button_that_sends_is_in_view_at_once(hall: Hall, quiet: Stage, lang: str) -> None:
    page = await hall.visit(quiet.url, lang=lang)
    await expect(page.get_by_test_id("submit")).to_be_in_viewport(ratio=1)
    assert await page.evaluate("() => scrollY") == 0
