"""From what a model wrote to a JSON object, whatever it wrote."""

from __future__ import annotations

import json
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from moothall.errors import DecisionRefused
from moothall.llm.brief import Brief
from moothall.llm.reading import object_in, read_answer
from tests.llm.small import BRIEF, CHOOSE, Ask, Choice, ChoiceDraft

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-999, 999) | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=10,
)
OBJECTS = st.dictionaries(st.text(min_size=1, max_size=8), VALUES, min_size=1, max_size=4)
PROSE = st.text(st.characters(exclude_characters='{}"'), max_size=60)


@given(OBJECTS, PROSE, PROSE, st.sampled_from(["", "```json\n", "```\n", "~~~\n"]))
def test_an_object_is_found_between_prose_and_fences(value: Any, before: str, after: str, fence: str) -> None:
    written = f"{before}{fence}{json.dumps(value, ensure_ascii=False, indent=2)}\n{fence.strip('json')}{after}"
    assert object_in(written) == value


@given(OBJECTS, st.data())
def test_an_object_that_is_cut_off_is_never_taken_for_a_part_of_itself(value: Any, data: st.DataObject) -> None:
    written = json.dumps(value)
    cut = data.draw(st.integers(1, len(written) - 1))
    with pytest.raises(DecisionRefused):
        object_in(written[:cut])


@given(st.text(max_size=400))
def test_no_text_crashes_the_reader(text: str) -> None:
    with suppress(DecisionRefused):
        assert isinstance(object_in(text), dict)


@pytest.mark.parametrize("text", ["{" * 100_000, '{"a":' * 100_000, "[" * 100_000, '{"a": ' + "9" * 5_000 + "}"])
def test_a_text_made_to_exhaust_the_reader_is_refused(text: str) -> None:
    with pytest.raises(DecisionRefused):
        object_in(text)


WIDE = "{" + " " * 250
"""A brace that does not look like the beginning of the answer."""


@pytest.mark.parametrize(
    "text",
    [
        (WIDE + '"a":[') * 150 + "1," * 180_000,
        (WIDE + '"a":') * 200 + "[" + "1," * 170_000,
        (WIDE + '"a":') * 200 + '"' + "x" * 300_000,
        (WIDE + '"a":') * 200 + "[" * 300_000,
        (WIDE + '"a":') * 200 + "9" * 300_000,
    ],
    ids=["lists", "a list", "a text", "depth", "a number"],
)
def test_a_text_made_of_beginnings_is_not_read_from_each_of_them_to_its_end(
    text: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    attempts = 0

    class Counting(json.JSONDecoder):
        def raw_decode(self, s: str, idx: int = 0) -> Any:
            nonlocal attempts
            attempts += 1
            return super().raw_decode(s, idx)

    monkeypatch.setattr("moothall.llm.reading._DECODER", Counting())
    with pytest.raises(DecisionRefused):
        object_in(text)
    assert attempts < 8


async def test_an_answer_wrapped_over_and_over_is_refused() -> None:
    async def read(wrappings: int) -> Choice:
        answer: dict[str, Any] = {"colour": "red"}
        for _ in range(wrappings):
            answer = {"result": answer}
        return await read_answer(BRIEF, Ask(), answer)

    assert (await read(3)).colour == "red"
    with pytest.raises(DecisionRefused):
        await read(4)


def test_braces_in_prose_do_not_hide_the_answer() -> None:
    assert object_in('take {this} or {that}: {"colour": "red"} {"colour": "blue"}') == {"colour": "red"}


async def test_a_refusal_names_the_fields_and_repeats_nothing_of_the_answer() -> None:
    with pytest.raises(DecisionRefused) as refusal:
        await read_answer(BRIEF, Ask(), {"colour": "secret-word", "amount": -1})
    assert "colour" in str(refusal.value)
    assert "amount" in str(refusal.value)
    assert "secret-word" not in str(refusal.value)


async def test_what_completing_finds_impossible_is_refused_too() -> None:
    async def impossible(_: Ask, __: ChoiceDraft) -> Choice:
        return Choice.model_validate({"colour": None})

    brief = Brief(CHOOSE, ChoiceDraft, lambda _: "en", lambda _: {}, impossible)
    with pytest.raises(DecisionRefused):
        await read_answer(brief, Ask(), {"colour": "red"})
