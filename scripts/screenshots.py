"""Take the pictures of the documentation: a real node, its sample agents, real negotiations, the page in a browser.

python -m scripts.screenshots [FOLDER]      (default: docs/images)

Needs the built page (`make web`), Chromium (the variable CHROMIUM, else one on PATH), and a font with Chinese
characters: on Debian and Ubuntu the package fonts-noto-cjk. Every picture is taken again from nothing; dates and ids in
them are those of the day.
"""

from __future__ import annotations

import asyncio
import os
import sys
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from playwright.async_api import Browser, Locator, Page, async_playwright, expect

from moothall.directory.profiles import AgentProfile
from moothall.negotiation.demand.participants import OfferAnswer, Participant, ReviewAnswer
from moothall.negotiation.demand.plan_models import ProposalFeedback
from moothall.negotiation.demand.wire import DemandOffer, ProposalReview
from moothall.node import Node
from moothall.server.run import Address, serve
from moothall.settings import Settings
from scripts.chromium import found

ROOT = Path(__file__).parents[1]
ZH = "我想在北京办一场60人的AI主题聚会，预算3万元，需要场地、2位嘉宾、摄影和茶歇"
EN = (
    "I want to hold a 60-person AI meetup in Beijing with a budget of 30000 yuan; "
    "I need a venue, two speakers, a photographer and catering"
)
LARGEST = 250_000


class Cast:
    """The sample agents; the first speaker of each run asks for more once, and reviews can be held back."""

    def __init__(self) -> None:
        self.node: Node | None = None
        self.reviews = asyncio.Event()

    def __call__(self, profile: AgentProfile) -> Participant:
        assert self.node is not None
        return Sample(self.node.persona(profile), profile, self)


class Sample:
    """A persona that waits for its cue."""

    def __init__(self, persona: Participant, profile: AgentProfile, cast: Cast) -> None:
        self._persona = persona
        self._profile = profile
        self._cast = cast

    async def offer(self, invitation: DemandOffer, *, key: str) -> OfferAnswer:
        return await self._persona.offer(invitation, key=key)

    async def review(self, request: ProposalReview, *, key: str) -> ReviewAnswer:
        await self._cast.reviews.wait()
        first = next((item for item in request.proposal.assignments if item.concept == "speaker"), None)
        if first is not None and first.agent_id == self._profile.agent_id and request.round == 1:
            english = request.demand is not None and request.demand.lang == "en"
            return more(first.price + 100, english=english)
        return await self._persona.review(request, key=key)


def more(price: float, *, english: bool) -> ProposalFeedback:
    why = "The way is long; travel is on top." if english else "路途较远，需要另加交通费。"
    return ProposalFeedback(
        feedback_type="negotiate",
        reasoning=why,
        adjustment_request=why,
        proposed_changes={"price": price, "reason": why},
    )


class Studio:
    """A served node, and a browser that looks at it."""

    def __init__(self, node: Node, cast: Cast, url: str, browser: Browser, folder: Path) -> None:
        self.node = node
        self.cast = cast
        self.url = url
        self._browser = browser
        self._folder = folder

    @asynccontextmanager
    async def page(
        self, path: str, lang: str, size: tuple[int, int] = (1280, 860), *, dense: int = 1, dark: bool = False
    ) -> AsyncIterator[Page]:
        context = await self._browser.new_context(
            locale={"zh": "zh-CN", "en": "en-GB"}[lang],
            timezone_id="Asia/Shanghai",
            viewport={"width": size[0], "height": size[1]},
            reduced_motion="reduce",
            device_scale_factor=dense,
            color_scheme="dark" if dark else "light",
        )
        try:
            page = await context.new_page()
            await page.goto(f"{self.url}/{path}")
            await expect(page.get_by_role("main")).to_be_visible()
            yield page
        finally:
            await context.close()

    async def take(self, of: Page | Locator, name: str) -> None:
        file = self._folder / f"{name}.png"
        await of.screenshot(path=file, animations="disabled")
        size = file.stat().st_size
        print(f"{file}  {size // 1000} kB")
        assert size <= LARGEST, f"{file} is too large for a repository"

    async def finished(self, demand: str) -> str:
        self.cast.reviews.set()
        submitted = await self.node.demands.submit(demand)
        async for _ in self.node.log.follow(submitted.demand_id):
            pass
        return submitted.demand_id


async def in_state(page: Page, state: str) -> None:
    await expect(page.get_by_test_id("negotiation-page")).to_have_attribute("data-state", state, timeout=20_000)


async def form(studio: Studio) -> None:
    async with studio.page("#/", "zh") as page:
        await page.get_by_test_id("demand-input").fill(ZH)
        await studio.take(page, "form")


async def negotiation(studio: Studio) -> None:
    """A run that waits for its reviews, and what the same visitor sees at its end."""
    studio.cast.reviews.clear()
    submitted = await studio.node.demands.submit(ZH)
    async with studio.page(f"#/n/{submitted.demand_id}", "zh", (1200, 800)) as page:
        await in_state(page, "negotiating")
        await expect(page.get_by_test_id("plan-roles")).to_be_visible()
        await studio.take(page, "negotiation")
        studio.cast.reviews.set()
        await in_state(page, "success")
        await studio.take(page.get_by_test_id("event-timeline"), "timeline")


async def plan(studio: Studio, demand_id: str) -> None:
    async with studio.page(f"#/n/{demand_id}", "en", (1200, 800)) as page:
        await in_state(page, "success")
        await studio.take(page.get_by_test_id("proposal-card"), "plan")


async def elsewhere(studio: Studio, zh: str, en: str) -> None:
    async with studio.page(f"#/n/{zh}", "zh", (390, 844), dense=2) as page:
        await in_state(page, "success")
        await studio.take(page, "phone")
    async with studio.page(f"#/n/{en}", "en", (1200, 800), dark=True) as page:
        await in_state(page, "success")
        await studio.take(page, "dark")
    async with studio.page(f"#/n/{zh}", "zh", (1280, 720)) as page:
        await in_state(page, "success")
        await page.get_by_test_id("big-screen").click()
        await expect(page.locator("html")).to_have_attribute("data-big", "true")
        await studio.take(page, "big-screen")


async def agents(studio: Studio) -> None:
    async with studio.page("#/agents", "en") as page:
        await page.get_by_test_id("admin-key").fill(studio.node.owner_token)
        await page.get_by_test_id("admin-key").press("Enter")
        await expect(page.get_by_test_id("agent-list")).to_be_visible()
        await studio.take(page, "agents")


async def pictures(folder: Path, browser: Browser, data: Path) -> None:
    cast = Cast()
    node = cast.node = Node(Settings(data=data, demo_agents=True), participants=cast)
    listening: asyncio.Future[Address] = asyncio.get_running_loop().create_future()
    stop = asyncio.Event()
    async with node:
        app = node.app()
        serving = asyncio.create_task(serve(app, host="127.0.0.1", port=0, on_ready=listening.set_result, stop=stop))
        try:
            studio = Studio(node, cast, (await listening).url, browser, folder)
            await form(studio)
            await negotiation(studio)
            zh, en = await studio.finished(ZH), await studio.finished(EN)
            await plan(studio, en)
            await elsewhere(studio, zh, en)
            await agents(studio)
        finally:
            stop.set()
            await serving


async def main(folder: Path) -> int:
    path = found()
    if path is None:
        print("error: no Chromium\ntry: set CHROMIUM to the path of one", file=sys.stderr)
        return 1
    if not (ROOT / "src/moothall/web/index.html").is_file():
        print("error: the page is not built\ntry: make web", file=sys.stderr)
        return 1
    arguments = [
        "--disable-gpu",
        "--disable-lcd-text",
        *(["--no-sandbox"] if hasattr(os, "geteuid") and os.geteuid() == 0 else []),
    ]
    with tempfile.TemporaryDirectory() as data:
        async with async_playwright() as playwright:
            browser = await playwright.chromium.launch(executable_path=path, args=arguments)
            try:
                await pictures(folder, browser, Path(data))
            finally:
                await browser.close()
    return 0


if __name__ == "__main__":
    into = Path(sys.argv[1]) if len(sys.argv) > 1 else ROOT / "docs/images"
    into.mkdir(parents=True, exist_ok=True)
    sys.exit(asyncio.run(main(into)))
