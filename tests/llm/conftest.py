"""A small world for the model's room: one prompt with a brief of its own, and the fake server."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator

import pytest

from tests.llm.small import OPEN
from tests.support.fake_llm import FakeLLM, fake_llm_thread


@pytest.fixture(scope="module")
def _server() -> Iterator[FakeLLM]:
    with fake_llm_thread() as llm:
        yield llm


@pytest.fixture
async def llm(_server: FakeLLM) -> AsyncIterator[FakeLLM]:
    """The fake model, with nothing scripted and nothing remembered."""
    _server.forget()
    yield _server
    _server.release()
    while OPEN:
        await OPEN.pop().stop()
    await _server.idle()
