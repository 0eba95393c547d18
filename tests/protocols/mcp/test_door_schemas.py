"""Schemas that strict clients take: an object at the root, nothing to look up elsewhere, and true of the values."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any, Literal

import jsonschema
import pytest
from pydantic import BaseModel

from moothall.capability.decorators import capability
from tests.protocols.mcp.hall import Hall, hall


class Leaf(BaseModel):
    name: str


class Pair(BaseModel):
    left: Leaf
    right: Leaf | None = None


class Tree(BaseModel):
    name: str
    children: list[Tree] = []


class Cat(BaseModel):
    kind: Literal["cat"]


class Dog(BaseModel):
    kind: Literal["dog"]
    discriminator: str = "x"


class Wide(BaseModel):
    """So many members, again and again, that writing all of them out would never end."""

    a: dict[str, Pair] = {}
    b: dict[str, Pair] = {}


@capability(access="public")
async def pair(pair: Pair) -> Pair:
    return pair


@capability(access="public")
async def pairs(pairs: list[Pair]) -> list[Pair]:
    return pairs


@capability(access="public")
async def tree(tree: Tree) -> Tree:
    return tree


@capability(access="public")
async def pet(pets: list[Cat | Dog]) -> dict[str, Cat | Dog]:
    return {each.kind: each for each in pets}


@capability(access="public")
async def wide(wide: Wide) -> Wide | None:
    return wide


@capability(access="public")
async def free(value: Any) -> Any:
    return value


@capability(access="public")
async def silent():  # type: ignore[no-untyped-def]  # noqa: ANN201 - nothing is declared
    return {"a": 1}


@capability(access="public")
async def branches(to: int) -> AsyncIterator[Tree]:
    for number in range(to):
        yield Tree(name=str(number), children=[Tree(name="leaf")])


CALLS: dict[str, dict[str, Any]] = {
    "pair": {"pair": {"left": {"name": "a"}}},
    "pairs": {"pairs": [{"left": {"name": "a"}, "right": {"name": "b"}}]},
    "tree": {"tree": {"name": "a", "children": [{"name": "b", "children": []}]}},
    "pet": {"pets": [{"kind": "cat"}, {"kind": "dog"}]},
    "wide": {"wide": {"a": {"x": {"left": {"name": "a"}}}}},
    "free": {"value": [1, {"a": None}]},
    "silent": {},
    "branches": {"to": 2},
}


def references(node: Any) -> set[str]:
    if isinstance(node, list):
        return {found for item in node for found in references(item)}
    if not isinstance(node, dict):
        return set()
    own = {node["$ref"]} if isinstance(node.get("$ref"), str) else set()
    return own | {found for value in node.values() for found in references(value)}


async def tools(door: Hall) -> dict[str, dict[str, Any]]:
    return {tool["name"]: tool for tool in (await door.modern("tools/list")).json()["result"]["tools"]}


@pytest.fixture
async def door() -> AsyncIterator[Hall]:
    async with hall(pair, pairs, tree, pet, wide, free, silent, branches) as opened:
        yield opened


async def test_schemas_are_objects_and_say_everything_themselves(door: Hall) -> None:
    for name, tool in (await tools(door)).items():
        for schema in filter(None, (tool["inputSchema"], tool.get("outputSchema"))):
            jsonschema.Draft202012Validator.check_schema(schema)
            assert schema["type"] == "object"
            assert "$ref" not in schema
            known = {f"#/$defs/{key}" for key in schema.get("$defs", {})}
            assert references(schema) <= known
            assert bool(known) is (
                name in {"tree", "branches"} and (name != "branches" or schema is tool["outputSchema"])
            )


async def test_values_fit_the_schemas_that_are_told(door: Hall) -> None:
    for name, tool in (await tools(door)).items():
        jsonschema.validate(CALLS[name], tool["inputSchema"])
        result = (await door.call(name, CALLS[name]))["result"]
        assert "isError" not in result or result["isError"] is False
        if "outputSchema" in tool:
            jsonschema.validate(result["structuredContent"], tool["outputSchema"])
    assert (await door.call("silent"))["result"]["structuredContent"] == {"a": 1}
