"""Schemas made to explode: all that is done with them ends within its bounds (a test that hangs fails by its timeout)."""

from typing import Any

import pytest

from moothall.codegen.module import Function, Manifest, Provenance
from moothall.codegen.schemas.compatibility import fits
from moothall.codegen.schemas.mapping import Mapping, Unmapped, map_fields
from moothall.codegen.schemas.running import TOO_MUCH
from moothall.codegen.schemas.samples import samples, spoiled
from moothall.codegen.schemas.stubs import stubs_of
from moothall.codegen.schemas.validation import compiled
from moothall.codegen.task import CodingTask
from moothall.codegen.template_writer import TemplateWriter
from moothall.errors import InvalidInput

TEXT = {"type": "string"}


def chain(link: Any, levels: int = 40) -> dict[str, Any]:
    """Definitions of which each refers to the next several times."""
    return {
        "$ref": "#/$defs/d0",
        "$defs": {f"d{n}": link({"$ref": f"#/$defs/d{n + 1}"}) for n in range(levels)} | {f"d{levels}": TEXT},
    }


def wide(ref: dict[str, Any]) -> dict[str, Any]:
    return {"type": "object", "properties": {f"p{n}": ref for n in range(8)}, "required": [f"p{n}" for n in range(8)]}


def choice(n: int) -> dict[str, Any]:
    return {
        "type": "object",
        "properties": {"k": {"const": n}, f"v{n}": {"type": ["string", "integer"]}},
        "required": ["k"],
    }


FIFTY = {"type": "array", "minItems": 50}
HOSTILE = {
    "all of all of": chain(lambda ref: {"allOf": [ref] * 2}),
    "any of any of": chain(lambda ref: {"anyOf": [ref] * 8}),
    "one of one of": chain(lambda ref: {"oneOf": [ref, {"type": "object"}] * 4}),
    "not not": chain(lambda ref: {"not": ref}),
    "objects of objects": chain(wide),
    "endless tree": {"$ref": "#/$defs/n", "$defs": {"n": wide({"$ref": "#/$defs/n"}) | {"required": []}}},
    "many members": {
        "type": "object",
        "properties": {
            f"p{n}": {"type": "object", "properties": {f"q{m}": TEXT for m in range(12)}} for n in range(100)
        },
    },
    "many values": {"type": "object", "properties": {"a": {"enum": [f"v{n}" for n in range(5000)]}}},
    "lists of lists": {**FIFTY, "items": {**FIFTY, "items": {**FIFTY, "items": {"type": "integer"}}}},
    "many parts": {
        "type": "object",
        "allOf": [{"properties": {f"p{n}_{m}": TEXT for m in range(10)}} for n in range(50)],
    },
    "many choices": {"anyOf": [choice(n) for n in range(300)]},
    "a pattern of patterns": {"allOf": [{"type": "string", "pattern": f"((a|b{n})*c?)*$"} for n in range(60)]},
}


@pytest.mark.parametrize(
    "pattern", [".*.{4000}b$", "[^a]{4000}b", r"\p{L}{200}", r"(\p{L}|\p{N}){2000}", "(a{100}){200}"]
)
def test_a_pattern_that_outgrows_its_engine_is_refused(pattern: str) -> None:
    with pytest.raises(InvalidInput):
        compiled({"type": "string", "pattern": pattern})


@pytest.mark.parametrize("schema", [{"pattern": ".*.{1000}b$"}, {"patternProperties": {".*.{1000}b$": True}}])
def test_a_long_text_is_not_compared_with_a_heavy_pattern(schema: dict[str, Any]) -> None:
    text = "é" * 500_000
    assert compiled(schema).problems({text: 1} if "patternProperties" in schema else text) == [TOO_MUCH]


def test_exact_arithmetic_with_long_numbers_is_counted() -> None:
    units = [{"multipleOf": 1e-300 * n} for n in range(1, 200)]
    assert compiled({"items": {"allOf": units}}).problems([1 << 13_000] * 1_000, 1_000_000)[-1] == TOO_MUCH
    assert compiled({"items": {"multipleOf": 0.01}}).accepts([1.23, 4, -0.5] * 8_000)


@pytest.mark.parametrize(
    "part",
    [
        {"allOf": [True] * 10_000},
        {"not": {"anyOf": [False] * 10_000}},
        {"dependentRequired": {f"p{n}": [] for n in range(3_000)}},
        {"dependentSchemas": {f"p{n}": True for n in range(3_000)}},
    ],
    ids=["all of", "any of", "dependent names", "dependent schemas"],
)
def test_parts_that_say_nothing_are_counted_as_well(part: dict[str, Any]) -> None:
    assert compiled({"items": part}).problems([{}] * 20_000) == [TOO_MUCH]


def test_the_patterns_of_a_schema_are_bounded_together() -> None:
    heavy = [{"pattern": f"^.{{{n}}}$"} for n in range(900, 910)]
    assert compiled({"anyOf": heavy[:2]}).accepts("x" * 901)
    with pytest.raises(InvalidInput):
        compiled({"anyOf": heavy})


@pytest.mark.parametrize("name", HOSTILE)
async def test_whatever_is_asked_of_a_hostile_schema_ends(name: str) -> None:
    schema = HOSTILE[name]
    other = {**schema, "title": "other", "minProperties": 1}
    checked = compiled(schema)
    found = samples(schema, 12)
    assert all(checked.accepts(value) for value in found)
    assert not any(checked.accepts(value) for value in spoiled(schema, found[0])[:3]) if found else True
    assert fits(schema, other).verdict in {"yes", "no", "unknown"}
    assert isinstance(map_fields(schema, other), Mapping | Unmapped)
    build = Function(
        name="build", parameters={"type": "object", "properties": {"a": TEXT}, "required": ["a"]}, returns=schema
    )
    manifest = Manifest(kind="requester", name="n", functions=(build,), provenance=Provenance(writer="template"))
    assert len(stubs_of(manifest)) < 200_000
    await TemplateWriter().write(CodingTask(kind="requester", name="n", functions=(build,), instruction="map"))
