"""Events reach a client soon after they happened (row NEG-EVENT-18: at most 2 s at p95 over 100 events)."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from moothall.clock import parse_rfc3339
from tests.server.door import Door

LIMIT = 2.0
EVENTS = 100


@pytest.mark.requirement("NEG-EVENT-18")
async def test_a_hundred_events_arrive_within_two_seconds_of_their_phase(door: Door) -> None:
    lags: list[float] = []
    while len(lags) < EVENTS:
        async for _, event in door.events(await door.submit()):
            lags.append((datetime.now(UTC) - parse_rfc3339(event["timestamp"])).total_seconds())
    assert sorted(lags)[int(len(lags) * 0.95)] <= LIMIT
