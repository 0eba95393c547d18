"""Which names an unreadable text contains."""

from __future__ import annotations

import pytest

from moothall.events.mentions import marks, mentions


@pytest.mark.parametrize(
    ("value", "named"),
    [
        ({"demand_id": "d-12345678"}, True),
        ({"links": ["/api/v1/demand/d-12345678/events"]}, True),
        ([{"d-12345678": 1}], True),
        ("说的是 d-12345678\n。", True),
        ({"demand_id": "d-12345679"}, False),
        ({"n": 12345678, "none": None}, False),
    ],
)
def test_a_name_is_found_wherever_it_stands(value: object, named: bool) -> None:
    found = mentions(value)
    assert all(mark in found for mark in marks("d-12345678")) is named
    assert "12345678" not in found


def test_a_name_of_several_words_is_found_by_all_of_them() -> None:
    found = mentions({"run": "order:17/a"})
    assert all(mark in found for mark in marks("order:17/a"))
    assert not all(mark in found for mark in marks("order:18/a"))


def test_a_name_without_a_word_is_found_nowhere() -> None:
    assert marks("::")
    assert not any(mark in mentions("::") for mark in marks("::"))
