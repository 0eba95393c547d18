"""Whether a task is done by mapping alone, and by which. Pure."""

from __future__ import annotations

import keyword
import re
from dataclasses import dataclass
from typing import Any, Final

from moothall.codegen.module import Function, JsonObject
from moothall.codegen.schemas.checks import Unwritable
from moothall.codegen.schemas.mapping import Mapping, Unmapped, map_parts
from moothall.codegen.schemas.naming import is_wrapper
from moothall.codegen.schemas.plan import Member, Members
from moothall.codegen.schemas.running import JsonValue
from moothall.codegen.schemas.shapes import Root, branches, kinds, shape
from moothall.codegen.schemas.validation import compiled
from moothall.codegen.task import Callee, CodingTask

GOOD: Final = 200
"""The code of a response that is good."""

_NAME: Final = re.compile(r"[a-z][a-z0-9_]{0,63}")
_OWN: Final = re.compile(r"(?:fits|made)_(?:\d+|any)")
_TAKEN: Final = frozenset("call given asked reply result held value each made name path re".split())


@dataclass(frozen=True, slots=True)
class Written:
    """How a function is written.

    Attributes:
        function: of the task.
        single: its only parameter, whose value is mapped; empty: all of them, as one object.
        gives: the mapping to what it returns, of the reply or of what it is given.
        result: the schema that this gives a value of: the one of what it returns, or one of its choices.
        callee: what it calls.
        asks: the mapping to that one's parameters.
        wants_good: whether a response that is not good is an error.
    """

    function: Function
    single: str
    gives: Mapping
    result: object
    callee: Callee | None = None
    asks: Mapping | None = None
    wants_good: bool = False

    @property
    def asks_total(self) -> bool:
        """Whether what it calls is always called with what fits."""
        return self.asks is None or self.asks.total

    def given(self, arguments: JsonObject) -> JsonValue:
        """What is mapped of some arguments."""
        return arguments[self.single] if self.single else arguments


def planned(task: CodingTask, function: Function) -> Written:
    """How a function of a task is written.

    Raises:
        Unwritable: not by mapping.
        InvalidInput: a schema is refused.
    """
    parameters = compiled(function.parameters).document
    compiled(function.returns)
    single = _single(function)
    node = function.parameters["properties"][single] if single else parameters
    if task.callees:
        return _relayed(task, function, single, parameters, node)
    if task.kind != "requester":
        raise Unwritable  # what it gives has to come from somewhere
    wants_good = function.name == "parse" and _is_response(node, parameters)
    found, result = _to_result(parameters, node, function.returns, wants_code=False)
    return Written(function, single, found, result, wants_good=wants_good)


def _single(function: Function) -> str:
    """The only parameter; empty where there are several. Raises Unwritable."""
    names = list(function.parameters.get("properties", {}))
    needed = function.parameters.get("required", [])
    if set(names) != set(needed) or not all(map(_usable, [*names, function.name])):
        raise Unwritable
    return names[0] if len(names) == 1 else ""


def _usable(name: str) -> bool:
    taken = name in _TAKEN or keyword.iskeyword(name) or _OWN.fullmatch(name)
    return bool(_NAME.fullmatch(name)) and not taken and "__" not in name


def _relayed(task: CodingTask, function: Function, single: str, root: Root, node: Any) -> Written:  # noqa: ANN401 - a schema
    """By way of the first callee that takes and gives what can be mapped."""
    for callee in task.callees:
        asks = _to_parameters(root, node, callee)
        if asks is None:
            continue
        returns = compiled(callee.returns).document
        try:
            gives, result = _to_result(returns, returns, function.returns, wants_code=True)
        except Unwritable:
            continue
        return Written(function, single, gives, result, callee, asks)
    raise Unwritable


def _to_parameters(root: Root, node: object, callee: Callee) -> Mapping | None:
    target = compiled(callee.parameters).document
    if not isinstance(target, dict):
        return None
    members = target.get("properties", {})
    if len(members) == 1 and target.get("required") == list(members) and is_wrapper(next(iter(members))):
        (name, inner), *_ = members.items()
        if isinstance(found := map_parts(root, node, target, inner), Mapping):
            plan = Members((Member(name, (), found.plan),))
            return Mapping(plan, found.total)
    found = map_parts(root, node, target, target)
    return found if isinstance(found, Mapping) and (_moves(found) or not members) else None


def _to_result(source: Root, node: object, returns: dict[str, Any], *, wants_code: bool) -> tuple[Mapping, object]:
    """The mapping to what a function returns, and the schema that it leads to. Raises Unwritable."""
    target = compiled(returns).document
    given = shape(node, source)
    coded = wants_code and "code" not in given.get("properties", {})
    for wanted in (target, *branches(shape(target, target))):
        inner = shape(wanted, target)
        code = {"code": GOOD} if coded and "code" in inner.get("properties", {}) else None
        found = map_parts(source, node, target, wanted, code)
        if isinstance(found, Unmapped):
            continue
        if _moves(found) or not inner.get("properties"):
            return found, wanted
    raise Unwritable


def _moves(found: Mapping) -> bool:
    """Whether anything but constants gets there."""
    return any(move.conversion != "constant" for move in found.moves)


def _is_response(node: object, root: Root) -> bool:
    given = shape(node, root)
    code = given.get("properties", {}).get("code")
    return code is not None and "code" in given.get("required", ()) and kinds(shape(code, root)) <= {"integer"}
