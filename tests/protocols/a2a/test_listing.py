from __future__ import annotations

import json
from base64 import urlsafe_b64encode
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from moothall.capability.decorators import capability
from moothall.protocols.a2a.failures import InvalidParams
from tests.protocols.a2a.engine import asks, engine


@capability(access="public")
async def add(a: int) -> int:
    """Add one."""
    return a + 1


def token(place: Any) -> str:
    """A page token that names a place."""
    return urlsafe_b64encode((place if isinstance(place, str) else json.dumps(place)).encode()).decode()


@capability(access="public")
async def large(number: int) -> str:
    """Give much."""
    return str(number) * (3 * 1024 * 1024)


@capability(access="public")
async def pieces(number: int) -> AsyncIterator[str]:
    """Give much, piece by piece."""
    for _ in range(3):
        yield str(number) * (1024 * 1024)


@pytest.mark.parametrize("skill", ["large", "pieces"])
async def test_a_page_of_large_tasks_ends_early_and_the_next_goes_on(
    database_url: str, tmp_path: Path, skill: str
) -> None:
    async with engine(tmp_path / "n", large, pieces, url=database_url) as house:
        made = [(await house.send(asks(skill, {"number": number})))["id"] for number in range(5)]
        pages, token = [], ""
        while True:
            page = await house.page(pageSize=5, pageToken=token, includeArtifacts=True)
            assert page["totalSize"] == 5
            pages.append([task["id"] for task in page["tasks"]])
            if not (token := page["nextPageToken"]):
                break
        assert [len(page) for page in pages] == [2, 2, 1]
        assert sorted(task for page in pages for task in page) == sorted(made)


@pytest.mark.parametrize(
    "wanted",
    [
        pytest.param({"statusTimestampAfter": "9999-12-31T23:59:59-12:00"}, id="after the last year"),
        pytest.param({"statusTimestampAfter": "0001-01-01T00:00:00+12:00"}, id="before the first year"),
        pytest.param({"statusTimestampAfter": "2026-02-30T00:00:00Z"}, id="no day"),
        pytest.param({"pageToken": token([10**40, "x"])}, id="a number too large"),
        pytest.param({"pageToken": token([2**63, "x"])}, id="a number of 64 bits"),
        pytest.param({"pageToken": token([-1, "x"])}, id="a negative number"),
        pytest.param({"pageToken": token([1, "\ud800"])}, id="no Unicode"),
        pytest.param({"pageToken": token([1, "\0"])}, id="a NUL"),
        pytest.param({"pageToken": token("[" * 100_000)}, id="deep"),
        pytest.param({"pageToken": "é"}, id="no Base64"),
    ],
)
async def test_places_and_times_that_are_none_are_invalid(
    database_url: str, tmp_path: Path, wanted: dict[str, str]
) -> None:
    async with engine(tmp_path / "n", add, url=database_url) as house:
        with pytest.raises(InvalidParams):
            await house.page(**wanted)
