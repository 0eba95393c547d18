"""Values and schemas as they are inside this process: whole numbers of any size are numbers, never texts. Pure.

Where they travel, those beyond 2^53 are texts of digits, and the schemas of capabilities say so; generated code gets
and gives what the capabilities themselves do.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydantic_core import to_jsonable_python

from moothall.capability.entry import Arguments
from moothall.capability.jsonschema import DECIMAL, MARK
from moothall.codegen.module import JsonObject


def exact(schema: Any) -> Any:  # noqa: ANN401 - JSON of any shape
    """A schema without what is about travelling."""
    if isinstance(schema, Mapping):
        made = {key: exact(value) for key, value in schema.items() if key != MARK}
        if schema.get(MARK) == DECIMAL:
            made["type"] = "integer"
            made.pop("pattern", None)
        return made
    return [exact(each) for each in schema] if isinstance(schema, list | tuple) else schema


def exact_arguments(wire: JsonObject, arguments: Arguments) -> JsonObject:
    """Arguments as they were validated, where they have the names that they travel under."""
    named = arguments.named
    return {name: to_jsonable_python(named[name]) if name in named else value for name, value in wire.items()}
