"""A short run of the kill -9 script on both databases; ``make chaos`` runs it at length."""

from __future__ import annotations

import pytest

from tests.chaos import kill9

KILLS = 4


@pytest.mark.timeout(240)
@pytest.mark.requirement("NEG-STATE-11", "NEG-API-13")
async def test_a_killed_server_goes_on_and_loses_nothing(database_url: str) -> None:
    result = await kill9.run("test", "" if database_url.startswith("sqlite") else database_url, KILLS, seed=7)
    assert result.kills == KILLS
    assert result.between_first_and_last > 0
    assert result.clean, result.notes
