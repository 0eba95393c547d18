from __future__ import annotations

import json
from base64 import urlsafe_b64encode
from pathlib import Path
from typing import Any

import pytest

from moothall.capability.decorators import capability
from moothall.protocols.a2a.failures import InvalidParams
from tests.protocols.a2a.engine import engine


@capability(access="public")
async def add(a: int) -> int:
    """Add one."""
    return a + 1


def token(place: Any) -> str:
    """A page token that names a place."""
    return urlsafe_b64encode((place if isinstance(place, str) else json.dumps(place)).encode()).decode()


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
