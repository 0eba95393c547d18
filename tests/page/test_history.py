"""Finished runs: listed, played back, downloaded, and imported elsewhere."""

from __future__ import annotations

import json
from pathlib import Path

from playwright.async_api import expect

from tests.page.hall import Hall
from tests.page.looking import imported, in_state, paused, tells, timeline, to_the_end
from tests.page.worlds import AGREED, DEMAND, TRIO, told
from tests.support.demand import ACCEPT, Script, wish
from tests.support.fake_llm import FakeLLM
from tests.support.page_node import Stage

NOON = "2026-11-21T12:00:00Z"
TWICE = {**AGREED, "venue": Script(reviews=[wish(price=1100), ACCEPT])}


async def test_the_list_tells_state_rounds_and_cost_and_is_filtered(hall: Hall, llm: FakeLLM) -> None:
    stage = await hall.node(TRIO, TWICE, **llm.settings())
    done = await stage.finished(DEMAND)
    llm.script["filter"] = {"candidates": [], "analysis": "nobody"}
    lost = await stage.finished("我想在拉萨找一位潜水教练")
    page = await hall.visit(stage.url, "#/list")
    row = page.get_by_test_id(f"row-{done}")
    await expect(row).to_contain_text("2/3")
    await expect(row).to_contain_text("3,100")
    await expect(row).to_contain_text("已达成")
    await expect(page.get_by_test_id(f"row-{lost}")).to_contain_text("未达成")
    await page.get_by_test_id("list-filter-failed").click()
    await expect(row).to_have_count(0)
    await expect(page.get_by_test_id(f"row-{lost}")).to_be_visible()  # the answer is there
    await expect(row).to_have_count(0)
    await page.get_by_test_id("list-filter-all").click()
    await row.get_by_role("link").first.click()
    await in_state(page, "success")


async def test_a_finished_run_is_played_back_from_the_log(hall: Hall) -> None:
    stage = await hall.node(TRIO, TWICE)
    demand_id = await stage.finished(DEMAND)
    page = await hall.visit(stage.url, "#/list")
    await page.clock.set_fixed_time(NOON)  # it begins to play by itself, and must not come to its end before the pause
    await page.goto(f"{stage.url}/#/replay/{demand_id}")
    await expect(page.get_by_test_id("replay-bar")).to_be_visible()
    await expect(page.get_by_test_id("badge-replay")).to_be_visible()
    await expect(page.get_by_test_id("connection-badge")).to_have_attribute("data-connection", "replay")
    await paused(page)
    await page.get_by_test_id("replay-seek").press("Home")
    await in_state(page, "empty")
    await page.clock.set_system_time(NOON)
    await page.get_by_test_id("replay-speed").select_option("16")
    await page.get_by_test_id("replay-play").click()
    await in_state(page, "success")
    await tells(timeline(page), [event.event_id for event in await stage.public(demand_id)])


async def test_a_downloaded_run_gives_the_same_timeline_when_it_is_imported(
    hall: Hall, quiet: Stage, tmp_path: Path
) -> None:
    stage = await hall.node(TRIO, TWICE)
    demand_id = await stage.finished(DEMAND)
    page = await hall.visit(stage.url, f"#/n/{demand_id}")
    await in_state(page, "success")
    events = [event.event_id for event in await stage.public(demand_id)]
    await tells(timeline(page), events)
    await page.goto(f"{stage.url}/#/replay/{demand_id}")
    await expect(page.get_by_test_id("replay-bar")).to_be_visible()
    async with page.expect_download() as started:
        await page.get_by_test_id("download").click()
    file = tmp_path / "run.json"
    await (await started.value).save_as(file)
    content = json.loads(file.read_text(encoding="utf-8"))
    assert content["format"] == "moothall-events"
    assert content["events"] == await told(stage, demand_id)

    other = await hall.visit(quiet.url, "#/replay")
    await imported(other, file.read_text(encoding="utf-8"))
    await to_the_end(other)
    await in_state(other, "success")
    await tells(timeline(other), events)


async def test_a_file_that_is_no_recording_is_refused_with_a_reason(hall: Hall, quiet: Stage) -> None:
    page = await hall.visit(quiet.url, "#/replay")
    content = {"name": "x.json", "mimeType": "application/json", "buffer": b'{"format": "something else"}'}
    await page.get_by_test_id("import").set_input_files(content)
    await expect(page.get_by_role("main")).to_contain_text("不是 Moothall 的事件记录")
    await expect(page.get_by_test_id("replay-bar")).to_have_count(0)
