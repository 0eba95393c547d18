"""What a piece of work may take of a model."""

from __future__ import annotations

import asyncio

import pytest

from moothall.errors import BudgetSpent, ModelTimeout
from moothall.llm.base import BaseLLM
from moothall.llm.budget import BudgetedLLM
from moothall.llm.scripted import ScriptedLLM
from moothall.llm.tokens import counting, estimated, tell


class Telling(BaseLLM):
    """A model that tells of 100 tokens for each answer."""

    async def async_generate_response(self, system_prompt: str, user_prompt: str) -> str:
        tell(100)
        return user_prompt


async def test_calls_beyond_the_budget_are_not_made() -> None:
    inner = ScriptedLLM([lambda *_: "yes"])
    budgeted = BudgetedLLM(inner, 3)
    for _ in range(2):
        await budgeted.async_generate_response("s", "u")
    await budgeted.generate_code("r")
    assert budgeted.spent
    with pytest.raises(BudgetSpent) as raised:
        await budgeted.async_generate_response("s", "u")
    assert raised.value.details["max_calls"] == 3
    assert (inner.calls, budgeted.calls) == (3, 3)


async def test_a_budget_of_nothing_asks_nobody() -> None:
    inner = ScriptedLLM()
    with pytest.raises(BudgetSpent):
        await BudgetedLLM(inner, 0).generate_code("r")
    assert inner.calls == 0


async def test_tokens_beyond_the_budget_are_not_taken() -> None:
    budgeted = BudgetedLLM(Telling(), 9, 250)
    for _ in range(2):
        await budgeted.async_generate_response("s", "u")
    assert (budgeted.tokens, budgeted.spent) == (200, False)
    with pytest.raises(BudgetSpent):
        await budgeted.async_generate_response("s", "a prompt that alone would be too much" * 10)
    await budgeted.async_generate_response("s", "u")
    assert (budgeted.tokens, budgeted.spent, budgeted.calls) == (300, True, 3)


async def test_what_is_not_told_is_estimated() -> None:
    budgeted = BudgetedLLM(ScriptedLLM([lambda *_: "b" * 300]), 9, 10_000)
    await budgeted.async_generate_response("", "a" * 300)
    assert budgeted.tokens == estimated("", "a" * 300, "b" * 300)
    assert estimated("汉字") >= 2


async def test_a_call_that_fails_counts() -> None:
    budgeted = BudgetedLLM(ScriptedLLM([("", ModelTimeout("too slow"))]), 1)
    with pytest.raises(ModelTimeout):
        await budgeted.async_generate_response("s", "u")
    assert budgeted.tokens > 0
    with pytest.raises(BudgetSpent):
        await budgeted.async_generate_response("s", "u")


async def test_calls_at_once_share_what_is_left() -> None:
    let_go = asyncio.Event()

    async def held(*_: str) -> str:
        await let_go.wait()
        return ""

    prompt = "a" * 300
    budgeted = BudgetedLLM(ScriptedLLM([held]), 9, 2 * estimated("", prompt))
    calls = [asyncio.create_task(budgeted.async_generate_response("", prompt)) for _ in range(3)]
    done, _ = await asyncio.wait(calls, return_when=asyncio.FIRST_COMPLETED)
    assert [type(each.exception()) for each in done] == [BudgetSpent]
    let_go.set()
    await asyncio.gather(*calls, return_exceptions=True)
    assert budgeted.calls == 2


async def test_a_run_that_goes_on_goes_on_with_its_budget() -> None:
    inner = ScriptedLLM([lambda *_: "yes"])
    budgeted = BudgetedLLM(inner, 3, 1000, calls=2, tokens=900)
    await budgeted.async_generate_response("s", "u")
    assert budgeted.spent
    assert budgeted.tokens > 900
    assert budgeted.model == inner.model


async def test_a_budget_within_a_budget_counts_for_both_through_any_wrapper() -> None:
    class Wrapper(BaseLLM):
        def __init__(self, inner: BaseLLM) -> None:
            self.inner = inner

        async def async_generate_response(self, system_prompt: str, user_prompt: str) -> str:
            return await asyncio.create_task(self.inner.async_generate_response(system_prompt, user_prompt))

    inner = BudgetedLLM(Wrapper(Telling()), 9, 1000)
    outer = BudgetedLLM(Wrapper(inner), 9, 1000)
    await outer.generate_code("r")
    assert (inner.tokens, outer.tokens) == (100, 100)


def test_tokens_that_nobody_counts_are_told_to_nobody() -> None:
    tell(5)
    with counting() as tally:
        pass
    assert not tally.told
