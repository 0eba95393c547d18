"""Calls in words: what is chosen, what is filled in, and where nothing is called."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from moothall.calls.caller import unified_caller
from moothall.calls.hub import using
from moothall.capability.agents import Agent
from moothall.capability.decorators import capability
from moothall.directory.intent.choosing import named_in
from moothall.directory.listing import Listing, Provenance
from moothall.errors import (
    Ambiguous,
    ConfirmationRequired,
    PermissionDeniedError,
    ServiceNotFoundError,
    UsageError,
    ValidationError,
)
from tests.directory.intent.hall import ALICE, arguments_of, candidates, opened
from tests.directory.intent.town import distractors, weather

pytestmark = pytest.mark.requirement("CAL-02")


async def test_a_chinese_request_finds_the_weather_among_fifty_others_and_its_city(tmp_path: Path) -> None:
    async with opened(tmp_path, weather(), distractors(50)) as hall:
        assert await hall.caller.call("auto:获取北京天气") == {"city": "北京", "celsius": 4}
        reply = await hall.caller.try_call("auto:weather in Beijing")
        assert reply.data == {"city": "Beijing", "celsius": 4}
        assert reply.metadata is not None
        assert reply.metadata.chosen is not None
        assert reply.metadata.chosen["target"] == "local:sky.get_weather"
        assert reply.metadata.chosen["provenance"]["source"] == "local"


async def test_an_ambiguous_request_lists_candidates_and_calls_nothing(tmp_path: Path) -> None:
    called: list[str] = []

    @capability(read_only=True)
    def forecast(city: str) -> dict[str, Any]:
        """获取城市的天气预报"""
        called.append(city)
        return {}

    @capability(read_only=True)
    def warning(city: str, level: int = 1) -> dict[str, Any]:
        """获取城市的天气预警"""
        called.append(city)
        return {}

    async with opened(tmp_path, Agent("sky", forecast, warning)) as hall:
        with pytest.raises(Ambiguous) as raised:
            await hall.caller.call("auto:获取北京天气")
    assert {each["target"] for each in candidates(raised.value)} == {
        "local:sky.forecast",
        "local:sky.warning",
    }
    assert raised.value.code == "AMBIGUOUS"
    assert called == []


async def test_of_several_that_fit_the_only_one_whose_arguments_are_named_is_meant(tmp_path: Path) -> None:
    @capability(read_only=True)
    def now(city: str) -> str:
        """天气查询"""
        return city

    @capability(read_only=True)
    def history(city: str, from_day: str, to_day: str) -> str:
        """天气查询"""
        return f"{from_day}/{to_day}"

    async with opened(tmp_path, Agent("sky", now, history)) as hall:
        assert await hall.caller.call("auto:北京天气查询") == "北京"


async def test_a_request_that_nothing_fits_is_not_guessed(tmp_path: Path) -> None:
    async with opened(tmp_path, weather(), distractors(50)) as hall:
        with pytest.raises(ServiceNotFoundError):
            await hall.caller.call("auto:帮我订一束玫瑰花")


async def test_a_missing_argument_is_named_and_nothing_is_called(tmp_path: Path) -> None:
    async with opened(tmp_path, weather(), distractors(5)) as hall:
        with pytest.raises(ValidationError) as raised:
            await hall.caller.call("auto:获取天气")
        assert raised.value.details["missing"] == ["city"]
        assert await hall.caller.call("auto:获取天气", city="Oslo") == {"city": "Oslo", "celsius": 4}


@pytest.mark.requirement("CAL-10")
async def test_intelligent_call_is_the_same_as_a_call_in_words(tmp_path: Path) -> None:
    made: list[str] = []

    async with opened(tmp_path, weather(), distractors(5)) as hall:
        hall.path.hooks.before(lambda ctx, _: made.append(f"{ctx.agent}.{ctx.capability}"))
        assert await hall.caller.intelligent_call("获取北京天气") == await hall.caller.call("auto:获取北京天气")
        assert made == ["elsewhere.auto", "sky.get_weather"] * 2
        assert await hall.caller.intelligent_call("获取天气", city="Rome") == {"city": "Rome", "celsius": 4}
        with pytest.raises(ValidationError):
            await hall.caller.intelligent_call("  ")


async def test_what_changes_something_waits_for_a_confirmation_of_this_very_target(tmp_path: Path) -> None:
    paid: list[float] = []

    @capability
    def process(amount: float) -> str:
        """处理支付"""
        paid.append(amount)
        return "paid"

    async with opened(tmp_path, Agent("pay", process), distractors(10)) as hall:
        with pytest.raises(ConfirmationRequired) as raised:
            await hall.caller.call("auto:处理支付", amount=5.0)
        assert paid == []
        target = str(raised.value.details["target"])
        assert (target, raised.value.details["arguments"]) == ("local:pay.process", {"amount": 5.0})
        with pytest.raises(ConfirmationRequired):
            await hall.caller.call("auto:处理支付", amount=5.0, confirmed="local:pay.other")
        assert await hall.caller.call("auto:处理支付", {"amount": 5.0}, confirmed=target) == "paid"
        assert await hall.caller.call("auto:处理支付 local:pay.process", amount=6.0) == "paid"
        assert await hall.caller.call("auto:处理支付", amount=7.0, confirmed="*") == "paid"
    assert paid == [5.0, 6.0, 7.0]


async def test_an_argument_that_looks_like_a_name_agrees_to_nothing(tmp_path: Path) -> None:
    wiped: list[str] = []

    @capability
    def wipe(text: str) -> str:
        """Wipe all records of the shop"""
        wiped.append(text)
        return "wiped"

    @capability(source="auto", prompt="Look into the records of the shop")
    def look(text: str) -> str:  # type: ignore[empty-body]
        """Look into the records of the shop."""

    async with opened(tmp_path, Agent("shop", wipe, look)) as hall:
        for text in ("please", "shop.wipe", "local:shop.wipe"):
            with pytest.raises(ConfirmationRequired):
                await hall.caller.call("local:shop.look", text=text)
    assert wiped == []


async def test_one_agreed_target_is_one_and_not_its_letters(tmp_path: Path) -> None:
    @capability
    def process(amount: float) -> str:
        """处理支付"""
        return f"{amount}"

    async with opened(tmp_path, Agent("pay", process)) as hall:
        with using(hall.path, confirmed="local:*"), pytest.raises(ConfirmationRequired):
            await unified_caller("auto:处理支付", amount=1.0)
        with using(hall.path, confirmed="local:pay.process"):
            assert await unified_caller("auto:处理支付", amount=1.0) == "1.0"


@pytest.mark.parametrize(
    ("text", "target", "source", "named"),
    [
        ("use mcp:town.pay.", "mcp:town.pay", "mcp", True),
        ("use mcp:town.pay-later", "mcp:town.pay", "mcp", False),
        ("use local:town.pay.later", "local:town.pay", "", False),
        ("buy e.g. a ticket", "did:wba:x.example#e.g", "did:wba:x.example", False),
        ("buy town.pay now", "local:town.pay", "", True),
        ("use local:town.pay@2.0", "local:town.pay", "", True),
    ],
)
def test_a_name_is_a_whole_one_and_of_elsewhere_the_target_alone(
    text: str, target: str, source: str, named: bool
) -> None:
    name = target.rpartition("#")[2].rpartition(":")[2]
    listing = Listing(target=target, name=name, provenance=Provenance(source=source))
    assert named_in(text, listing) is named


async def test_the_operator_may_agree_to_targets_once_for_all(tmp_path: Path) -> None:
    @capability
    def process(amount: float) -> str:
        """处理支付"""
        return f"{amount}"

    async with opened(tmp_path, Agent("pay", process), confirmed=["local:pay.*"]) as hall:
        assert await hall.caller.call("auto:处理支付", amount=1.0) == "1.0"


async def test_a_capability_that_the_caller_may_not_call_is_never_chosen(tmp_path: Path) -> None:
    @capability(access="owner", read_only=True)
    def secret(city: str) -> str:
        """获取城市天气"""
        return "secret"

    @capability(access="authenticated", read_only=True)
    def city_report(city: str) -> str:
        """城市天气简报"""
        return "open"

    async with opened(tmp_path, Agent("sky", secret, city_report)) as hall:
        assert await hall.by(ALICE).call("auto:获取北京城市天气") == "open"
        assert await hall.caller.call("auto:获取北京城市天气 sky.secret") == "secret"


async def test_what_is_registered_or_taken_away_counts_at_once(tmp_path: Path) -> None:
    async with opened(tmp_path, distractors(5)) as hall:
        with pytest.raises(ServiceNotFoundError):
            await hall.caller.call("auto:获取北京天气")
        weather().join(hall.registry)
        await hall.feed()
        assert (await hall.caller.call("auto:获取北京天气"))["city"] == "北京"
        hall.registry.disable("sky.get_weather")
        await hall.feed()
        with pytest.raises(ServiceNotFoundError):
            await hall.caller.call("auto:获取北京天气")


@pytest.mark.requirement("CAL-09")
async def test_the_function_calls_in_the_current_context_and_outside_it_says_so(tmp_path: Path) -> None:
    @capability(access="authenticated", read_only=True)
    async def trip() -> Any:
        """Plan."""
        return await unified_caller("auto:获取天气", city="Oslo")

    async with opened(tmp_path, weather(), Agent("travel", trip), distractors(5)) as hall:
        with pytest.raises(UsageError, match="no current hub"):
            await unified_caller("auto:获取北京天气")
        with using(hall.path):
            assert (await unified_caller("auto:获取天气", city="Rome"))["city"] == "Rome"
            assert (await unified_caller("local:travel.trip"))["city"] == "Oslo"
        assert (await hall.by(ALICE).call("local:travel.trip"))["city"] == "Oslo"


@pytest.mark.requirement("CAL-09")
async def test_a_hub_that_was_opened_outside_lends_no_rights_to_a_capability(tmp_path: Path) -> None:
    @capability(access="owner", read_only=True)
    def ledger() -> str:
        """The ledger."""
        return "secret"

    @capability(access="authenticated")
    async def asks() -> Any:
        """Asks."""
        return await unified_caller("local:books.ledger")

    async with opened(tmp_path, Agent("books", ledger, asks)) as hall:
        with using(hall.path):
            assert await unified_caller("local:books.ledger") == "secret"
            reply = await hall.by(ALICE).try_call("local:books.asks")
        with using(hall.path, ALICE), pytest.raises(PermissionDeniedError):
            await unified_caller("local:books.ledger")
    assert reply.error is not None
    assert reply.error.code == "PERMISSION_DENIED"


@pytest.mark.requirement("CRW-03")
async def test_places_days_and_numbers_of_a_request_become_arguments(tmp_path: Path) -> None:
    @capability(read_only=True)
    def flights(origin: str, destination: str, date: str, seats: int = 1) -> dict[str, Any]:
        """查询航班 search flights"""
        return {"origin": origin, "destination": destination, "date": date}

    async with opened(tmp_path, Agent("air", flights), distractors(20)) as hall:
        reply = await hall.caller.try_call("auto:查询后天从北京到上海的航班")
    assert arguments_of(reply) == {"origin": "北京", "destination": "上海", "date": "2026-11-24"}
