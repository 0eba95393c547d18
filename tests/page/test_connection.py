"""The page and its node lose each other and find each other again (rows NEG-ADR-06, NEG-UI-05)."""

from __future__ import annotations

import asyncio
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest
from playwright.async_api import Page, Route, expect

from tests.page.hall import Hall
from tests.page.killable import killable
from tests.page.looking import PATIENCE, in_state, tells, timeline
from tests.page.worlds import AGREED, DEMAND, TRIO
from tests.support.page_node import Stage

DELAYS = [3000, 4500, 6750, 10_125, 15_187.5]
UNREACHABLE = ("Failed to load resource", "ERR_CONNECTION_REFUSED", "ERR_INCOMPLETE_CHUNKED_ENCODING")
LEAP = 20_000
"""Milliseconds that the page's clock jumps: longer than any way to it and back, shorter than a stream is called sound."""


async def connection(page: Page, kind: str) -> None:
    await expect(page.get_by_test_id("connection-badge")).to_have_attribute("data-connection", kind)


async def tried_so_often(page: Page, attempt: int) -> None:
    """Return when the page waits to try for the so-many-th time."""
    await expect(page.get_by_test_id("connection-badge")).to_contain_text(f"第 {attempt}/5 次，")


async def stopped_clock(page: Page) -> None:
    """Let the page's clock stand still."""
    await page.clock.pause_at(await page.evaluate("(leap) => Date.now() + leap", LEAP))


async def no_stream(stage: Stage) -> None:
    """Return when no stream is open on the node."""
    if pumps := stage.door.app.streams._pumps:
        await asyncio.wait(pumps, timeout=PATIENCE)
    assert len(stage.door.app.streams) == 0


@pytest.mark.timeout(180)
@pytest.mark.requirement("NEG-UI-05", "NEG-OPS-03", "NEG-ADR-06")
async def test_a_server_killed_in_mid_run_costs_the_page_no_event(hall: Hall, tmp_path: Path) -> None:
    async with killable(tmp_path / "node", TRIO) as server:
        demand_id = await server.submit(DEMAND)
        page = await hall.visit(server.url, f"#/n/{demand_id}")
        hall.complaints[0].expect(*UNREACHABLE)
        await connection(page, "live")
        await expect(page.get_by_test_id("plan-version-1").first).to_be_visible()
        await page.clock.install()
        await server.kill()
        await connection(page, "reconnecting")
        await stopped_clock(page)  # a server that takes long to come back finds the page at its second attempt
        await tried_so_often(page, 2)
        await expect(page.get_by_test_id("plan-version-1").first).to_be_visible()
        await server.start()
        await page.clock.run_for(LEAP)
        await page.clock.resume()
        await connection(page, "live")
        (server.data / "open").touch()
        await in_state(page, "success")
        await connection(page, "ended")
        logged = await server.public(demand_id)
        assert len(logged) == len(set(logged)) > 20
        await tells(timeline(page), logged)
        await page.close()


class Cut:
    """A line to the stream that is cut; the attempts to use it are counted."""

    def __init__(self) -> None:
        self.urls: list[str] = []
        self._news = asyncio.Condition()

    async def __call__(self, route: Route) -> None:
        await route.abort("connectionrefused")
        async with self._news:
            self.urls.append(route.request.url)
            self._news.notify_all()

    async def tried(self, number: int) -> None:
        async with asyncio.timeout(PATIENCE), self._news:
            await self._news.wait_for(lambda: len(self.urls) >= number)


@pytest.mark.requirement("NEG-ADR-06", "NEG-UI-01", "NEG-UI-05")
async def test_after_five_attempts_at_growing_delays_a_banner_offers_another(hall: Hall) -> None:
    stage = await hall.node(TRIO, AGREED, closed=["review"])
    demand_id = await stage.door.submit(DEMAND)
    page = await hall.visit(stage.url, "#/list")
    hall.complaints[0].expect(*UNREACHABLE)
    await page.clock.install()
    await page.goto(f"{stage.url}/#/n/{demand_id}")
    await connection(page, "live")
    await expect(page.get_by_test_id("plan-version-1").first).to_be_visible()
    last = (await stage.public(demand_id))[-1].event_id
    await expect(page.get_by_test_id(f"event-{last}")).to_have_count(1)
    cut = Cut()
    await page.route("**/stream?**", cut)
    await stopped_clock(page)
    stage.door.app.streams.close()
    await connection(page, "reconnecting")
    for attempt, delay in enumerate(DELAYS, start=1):
        await tried_so_often(page, attempt)
        await page.clock.run_for(delay - 100)
        assert len(cut.urls) == attempt - 1
        await page.clock.run_for(101)  # no further: the attempt fails at a moment that leaves the next one its delay
        await cut.tried(attempt)
    await connection(page, "lost")
    await expect(page.get_by_test_id("reconnect-banner")).to_be_visible()
    await page.clock.run_for(120_000)
    assert len(cut.urls) == len(DELAYS)
    assert [parse_qs(urlsplit(url).query)["last_event_id"] for url in cut.urls] == [[last]] * 5
    await page.unroute("**/stream?**")
    stage.door.app.streams._closing = False
    await page.get_by_test_id("reconnect").click()
    await connection(page, "live")
    await expect(page.get_by_test_id("reconnect-banner")).to_have_count(0)
    stage.gates.open()
    await page.clock.resume()
    await in_state(page, "success")
    await tells(timeline(page), [event.event_id for event in await stage.public(demand_id)])


@pytest.mark.requirement("NEG-ARCH-12")
async def test_a_page_has_each_part_and_one_open_stream(hall: Hall) -> None:
    stage = await hall.node(TRIO, AGREED, closed=["review"])
    page = await hall.visit(stage.url)
    await page.get_by_test_id("demand-input").fill(DEMAND)
    await page.get_by_test_id("submit").click()
    await in_state(page, "negotiating")
    await connection(page, "live")
    for part in ("negotiation-page", "event-timeline", "proposal-card", "candidate-list", "coverage-matrix"):
        await expect(page.get_by_test_id(part)).to_be_visible()
    assert len(stage.door.app.streams) == 1
    stage.gates.open()
    await in_state(page, "success")
    await connection(page, "ended")
    await no_stream(stage)


async def test_leaving_the_page_closes_its_stream(hall: Hall) -> None:
    stage = await hall.node(TRIO, AGREED, closed=["review"])
    demand_id = await stage.door.submit(DEMAND)
    page = await hall.visit(stage.url, f"#/n/{demand_id}")
    await connection(page, "live")
    await page.get_by_test_id("nav-list").click()
    await expect(page.get_by_test_id("negotiation-list")).to_be_visible()
    await no_stream(stage)
