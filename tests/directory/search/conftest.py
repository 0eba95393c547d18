"""An open index in a directory of its own."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from moothall.directory.places import load_gazetteer
from moothall.directory.search.engine import SearchIndex
from moothall.directory.search.words_known import load_search_vocabulary


@pytest.fixture
async def index(tmp_path: Path) -> AsyncIterator[SearchIndex]:
    found = SearchIndex(tmp_path / "search", load_search_vocabulary(), load_gazetteer())
    await found.open()
    yield found
    await found.aclose()
