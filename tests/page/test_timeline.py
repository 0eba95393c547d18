"""Every event has its row (rows NEG-UI-02, NEG-ARCH-11)."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from playwright.async_api import Locator, Page, expect

from moothall.events.types import EVENT_TYPES, TERMINAL_EVENT_TYPES
from tests.page.hall import Hall
from tests.page.looking import at_rest, imported, in_state, paused, tells, timeline, to_the_end
from tests.page.worlds import AGREED, DEMAND, POOL, TRIO, WITH_PHOTOS, Shy, recording, renumbered, told
from tests.support.demand import ACCEPT, WITHDRAW, Script, profile, wish
from tests.support.page_node import Stage

MOST_ROWS = 120
"""So many rows of a thousand are in the document, or drawn for one change, at most: that is what keeps it quick."""
UNKNOWN = {"event_type": "towow.weather.changed", "payload": {"demand_id": "d-0000feed", "to": "rain"}}


async def every_type(hall: Hall) -> list[dict[str, Any]]:
    """One event of each type from real runs; what no run here tells has a payload with its keys alone."""
    photographers = {agent.agent_id.removeprefix("user_agent_"): Shy for agent in POOL if "photo" in agent.agent_id}
    gap = await hall.node(POOL, {"venue_0": Script(reviews=[wish(price=1100), ACCEPT])}, recast=photographers)
    spare = [*TRIO, profile("spare", "场地提供", price=2000)]
    lost = await hall.node(spare, {"venue": Script(reviews=[WITHDRAW])})
    runs = [
        await told(gap, await gap.finished(WITH_PHOTOS)),
        await told(lost, await lost.finished(DEMAND)),
        await told(lost, await lost.finished("我想在拉萨找一位潜水教练")),
    ]
    known = {event["event_type"]: event for run in reversed(runs) for event in run}
    made_up = {
        kind: {"event_type": kind, "payload": {**dict.fromkeys(keys, "x"), "round": 1}}
        for kind, keys in EVENT_TYPES.items()
    }
    found = {**made_up, **known}
    assert set(found) == set(EVENT_TYPES)
    ordered = [event for kind, event in found.items() if kind not in TERMINAL_EVENT_TYPES]
    events = [*ordered, UNKNOWN, *(found[kind] for kind in sorted(TERMINAL_EVENT_TYPES))]
    return renumbered("d-0000feed", events)


@pytest.mark.requirement("NEG-UI-02", "NEG-ARCH-11")
async def test_every_type_of_event_has_a_row_with_icon_title_detail_and_time(hall: Hall, quiet: Stage) -> None:
    events = await every_type(hall)
    page = await hall.visit(quiet.url, "#/replay")
    await imported(page, recording("d-0000feed", events))
    await to_the_end(page)
    await tells(timeline(page), [event["event_id"] for event in events])
    titles: dict[str, str] = {}
    for event in events:
        row = await scrolled_to(page, event["event_id"])
        await expect(row).to_have_attribute("data-type", event["event_type"])
        await expect(row.locator("svg")).not_to_have_count(0)
        lines = [line.strip() for line in (await row.inner_text()).splitlines() if line.strip()]
        assert len(lines) >= 3, lines
        titles[event["event_type"]] = lines[0]
        await expect(row.locator("time").first).to_have_attribute("datetime", event["timestamp"])
    known = [title for kind, title in titles.items() if kind != UNKNOWN["event_type"]]
    assert len(set(known)) == len(known) == len(EVENT_TYPES)
    assert not any("towow." in title for title in known)


async def test_the_raw_event_is_opened_on_demand(hall: Hall) -> None:
    stage = await hall.node(TRIO, AGREED)
    demand_id = await stage.finished(DEMAND)
    page = await hall.visit(stage.url, f"#/n/{demand_id}")
    await in_state(page, "success")
    event = (await told(stage, demand_id))[1]
    row = await scrolled_to(page, event["event_id"])
    await expect(row.get_by_test_id("event-raw")).to_have_count(0)
    await row.get_by_role("button").first.press("Enter")
    raw = await row.get_by_test_id("event-raw").locator("pre, code").first.text_content()
    assert json.loads(raw or "") == event


async def test_rows_are_filtered_by_group_agent_and_failure(hall: Hall) -> None:
    stage = await hall.node(TRIO, {**AGREED, "venue": Script(reviews=[WITHDRAW])})
    demand_id = await stage.finished(DEMAND)
    page = await hall.visit(stage.url, f"#/n/{demand_id}")
    await in_state(page, "failed")
    events = await told(stage, demand_id)

    async def told_of(wanted: Callable[[dict[str, Any]], object]) -> None:
        await tells(timeline(page), [event["event_id"] for event in events if wanted(event)])

    await told_of(lambda _: True)
    await page.get_by_test_id("timeline-filter-offers").click()
    await told_of(lambda event: event["event_type"] in {"towow.offer.submitted", "towow.aggregation.started"})
    await page.get_by_test_id("timeline-filter-offers").click()
    await page.get_by_test_id("timeline-agent").select_option("user_agent_venue")
    await told_of(lambda event: event["payload"].get("agent_id") == "user_agent_venue")
    await page.get_by_test_id("timeline-agent").select_option("")
    await page.get_by_test_id("timeline-failed").check()
    await told_of(lambda event: event["event_type"] == "towow.negotiation.failed")
    await page.get_by_test_id("timeline-failed").uncheck()
    await told_of(lambda _: True)


async def test_a_long_run_stays_quick_and_tells_what_it_let_go(hall: Hall) -> None:
    stage = await hall.node(TRIO, AGREED)
    events = await told(stage, await stage.finished(DEMAND))
    talk = [
        {
            "event_type": "towow.negotiation.bargain",
            "payload": {
                "demand_id": "d-0000feed",
                "agent_id": "user_agent_venue",
                "display_name": "venue",
                "bargain_type": "price",
                "content": f"needle {number}" if number == 1700 else f"加价 {number}",
                "round": 1,
            },
        }
        for number in range(1, 1801)
    ]
    many = renumbered("d-0000feed", [*events[:-1], *talk, events[-1]])
    page = await hall.visit(stage.url, "#/replay")
    await imported(page, recording("d-0000feed", many))
    await to_the_end(page)
    rows = timeline(page).locator("[data-testid^='event-evt']")
    await expect(page.get_by_test_id(f"event-{many[-1]['event_id']}")).to_have_count(1)
    assert await rows.count() < MOST_ROWS
    await expect(page.get_by_text(f"{len(many) - 1000:,}").first).to_be_visible()
    search = page.get_by_test_id("timeline-search")
    await search.press_sequentially("needle 1700")
    await expect(search).to_have_value("needle 1700")
    await expect(rows).to_have_count(1)
    drawn = await search.evaluate(DRAWN, "")
    assert 1 < drawn < MOST_ROWS


DRAWN = """async (search, text) => {
  const timeline = search.closest("[data-testid='event-timeline']");
  const counted = (node) => node.nodeType === 1 ? node.querySelectorAll("[data-testid^='event-evt']").length : 0;
  let drawn = 0;
  const count = (records) => {
    for (const {addedNodes} of records) for (const node of addedNodes) drawn += counted(node);
  };
  const watch = new MutationObserver(count);
  watch.observe(timeline, {childList: true, subtree: true});
  Object.getOwnPropertyDescriptor(HTMLInputElement.prototype, "value").set.call(search, text);
  search.dispatchEvent(new Event("input", {bubbles: true}));
  await new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)));
  count(watch.takeRecords());
  watch.disconnect();
  return drawn;
}"""
TOP_ROW = """(box) => {
  const top = box.getBoundingClientRect().top;
  const rows = [...box.querySelectorAll("[data-testid^='event-evt']")];
  const places = rows.map((row) => [row.dataset.testid, Math.round(row.getBoundingClientRect().top - top)]);
  return places.filter(([, place]) => place >= 40).sort((a, b) => a[1] - b[1])[0][0];
}"""
PLACE = """(box, id) =>
  Math.round(box.querySelector(`[data-testid='${id}']`).getBoundingClientRect().top - box.getBoundingClientRect().top)
"""
TO_END = "(box) => Math.round(box.scrollHeight - box.scrollTop - box.clientHeight)"


async def test_past_a_thousand_events_the_reader_keeps_the_place_and_the_end_is_followed(
    hall: Hall, quiet: Stage
) -> None:
    said = [
        {
            "event_type": "towow.proposal.feedback" if number % 3 else "towow.offer.submitted",
            "payload": {"demand_id": "d-0000feed", "reasoning": f"word {number} " * (number % 7), "round": 1},
        }
        for number in range(1300)
    ]
    page = await hall.visit(quiet.url, "#/replay")
    await imported(page, recording("d-0000feed", renumbered("d-0000feed", said)))
    await paused(page)
    await page.get_by_test_id("replay-seek").fill("1200")
    forward = page.get_by_test_id("replay-forward")
    box = page.get_by_test_id("event-timeline").locator("section[tabindex='0']").first
    await expect(page.get_by_test_id("event-evt-0000feed-1199")).to_have_count(1)
    await forward.click()
    await expect(page.get_by_test_id("event-evt-0000feed-1200")).to_have_count(1)
    await at_rest(box)
    assert await box.evaluate(TO_END) < 24
    await box.evaluate("(box) => { box.scrollTop = box.scrollHeight / 2; }")
    await at_rest(box)
    seen: str = await box.evaluate(TOP_ROW)
    place = await box.evaluate(PLACE, seen)
    for _ in range(6):
        await forward.click()
    await expect(page.get_by_test_id("replay-bar")).to_have_attribute("data-position", "1207")
    await expect(page.get_by_test_id("timeline-news")).to_contain_text("6")
    await at_rest(box)
    assert abs(await box.evaluate(PLACE, seen) - place) <= 2
    await page.get_by_test_id("timeline-news").click()
    await expect(page.get_by_test_id("event-evt-0000feed-1206")).to_have_count(1)
    await expect(page.get_by_test_id("timeline-news")).to_have_count(0)


async def scrolled_to(page: Page, event_id: str) -> Locator:
    """The row of an event, brought into view by the search."""
    await timeline(page).get_by_test_id("timeline-search").fill(event_id)
    row = timeline(page).get_by_test_id(f"event-{event_id}")
    await expect(row).to_have_count(1)
    return row
