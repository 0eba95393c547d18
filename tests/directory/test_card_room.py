"""A card says no more than a plan has room for; one that was accepted before the limit is still read."""

from __future__ import annotations

from typing import Any

import pytest

from moothall.directory.card_room import ROOM_OF_A_CARD
from moothall.directory.loading import parse_profile
from moothall.errors import InvalidInput
from tests.directory.conftest import MakeRow, Row

LONG = "场地开始布置之前需签订书面协议并预付三成押金，余款活动当天结清"


def offer(tag: str, count: int, **fields: Any) -> Row:
    conditions = [{"kind": "theme", "texts": [f"主题{number}"], "text": f"{number}{LONG}"} for number in range(count)]
    return {"tag": tag, "title": tag, "price": 3000, "conditions": conditions, **fields}


def test_a_card_whose_conditions_leave_no_room_for_what_its_agent_adds_is_refused(make_row: MakeRow) -> None:
    with pytest.raises(InvalidInput) as caught:
        parse_profile(make_row(offers=[offer("场地提供", 12)]))
    assert caught.value.details["field"] == "capabilities.offers"
    assert f"{ROOM_OF_A_CARD} are allowed" in caught.value.message
    assert parse_profile(make_row(offers=[offer("场地提供", 5)]))


def test_only_as_many_offers_count_as_the_agent_has_roles_at_once(make_row: MakeRow) -> None:
    row = make_row(offers=[offer(tag, 4) for tag in ("场地提供", "摄影", "餐饮")])
    assert parse_profile(row)
    row["capabilities"]["max_roles"] = 2
    with pytest.raises(InvalidInput, match="of a plan"):
        parse_profile(row)


def test_what_the_dates_of_an_offer_settle_takes_no_room(make_row: MakeRow) -> None:
    notice = [{"kind": "lead_days", "value": number, "text": LONG} for number in range(20)]
    assert parse_profile(make_row(offers=[offer("场地提供", 0, conditions=notice)]))


def test_many_themes_need_words_of_their_own(make_row: MakeRow) -> None:
    many: Row = {"kind": "theme", "texts": [f"{number}{LONG}" for number in range(15)]}
    with pytest.raises(InvalidInput) as caught:
        parse_profile(make_row(offers=[offer("场地提供", 0, conditions=[many])]))
    assert caught.value.details["field"] == "capabilities.offers.0.conditions.0"
    assert parse_profile(make_row(offers=[offer("场地提供", 0, conditions=[many | {"text": "限技术类主题"}])]))
