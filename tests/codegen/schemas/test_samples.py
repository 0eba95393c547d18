"""Samples fit their schema, spoiled values do not, and both are the same each time."""

import copy

import pytest

from moothall.codegen.schemas.samples import samples, spoiled
from moothall.codegen.schemas.validation import compiled
from tests.codegen.schemas.random_schemas import Dice

PERSON = {
    "type": "object",
    "properties": {
        "id": {"type": "string", "minLength": 1, "maxLength": 12},
        "level": {"enum": ["low", "high", None]},
        "age": {"type": "integer", "minimum": 0, "maximum": 120},
        "price": {"type": ["number", "null"], "exclusiveMinimum": 0},
        "tags": {"type": "array", "items": {"type": "string"}, "maxItems": 3, "uniqueItems": True},
        "born": {"type": "string", "format": "date"},
        "code": {"type": "string", "pattern": "^[A-Z]{3}-\\d+$"},
        "tree": {"$ref": "#/$defs/tree"},
    },
    "required": ["id", "age"],
    "additionalProperties": False,
    "$defs": {
        "tree": {
            "type": "object",
            "properties": {"kids": {"type": "array", "items": {"$ref": "#/$defs/tree"}}, "v": {"type": "integer"}},
            "required": ["v"],
        }
    },
}


def test_samples_fit_are_distinct_and_begin_with_the_edges() -> None:
    found = samples(PERSON, 20)
    assert len(found) == 20
    assert all(compiled(PERSON).accepts(value) for value in found)
    assert all(one != other for place, one in enumerate(found) for other in found[:place])
    assert set(found[0]) == {"id", "age"}
    assert set(found[1]) == set(PERSON["properties"])  # type: ignore[arg-type]
    assert {value.get("level") for value in found} == {"low", "high", None}
    assert {0, 120} <= {value["age"] for value in found}


def test_the_same_seed_gives_the_same_samples_and_another_one_others() -> None:
    assert samples(PERSON, 20) == samples(copy.deepcopy(PERSON), 20)
    assert samples(PERSON, 20) != samples(PERSON, 20, seed=1)
    value = samples(PERSON, 3)[1]
    assert spoiled(PERSON, value) == spoiled(PERSON, value)
    assert spoiled(PERSON, value) != spoiled(PERSON, value, seed=1)


def test_spoiled_values_are_all_wrong_in_one_thing_and_leave_the_original_alone() -> None:
    value = {**samples(PERSON, 2)[1], "tree": {"v": 1}}
    before = copy.deepcopy(value)
    found = spoiled(PERSON, value, count=300)
    assert value == before
    assert not any(compiled(PERSON).accepts(each) for each in found)
    objects = [each for each in found if isinstance(each, dict)]
    assert any("id" not in each for each in objects)
    assert any("age" not in each for each in objects)
    assert any(each.get("age") == 121 for each in objects)
    assert any(each.get("age") == -1 for each in objects)
    assert any(each.get("id") == "" for each in objects)
    assert any(each.get("id") == "x" * 13 for each in objects)
    assert any("not_a_member_of_it" in each for each in objects)
    assert any(each.get("age") is True for each in objects)


@pytest.mark.parametrize("seed", range(4))
def test_whatever_the_schema_samples_fit_and_spoiled_values_do_not(seed: int) -> None:
    dice = Dice(seed)
    made = 0
    for _ in range(40):
        schema = dice.document()
        checked = compiled(schema)
        found = samples(schema, 6)
        made += bool(found)
        assert all(checked.accepts(value) for value in found)
        if found:
            assert not any(checked.accepts(value) for value in spoiled(schema, found[0]))
    assert made > 20


@pytest.mark.parametrize(
    "schema",
    [
        False,
        {"enum": []},
        {"type": "string", "minLength": 10**9},
        {"type": "array", "minItems": 10**9},
        {"type": "object", "minProperties": 10**9},
        {"type": "number", "minimum": 1e300},
        {"type": "integer", "minimum": 0.2, "maximum": 0.8},
        {"$ref": "#"},
        {"type": "object", "properties": {"a": {"$ref": "#"}}, "required": ["a"]},
        {"type": "array", "minItems": 10, "items": {"anyOf": [{"$ref": "#"}] * 10}},
    ],
    ids=lambda value: str(value)[:40],
)
def test_where_nothing_fits_or_it_would_be_too_much_there_are_no_samples(schema: object) -> None:
    assert samples(schema, 5) == []


@pytest.mark.parametrize(
    "schema",
    [
        {"type": "object", "properties": {f"p{n}": {"anyOf": [{"$ref": "#"}, {"$ref": "#"}]} for n in range(50)}},
        {"type": "string", "pattern": "(((((a*)*)*)*)*)*$"},
        {"type": "string", "pattern": "^[a-z]{500}$"},
        {"type": "integer", "multipleOf": 7},
        {"type": "number", "multipleOf": 0.01, "minimum": 0, "maximum": 1},
        {"if": {"properties": {"k": {"const": 1}}}, "then": {"required": ["a"]}, "type": "object"},
        {
            "allOf": [{"required": ["a"], "properties": {"a": {"type": "integer"}}}, {"required": ["b"]}],
            "type": "object",
        },
    ],
    ids=["endless tree", "nested stars", "long text", "multiple", "hundredths", "condition", "all of"],
)
def test_unusual_schemas_have_samples(schema: dict[str, object]) -> None:
    assert samples(schema, 5)
