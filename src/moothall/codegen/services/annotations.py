"""The types that a generated service may name, as JSON Schema and as Python's own; read as a tree, never evaluated."""

from __future__ import annotations

import ast
import operator
from collections.abc import Sequence
from functools import reduce
from types import GenericAlias
from typing import Annotated, Any, Final, Literal

from pydantic import AfterValidator, WithJsonSchema
from pydantic_core import PydanticCustomError

from moothall.codegen.module import JsonObject
from moothall.codegen.schemas.validation import compiled

_PLAIN: Final = {
    "str": {"type": "string"},
    "int": {"type": "integer"},
    "float": {"type": "number"},
    "bool": {"type": "boolean"},
    "list": {"type": "array"},
    "dict": {"type": "object"},
    "Any": {},
    "object": {},
}
_TYPES: Final = {
    "string": str,
    "integer": int,
    "number": float,
    "boolean": bool,
    "array": list,
    "object": dict,
}
_DEEPEST: Final = 8


class Unreadable(Exception):
    """An annotation that is none of those that are allowed; ``where`` is its line."""

    def __init__(self, why: str, where: int) -> None:
        super().__init__(why)
        self.where = where


def schema_of(node: ast.expr, depth: int = 0) -> JsonObject:
    """The JSON Schema of an annotation, such as ``str``, ``list[int]``, ``dict[str, float] | None``, ``Literal["a"]``.

    Raises:
        Unreadable: it is anything else.
    """
    if depth > _DEEPEST:
        raise Unreadable("the type is nested too deeply", node.lineno)
    match node:
        case ast.Name(id=name) if name in _PLAIN:
            return dict(_PLAIN[name])
        case ast.Constant(value=None):
            return {"type": "null"}
        case ast.BinOp(op=ast.BitOr()):
            return _any_of(_united(node), depth)
        case ast.Subscript(value=ast.Name(id=name), slice=inner):
            return _generic(name, inner, depth)
    raise _not_allowed(node)


def _generic(name: str, inner: ast.expr, depth: int) -> JsonObject:
    match name, inner:
        case "Optional", _:
            return _any_of([inner, ast.Constant(None, lineno=inner.lineno)], depth)
        case "Union", ast.Tuple(elts=several):
            return _any_of(several, depth)
        case "list", _:
            return {"type": "array", "items": schema_of(inner, depth + 1)}
        case "dict", ast.Tuple(elts=[ast.Name(id="str"), value]):
            return {"type": "object", "additionalProperties": schema_of(value, depth + 1)}
        case "Literal", _:
            return {"enum": _constants(inner)}
    raise _not_allowed(inner)


def _any_of(members: Sequence[ast.expr], depth: int) -> JsonObject:
    return {"anyOf": [schema_of(each, depth + 1) for each in members]}


def _not_allowed(node: ast.expr) -> Unreadable:
    allowed = "str, int, float, bool, None, list[…], dict[str, …], Literal[…], … | …, Any"
    return Unreadable(f"the type {ast.unparse(node)[:100]!r} is not one of {allowed}", node.lineno)


def _united(node: ast.expr) -> list[ast.expr]:
    """The members of ``a | b | c``, from the left; not by recursion, for it may be long."""
    members: list[ast.expr] = []
    while isinstance(node, ast.BinOp) and isinstance(node.op, ast.BitOr):
        members.append(node.right)
        node = node.left
    return [node, *reversed(members)]


def _constants(node: ast.expr) -> list[Any]:
    several = node.elts if isinstance(node, ast.Tuple) else [node]
    values = [each.value for each in several if isinstance(each, ast.Constant)]
    if not values or len(values) < len(several) or not all(isinstance(value, str | int | None) for value in values):
        raise Unreadable("Literal[…] holds texts, whole numbers, True, False and None", node.lineno)
    return values


def type_of(schema: JsonObject) -> Any:  # noqa: ANN401 - a type
    """A Python type that takes what a schema allows, and says the same schema of itself.

    Raises:
        InvalidInput: the schema is none that is read here.
    """
    return _plain(schema, 0) or _checked(schema)


def _plain(schema: JsonObject, depth: int) -> Any:  # noqa: ANN401 - a type; None where there is no plain one
    if not schema:
        return Any
    keys = frozenset(schema) - {"description", "title", "default"}
    if depth > _DEEPEST or (keys != {"enum"} and not keys <= {"type", "items", "additionalProperties", "anyOf"}):
        return None
    if keys == {"enum"}:
        simple = all(isinstance(each, str | int | None) for each in schema["enum"])
        return Literal[tuple(schema["enum"])] if simple else None
    if keys == {"anyOf"}:
        return _either(schema["anyOf"], depth)
    return _simple(schema, keys, depth)


def _simple(schema: JsonObject, keys: frozenset[str], depth: int) -> Any:  # noqa: ANN401 - a type
    kind = schema.get("type")
    if keys == {"type"} and isinstance(kind, str):
        return _TYPES.get(kind)
    within = {"array": ("items", list), "object": ("additionalProperties", dict)}.get(str(kind))
    if within is None or keys != {"type", within[0]} or not isinstance(schema[within[0]], dict):
        return None
    inner = _plain(schema[within[0]], depth + 1)
    if inner is None:
        return None
    return GenericAlias(list, (inner,)) if within[1] is list else GenericAlias(dict, (str, inner))


def _either(members: Sequence[JsonObject], depth: int) -> Any:  # noqa: ANN401 - a type
    nulls = [each for each in members if each == {"type": "null"}]
    plain = [_plain(each, depth + 1) for each in members if each not in nulls]
    if not plain or any(each is None for each in plain):
        return None
    return reduce(operator.or_, [*plain, *([None] if nulls else [])])


def _checked(schema: JsonObject) -> Any:  # noqa: ANN401 - a type
    """Anything that the schema allows."""
    holds = compiled(schema)

    def check(value: Any) -> Any:  # noqa: ANN401
        problems = holds.problems(value, 1)
        if problems:
            raise PydanticCustomError("schema", "{problem}", {"problem": problems[0]})
        return value

    return Annotated[Any, AfterValidator(check), WithJsonSchema(schema)]
