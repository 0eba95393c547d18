"""Keys and tokens: asked for once, kept in memory, never written down."""

from __future__ import annotations

from playwright.async_api import expect

from tests.page.hall import Hall
from tests.page.looking import in_state, stored
from tests.page.worlds import AGREED, DEMAND, TRIO
from tests.support.demand import SUMMARY

ADMIN = "an-admin-key-of-this-test-0123456789"
ALICE = "a-key-of-alice-0123456789abcdef0123456789"


async def test_agents_are_searched_added_edited_and_disabled_with_a_key_that_is_asked_once(hall: Hall) -> None:
    stage = await hall.node(TRIO, AGREED, admin_api_key=ADMIN)
    page = await hall.visit(stage.url)
    hall.complaints[0].expect("status of 40[13]")
    await page.get_by_test_id("nav-agents").click()
    await page.get_by_test_id("admin-key").fill("wrong")
    await page.get_by_test_id("admin-key").press("Enter")
    await expect(page.get_by_test_id("admin-key")).to_have_value("")
    await page.get_by_test_id("admin-key").fill(ADMIN)
    await page.get_by_test_id("admin-key").press("Enter")
    for agent in TRIO:
        await expect(page.get_by_test_id(f"agent-{agent.agent_id}")).to_be_visible()
    await page.get_by_test_id("agent-search").fill("planner")
    await expect(page.get_by_test_id("agent-user_agent_venue")).to_have_count(0)
    await expect(page.get_by_test_id("agent-user_agent_planner")).to_be_visible()  # the answer is there
    await expect(page.get_by_test_id("agent-user_agent_venue")).to_have_count(0)
    await page.get_by_test_id("agent-search").fill("")

    await page.get_by_test_id("agent-add").click()
    fields = {
        "id": "user_agent_new_photo",
        "name": "新摄影师",
        "city": "上海",
        "tags": "摄影",
        "summary": SUMMARY[:220],
    }
    for field, value in fields.items():
        await page.get_by_test_id(f"agent-field-{field}").fill(value)
    await page.get_by_test_id("agent-save").click()
    await expect(page.get_by_test_id("agent-profile")).to_contain_text("新摄影师")
    record = await stage.node.registry.get("user_agent_new_photo")
    assert (record.profile.location, record.status) == ("上海", "active")

    await page.get_by_test_id("agent-edit").click()
    await page.get_by_test_id("agent-field-city").fill("北京")
    await page.get_by_test_id("agent-save").click()
    await expect(page.get_by_test_id("agent-profile")).to_contain_text("北京")
    assert (await stage.node.registry.get("user_agent_new_photo")).profile.location == "北京"

    await page.get_by_test_id("agent-disable").click()
    await expect(page.get_by_test_id("agent-enable")).to_be_visible()
    assert (await stage.node.registry.get("user_agent_new_photo")).status == "disabled"
    await page.get_by_test_id("agent-back").click()
    listed = page.get_by_test_id("agent-user_agent_new_photo")
    await expect(listed).to_have_attribute("data-status", "disabled")
    assert ADMIN not in await stored(page)


async def test_a_node_with_keys_asks_for_one_and_opens_the_demands_of_its_user(hall: Hall) -> None:
    stage = await hall.node(TRIO, AGREED, api_keys=f"alice:{ALICE}")
    page = await hall.visit(stage.url)
    hall.complaints[0].expect("status of 401")
    urls: list[str] = []
    page.on("request", lambda request: urls.append(request.url))
    await page.get_by_test_id("demand-input").fill(DEMAND)
    await page.get_by_test_id("submit").click()
    await page.get_by_test_id("api-key").fill(ALICE)
    await page.get_by_test_id("key-use").click()
    await in_state(page, "success")
    await page.get_by_test_id("nav-list").click()
    (run,) = await stage.node.log.runs(kind="demand")
    await expect(page.get_by_test_id(f"row-{run.id}")).to_be_visible()
    assert ALICE not in await stored(page)
    assert not any(ALICE in url for url in urls)
    await page.reload()
    await expect(page.get_by_test_id("api-key")).to_be_visible()


async def test_whoever_gives_no_key_sees_that_it_is_needed(hall: Hall) -> None:
    stage = await hall.node(TRIO, AGREED, api_keys=f"alice:{ALICE}")
    page = await hall.visit(stage.url, "#/list")
    hall.complaints[0].expect("status of 401")
    await expect(page.get_by_test_id("api-key")).to_be_visible()
    await page.keyboard.press("Escape")
    await expect(page.get_by_test_id("api-key")).to_have_count(0)
    await expect(page.get_by_role("main")).to_contain_text("密钥")
