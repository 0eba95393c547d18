"""Whatever people and agents write is text; nothing of it runs."""

from __future__ import annotations

import json

from playwright.async_api import Page, expect

from moothall.negotiation.demand.models import AgentResponse
from moothall.negotiation.demand.plan_models import ProposalFeedback
from tests.page.hall import Hall
from tests.page.looking import imported, to_the_end
from tests.page.worlds import DEMAND, TRIO, recording, told
from tests.support.demand import Script, profile
from tests.support.page_node import Stage

SCRIPT = "<script>window.owned = 1</script>"
IMAGE = "<img src=x onerror='window.owned = 2'>"
LINK = "<a href='javascript:window.owned = 3'>x</a>"


async def nothing_ran(page: Page) -> None:
    assert await page.evaluate("() => window.owned ?? null") is None
    assert await page.locator("main script, main img[onerror], main a[href^='javascript']").count() == 0


async def test_a_negotiation_full_of_markup_shows_it_as_text(hall: Hall) -> None:
    evil = profile("evil", "演讲嘉宾").model_copy(update={"user_name": f"E{IMAGE}"})
    refusal = AgentResponse(decision="decline", decline_reason=f"不{LINK}", reasoning=f"不{LINK}")
    change = ProposalFeedback(
        feedback_type="negotiate",
        reasoning=f"因为{SCRIPT}",
        adjustment_request=f"要{IMAGE}",
        proposed_changes={"note": f"要{IMAGE}", "reason": f"因为{SCRIPT}"},
    )
    scripts = {"planner": Script(offer=refusal), "evil": Script(reviews=[change])}
    stage = await hall.node([*TRIO[:1], TRIO[2], evil], scripts)
    demand_id = await stage.finished(f"{DEMAND}{SCRIPT}{IMAGE}")
    page = await hall.visit(stage.url, f"#/n/{demand_id}")
    whole = page.get_by_test_id("negotiation-page")
    await expect(page.get_by_test_id("candidate-user_agent_evil")).to_contain_text(IMAGE)
    await expect(page.get_by_test_id("candidate-user_agent_planner")).to_contain_text(LINK)
    await expect(whole).to_contain_text(SCRIPT)
    events = await told(stage, demand_id)
    said = next(event for event in events if event["payload"].get("feedback_type") == "negotiate")
    await page.get_by_test_id("timeline-search").fill(said["event_id"])
    row = page.get_by_test_id(f"event-{said['event_id']}")
    await row.get_by_role("button").first.click()
    await expect(row.get_by_test_id("event-raw")).to_contain_text(IMAGE)
    await nothing_ran(page)
    await page.goto(f"{stage.url}/#/list")
    await expect(page.get_by_test_id(f"row-{demand_id}")).to_contain_text("<script>")
    await nothing_ran(page)


async def test_a_hostile_recording_shows_its_markup_as_text(hall: Hall) -> None:
    stage = await hall.node(TRIO)
    events = json.dumps(await told(stage, await stage.finished(DEMAND)))
    for word in ("venue", "speaker"):
        events = events.replace(f'"display_name": "{word}"', f'"display_name": "{word}{IMAGE}"')
    page = await hall.visit(stage.url, "#/replay")
    await imported(page, recording("d-0000feed", json.loads(events), SCRIPT))
    await to_the_end(page)
    await expect(page.get_by_test_id("candidate-list")).to_contain_text(IMAGE)
    await nothing_ran(page)


async def test_the_policy_lets_no_foreign_script_in(hall: Hall, quiet: Stage) -> None:
    page = await hall.visit(quiet.url)
    hall.complaints[0].expect("policy violated", "Content Security Policy", "Trusted", "foreign request", "violates")
    refused = await page.evaluate(
        """() => {
          const put = (source) => () => {
            const script = document.createElement("script");
            script.src = source;
            document.body.append(script);
          };
          const tried = [
            put("https://example.invalid/x.js"),
            put("data:text/javascript,window.owned=1"),
            () => document.body.insertAdjacentHTML("beforeend", "<img src=x onerror='window.owned = 2'>"),
          ];
          return tried.map((one) => { try { one(); return "let in"; } catch (thrown) { return thrown.name; } });
        }"""
    )
    assert refused == ["TypeError"] * 3  # at once: nothing is left that could run later
    assert await page.evaluate("() => window.owned ?? null") is None
    policy = (await quiet.door.client.get("/", headers={"Accept": "text/html"})).headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "require-trusted-types-for 'script'" in policy
    assert "unsafe" not in policy
