"""Descriptions of data as schemas: JSON Schema, examples, lists of fields in English and Chinese."""

from typing import Any

import pytest

from moothall.codegen.schemas.describe import described, inferred

TEXT, WHOLE, NUMBER, FLAG = ({"type": name} for name in ("string", "integer", "number", "boolean"))


def members(text: str) -> dict[str, Any]:
    found = described(text)
    assert found is not None
    kept = ("type", "items", "enum", "format", "properties")
    return {name: {key: part[key] for key in kept if key in part} for name, part in found["properties"].items()}


def needed(text: str) -> list[str]:
    found = described(text)
    assert found is not None
    return list(found.get("required", []))


SCHEMA = '{"type": "object", "properties": {"a": {"type": "string"}}, "required": ["a"]}'


@pytest.mark.parametrize(
    "text", [SCHEMA, f"The input:\n```json\n{SCHEMA}\n```\nThat is all.", f"As JSON Schema: {SCHEMA}."]
)
def test_a_schema_is_taken_as_it_is(text: str) -> None:
    assert described(text) == {"type": "object", "properties": {"a": TEXT}, "required": ["a"]}


def test_an_example_shows_its_types() -> None:
    found = described('{"city": "Oslo", "days": 3, "rows": [{"t": 1}, {"t": 1.5, "note": null}]}')
    assert found == {
        "type": "object",
        "properties": {
            "city": TEXT,
            "days": WHOLE,
            "rows": {
                "type": "array",
                "items": {"type": "object", "properties": {"t": NUMBER, "note": {}}, "required": ["t"]},
            },
        },
        "required": ["city", "days", "rows"],
    }
    assert inferred([1, "a"]) == {"type": "array", "items": {}}
    assert inferred({"type": "house", "a": True})["properties"]["a"] == FLAG


@pytest.mark.parametrize(
    ("text", "fields", "required"),
    [
        ("user_id: string, required, who asks\ndays: integer, optional", {"user_id": TEXT, "days": WHOLE}, ["user_id"]),
        (
            "user_id (string), include_details (boolean, optional)",
            {"user_id": TEXT, "include_details": FLAG},
            ["user_id"],
        ),
        ("- 用户ID user_id（字符串）\n- 天数 days（整数，可选）：几天", {"user_id": TEXT, "days": WHOLE}, ["user_id"]),
        ("用户ID user_id（字符串），天数 days（整数）", {"user_id": TEXT, "days": WHOLE}, ["user_id", "days"]),
        ("城市：字符串\n日期：日期", {"城市": TEXT, "日期": {**TEXT, "format": "date"}}, ["城市", "日期"]),
        (
            "| name | type | needed |\n|---|---|---|\n| city | string | yes |\n| days | integer | optional |",
            {"city": TEXT, "days": WHOLE},
            ["city"],
        ),
        (
            "prices: list[number]\nnames: string[]\nids: 字符串列表",
            {
                "prices": {"type": "array", "items": NUMBER},
                "names": {"type": "array", "items": TEXT},
                "ids": {"type": "array", "items": TEXT},
            },
            ["prices", "names", "ids"],
        ),
        ("level: one of: low, high", {"level": {**TEXT, "enum": ["low", "high"]}}, ["level"]),
        (
            "The result should contain temperature (number, Celsius) and wind (number).",
            {"temperature": NUMBER, "wind": NUMBER},
            ["temperature", "wind"],
        ),
        ("1. city: string\n2. at: date-time", {"city": TEXT, "at": {**TEXT, "format": "date-time"}}, ["city", "at"]),
    ],
    ids=lambda value: str(value)[:30],
)
def test_lists_of_fields_are_read(text: str, fields: dict[str, Any], required: list[str]) -> None:
    assert members(text) == fields
    assert needed(text) == required


def test_fields_that_are_indented_belong_to_what_stands_above_them() -> None:
    found = members(
        "- name: string\n- periods: array of objects\n    - start: date\n    - days: integer, optional\n- gpa: number"
    )
    assert list(found) == ["name", "periods", "gpa"]
    items = found["periods"]["items"]
    assert list(items["properties"]) == ["start", "days"]
    assert items["required"] == ["start"]


def test_labels_and_what_is_said_besides_the_type_are_kept() -> None:
    found = described("- 天数 days（整数，可选）：几天的天气\n- city: string, the town to look at")
    assert found is not None
    assert found["properties"]["days"] == {"type": "integer", "title": "天数", "description": "几天的天气"}
    assert found["properties"]["city"]["description"] == "the town to look at"


@pytest.mark.parametrize(
    "text",
    [
        "",
        "Get the weather please. It should be nice: thank you",
        "请帮我查天气",
        '{"type": "object", "properties": {"a": {"$ref": "https://example.org"}}}',
        "{not json",
        "x" * 70_000,
    ],
    ids=["nothing", "prose", "chinese prose", "refused", "broken", "long"],
)
def test_what_is_only_words_has_no_schema(text: str) -> None:
    assert described(text) is None


@pytest.mark.parametrize(
    "piece", ["a", "a:", "- ", "a, ", "(", "one of: a, ", "{", "A ", "一", "```json\n", "a and ", "list "]
)
def test_texts_that_repeat_one_thing_are_read_in_time(piece: str) -> None:
    described(piece * (60_000 // len(piece)))
