"""Requests that forbid, ask or set a condition: nothing is called because they name a target."""

from __future__ import annotations

from pathlib import Path

import pytest

from moothall.capability.agents import Agent
from moothall.capability.decorators import capability
from moothall.directory.intent.denying import outright, wanted
from moothall.errors import ConfirmationRequired, ServiceNotFoundError
from tests.directory.intent.hall import opened
from tests.directory.intent.town import weather

pytestmark = pytest.mark.requirement("CAL-02")


@pytest.mark.parametrize(
    "text",
    [
        "不要删除订单 o12",
        "请不要用 local:shop.delete 删除订单 o12",
        "千万别删除订单 o12",
        "切勿删除订单 o12",
        "do not delete the order o12",
        "please don't delete the order o12",
        "Never call local:shop.delete, order o12",
    ],
)
async def test_what_is_forbidden_is_not_even_chosen(tmp_path: Path, text: str) -> None:
    deleted: list[str] = []
    async with opened(tmp_path, _shop(deleted), confirmed=["local:shop.*"]) as hall:
        with pytest.raises(ServiceNotFoundError):
            await hall.caller.call(f"auto:{text}")
    assert deleted == []


@pytest.mark.parametrize(
    "text",
    [
        "禁止 local:shop.delete 删除订单 o12",
        "local:shop.delete 删除订单 o12 这件事先别做",
        "is it safe to delete order o12 with local:shop.delete?",
        "如果过期就用 local:shop.delete 删除订单 o12",
        "delete order o12 with local:shop.delete unless it was paid",
        "没有说可以用 local:shop.delete 删除订单 o12",
    ],
)
async def test_words_that_only_talk_of_a_target_agree_to_nothing(tmp_path: Path, text: str) -> None:
    deleted: list[str] = []
    async with opened(tmp_path, _shop(deleted)) as hall:
        with pytest.raises((ConfirmationRequired, ServiceNotFoundError)):
            await hall.caller.call(f"auto:{text}")
        assert deleted == []
        assert await hall.caller.call("auto:用 local:shop.delete 删除订单 o12") == "o12"


async def test_the_rest_of_a_request_that_also_forbids_is_done(tmp_path: Path) -> None:
    deleted: list[str] = []
    async with opened(tmp_path, _shop(deleted), weather()) as hall:
        reply = await hall.caller.call("auto:获取北京天气，不要用 local:shop.delete 删除订单 o12")
        assert reply["city"] == "北京"
    assert deleted == []


def test_what_only_begins_like_a_denial_is_wanted() -> None:
    for text in ("别墅 list", "别忘了获取天气", "don't forget the weather", "不要忘了获取天气"):
        assert wanted(text), text
    assert wanted("找场地，不要摄影") == "找场地"
    assert outright("pay 5 with local:no.pay", "local:no.pay")


def _shop(deleted: list[str]) -> Agent:
    @capability
    def delete(order_id: str) -> str:
        """删除订单 delete an order"""
        deleted.append(order_id)
        return order_id

    return Agent("shop", delete)
