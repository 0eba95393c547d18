"""People take part by link: they read what is asked, offer, ask for a change, accept, or leave."""

from __future__ import annotations

from typing import Any

import pytest
from playwright.async_api import Page, expect

from tests.page.hall import Hall
from tests.page.looking import in_state
from tests.page.worlds import DEMAND
from tests.support.demand import ACCEPT, Script, of_type, profile
from tests.support.page_node import Stage

HOSTS = [profile("hall", "场地提供"), profile("planner", "活动策划", price=800)]
PLEASED = {"hall": Script(reviews=[ACCEPT]), "planner": Script(reviews=[ACCEPT])}


async def submitted(hall: Hall, stage: Stage) -> tuple[Page, Page]:
    """A requester who asked for one person, and the page of that person."""
    page = await hall.visit(stage.url)
    await page.get_by_test_id("demand-input").fill(DEMAND)
    await page.get_by_test_id("people-add").click()
    person = page.get_by_test_id("person-1")
    await person.get_by_role("textbox").nth(0).fill("小林")
    await person.get_by_role("textbox").nth(1).fill("演讲嘉宾")
    await person.get_by_role("textbox").nth(1).press("Enter")
    await page.get_by_test_id("submit").click()
    link = page.get_by_test_id("people-links").get_by_label("小林的链接").first
    await expect(link).to_be_visible()
    address = await link.input_value()
    assert address.startswith(f"{stage.url}/#/join/collab-")
    guest = await hall.visit(stage.url, address.removeprefix(f"{stage.url}/"))
    hall.complaints[-1].expect("status of 401")  # the link opens nothing once the negotiation has ended
    return page, guest


async def offered(guest: Page) -> None:
    await expect(guest.get_by_test_id("join-offer")).to_be_visible()
    await guest.get_by_test_id("offer-contribution").fill("讲一小时大模型应用")
    await guest.get_by_test_id("offer-price").fill("500")
    await guest.get_by_test_id("join-send").click()


async def planned(page: Page, guest: Page, version: int) -> None:
    """Return when there is a version of the plan, and let the person's page look for it now: it looks when it is seen.

    Else it looks every three seconds, as `test_a_person_that_leaves_ends_the_role` lets it.
    """
    await expect(page.get_by_test_id("round-marker")).to_contain_text(f"{version}/3")
    await expect(page.get_by_test_id(f"plan-version-{version}")).to_be_visible()
    await guest.evaluate("() => document.dispatchEvent(new Event('visibilitychange'))")


@pytest.mark.requirement("NEG-UI-09")
async def test_a_person_joins_offers_asks_for_a_change_and_accepts(hall: Hall) -> None:
    stage = await hall.node(HOSTS, PLEASED)
    page, guest = await submitted(hall, stage)
    invitation = guest.get_by_test_id("invitation")
    await expect(invitation).to_contain_text("AI主题聚会")
    await offered(guest)
    await in_state(page, "negotiating")
    await planned(page, guest, 1)
    await guest.get_by_test_id("join-negotiate").click()
    await guest.get_by_test_id("change-price").fill("650")
    await guest.get_by_test_id("change-words").fill("路途远")
    await guest.get_by_test_id("change-send").click()
    await expect(guest.get_by_test_id("join-changes")).to_have_count(0)  # else the next click answers for this round
    await planned(page, guest, 2)
    await guest.get_by_test_id("join-accept").click()
    await in_state(page, "success")
    await expect(page.get_by_test_id("plan-roles")).to_contain_text("小林")
    await expect(page.get_by_test_id("plan-roles")).to_contain_text("650")
    (run,) = await stage.node.log.runs(kind="demand")
    mine = [item for item in of_type(await stage.public(run.id), "proposal.feedback") if item["display_name"] == "小林"]
    assert [item["feedback_type"] for item in mine] == ["negotiate", "accept"]


async def test_a_person_that_leaves_ends_the_role(hall: Hall) -> None:
    stage = await hall.node(HOSTS, PLEASED)
    page, guest = await submitted(hall, stage)
    await offered(guest)
    await in_state(page, "negotiating")
    await guest.get_by_test_id("join-withdraw").click()
    await guest.get_by_test_id("join-withdraw-sure").click()
    await in_state(page, "failed")


async def test_a_person_never_sees_what_others_are_paid(hall: Hall) -> None:
    stage = await hall.node(HOSTS, PLEASED)
    page, guest = await submitted(hall, stage)
    await offered(guest)
    await in_state(page, "negotiating")
    await planned(page, guest, 1)
    await expect(guest.get_by_test_id("join-accept")).to_be_visible()
    text = await guest.get_by_test_id("join-page").inner_text()
    assert "500" in text
    assert "1,000" not in text
    assert "800" not in text
    await expect(page.get_by_test_id("plan-roles")).to_contain_text("1,000")


async def test_a_link_that_opens_nothing_says_so(hall: Hall, quiet: Stage) -> None:
    page = await hall.visit(quiet.url, "#/join/collab-0000feed/not-a-token")
    hall.complaints[0].expect("status of 40[14]")
    await expect(page.get_by_test_id("join-page")).to_contain_text("链接")


async def test_the_token_of_a_link_reaches_no_log_and_no_storage(hall: Hall) -> None:
    stage = await hall.node(HOSTS, PLEASED)
    _, guest = await submitted(hall, stage)
    token = guest.url.rsplit("/", 1)[-1]
    asked: list[Any] = []
    guest.on("request", lambda request: asked.append(request.url))
    await guest.reload()
    await expect(guest.get_by_test_id("invitation")).to_be_visible()
    assert asked
    assert not any(token in url.split("#")[0] for url in asked)
    kept = await guest.evaluate("() => JSON.stringify([{...localStorage}, {...sessionStorage}, document.cookie])")
    assert token not in kept


async def test_a_person_that_takes_part_finds_no_way_to_other_pages(hall: Hall) -> None:
    stage = await hall.node(HOSTS, PLEASED)
    page, guest = await submitted(hall, stage)
    await expect(page.get_by_test_id("links-loopback")).to_be_visible()
    await expect(guest.get_by_test_id("join-offer")).to_be_visible()
    await expect(guest.get_by_role("navigation")).to_have_count(0)
    await expect(guest.get_by_role("link")).to_have_count(0)
    await expect(guest.get_by_test_id("lang-switch")).to_be_visible()
    await offered(guest)
    await in_state(page, "negotiating")
    await planned(page, guest, 1)
    await guest.get_by_test_id("join-accept").click()
    await in_state(page, "success")
    await expect(guest.get_by_test_id("join-ended")).to_be_visible()
    await expect(guest.get_by_test_id("join-counted")).to_be_visible()
    await expect(guest.get_by_test_id("join-plan")).to_have_count(0)
