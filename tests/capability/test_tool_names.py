"""The names and schemas under which language models see capabilities."""

from __future__ import annotations

import json
import re
from typing import Any, Literal, cast

import jsonschema
import pytest
from pydantic import BaseModel

from moothall import Agent
from moothall.capability.context import CallContext
from moothall.capability.decorators import capability
from moothall.capability.function_schemas import FORMATS, Format
from moothall.capability.registry import Registry
from moothall.capability.snapshot import Snapshot
from moothall.capability.spec import JsonObject
from moothall.capability.tool_names import ToolNames, tool_names

PATTERN = re.compile(r"[a-zA-Z0-9_-]{1,64}")


class Tree(BaseModel):
    """A model that contains itself."""

    value: int
    branches: list[Tree] = []


def named(name: str) -> Any:
    @capability(name=name)
    def function(count: int, tree: Tree | None = None, mode: Literal["a", "b"] = "a") -> int:
        """Count something.

        Args:
            count: how many
        """
        return count

    return function


def hall() -> Snapshot:
    registry = Registry()
    Agent(
        "node",
        named("plain"),
        named("with.dots"),
        named("lone.dot"),
        named("with_dots"),
        named("天气"),
        named("weather_get"),
        named("x" * 80),
    ).join(registry)
    Agent("weather", named("get"), named("预报"), named("plain")).join(registry)
    Agent("a_b", named("c")).join(registry)
    Agent("a", named("b_c")).join(registry)
    return registry.snapshot


@pytest.mark.requirement("DEC-39")
def test_every_name_fits_what_models_take_and_means_one_capability() -> None:
    snapshot = hall()
    names = tool_names(snapshot)
    assert [name for name in names if not PATTERN.fullmatch(name)] == []
    assert {entry.id for entry in names.values()} == {entry.id for entry in snapshot.newest}


def test_a_name_is_its_own_where_nothing_speaks_against_it() -> None:
    names = tool_names(hall())
    assert names["plain"].id == "node.plain"
    assert names["weather_plain"].id == "weather.plain"
    assert names["lone_dot"].id == "node.lone.dot"
    assert names["with_dots"].id == "node.with_dots"
    assert names["weather_get"].id == "node.weather_get", "the default agent's name stands before what is put together"


def test_what_would_have_the_name_of_another_gets_an_end() -> None:
    names = {entry.id: name for name, entry in tool_names(hall()).items()}
    assert re.fullmatch(r"weather_get_[0-9a-f]{8}", names["weather.get"])
    assert re.fullmatch(r"a_b_c_[0-9a-f]{8}", names["a.b_c"])
    assert names["a.b_c"] != names["a_b.c"]
    assert re.fullmatch(r"with_dots_[0-9a-f]{8}", names["node.with.dots"])
    assert re.fullmatch(r"___[0-9a-f]{8}", names["node.天气"])


def test_a_capability_is_found_by_its_name_and_by_its_id() -> None:
    snapshot = hall()
    names = ToolNames(snapshot)
    for entry in snapshot.newest:
        assert names.find(names.of(entry)) is entry
        assert names.find(entry.id) is entry
    assert names.find("nobody") is None


def lint(name: str, description: str, schema: JsonObject) -> None:
    """What providers refuse in a tool."""
    assert PATTERN.fullmatch(name)
    assert description
    jsonschema.Draft202012Validator.check_schema(schema)
    assert schema["type"] == "object"
    assert "$ref" not in schema
    assert not {"anyOf", "oneOf", "allOf", "not", "enum"} & schema.keys(), "the root must be a plain object"
    assert set(schema.get("required", [])) <= set(schema["properties"])
    assert "x-moothall" not in str(schema)


@pytest.mark.requirement("DEC-39")
@pytest.mark.parametrize("format_", FORMATS)
def test_the_list_of_a_provider_passes_its_linter(format_: Format) -> None:
    snapshot = hall()
    tools = FORMATS[format_](snapshot.newest, ToolNames(snapshot))
    assert len(tools) == len(snapshot.newest)
    for tool in tools:
        if format_ == "openai":
            assert tool.keys() == {"type", "function"}
            assert tool["type"] == "function"
            assert tool["function"].keys() == {"name", "description", "parameters"}
            lint(*tool["function"].values())
        elif format_ == "anthropic":
            assert tool.keys() == {"name", "description", "input_schema"}
            lint(*tool.values())
        elif format_ == "mcp":
            assert tool.keys() == {"name", "description", "inputSchema", "annotations"}
            lint(tool["name"], tool["description"], tool["inputSchema"])
        else:
            shown = {"id", "name", "description", "tags", "examples", "inputModes", "outputModes"}
            assert tool.keys() == shown
            assert PATTERN.fullmatch(tool["id"])
            assert json.loads(tool["examples"][0])["skill"] == tool["id"]


def test_a_function_without_arguments_has_properties_all_the_same() -> None:
    @capability
    def now() -> str:
        """Tell the time."""
        return "now"

    registry = Registry()
    Agent("node", now).join(registry)
    (tool,) = FORMATS["openai"](registry.snapshot.newest, ToolNames(registry.snapshot))
    lint(*tool["function"].values())


def test_a_deprecated_capability_says_so() -> None:
    registry = Registry()
    Agent("node", named("plain")).join(registry)
    registry.deprecate("node.plain")
    (tool,) = FORMATS["anthropic"](registry.snapshot.newest, ToolNames(registry.snapshot))
    assert tool["description"] == "Count something. (deprecated)"


def choice_of(form: Format, tools: list[Any], wanted: str) -> tuple[str, dict[str, Any]]:
    """What a scripted model answers in the form of its provider: the tool whose description has the words."""
    match form:
        case "openai":
            chosen = next(tool["function"] for tool in tools if wanted in tool["function"]["description"])
            call = {"function": {"name": chosen["name"], "arguments": json.dumps({"n": 3})}}
            return call["function"]["name"], json.loads(call["function"]["arguments"])
        case "anthropic":
            chosen = next(tool for tool in tools if wanted in tool["description"])
            block = {"type": "tool_use", "name": chosen["name"], "input": {"n": 3}}
            return str(block["name"]), dict(block["input"])
        case "mcp":
            chosen = next(tool for tool in tools if wanted in tool["description"])
            request = {"method": "tools/call", "params": {"name": chosen["name"], "arguments": {"n": 3}}}
            return request["params"]["name"], request["params"]["arguments"]
        case "a2a":
            chosen = next(skill for skill in tools if wanted in skill["description"])
            data = json.loads(chosen["examples"][0]) | {"arguments": {"n": 3}}
            return data["skill"], data["arguments"]


@pytest.mark.requirement("LLM-09")
@pytest.mark.parametrize("form", FORMATS)
async def test_a_model_that_reads_a_form_calls_the_right_function(form: Format) -> None:
    @capability(name="math.double", description="Twice as much")
    def double(n: int) -> int:
        return 2 * n

    @capability(description="Three times as much")
    def triple(n: int) -> int:
        return 3 * n

    registry = Registry()
    Agent("node", triple).join(registry)
    Agent("sums", double).join(registry)
    names = ToolNames(registry.snapshot)
    tools = FORMATS[form](registry.snapshot.newest, names)
    for wanted, result in (("Twice", 6), ("Three times", 9)):
        name, arguments = choice_of(form, tools, wanted)
        entry = names.find(name)
        assert entry is not None
        assert await entry.invoke(entry.bind(arguments), cast("CallContext", None)) == result
