"""A fake language model for the negotiations of this folder."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator

import pytest

from tests.support.fake_llm import FakeLLM, fake_llm_thread


@pytest.fixture(scope="module")
def _server() -> Iterator[FakeLLM]:
    with fake_llm_thread() as llm:
        yield llm


@pytest.fixture
async def llm(_server: FakeLLM) -> AsyncIterator[FakeLLM]:
    """The model, with nothing scripted and nothing remembered."""
    _server.forget()
    yield _server
    _server.release()
    await _server.idle()
