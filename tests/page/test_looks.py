"""The page for everybody: with a screen reader, on a phone, in the dark, on a wall (rows NEG-UI-08)."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Awaitable, Callable

import pytest
from playwright.async_api import Page, Route, expect

from tests.page.hall import Hall
from tests.page.looking import grave_violations, imported, in_state, to_the_end, too_wide
from tests.page.worlds import AGREED, DEMAND, TRIO, WITH_PHOTOS, recording, told, wishing
from tests.support.demand import ACCEPT, Script, wish
from tests.support.page_node import Stage

LIN = {"participants": [{"display_name": "小林", "capability_tags": ["演讲嘉宾"]}]}
LONG = "需要" + "场地提供" * 30 + "VeryLongWordWithoutAnySpaceInIt" * 8


class Tour:
    """A walk through every page, and the negotiation in its main states."""

    def __init__(self, stage: Stage, page: Page, see: Callable[[Page], Awaitable[list[str]]]) -> None:
        self._stage = stage
        self._page = page
        self._see = see

    async def walk(self) -> None:
        await self.before_anything()
        gap = await self.negotiations()
        await self.invitation()
        await self.history(gap)
        await self.agents()

    async def before_anything(self) -> None:
        await self._at("#/", "demand-form")
        await self._at("#/list", "list-filter-all")

    async def negotiations(self) -> str:
        stage, page = self._stage, self._page
        waiting = await stage.door.submit(DEMAND, confirm=True)
        await page.goto(f"{stage.url}/#/n/{waiting}")
        await in_state(page, "waiting")
        await self._look("waiting")
        running = await stage.door.submit(DEMAND + LONG)
        await page.goto(f"{stage.url}/#/n/{running}")
        await in_state(page, "negotiating")
        await expect(page.get_by_test_id("plan-version-2").first).to_be_visible()
        await self._look("negotiating")
        stage.gates.open()
        await self._ended("success")
        gap = await stage.finished(WITH_PHOTOS)
        await page.goto(f"{stage.url}/#/n/{gap}")
        await self._ended("compromise")
        return gap

    async def invitation(self) -> None:
        reply = await self._stage.door.client.post("/api/v1/demand/submit", json={"raw_input": DEMAND, **LIN})
        (token,) = reply.json()["participant_tokens"].values()
        await self._at(f"#/join/{reply.json()['channel_id']}/{token}", "join-offer")

    async def history(self, demand_id: str) -> None:
        await self._at("#/list", f"row-{demand_id}")
        await self._page.goto(f"{self._stage.url}/#/replay/{demand_id}")
        await to_the_end(self._page)
        await self._ended("compromise")
        await self._page.goto(f"{self._stage.url}/#/replay")
        await imported(self._page, recording(demand_id, await told(self._stage, demand_id)))
        await to_the_end(self._page)
        await in_state(self._page, "compromise")
        await self._look("import")

    async def agents(self) -> None:
        page = self._page
        await self._at("#/agents", "admin-key")
        await page.get_by_test_id("admin-key").fill(self._stage.node.owner_token)
        await page.get_by_test_id("admin-key").press("Enter")
        await expect(page.get_by_test_id("agent-user_agent_venue")).to_be_visible()
        await self._look("agents")
        await page.get_by_test_id("agent-add").click()
        await expect(page.get_by_test_id("agent-form")).to_be_visible()
        await self._look("agent form")

    async def _at(self, path: str, test_id: str) -> None:
        await self._page.goto(f"{self._stage.url}/{path}")
        await expect(self._page.get_by_test_id(test_id)).to_be_visible()
        await self._look(path)

    async def _ended(self, state: str) -> None:
        """Look at a negotiation that has ended, with what the node tells beside its events."""
        await in_state(self._page, state)
        await expect(self._page.get_by_test_id("steps-totals")).to_be_visible()
        await self._look(state)

    async def _look(self, where: str) -> None:
        assert await self._see(self._page) == [], where


async def toured(hall: Hall) -> Stage:
    scripts = {**AGREED, "venue": Script(reviews=[wish(price=1100), ACCEPT])}
    return await hall.node(TRIO, scripts, closed=["review 2"])


@pytest.mark.timeout(240)
async def test_axe_finds_nothing_serious_on_any_page_by_light_and_by_dark(hall: Hall) -> None:
    stage = await toured(hall)
    page = await hall.visit(stage.url)
    hall.complaints[0].expect("status of 40[13]")
    await Tour(stage, page, grave_violations).walk()


@pytest.mark.parametrize("lang", ["zh", "en"])
async def test_a_phone_never_scrolls_sideways(hall: Hall, lang: str) -> None:
    stage = await toured(hall)
    page = await hall.visit(stage.url, width=390, height=844, lang=lang)
    hall.complaints[0].expect("status of 40[13]")
    await Tour(stage, page, too_wide).walk()


@pytest.mark.requirement("NEG-UI-08")
async def test_the_big_screen_has_larger_type_and_no_overflow(hall: Hall) -> None:
    stage = await hall.node(TRIO, wishing("planner"))
    demand_id = await stage.finished(DEMAND)
    page = await hall.visit(stage.url, f"#/n/{demand_id}", width=1920, height=1080)
    await in_state(page, "partial")
    size = "(element) => parseFloat(getComputedStyle(element).fontSize)"
    before = [await page.get_by_test_id(name).evaluate(size) for name in ("state-text", "proposal-card")]
    await page.get_by_test_id("big-screen").click()
    await expect(page.locator("html")).to_have_attribute("data-big", "true")
    after = [await page.get_by_test_id(name).evaluate(size) for name in ("state-text", "proposal-card")]
    assert all(new >= old * 1.3 for old, new in zip(before, after, strict=True))
    assert await too_wide(page) == []
    await page.get_by_test_id("big-screen").click()
    await expect(page.locator("html")).not_to_have_attribute("data-big", "true")
    assert [await page.get_by_test_id(name).evaluate(size) for name in ("state-text", "proposal-card")] == before


MOVING = """() => [...document.querySelectorAll("body *")]
  .map((one) => [one.className, getComputedStyle(one)])
  .filter(([, {transitionDuration, animationName}]) => /[1-9]/.test(transitionDuration) || animationName !== "none")
  .map(([name, {transitionDuration, animationName}]) => `${name} ${transitionDuration} ${animationName}`)
"""
GROWN = """() => {
  const text = document.querySelector("[data-testid='state-text']");
  const size = () => parseFloat(getComputedStyle(text).fontSize);
  const before = size();
  document.querySelector("[data-testid='big-screen']").click();
  return size() / before;
}"""


async def test_whoever_wants_less_motion_sees_every_change_at_once(hall: Hall) -> None:
    stage = await hall.node(TRIO, AGREED)
    page = await hall.visit(stage.url, f"#/n/{await stage.finished(DEMAND)}")
    await in_state(page, "success")
    assert await page.evaluate(MOVING) == []
    assert await page.evaluate(GROWN) >= 1.3
    answered = asyncio.Event()

    async def late(route: Route) -> None:
        await answered.wait()
        await route.continue_()

    await page.route(re.compile(r"/api/v1/demand(\?.*)?$"), late)
    await page.goto(f"{stage.url}/#/list")
    await expect(page.get_by_role("main").get_by_role("status")).to_be_visible()  # where the rows will stand
    assert await page.evaluate(MOVING) == []
    await page.emulate_media(reduced_motion="no-preference")
    assert {name.split()[-1] == "none" for name in await page.evaluate(MOVING)} == {True, False}
    answered.set()
    await expect(page.get_by_test_id("negotiation-list")).to_be_visible()


async def test_the_theme_is_switched_and_kept(hall: Hall, quiet: Stage) -> None:
    page = await hall.visit(quiet.url, color_scheme="light")
    switch = page.get_by_test_id("theme-switch")
    await expect(switch).to_have_attribute("data-theme-choice", "auto")
    light = await page.evaluate("() => getComputedStyle(document.body).backgroundColor")
    other = "(colour) => getComputedStyle(document.body).backgroundColor !== colour"
    for choice in ("light", "dark"):
        await switch.click()
        await expect(switch).to_have_attribute("data-theme-choice", choice)
    await page.wait_for_function(other, arg=light)
    await page.reload()
    await expect(switch).to_have_attribute("data-theme-choice", "dark")
    await page.wait_for_function(other, arg=light)
