"""The page in a real browser: one browser for each worker, a fresh context for each visit.

The tests of this folder share one event loop, in which the browser's driver and the nodes run.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from pathlib import Path

import pytest
import pytest_asyncio
from playwright.async_api import Browser, expect

from scripts.chromium import found
from tests.page.hall import Hall
from tests.page.looking import PATIENCE
from tests.support.browser import launched
from tests.support.environment import setting_names
from tests.support.page_node import Stage, staged
from tests.support.required import absence

HERE = Path(__file__).parent
PAGE = HERE.parent.parent / "src/moothall/web/index.html"
LONGEST_TEST = 120
expect.set_options(timeout=PATIENCE * 1000)


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if HERE in item.path.parents and pytest_asyncio.is_async_test(item):
            item.add_marker(pytest.mark.asyncio(loop_scope="session"), append=False)
            if item.get_closest_marker("timeout") is None:
                item.add_marker(pytest.mark.timeout(LONGEST_TEST))  # more than one thing may need its patience


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def browser() -> AsyncIterator[Browser]:
    """The browser of this worker."""
    path = found()
    if path is None:
        raise absence("chromium", "no Chromium: set CHROMIUM, or put one on PATH")
    if not PAGE.is_file():
        raise absence("page", "the page is not built: run make web")
    async with launched(path) as running:
        yield running


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def quiet(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Stage]:
    """A node of this worker on which nothing happens, for tests of what needs no more than the page."""
    async with AsyncExitStack() as opened:
        with pytest.MonkeyPatch.context() as environment:
            for name in setting_names():
                environment.delenv(name, raising=False)
            stage = await opened.enter_async_context(staged(tmp_path_factory.mktemp("quiet")))
        yield stage
        assert await stage.node.log.runs(kind="demand") == []


@pytest_asyncio.fixture(loop_scope="session")
async def hall(browser: Browser, tmp_path: Path) -> AsyncIterator[Hall]:
    """Nodes and pages; whatever a page complained of fails the test."""
    async with AsyncExitStack() as open_things:
        opened = Hall(browser, tmp_path, open_things)
        yield opened
    assert [said for heard in opened.complaints for said in heard.unexpected()] == []
