"""What a test of the page opens."""

from __future__ import annotations

from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

from playwright.async_api import Browser, Page

from moothall.directory.profiles import AgentProfile
from tests.page.looking import PATIENCE
from tests.support.browser import Complaints, browsing
from tests.support.demand import Script
from tests.support.page_node import Stage, staged


class Hall:
    """What a test opens: nodes, and pages on them. All is closed after it, the pages first."""

    def __init__(self, browser: Browser, folder: Path, open_things: AsyncExitStack) -> None:
        self._browser = browser
        self._folder = folder
        self._open = open_things
        self._nodes = 0
        self.complaints: list[Complaints] = []

    async def node(
        self, profiles: list[AgentProfile], scripts: dict[str, Script] | None = None, **options: Any
    ) -> Stage:
        """Serve a node; see `staged`."""
        self._nodes += 1
        data = self._folder / f"node-{self._nodes}"
        stage = await self._open.enter_async_context(staged(data, profiles, scripts, **options))
        stage.door.client.timeout = PATIENCE  # a demand may be held in its understanding while its page is opened
        return stage

    async def visit(self, url: str, path: str = "#/", **options: Any) -> Page:
        """Open a page of the node at a URL."""
        page, complaints = await self._open.enter_async_context(browsing(self._browser, [url], **options))
        self.complaints.append(complaints)
        await page.goto(f"{url}/{path}")
        return page
