"""Whole numbers are numbers inside this process, however they travel."""

from __future__ import annotations

from pathlib import Path

import pytest

from moothall import Agent, capability
from moothall.capability.decorators import llm_generated
from moothall.codegen.services.exact import exact
from tests.codegen.services.hall import Passing, Smith, forged

LARGE = 2**80 + 1


@llm_generated(prompt="The next number")
@capability(source="llm", expose_to="both")
async def following(value: int) -> int:
    """The next number."""


@capability
def largest() -> int:
    """A number that no double can hold."""
    return LARGE


def test_schemas_lose_what_is_about_travelling_and_nothing_else() -> None:
    traveling = {"type": ["integer", "string"], "pattern": r"^-?\d+$", "x-moothall-int": "decimal-string"}
    schema = {
        "type": "object",
        "properties": {"a": traveling, "b": {"type": "string", "pattern": "x"}},
        "required": ["a"],
    }
    assert exact(schema) == {
        "type": "object",
        "properties": {"a": {"type": "integer"}, "b": {"type": "string", "pattern": "x"}},
        "required": ["a"],
    }
    assert exact({"anyOf": [traveling, {"type": "null"}]}) == {"anyOf": [{"type": "integer"}, {"type": "null"}]}


@pytest.mark.requirement("GEN-02")
async def test_generated_code_gets_and_gives_numbers_of_any_size(tmp_path: Path) -> None:
    smith = Smith(
        "", ["def following(value: int) -> int:\n    return value + 1\n"], lambda said: (said["value"] + 1, [])
    )
    async with forged(tmp_path, Agent("maths", following), llm=smith.llm(), judge=Passing()) as site:
        assert await site.call("local:maths.following", value=LARGE) == LARGE + 1
        shown = await site.call("local:node.services.show", service="maths.following")
        assert shown.module["manifest"]["functions"][0]["returns"] == {"type": "integer"}


async def test_what_a_service_calls_gives_numbers_of_any_size(tmp_path: Path) -> None:
    code = "def above() -> int:\n    return call('local:maths.largest', {}) + 1\n"
    async with forged(tmp_path, Agent("maths", largest), judge=Passing()) as site:
        await site.registered(code, may_call=["local:maths.largest"])
        assert await site.call("local:forge.above") == LARGE + 1
