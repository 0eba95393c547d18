"""What a visitor of the page does and sees, beyond a single element."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from playwright.async_api import Locator, Page, expect

AXE = Path(__file__).parents[2] / "web/node_modules/axe-core/axe.min.js"
_FOCUSED = '(id) => !!document.activeElement?.closest(`[data-testid="${id}"]`)'
_GRAVE = """
async () => {
  const {violations, passes} = await axe.run(document, {resultTypes: ["violations"]});
  if (passes.length < 10) throw new Error("axe looked at nothing");
  return violations.filter((found) => ["serious", "critical"].includes(found.impact))
    .map((found) => `${found.id}: ${found.nodes.map((node) => node.html + " " + node.failureSummary).join(" | ")}`);
}
"""
_WIDE = """
() => {
  const root = document.scrollingElement;
  if (root.scrollWidth <= root.clientWidth) return [];
  return [...document.querySelectorAll("body *")]
    .filter((element) => element.getBoundingClientRect().right > root.clientWidth + 0.5)
    .map((element) => `${element.tagName}.${element.className} ${Math.round(element.getBoundingClientRect().right)}`)
    .slice(0, 8).concat([`${root.scrollWidth} > ${root.clientWidth}`]);
}
"""


async def in_state(page: Page, state: str) -> None:
    """Return when the negotiation's page shows a state."""
    await expect(page.get_by_test_id("negotiation-page")).to_have_attribute("data-state", state)


async def state_text(page: Page) -> str:
    """The words that stand for the state."""
    return (await page.get_by_test_id("state-text").inner_text()).strip()


async def tab_to(page: Page, test_id: str, most: int = 60) -> None:
    """Press Tab until something with, or inside, this test id has the focus."""
    for _ in range(most):
        if await page.evaluate(_FOCUSED, test_id):
            return
        await page.keyboard.press("Tab")
    message = f"Tab never reached {test_id}"
    raise AssertionError(message)


def timeline(page: Page) -> Locator:
    """The timeline of the negotiation itself; one that is opened inside has its own."""
    return page.locator("[data-testid='event-timeline']:not([data-testid='subnet-body'] *)")


async def timeline_ids(page: Page) -> list[str]:
    """The ids of all events in the timeline, in order; the list is scrolled through."""
    rows = timeline(page).locator("[data-testid^='event-evt']")
    await expect(rows.first).to_be_visible()
    seen: dict[str, None] = {}
    await _scroll(page, "top")
    while True:
        await _frame(page)
        before = len(seen)
        seen |= dict.fromkeys(await _ids(rows))
        if await _scroll(page, "down") and len(seen) == before:
            return [name.removeprefix("event-") for name in seen]


async def _ids(rows: Locator) -> list[str]:
    found: list[str] = await rows.evaluate_all(
        "(all) => all.map((row) => [row.getBoundingClientRect().top, row.dataset.testid])"
        ".sort((a, b) => a[0] - b[0]).map((row) => row[1])"
    )
    return found


async def _scroll(page: Page, where: str) -> bool:
    """Scroll the timeline's list; whether it stands at its end."""
    at_end: bool = await timeline(page).evaluate(
        """(timeline, where) => {
          const boxes = [timeline, ...timeline.querySelectorAll("*")]
            .filter((box) => box.scrollHeight > box.clientHeight + 1 && /auto|scroll/.test(getComputedStyle(box).overflowY))
            .filter((box) => box.querySelector("[data-testid^='event-evt']"));
          const list = boxes[0];
          if (!list) return true;
          list.scrollTop = where === "top" ? 0 : list.scrollTop + list.clientHeight / 2;
          return list.scrollTop + list.clientHeight >= list.scrollHeight - 1;
        }""",
        where,
    )
    return at_end


async def _frame(page: Page) -> None:
    await page.evaluate("() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))")


async def grave_violations(page: Page) -> list[str]:
    """What axe calls serious or critical. It runs beside the page, where the page's policy does not reach."""
    if not AXE.is_file():
        pytest.skip("axe-core is not installed: run make web")
    if not await page.evaluate("() => 'axe' in window"):
        await page.evaluate(AXE.read_text(encoding="utf-8"))
    found: list[str] = await page.evaluate(_GRAVE)
    return found


async def too_wide(page: Page) -> list[str]:
    """What makes the page scroll sideways; empty where nothing does."""
    found: list[str] = await page.evaluate(_WIDE)
    return found


async def stored(page: Page) -> str:
    """Everything the browser keeps or shows of the page's secrets: both storages, cookies, and the address."""
    kept: Any = await page.evaluate(
        "() => [JSON.stringify(localStorage), JSON.stringify(sessionStorage), document.cookie, location.href]"
    )
    return "\n".join(kept)


async def opened_steps(page: Page) -> Locator:
    """The step inspector, unfolded where it is folded."""
    inspector = page.get_by_test_id("step-inspector")
    await expect(inspector).to_be_visible()
    return inspector


async def imported(page: Page, recording: str) -> None:
    """Give the replay page a recording."""
    content = {"name": "run.json", "mimeType": "application/json", "buffer": recording.encode()}
    await page.get_by_test_id("import").set_input_files(content)
    await expect(page.get_by_test_id("replay-bar")).to_be_visible()


async def to_the_end(page: Page) -> None:
    """Move a replay to its last event."""
    await page.get_by_test_id("replay-seek").focus()
    await page.keyboard.press("End")
