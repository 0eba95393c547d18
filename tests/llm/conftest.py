"""A small world for the model's room: one prompt with a brief of its own, and the fake server."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from tests.llm.small import OPEN
from tests.support.fake_llm import FakeLLM


@pytest.fixture
async def llm(llm: FakeLLM) -> AsyncIterator[FakeLLM]:
    """The fake model; what a test left open towards it is closed."""
    yield llm
    llm.release()
    while OPEN:
        await OPEN.pop().stop()
