"""What a person offers must be able to take part in a plan; what cannot is refused at once, with a reason to read."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from moothall.messages import detect_lang
from tests.server.door import Door, opened
from tests.server.test_people import LIN, Guest, guests, hosts

DAYS = "我想在北京办一场AI主题聚会，需要场地和嘉宾，2027年3月15日到2027年3月20日，预算5000元"


@pytest.fixture
async def guest(tmp_path: Path) -> AsyncIterator[tuple[Door, Guest]]:
    async with hosts(tmp_path) as node, opened(node) as door:
        (one,) = await guests(door, LIN, demand=DAYS)
        yield door, one


@pytest.mark.parametrize(("offer", "field"), [
    ({"price": 0.004}, "price"),
    ({"price": 12.345}, "price"),
    ({"currency": "USD"}, "currency"),
    ({"currency": "ZZZ"}, "currency"),
    ({"dates": ["2027-03-14", "2027-03-21"]}, "dates"),
    ({"dates": ["2020-01-01"]}, "dates"),
])  # fmt: skip
async def test_an_offer_that_fits_no_plan_is_refused_and_may_be_mended(
    guest: tuple[Door, Guest], offer: dict[str, Any], field: str
) -> None:
    _, person = guest
    refused = await person.offer(**offer)
    error = refused.json()["error"]
    assert (refused.status_code, error["code"]) == (400, "INVALID_INPUT")
    assert error["why"].startswith(field)
    assert field == "price" or detect_lang(error["why"]) == "zh"
    mended = await person.offer(price=12.34, currency="CNY", dates=["2027-03-14", "2027-03-16"])
    assert mended.status_code == 200, mended.text


async def test_who_declines_may_name_any_currency(guest: tuple[Door, Guest]) -> None:
    declined = await guest[1].offer(decision="decline", price=None, currency="USD", contribution="")
    assert declined.status_code == 200, declined.text


async def test_a_wished_price_is_in_whole_cents(guest: tuple[Door, Guest]) -> None:
    _, person = guest
    await person.offer()
    await person.asked_again(1)
    refused = await person.feedback("negotiate", proposed_changes={"price": 650.005})
    assert (refused.status_code, refused.json()["error"]["code"]) == (400, "INVALID_INPUT")
    assert refused.json()["error"]["why"].startswith("proposed_changes.price")


async def test_after_the_end_nothing_more_can_be_answered_and_the_hint_says_so(guest: tuple[Door, Guest]) -> None:
    door, person = guest
    await door.client.post(f"/api/v1/demand/{person.demand_id}/cancel")
    await door.stream(person.demand_id)
    ended = await person.offer()
    assert ended.status_code == 401
    assert "结束" in ended.json()["error"]["why"]
    assert "不能再回答" in ended.json()["error"]["hint"]
