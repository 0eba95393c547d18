"""What a visitor of the page does and sees, beyond a single element."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from time import monotonic
from typing import Any

import pytest
from playwright.async_api import Locator, Page, expect

PATIENCE = 30.0
"""Seconds after which what is waited for has failed; a machine that does much else is slow."""
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
_IN_COLOUR = "(theme) => matchMedia(`(prefers-color-scheme: ${theme})`).matches"
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
_TWO_FRAMES = "() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))"
_AT_REST = """
(box, frames) => new Promise((done) => {
  let before = "", alike = 0;
  const look = () => {
    const rows = [...box.querySelectorAll("[data-testid^='event-evt']")];
    const places = rows.map((row) => [row.dataset.testid, row.getBoundingClientRect().top]);
    const now = JSON.stringify([box.scrollTop, box.scrollHeight, places]);
    alike = now === before ? alike + 1 : 0;
    before = now;
    if (alike < frames) requestAnimationFrame(look);
    else done();
  };
  look();
})
"""


async def in_state(page: Page, state: str) -> None:
    """Return when the negotiation's page shows a state."""
    await expect(page.get_by_test_id("negotiation-page")).to_have_attribute("data-state", state)


async def tab_to(page: Page, test_id: str, most: int = 60) -> None:
    """Press Tab until something with, or inside, this test id has the focus."""
    await expect(page.get_by_test_id(test_id)).to_be_visible()
    for _ in range(most):
        if await page.evaluate(_FOCUSED, test_id):
            return
        await page.keyboard.press("Tab")
    message = f"Tab never reached {test_id}"
    raise AssertionError(message)


def timeline(page: Page) -> Locator:
    """The timeline of the negotiation itself; one that is opened inside has its own."""
    return page.locator("[data-testid='event-timeline']:not([data-testid='subnet-body'] *)")


async def tells(shown: Locator, events: Sequence[str]) -> None:
    """Return when a timeline holds exactly these events, by their ids, in this order."""
    expected, end = list(events), monotonic() + PATIENCE
    while (found := await _read(shown)) != expected and monotonic() < end:
        pass
    assert found == expected


async def at_rest(box: Locator) -> None:
    """Return when nothing in a list has moved for longer than a list takes to know that it is not scrolled any more."""
    await box.evaluate(_AT_REST, 20)


async def _read(shown: Locator) -> list[str]:
    """The ids of the events in a timeline at this moment, in order; its list is scrolled through."""
    rows = shown.locator("[data-testid^='event-evt']")
    await expect(rows.first).to_be_visible()
    seen: dict[str, None] = {}
    await _scroll(shown, "top")
    while True:
        await shown.page.evaluate(_TWO_FRAMES)
        before = len(seen)
        seen |= dict.fromkeys(await _ids(rows))
        if await _scroll(shown, "down") and len(seen) == before:
            return [name.removeprefix("event-") for name in seen]


async def _ids(rows: Locator) -> list[str]:
    found: list[str] = await rows.evaluate_all(
        "(all) => all.map((row) => [row.getBoundingClientRect().top, row.dataset.testid])"
        ".sort((a, b) => a[0] - b[0]).map((row) => row[1])"
    )
    return found


async def _scroll(shown: Locator, where: str) -> bool:
    """Scroll the list of a timeline; whether it stands at its end."""
    at_end: bool = await shown.evaluate(
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


async def grave_violations(page: Page) -> list[str]:
    """What axe calls serious or critical, by light and by dark.

    It runs beside the page, where the page's policy does not reach.
    """
    if not AXE.is_file():
        pytest.skip("axe-core is not installed: run make web")
    if not await page.evaluate("() => 'axe' in window"):
        await page.evaluate(AXE.read_text(encoding="utf-8"))
    found: list[str] = []
    for theme in ("light", "dark"):
        await page.emulate_media(color_scheme=theme)
        await page.wait_for_function(_IN_COLOUR, arg=theme)
        found += [f"{theme}: {violation}" for violation in await page.evaluate(_GRAVE)]
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
    """Move a replay to its last event, where it stops."""
    seek = page.get_by_test_id("replay-seek")
    await seek.press("End")
    await expect(seek).to_have_js_property("value", await seek.get_attribute("max"))
    await expect(page.get_by_test_id("replay-play")).to_have_attribute("data-playing", "false")


async def paused(page: Page) -> None:
    """Stop a replay that plays."""
    play = page.get_by_test_id("replay-play")
    await expect(play).to_have_attribute("data-playing", "true")
    await play.click()
    await expect(play).to_have_attribute("data-playing", "false")
