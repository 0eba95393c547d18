"""Changes and their records: what cannot be put on record is not made, and what was made is not said to have failed."""

from __future__ import annotations

import logging

import pytest

from moothall.errors import Unavailable
from tests.people.house import House


async def test_what_cannot_be_put_on_record_is_not_done(house: House) -> None:
    house.records.full = True
    with pytest.raises(Unavailable):
        await house.people.relations.relate("anna", "block", "user:foe")
    assert await house.people.relations.of("anna", "block") == []
    assert house.changes == []
    house.records.full = False
    await house.people.relations.relate("anna", "block", "user:foe")
    assert [one.subject for one in await house.people.relations.of("anna", "block")] == ["user:foe"]
    assert len(house.records.kept) == 1


async def test_a_change_whose_record_is_lost_afterwards_was_made_and_is_in_the_log(
    house: House, caplog: pytest.LogCaptureFixture
) -> None:
    house.records.failing = True
    with caplog.at_level(logging.CRITICAL, "moothall.audit"):
        await house.people.relations.relate("anna", "block", "user:foe")
    assert [one.subject for one in await house.people.relations.of("anna", "block")] == ["user:foe"]
    assert len(house.changes) == 1
    assert "people block" in caplog.text
    assert "user:anna" in caplog.text
