"""Whether every value of one schema is valid in another: never a wrong yes, never a wrong no."""

import copy
from typing import Any

import pytest

from moothall.codegen.schemas.compatibility import fits
from moothall.codegen.schemas.samples import samples
from moothall.codegen.schemas.validation import compiled
from tests.codegen.schemas.random_schemas import Dice


def having(required: list[str] | None = None, **members: Any) -> dict[str, Any]:
    return {"type": "object", "properties": members, "required": list(members) if required is None else required}


TEXT, WHOLE, NUMBER = {"type": "string"}, {"type": "integer"}, {"type": "number"}
TREE = {
    "$ref": "#/$defs/t",
    "$defs": {"t": having(["v"], k={"type": "array", "items": {"$ref": "#/$defs/t"}}, v={"type": "integer"})},
}
WIDER_TREE = copy.deepcopy(TREE)
WIDER_TREE["$defs"]["t"]["properties"]["v"]["type"] = "number"  # type: ignore[index]


@pytest.mark.parametrize(
    ("source", "target", "verdict"),
    [
        (WHOLE, NUMBER, "yes"),
        (NUMBER, WHOLE, "no"),
        (having(a=WHOLE, b=TEXT), having(a=NUMBER), "yes"),
        (having(a=TEXT), having(a=TEXT, b=TEXT), "no"),
        (having([], a=TEXT), having(a=TEXT), "no"),
        (having(a=TEXT), {**having(a=TEXT), "additionalProperties": False}, "unknown"),
        (
            {**having(a=TEXT), "additionalProperties": False},
            {**having([], a=TEXT, b=TEXT), "additionalProperties": False},
            "yes",
        ),
        ({"enum": ["a", "b"]}, TEXT, "yes"),
        ({"enum": ["a", 1]}, TEXT, "no"),
        (TEXT, {"enum": ["a"]}, "no"),
        ({"type": "string", "maxLength": 5}, {"type": "string", "maxLength": 9}, "yes"),
        ({"type": "integer", "exclusiveMinimum": 3}, {"type": "integer", "minimum": 3}, "yes"),
        ({"type": "integer", "minimum": 3}, {"type": "integer", "exclusiveMinimum": 3}, "no"),
        (TEXT, {"anyOf": [TEXT, {"type": "null"}]}, "yes"),
        ({"anyOf": [TEXT, {"type": "null"}]}, TEXT, "no"),
        (TEXT, {"oneOf": [TEXT, WHOLE]}, "yes"),
        (TREE, WIDER_TREE, "yes"),
        (WIDER_TREE, TREE, "no"),
        ({"type": "string", "pattern": "^a+$"}, {"type": "string", "pattern": "^a*$"}, "unknown"),
        (False, TEXT, "yes"),
        (TEXT, True, "yes"),
    ],
    ids=lambda value: str(value)[:40],
)
def test_plain_cases(source: Any, target: Any, verdict: str) -> None:
    found = fits(source, target)
    assert found.verdict == verdict
    assert bool(found) is (verdict == "yes")
    assert bool(found.reasons) is (verdict != "yes")


@pytest.mark.parametrize("seed", range(5))
def test_a_yes_holds_for_every_value_that_can_be_found_and_a_no_has_a_witness(seed: int) -> None:
    dice = Dice(seed)
    verdicts = set()
    for _ in range(60):
        source = dice.document()
        target = copy.deepcopy(source) if dice.rng.random() < 0.5 else dice.document()
        target.pop(dice.rng.choice(list(target)), None)
        target["$defs"] = source["$defs"]
        source, target = (source, target) if dice.rng.random() < 0.5 else (target, source)
        found = fits(source, target)
        verdicts.add(found.verdict)
        values = [*samples(source, 15, seed=3), *(dice.value() for _ in range(15))]
        wrong = [value for value in values if compiled(source).accepts(value) and not compiled(target).accepts(value)]
        assert not (found and wrong), (source, target, wrong[:1])
    assert verdicts == {"yes", "no", "unknown"}


def test_what_was_assumed_for_a_choice_that_fails_proves_nothing_elsewhere() -> None:
    source = having(a=having(x={"$ref": "#/$defs/t"}), b={"$ref": "#/$defs/t"}) | {"$defs": {"t": having(v=WHOLE)}}
    choice = {"anyOf": [having([], x={"$ref": "#/$defs/t"}), {"type": "object"}]}
    target = having(a=choice, b={"$ref": "#/$defs/t"}) | {"$defs": {"t": having(v=TEXT)}}
    assert fits(source, target).verdict == "no"


def test_true_is_not_taken_for_1() -> None:
    assert fits({"type": "array", "contains": {"const": 1}}, {"contains": {"const": True}}).verdict == "no"
    assert not fits({"not": {"const": True}}, {"not": {"const": 1}})


def test_keywords_of_two_parts_are_not_mixed() -> None:
    one, two = {"if": {"minimum": 5}, "then": {"maximum": 10}}, {"if": {"minimum": -100}, "else": {"const": -200}}
    assert not fits({"type": "integer", "allOf": [one, two]}, {**one, "else": two["else"]})
    held, counted = {"contains": TEXT}, {"contains": WHOLE, "minContains": 3}
    assert not fits({"type": "array", "allOf": [held, counted]}, {**held, "minContains": 3})
    assert fits({"type": "array", "allOf": [held, counted]}, held)


def test_hostile_schemas_are_compared_within_bounds() -> None:
    doubling = {f"d{n}": {"anyOf": [{"$ref": f"#/$defs/d{n + 1}"}] * 4} for n in range(20)} | {"d20": TEXT}
    assert fits({"$ref": "#/$defs/d0", "$defs": doubling}, WHOLE).verdict in {"no", "unknown"}
    assert fits(WHOLE, {"$ref": "#/$defs/d0", "$defs": doubling}).verdict in {"no", "unknown"}
