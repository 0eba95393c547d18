"""From a described need to a service that another agent calls; nobody sees it before a person approved it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from moothall import Agent, capability
from moothall.capability.snapshot import describe
from moothall.errors import ApprovalPending, CodeRefused, Conflict, InvalidInput, MoothallError, ServiceNotFoundError
from tests.codegen.services.hall import DOUBLE, STRANGER, Passing, Smith, forged

PLAN = "local:node.orchestration.submit"


@capability(access="authenticated", read_only=True)
def quotes(symbol: str) -> list[int]:
    """The last prices of a stock."""
    return [len(symbol), 10]


def trend(arguments: Any) -> tuple[Any, list[dict[str, Any]]]:
    prices = [3, 10]
    call = {"target": "local:market.quotes", "parameters": {"symbol": arguments["symbol"]}, "reply": prices}
    return {"symbol": arguments["symbol"], "rise": prices[-1] - prices[0]}, [call]


CODE = """
def stock_trend(symbol: str) -> dict[str, Any]:
    if not isinstance(symbol, str):
        raise ValueError("symbol is a text")
    prices = call("local:market.quotes", {"symbol": symbol})
    if len(prices) < 2:
        raise ValueError("too few prices")
    return {"symbol": symbol, "rise": prices[-1] - prices[0]}
"""
INTERFACE = '''
def stock_trend(symbol: str) -> dict[str, Any]:
    """Rate the trend of a stock.

    Args:
        symbol: of the exchange
    """
    ...
'''


@pytest.mark.requirement("GEN-01", "GEN-03", "GEN-07", "DEC-13")
async def test_one_request_ends_with_another_agent_calling_the_new_service(tmp_path: Path) -> None:
    smith = Smith(INTERFACE, [CODE], trend, ["local:market.quotes", "local:bank.steal"])
    async with forged(tmp_path, Agent("market", quotes), llm=smith.llm(), judge=Passing()) as site:
        service = await site.forge.code.generate_and_publish("I need the trend of a stock")
        assert (service.target, service.version) == ("local:forge.stock_trend", "1.0.0")
        assert service.report.passed
        assert not service.published
        assert await site.seen_by() == set()
        with pytest.raises(MoothallError):
            await site.remote("local:forge.stock_trend", symbol="ABC")
        assert await site.call("local:forge.stock_trend", symbol="ABC") == {"symbol": "ABC", "rise": 7}

        await site.approve(service.approval_id)
        assert await site.seen_by() == {"forge.stock_trend"}
        assert await site.remote("local:forge.stock_trend", symbol="ABCDE") == {"symbol": "ABCDE", "rise": 5}
        told = describe(site.node.host.capabilities.snapshot.resolve("forge.stock_trend"))
        assert told["source"] == "llm"
        assert told["provenance"]["version"] == "1.0.0"
        assert told["provenance"]["model"] == "scripted"
        assert told["provenance"]["prompt_hash"].startswith("sha256:")
        assert told["description"] == "Rate the trend of a stock."
        assert told["input_schema"]["properties"]["symbol"]["description"] == "of the exchange"
    assert smith.seen == ["interface", "code", "cases"]


@pytest.mark.requirement("GEN-07")
async def test_what_the_owner_rejects_stays_unseen_and_can_be_asked_for_again(tmp_path: Path) -> None:
    async with forged(tmp_path, judge=Passing()) as site:
        first = await site.forge.code.publish_to_network(await site.registered(DOUBLE))
        await site.approve(first.approval_id, "rejected")
        assert await site.seen_by() == set()
        again = await site.forge.code.publish_to_network(first)
        assert again.approval_id not in {"", first.approval_id}
        await site.approve(again.approval_id)
        assert await site.seen_by() == {"forge.double"}


@pytest.mark.requirement("GEN-07")
async def test_an_approval_is_for_the_very_code_and_not_even_the_owner_goes_live_without_one(tmp_path: Path) -> None:
    async with forged(tmp_path, judge=Passing()) as site:
        service = await site.registered(DOUBLE)
        with pytest.raises(MoothallError):
            await site.call("local:node.services.go_live", service="forge.double", version="1.0.0", code=service.hash)
        with pytest.raises(Conflict):
            await site.forge.desk.publish("forge.double", "1.0.0", 0.0, "owner")
        with pytest.raises(Conflict):
            await site.forge.publication.granted("forge.double", "1.0.0", "sha256:other", 0.0, "owner")
        assert await site.seen_by() == set()


async def test_the_capabilities_forge_and_publish_say_what_waits(tmp_path: Path) -> None:
    smith = Smith(INTERFACE, [CODE], trend, ["local:market.quotes"])
    async with forged(tmp_path, Agent("market", quotes), llm=smith.llm(), judge=Passing()) as site:
        view = await site.call("local:node.services.forge", requirement="the trend of a stock", publish=False)
        assert (view.name, view.state, view.approval_id) == ("forge.stock_trend", "waiting", "")
        view = await site.call("local:node.services.publish", service="forge.stock_trend")
        assert view.approval_id.startswith("ap-")
        await site.approve(view.approval_id)
        [listed] = await site.call("local:node.services.list")
        assert (listed.state, listed.published, listed.approval_id) == ("live", True, "")
        shown = await site.call("local:node.services.show", service="forge.stock_trend")
        assert shown.module["source"].strip() == CODE.strip()
        assert shown.module["manifest"]["may_call"] == ["local:market.quotes"]


@pytest.mark.requirement("GEN-05")
async def test_a_service_calls_with_the_rights_of_its_caller_and_what_its_manifest_names_only(tmp_path: Path) -> None:
    @capability(access="owner")
    def secret() -> int:
        """What only the owner may have."""
        return 42

    code = "def peek() -> Any:\n    return call('local:vault.secret', {})\n"
    async with forged(tmp_path, Agent("vault", secret), judge=Passing()) as site:
        decorated = site.forge.code.add_capability_decorator(code, may_call=["local:vault.secret"])
        service = await site.forge.code.execute_and_register(decorated)
        waiting = await site.forge.code.publish_to_network(service)
        await site.approve(waiting.approval_id)
        assert await site.call("local:forge.peek") == 42
        with pytest.raises(MoothallError) as failed:
            await site.call("local:forge.peek", STRANGER)
        assert "42" not in str(failed.value)
        blind = await site.registered(code, version="2.0.0")
        assert blind.version == "2.0.0"
        await site.approve((await site.forge.code.publish_to_network(blind)).approval_id)
        with pytest.raises(MoothallError):
            await site.call("local:forge.peek")


async def test_an_approval_that_a_step_of_a_service_needs_is_its_callers(tmp_path: Path) -> None:
    paid: list[int] = []

    @capability(access="authenticated", approval=True)
    def pay(amount: int) -> int:
        """Pay."""
        paid.append(amount)
        return amount

    code = "def buy(amount: int) -> int:\n    return call('local:bank.pay', {'amount': amount})\n"
    async with forged(tmp_path, Agent("bank", pay), judge=Passing()) as site:
        service = await site.registered(code, may_call=["local:bank.pay"])
        await site.approve((await site.forge.code.publish_to_network(service)).approval_id)
        with pytest.raises(ApprovalPending) as pending:
            await site.call("local:forge.buy", STRANGER, amount=5)
        await site.approve(pending.value.approval_id)
        assert paid == [5]


@pytest.mark.requirement("GEN-03")
async def test_what_a_service_refuses_is_said_without_its_words(tmp_path: Path) -> None:
    code = "def root(value: float) -> float:\n    raise ValueError('the password is ' + str(value))\n"
    async with forged(tmp_path, judge=Passing()) as site:
        await site.registered(code)
        with pytest.raises(InvalidInput) as refused:
            await site.call("local:forge.root", value=2.0)
        assert "password" not in f"{refused.value} {refused.value.details}"


async def test_a_service_that_is_not_there_is_not_found(tmp_path: Path) -> None:
    async with forged(tmp_path, judge=Passing()) as site:
        for target in ("local:forge.nothing", "llm:nothing"):
            with pytest.raises(MoothallError):
                await site.call(target)
        with pytest.raises(ServiceNotFoundError):
            await site.call("local:node.services.show", service="forge.nothing")
        await site.registered(DOUBLE)
        assert await site.call("llm:double", value=4) == 8


@pytest.mark.requirement("GEN-05", "GEN-09")
async def test_code_that_permits_itself_something_is_not_registered(tmp_path: Path) -> None:
    async with forged(tmp_path, judge=Passing()) as site:
        for code in ("expose_to = 'net'\n" + DOUBLE, "@capability(access='public')\n" + DOUBLE):
            with pytest.raises(CodeRefused):
                site.forge.code.add_capability_decorator(code)
        assert await site.call("local:node.services.list") == []


@pytest.mark.requirement("GEN-07")
async def test_code_that_nobody_approved_does_not_spend_in_the_name_of_the_owner(tmp_path: Path) -> None:
    paid: list[int] = []

    @capability(access="authenticated", approval=True)
    async def pay(value: int) -> int:
        """Pay."""
        paid.append(value)
        return value

    spending = "def spend(value: int) -> int:\n    return call('local:shop.pay', {'value': value})\n"
    async with forged(tmp_path, Agent("shop", pay), judge=Passing()) as site:
        made = await site.registered(spending, may_call=["local:shop.pay"])
        with pytest.raises(Conflict):
            await site.call("local:forge.spend", value=1)
        with pytest.raises(ApprovalPending):
            await site.call("local:forge.spend", STRANGER, value=2)
        assert paid == []
        waiting = await site.forge.code.publish_to_network(made)
        await site.approve(waiting.approval_id)
        assert await site.call("local:forge.spend", value=3) == 3
        assert paid == [3]


@pytest.mark.requirement("GEN-07")
@pytest.mark.parametrize(
    "way", ["auto:the balance of the safe", "local:node.unified_caller", "local:balance@1.0.0", PLAN]
)
async def test_code_that_nobody_approved_is_led_to_nothing_that_needs_an_approval(tmp_path: Path, way: str) -> None:
    seen: list[str] = []

    @capability(access="authenticated", approval=True, read_only=True)
    async def balance() -> str:
        """The balance of the safe."""
        seen.append("balance")
        return "1000"

    step = {"target": "local:shop.balance"}
    given = step if way.endswith("unified_caller") else {"steps": [step]} if way == PLAN else {}
    looking = f"def look() -> object:\n    return call({way!r}, {given!r})\n"
    async with forged(tmp_path, Agent("shop", balance), judge=Passing()) as site:
        made = await site.registered(looking, may_call=[way])
        with pytest.raises(Conflict):
            await site.call("local:forge.look")
        assert seen == []
        await site.approve((await site.forge.code.publish_to_network(made)).approval_id)
        if way != PLAN:
            assert await site.call("local:forge.look") == "1000"
