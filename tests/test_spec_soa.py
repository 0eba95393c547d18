"""Spec B §11.3.2: the printed order service, with what it depends on at the same node and at another one."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from moothall import Agent, Node, UnifiedCrawler, capability, unified_caller
from moothall.errors import ConfirmationRequired
from tests.directory.intent.town import distractors
from tests.protocols.finding.nodes import listening, node, port_of, served
from tests.support.printed import carried_out

PRINTED = """# 服务间通过统一调用器松耦合
async def order_service(order_data: dict):
    # 不直接依赖具体的用户服务实现
    user_info = await unified_caller("auto:获取用户信息", user_id=order_data["user_id"])
    payment_result = await unified_caller("auto:处理支付", amount=order_data["amount"])
    return {"order_id": "12345", "status": "completed"}
"""
ORDER = {"user_id": "u1", "amount": 9.5}
DONE = {"order_id": "12345", "status": "completed"}
BOTH_ONCE = ["user u1", "paid 9.5"]


def services(made: list[str]) -> Agent:
    @capability(read_only=True, access="authenticated")
    def user_info(user_id: str) -> dict[str, Any]:
        """获取用户信息"""
        made.append(f"user {user_id}")
        return {"id": user_id}

    @capability(access="authenticated")
    def payment(amount: float) -> dict[str, Any]:
        """处理支付"""
        made.append(f"paid {amount}")
        return {"paid": amount}

    return Agent("services", user_info, payment)


@pytest.fixture
async def shop() -> Agent:
    scope = await carried_out(PRINTED, unified_caller=unified_caller)
    return Agent("shop", capability(access="authenticated")(scope["order_service"]))


@asynccontextmanager
async def apart(folder: Path, shop: Agent, made: list[str], *, agreed: bool) -> AsyncIterator[Node]:
    """The node of the shop, which has found the services at another node."""
    with listening() as there, listening() as here:
        far = node(folder / "far", there, port_of(here))
        far.add(services(made))
        async with served(far, there):
            did = far.host.office.did("services")
            confirmed = (f"{did}#payment",) if agreed else ()
            near = node(folder / "near", here, port_of(there), auto_confirmed=confirmed)
            near.add(shop)
            async with served(near, here):
                report = await near.host.finding.crawl(far.url)
                assert f"{did}#payment" in report.listed
                yield near


@pytest.mark.requirement("SOA-02")
async def test_the_printed_order_is_taken_by_the_same_code_wherever_its_services_are(
    tmp_path: Path, shop: Agent
) -> None:
    made: list[str] = []
    with listening() as at:
        one = node(tmp_path / "one", at, auto_confirmed=("local:services.payment",))
        one.add(services(made), shop)
        async with served(one, at):
            assert await one.call("local:shop.order_service", order_data=ORDER) == DONE
    assert made == BOTH_ONCE

    made.clear()
    async with apart(tmp_path, shop, made, agreed=True) as near:
        assert await near.call("local:shop.order_service", order_data=ORDER) == DONE
    assert made == BOTH_ONCE


@pytest.mark.requirement("SOA-02")
async def test_nothing_is_paid_elsewhere_by_words_that_nobody_agreed_to(tmp_path: Path, shop: Agent) -> None:
    made: list[str] = []
    async with apart(tmp_path, shop, made, agreed=False) as near:
        with pytest.raises(ConfirmationRequired):
            await near.call("local:shop.order_service", order_data=ORDER)
    assert made == ["user u1"]


@pytest.mark.requirement("SOA-09")
@pytest.mark.parametrize("words", ["weather forecast for tomorrow", "明天的天气预报"])
async def test_a_service_is_found_and_called_by_what_it_means_in_words_that_it_does_not_have(
    tmp_path: Path, words: str
) -> None:
    @capability(name="q7", read_only=True)
    def asked(city: str = "北京") -> str:
        """查询城市的气象情况"""
        return f"{city} 4 度"

    with listening() as at:
        one = node(tmp_path, at)
        one.add(Agent("sky", asked), distractors(50))
        async with served(one, at):
            made = await UnifiedCrawler(one).intelligent_call(words)
    assert (made.target, made.value) == ("local:sky.q7", "北京 4 度")
