"""What a process leaves to others: it takes it up again when they had their time, counted from when it was due."""

from __future__ import annotations

from datetime import timedelta

from moothall.events.aside import Aside
from tests.events.house import LATER


def test_a_run_is_left_to_others_until_they_had_their_time_since_it_was_due() -> None:
    aside = Aside(4.0)
    aside.put("d-1", LATER)
    assert aside.left(LATER - timedelta(seconds=1), 100.0) == ["d-1"]
    assert aside.left(LATER, 200.0) == ["d-1"]
    assert aside.left(LATER, 203.9) == ["d-1"]
    assert aside.left(LATER, 204.0) == []
    aside.put("d-1", LATER)
    assert aside.left(LATER, 300.0) == ["d-1"]
