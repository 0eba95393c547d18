"""A real browser for the tests of the page, and an ear for everything that it complains about."""

from __future__ import annotations

import os
import re
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from playwright.async_api import Browser, BrowserContext, ConsoleMessage, Page, Request, WebError, async_playwright

ARGUMENTS = [
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
_REPORT_VIOLATIONS = """
document.addEventListener("securitypolicyviolation", (event) =>
  console.error(`policy violated: ${event.violatedDirective} by ${event.blockedURI} in ${event.sourceFile}`));
"""


@asynccontextmanager
async def launched(path: str) -> AsyncIterator[Browser]:
    """A browser without a window."""
    root = hasattr(os, "geteuid") and os.geteuid() == 0
    arguments = [*ARGUMENTS, *(["--no-sandbox"] if root else [])]
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=path, args=arguments)
        try:
            yield browser
        finally:
            await browser.close()


@dataclass
class Complaints:
    """What goes wrong in one browser context: errors on the console, errors of scripts, foreign requests."""

    origins: set[str]
    found: list[str] = field(default_factory=list)
    expected: list[str] = field(default_factory=list)

    def expect(self, *patterns: str) -> None:
        """Let pass what matches a pattern: a test that switches the node off hears of it."""
        self.expected += patterns

    def unexpected(self) -> list[str]:
        """Everything that no test asked for."""
        return [said for said in self.found if not any(re.search(pattern, said) for pattern in self.expected)]

    def listen(self, context: BrowserContext) -> None:
        """Hear everything that happens in the context."""
        context.on("console", self._console)
        context.on("weberror", self._error)
        context.on("request", self._request)

    def _console(self, message: ConsoleMessage) -> None:
        if message.type in {"error", "warning"}:
            self.found.append(f"console: {message.text} ({message.location.get('url', '')})")

    def _error(self, error: WebError) -> None:
        self.found.append(f"script: {error.error}")

    def _request(self, request: Request) -> None:
        parts = urlsplit(request.url)
        if parts.scheme not in {"data", "blob"} and f"{parts.scheme}://{parts.netloc}" not in self.origins:
            self.found.append(f"foreign request: {request.url}")


@asynccontextmanager
async def browsing(
    browser: Browser,
    origins: Sequence[str],
    *,
    lang: str = "zh",
    width: int = 1280,
    height: int = 900,
    **options: Any,
) -> AsyncIterator[tuple[Page, Complaints]]:
    """A page in a context of its own, which may talk to these origins alone."""
    locale = {"zh": "zh-CN", "en": "en-GB"}[lang]
    context = await browser.new_context(
        locale=locale,
        timezone_id="Asia/Shanghai",
        viewport={"width": width, "height": height},
        reduced_motion="reduce",
        **options,
    )
    complaints = Complaints(set(origins))
    complaints.listen(context)
    try:
        await context.add_init_script(_REPORT_VIOLATIONS)
        yield await context.new_page(), complaints
    finally:
        await context.close()
