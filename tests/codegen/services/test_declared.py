"""Functions whose body a model writes: once, kept by its hash, and there again without any model."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from moothall import Agent, capability
from moothall.capability.decorators import llm_generated
from moothall.capability.snapshot import describe
from moothall.errors import CodeRefused, MoothallError, Unavailable
from moothall.llm.scripted import ScriptedLLM
from tests.codegen.services.hall import STRANGER, Passing, Smith, forged

CODE = "def scaled(value: int, factor: int = 2) -> int:\n    return value * factor\n"


@llm_generated(prompt="Scale a number", auto_publish=True)
@capability(source="llm", expose_to="both", access="authenticated")
async def scaled(value: int, factor: int = 2) -> int:
    """Scale a number."""


@llm_generated(prompt="Scale a number")
@capability(source="llm", expose_to="both", access="authenticated")
async def quiet(value: int, factor: int = 2) -> int:
    """Scale a number."""


def oracle(arguments: Any) -> tuple[Any, list[dict[str, Any]]]:
    if not all(isinstance(each, int) for each in arguments.values()):
        raise ValueError
    return arguments["value"] * arguments.get("factor", 2), []


def smith(code: str = CODE) -> Smith:
    return Smith("", [code], oracle)


@pytest.mark.requirement("GEN-02", "DEC-13", "DEC-20")
async def test_the_body_is_written_once_and_an_offline_start_works_from_the_store(tmp_path: Path) -> None:
    first = smith()
    async with forged(tmp_path, Agent("maths", scaled), llm=first.llm(), judge=Passing()) as site:
        assert await site.call("local:maths.scaled", value=4) == 8
        assert await site.call("local:maths.scaled", value=4, factor=5) == 20
        assert await scaled(3) == 6
        assert first.seen == ["code", "cases"]
    again = smith()
    async with forged(tmp_path, Agent("maths", scaled), llm=again.llm(), judge=Passing()) as site:
        assert await site.call("local:maths.scaled", value=4) == 8
    assert again.seen == []
    async with forged(tmp_path, Agent("maths", scaled)) as site:
        assert await site.call("local:maths.scaled", value=5) == 10
        provenance = describe(site.node.host.capabilities.snapshot.resolve("maths.scaled"))["provenance"]
        assert provenance["model"] == "scripted"
        assert provenance["version"] == "1.0.0"
        assert provenance["prompt_hash"].startswith("sha256:")


@pytest.mark.requirement("DEC-20", "GEN-07")
async def test_auto_publish_asks_by_itself_and_the_network_sees_it_after_the_approval(tmp_path: Path) -> None:
    async with forged(tmp_path, Agent("maths", scaled), llm=smith().llm(), judge=Passing()) as site:
        await site.forge.declared.settled()
        [view] = await site.call("local:node.services.list")
        assert view.approval_id.startswith("ap-")
        assert await site.seen_by() == set()
        await site.approve(view.approval_id)
        assert await site.seen_by() == {"maths.scaled"}
        assert await site.call("local:maths.scaled", STRANGER, value=4) == 8
    async with forged(tmp_path, Agent("maths", scaled)) as site:
        await site.forge.declared.settled()
        assert await site.seen_by() == {"maths.scaled"}


@pytest.mark.requirement("DEC-20")
async def test_without_auto_publish_it_needs_publish(tmp_path: Path) -> None:
    async with forged(
        tmp_path, Agent("maths", quiet), llm=smith(CODE.replace("scaled", "quiet")).llm(), judge=Passing()
    ) as site:
        assert await site.call("local:maths.quiet", value=4) == 8
        await site.forge.declared.settled()
        [view] = await site.call("local:node.services.list")
        assert (view.approval_id, view.published) == ("", False)
        assert await site.seen_by() == set()
        view = await site.call("local:node.services.publish", service="maths.quiet")
        await site.approve(view.approval_id)
        assert await site.seen_by() == {"maths.quiet"}


@pytest.mark.requirement("GEN-02")
async def test_a_function_that_is_included_later_gets_its_body_too(tmp_path: Path) -> None:
    late = Agent("maths")
    async with forged(tmp_path, late, llm=smith().llm(), judge=Passing()) as site:
        late.include(scaled)
        await site.forge.declared.settled()
        assert await site.call("local:maths.scaled", value=4) == 8


async def test_a_function_that_goes_and_comes_again_has_its_body_again(tmp_path: Path) -> None:
    script = smith()
    agent = Agent("maths", scaled)
    async with forged(tmp_path, agent, llm=script.llm(), judge=Passing()) as site:
        await site.forge.declared.settled()
        registry = site.node.host.capabilities
        registry.remove("maths.scaled")
        agent.include(scaled)
        await site.forge.declared.settled()
        assert registry.snapshot.resolve("maths.scaled").spec.provenance is not None
        assert await site.call("local:maths.scaled", value=4) == 8
    assert script.seen == ["code", "cases"]


@pytest.mark.requirement("GEN-02")
async def test_another_prompt_makes_another_version(tmp_path: Path) -> None:
    async with forged(tmp_path, Agent("maths", scaled), llm=smith().llm(), judge=Passing()) as site:
        await site.forge.declared.settled()

    @llm_generated(prompt="Scale a number, and add one")
    @capability(source="llm", name="scaled", expose_to="both", access="authenticated")
    async def other(value: int, factor: int = 2) -> int:
        """Scale a number."""

    code = CODE.replace("* factor", "* factor + 1")
    async with forged(tmp_path, Agent("maths", other), llm=smith(code).llm(), judge=Passing()) as site:
        assert await site.call("local:maths.scaled", value=4) == 9
        [view] = await site.call("local:node.services.list")
        assert [each.version for each in view.versions] == ["1.0.0", "1.1.0"]


@pytest.mark.requirement("GEN-09", "GEN-10")
async def test_code_that_does_not_pass_the_gate_is_never_run_and_its_callers_hear_so(tmp_path: Path) -> None:
    wrong = smith(CODE.replace("* factor", "* factor + 1"))
    async with forged(tmp_path, Agent("maths", scaled), llm=wrong.llm(), repair_rounds=1) as site:
        with pytest.raises(CodeRefused) as refused:
            await site.call("local:maths.scaled", value=4)
        stages = refused.value.details["report"]["stages"]
        assert next(stage["stage"] for stage in stages if not stage["passed"]) == "tests"
        assert await site.call("local:node.services.list") == []
        before = list(wrong.seen)
        with pytest.raises(CodeRefused):
            await site.call("local:maths.scaled", value=4)
        assert wrong.seen == before


@llm_generated(prompt="Add a tenth to an amount in whole cents, rounded down; amounts below 0 are refused")
@capability(source="llm", expose_to="both", access="authenticated")
async def with_tip(amount: int) -> dict[str, int]:
    """Add a tip."""


def tip(arguments: Any) -> tuple[Any, list[dict[str, Any]]]:
    amount = arguments["amount"]
    if not isinstance(amount, int) or isinstance(amount, bool) or amount < 0:
        raise ValueError
    return {"tip": amount // 10, "total": amount + amount // 10}, []


MENDED = """
def with_tip(amount: int) -> dict[str, int]:
    if not isinstance(amount, int) or isinstance(amount, bool) or amount < 0:
        raise ValueError("an amount is a whole number from 0 on")
    return {"tip": amount // 10, "total": amount + amount // 10}
"""


@pytest.mark.requirement("GEN-09", "GEN-10")
async def test_code_that_is_mended_within_the_repairs_passes_the_whole_gate(tmp_path: Path) -> None:
    script = Smith("", [MENDED.replace("amount + amount // 10", "amount + amount // 9"), MENDED], tip)
    async with forged(tmp_path, Agent("till", with_tip), llm=script.llm()) as site:
        assert await site.call("local:till.with_tip", amount=105) == {"tip": 10, "total": 115}
        assert script.seen.count("code") == 2


@pytest.mark.requirement("GEN-02")
async def test_without_a_model_a_body_that_nobody_wrote_cannot_be_had(tmp_path: Path) -> None:
    async with forged(tmp_path, Agent("maths", scaled)) as site:
        with pytest.raises(Unavailable):
            await site.call("local:maths.scaled", value=4)


async def test_a_model_that_was_away_is_asked_again_by_the_next_call(tmp_path: Path) -> None:
    from moothall.errors import ModelUnavailable

    script = smith()
    spoken = [ModelUnavailable("away")]

    def speak(system: str, user: str) -> str | None:
        if spoken:
            raise spoken.pop()
        return script.speak(system, user)

    async with forged(tmp_path, Agent("maths", scaled), llm=ScriptedLLM([speak]), judge=Passing()) as site:
        await site.forge.declared.settled()
        assert await site.call("local:maths.scaled", value=4) == 8


async def test_a_declared_service_reaches_only_what_it_was_offered(tmp_path: Path) -> None:
    @capability(access="authenticated")
    def rate() -> int:
        """The rate of today."""
        return 7

    code = "def scaled(value: int, factor: int = 2) -> int:\n    return value * call('local:bank.rate', {})\n"
    script = Smith("", [code], oracle, ["local:bank.rate", "local:node.services.disable"])
    async with forged(tmp_path, Agent("maths", scaled), Agent("bank", rate), llm=script.llm(), judge=Passing()) as site:
        assert await site.call("local:maths.scaled", value=4) == 28
        shown = await site.call("local:node.services.show", service="maths.scaled")
        assert shown.module["manifest"]["may_call"] == ["local:bank.rate"]
        with pytest.raises(MoothallError):
            await site.call("local:node.services.show", STRANGER, service="maths.scaled")
