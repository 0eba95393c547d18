"""The model that says what a script says."""

from __future__ import annotations

import re

import pytest

from moothall.errors import ModelTimeout, MoothallError
from moothall.llm.scripted import Prompted, ScriptedLLM, UnexpectedPrompt

pytestmark = pytest.mark.requirement("META-LLM-05")


async def test_the_first_entry_that_fits_answers() -> None:
    llm = ScriptedLLM([
        ("protocol", "by text"),
        (re.compile(r"(?i)tests? wanted"), "by expression"),
        (lambda system, user: system.startswith("You") and user == "odd", "by predicate"),
        (lambda system, _: f"function of {system}" if system else None),
    ])  # fmt: skip
    assert await llm.async_generate_response("", "a protocol") == "by text"
    assert await llm.async_generate_response("the protocol", "TEST WANTED") == "by text"
    assert await llm.async_generate_response("", "TEST WANTED") == "by expression"
    assert await llm.async_generate_response("You", "odd") == "by predicate"
    assert await llm.async_generate_response("x", "y") == "function of x"
    assert await llm.generate_code("protocol of y") == "by text"
    assert llm.calls == 6
    assert llm.prompts[3] == Prompted("You", "odd")


async def test_answers_in_a_list_come_one_after_another_and_are_used_up() -> None:
    llm = ScriptedLLM([("judge", ["one", "two"]), "any, once", ("judge", "for ever")])
    said = [await llm.async_generate_response("", "judge") for _ in range(5)]
    assert said == ["one", "two", "any, once", "for ever", "for ever"]
    assert llm.rest == []


async def test_functions_get_both_prompts_and_may_be_coroutines() -> None:
    async def later(system: str, user: str) -> str | None:
        return f"{system}+{user}" if user != "not mine" else None

    llm = ScriptedLLM([later, ("mine", lambda system, user: f"{user} of {system}")])
    assert await llm.async_generate_response("a", "b") == "a+b"
    assert await llm.async_generate_response("a", "not mine") == "not mine of a"


async def test_an_error_in_the_script_is_raised() -> None:
    llm = ScriptedLLM([("judge", [ModelTimeout("too slow"), "better"])])
    with pytest.raises(ModelTimeout):
        await llm.async_generate_response("", "judge")
    assert await llm.async_generate_response("", "judge") == "better"


async def test_an_unexpected_prompt_is_no_failure_of_a_model_and_says_what_was_asked_and_known() -> None:
    llm = ScriptedLLM([("judge", ["one"]), (re.compile("write.*code"), "x = 1")])
    await llm.async_generate_response("", "judge")
    with pytest.raises(UnexpectedPrompt) as raised:
        await llm.async_generate_response("You judge.", f"judge {'x' * 5000}")
    told = str(raised.value)
    assert not isinstance(raised.value, MoothallError)
    for part in ("prompt 2", "system: You judge.", "user: judge xxx", "(5006 characters)", "'judge' (used up)"):
        assert part in told
    assert "/write.*code/" in told
    assert len(told) < 2000


async def test_an_empty_script_answers_nothing() -> None:
    with pytest.raises(UnexpectedPrompt, match="nothing"):
        await ScriptedLLM().async_generate_response("a", "b")


async def test_the_same_script_says_the_same() -> None:
    async def said() -> list[str]:
        llm = ScriptedLLM([("a", ["1", "2"]), ("b", "3"), "4"])
        return [await llm.async_generate_response("", user) for user in ("b", "a", "a", "a", "b")]

    assert await said() == await said() == ["3", "1", "2", "4", "3"]


async def test_what_was_never_used_is_known() -> None:
    llm = ScriptedLLM([("a", "1"), ("b", ["2", "3"]), "4"])
    await llm.async_generate_response("", "b")
    assert llm.rest == ["'a'", "'b'", "any prompt, once"]
    assert llm.model == "scripted"
    await llm.aclose()
