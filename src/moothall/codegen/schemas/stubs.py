"""Type declarations of what a generated module is given and gives, which its annotations name. Pure.

They are only read by the type checker. What is made of a stranger's schema is looked at again before it is handed on:
nothing but classes of annotated members and aliases.
"""

from __future__ import annotations

import ast
import json
from collections.abc import Iterable, Sequence
from functools import lru_cache
from threading import Lock
from typing import Final

from moothall.canonical import canonical
from moothall.codegen.module import Function, Manifest
from moothall.codegen.schemas.admission import JsonObject
from moothall.codegen.schemas.typing_schema import Bundle
from moothall.codegen.schemas.validation import compiled
from moothall.codegen.task import Callee

TypeNames = dict[str, tuple[dict[str, str], str]]
"""Of each function: the type of each parameter, and of what it returns."""

_RETURNS: Final = {"build": "Request", "parse": "Result", "handle": "Response", "callback": "Response"}
_TAKEN: Final = frozenset("Any Literal TypedDict NotRequired TypeAlias Mapping Model None True False".split())
_HEADER: Final = (
    "from __future__ import annotations\n\n"
    "from collections.abc import Mapping as Mapping\n"
    "from typing import Any as Any, Literal as Literal, NotRequired as NotRequired, TypeAlias as TypeAlias\n"
    "from typing import TypedDict as TypedDict, overload as overload\n\n"
)


def type_names(functions: Sequence[Function]) -> TypeNames:
    """What the types are called in stubs of these functions, such as ``Request``, ``Arguments`` and ``Result``.

    A name that is wanted twice for different schemas gets the function's name before it.
    """
    return _Names(functions).found


def stubs_of(manifest: Manifest, callees: Iterable[Callee] = ()) -> str:
    """Stubs for a module: its types, and ``call`` with the type of what each callee returns.

    Without callees there is no ``call``; a target of ``manifest.may_call`` that is none of them returns `Any`.

    Raises:
        InvalidInput: a schema is refused.
    """
    names = _Names(manifest.functions)
    reached = {callee.target: callee.returns for callee in callees}
    reached |= {name: {} for name in manifest.may_call if name not in reached}
    replies = {f"Reply{place}": schema for place, schema in enumerate(reached.values(), 1)}
    types = {**names.schemas, **{name: (schema, schema) for name, schema in replies.items()}}
    calls = [
        f"def call(target: Literal[{json.dumps(name)}], parameters: Mapping[str, Any]) -> {reply}: ...\n"
        for name, reply in zip(reached, replies, strict=True)
    ]
    if len(calls) > 1:
        calls = [f"@overload\n{line}" for line in calls]
        calls.append("def call(target: str, parameters: Mapping[str, Any]) -> Any: ...\n")
    return _HEADER + _declared(types) + "\n" + "\n".join(calls)


class _Names:
    """The names of the types of some functions, with the schema of each and the document that it is part of."""

    def __init__(self, functions: Sequence[Function]) -> None:
        self.schemas: dict[str, tuple[object, JsonObject]] = {}
        self.found: TypeNames = {each.name: (self._parameters(each), self._returns(each)) for each in functions}

    def _parameters(self, function: Function) -> dict[str, str]:
        members = function.parameters.get("properties", {})
        return {
            name: self._named(_camel(name), function, schema, function.parameters)
            for name, schema in members.items()
            if name.isascii() and name.isidentifier()
        }

    def _returns(self, function: Function) -> str:
        name = _RETURNS.get(function.name, f"{_camel(function.name)}Result")
        return self._named(name, function, function.returns, function.returns)

    def _named(self, name: str, function: Function, schema: object, root: JsonObject) -> str:
        mine = _form(schema, root)
        for candidate in (name, f"{_camel(function.name)}{name}", f"{_camel(function.name)}{name}Value"):
            if candidate in _TAKEN:
                continue
            if candidate not in self.schemas or _form(*self.schemas[candidate]) == mine:
                self.schemas.setdefault(candidate, (schema, root))
                return candidate
        return "Any"


def _form(schema: object, root: JsonObject) -> bytes:
    """What tells two schemas apart; one that refers to its document is told apart by that as well."""
    text = canonical(schema)
    return text + canonical(root) if b"$ref" in text else text


def _camel(name: str) -> str:
    return "".join(part[:1].upper() + part[1:] for part in name.split("_") if part) or "Value"


def _declared(types: dict[str, tuple[object, JsonObject]]) -> str:
    bundle = Bundle(types)
    for name, (schema, root) in types.items():
        checked = compiled(root)
        bundle.add(name, schema if isinstance(schema, dict) else {}, checked.document, checked.digest)
    return _generated(json.dumps({"$defs": bundle.defs}, sort_keys=False), tuple(types))


_generating: Final = Lock()
"""One at a time: the generator says nothing of threads."""


@lru_cache(maxsize=128)
def _generated(document: str, wanted: tuple[str, ...]) -> str:
    """The declarations for a bundle; a type that came out as anything else is `Any`."""
    from datamodel_code_generator import generate  # noqa: PLC0415 - half a second
    from datamodel_code_generator.enums import DataModelType, InputFileType  # noqa: PLC0415 - as above
    from datamodel_code_generator.format import PythonVersion  # noqa: PLC0415 - as above
    from datamodel_code_generator.parser import LiteralType  # noqa: PLC0415 - as above

    with _generating:
        made = generate(
            document,
            input_file_type=InputFileType.JsonSchema,
            output_model_type=DataModelType.TypingTypedDict,
            target_python_version=PythonVersion.PY_311,
            enum_field_as_literal=LiteralType.All,
            use_standard_collections=True,
            use_union_operator=True,
            disable_timestamp=True,
            formatters=[],
        )
    kept = [node for node in ast.parse(str(made)).body if _declares(node)]
    defined = {name for node in kept for name in _defines(node)}
    lines = [ast.unparse(node) for node in kept if _defines(node) != ["Model"]]
    lines += [f"{name}: TypeAlias = Any" for name in wanted if name not in defined]
    return "\n".join(lines) + "\n"


def _defines(node: ast.stmt) -> list[str]:
    if isinstance(node, ast.ClassDef):
        return [node.name]
    targets = node.targets if isinstance(node, ast.Assign) else [node.target] if isinstance(node, ast.AnnAssign) else []
    return [each.id for each in targets if isinstance(each, ast.Name)]


_IN_TYPES: Final = (
    ast.Name, ast.Load, ast.Constant, ast.Subscript, ast.Tuple, ast.BinOp, ast.BitOr, ast.UnaryOp, ast.USub,
)  # fmt: skip


def _is_type(node: ast.expr | None) -> bool:
    return node is not None and all(isinstance(each, _IN_TYPES) for each in ast.walk(node))


def _declares(node: ast.stmt) -> bool:
    """Whether a statement only declares a type."""
    if isinstance(node, ast.AnnAssign):
        return isinstance(node.target, ast.Name) and _is_type(node.annotation) and _is_type(node.value)
    if isinstance(node, ast.Assign):
        call = node.value
        named = isinstance(call, ast.Call) and isinstance(call.func, ast.Name) and call.func.id == "TypedDict"
        return named and isinstance(call, ast.Call) and not call.keywords and all(map(_is_member_list, call.args))
    if not isinstance(node, ast.ClassDef) or [ast.unparse(base) for base in node.bases] != ["TypedDict"]:
        return False
    members = [each for each in node.body if not isinstance(each, ast.Pass)]
    return (
        not node.keywords
        and not node.decorator_list
        and all(
            isinstance(each, ast.AnnAssign) and each.value is None and _is_type(each.annotation) for each in members
        )
    )


def _is_member_list(node: ast.expr) -> bool:
    if isinstance(node, ast.Dict):
        return all(isinstance(key, ast.Constant) for key in node.keys) and all(map(_is_type, node.values))
    return isinstance(node, ast.Constant)
