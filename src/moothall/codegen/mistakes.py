"""The mistakes that are put into sources: those that codecs have, each as a change of their syntax tree. Pure.

Off by one, fields, keys or variables swapped or dropped, errors swallowed, conditions negated, constants changed, calls
left out. Texts of errors are left alone, since nobody may depend on them.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

DROPPED: Final = "result dropped"

_COMPARED: Final[dict[type[ast.cmpop], tuple[type[ast.cmpop], ...]]] = {
    ast.Lt: (ast.LtE, ast.Gt),
    ast.LtE: (ast.Lt, ast.GtE),
    ast.Gt: (ast.GtE, ast.Lt),
    ast.GtE: (ast.Gt, ast.LtE),
    ast.Eq: (ast.NotEq,),
    ast.NotEq: (ast.Eq,),
    ast.In: (ast.NotIn,),
    ast.NotIn: (ast.In,),
    ast.Is: (ast.IsNot,),
    ast.IsNot: (ast.Is,),
}
_COUNTED: Final[dict[type[ast.operator], type[ast.operator]]] = {
    ast.Add: ast.Sub,
    ast.Sub: ast.Add,
    ast.Mult: ast.Div,
    ast.Div: ast.Mult,
    ast.FloorDiv: ast.Div,
    ast.Mod: ast.Mult,
    ast.Pow: ast.Mult,
}
_OTHER_NAMES: Final = {
    "min": "max",
    "max": "min",
    "lower": "upper",
    "upper": "lower",
    "any": "all",
    "all": "any",
    "startswith": "endswith",
    "endswith": "startswith",
    "floor": "ceil",
    "ceil": "floor",
}


_LONG: Final = 64
"""Places of one list that mistakes are made at."""


@dataclass(frozen=True, slots=True)
class Edit:
    """A mistake that is made by setting attributes of nodes, in the statement at that place of the source's top."""

    mistake: str
    line: int
    changes: tuple[tuple[ast.AST, str, Any], ...]
    place: int = 0


def mistakes(tree: ast.Module) -> list[Edit]:
    """All mistakes that can be made, in the order of their lines."""
    keys = _keys(tree)
    found: list[Edit] = []
    for place, top in enumerate(tree.body):
        nodes = [] if _is_docstring(top) else list(_walk(top))
        made = [edit for node in nodes for make in _MAKERS for edit in make(node)]
        made += [edit for node in nodes for edit in _texts(node, keys)]
        made += [edit for node in nodes if isinstance(node, ast.FunctionDef) for edit in _variables(node)]
        found += [replace(edit, place=place) for edit in made]
    for place, edit in [(place, edit) for edit in _statements(tree) for place in range(len(tree.body))]:
        if edit.changes[0][2][place] is not tree.body[place]:
            found.append(replace(edit, place=place))
    return sorted(found, key=lambda edit: edit.line)


def _walk(node: ast.AST) -> Iterator[ast.AST]:
    """The nodes that run and whose effect counts: no annotations, docstrings or texts of errors."""
    yield node
    if isinstance(node, ast.Raise):
        return
    left_out = {"annotation", "returns", "type_params", "decorator_list"}
    for name, value in ast.iter_fields(node):
        if name in left_out:
            continue
        for child in value if isinstance(value, list) else [value]:
            if isinstance(child, ast.AST) and not _is_docstring(child):
                yield from _walk(child)


def _is_docstring(node: ast.AST) -> bool:
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str)


def _edit(mistake: str, node: ast.AST, name: str, value: object) -> Edit:
    return Edit(mistake, getattr(node, "lineno", 0), ((node, name, value),))


def _places(count: int) -> Sequence[int]:
    """The places of a list at which something is changed: of a long one some, since each mistake holds it anew."""
    return range(count) if count <= _LONG else [place * count // _LONG for place in range(_LONG)]


def _conditions(node: ast.AST) -> Iterator[Edit]:
    if isinstance(node, ast.If | ast.While | ast.IfExp | ast.Assert):
        yield _edit("condition negated", node, "test", ast.UnaryOp(ast.Not(), node.test))
    if isinstance(node, ast.comprehension) and node.ifs:
        yield Edit("condition dropped", node.ifs[0].lineno, ((node, "ifs", node.ifs[1:]),))
    if isinstance(node, ast.BoolOp):
        yield _edit("and for or", node, "op", ast.Or() if isinstance(node.op, ast.And) else ast.And())
        for place in _places(len(node.values)):
            left = node.values[:place] + node.values[place + 1 :]
            if len(left) > 1:
                yield _edit("condition dropped", node, "values", left)


def _comparisons(node: ast.AST) -> Iterator[Edit]:
    if not isinstance(node, ast.Compare):
        return
    for place, operator in enumerate(node.ops):
        for other in _COMPARED[type(operator)]:
            ops = [*node.ops[:place], other(), *node.ops[place + 1 :]]
            yield _edit("other comparison", node, "ops", ops)


def _sums(node: ast.AST) -> Iterator[Edit]:
    if isinstance(node, ast.BinOp | ast.AugAssign) and type(node.op) in _COUNTED:
        yield _edit("other operator", node, "op", _COUNTED[type(node.op)]())
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub):
        yield _edit("sign dropped", node, "op", ast.UAdd())
    if isinstance(node, ast.Slice):
        for name in ("lower", "upper"):
            bound = getattr(node, name)
            if bound is not None and not isinstance(bound, ast.Constant):
                yield _edit("off by one", node, name, ast.BinOp(bound, ast.Add(), ast.Constant(1)))


def _numbers(node: ast.AST) -> Iterator[Edit]:
    if not isinstance(node, ast.Constant):
        return
    if isinstance(node.value, bool):
        yield _edit("other constant", node, "value", not node.value)
    elif isinstance(node.value, int | float):
        for step in (1, -1):
            yield _edit("off by one", node, "value", node.value + step)
    elif node.value is None:
        yield _edit("other constant", node, "value", 0)


def _keys(tree: ast.Module) -> tuple[str, ...]:
    """The texts of a source that look like names of fields."""
    texts = (node.value for node in _walk(tree) if isinstance(node, ast.Constant) and isinstance(node.value, str))
    return tuple(dict.fromkeys(texts))


def _texts(node: ast.AST, keys: tuple[str, ...]) -> Iterator[Edit]:
    if not isinstance(node, ast.Constant) or not isinstance(node.value, str):
        return
    if node.value in keys and len(keys) > 1:
        yield _edit("other field", node, "value", keys[(keys.index(node.value) + 1) % len(keys)])
    yield _edit("misspelt", node, "value", f"{node.value}_")


def _variables(function: ast.FunctionDef) -> Iterator[Edit]:
    """Another variable of the function in place of each."""
    taken = [each.arg for each in (*function.args.args, *function.args.kwonlyargs)]
    used = [node for each in function.body for node in _walk(each) if isinstance(node, ast.Name)]
    known = list(dict.fromkeys([*taken, *(node.id for node in used if isinstance(node.ctx, ast.Store))]))
    for node in used:
        if isinstance(node.ctx, ast.Load) and node.id in known and len(known) > 1:
            yield _edit("other variable", node, "id", known[(known.index(node.id) + 1) % len(known)])


def _objects(node: ast.AST) -> Iterator[Edit]:
    if isinstance(node, ast.Dict):
        for place in _places(len(node.keys)):
            keys, values = [*node.keys], [*node.values]
            del keys[place], values[place]
            line = getattr(node.keys[place], "lineno", node.lineno)
            yield Edit("key dropped", line, ((node, "keys", keys), (node, "values", values)))
        for place in _places(len(node.values) - 1):
            values = [*node.values]
            values[place], values[place + 1] = values[place + 1], values[place]
            yield _edit("values swapped", node, "values", values)
    if isinstance(node, ast.List | ast.Tuple) and isinstance(node.ctx, ast.Load):
        for place in _places(len(node.elts)):
            yield _edit("element dropped", node, "elts", node.elts[:place] + node.elts[place + 1 :])


def _calls(node: ast.AST) -> Iterator[Edit]:
    if not isinstance(node, ast.Call):
        return
    for place in _places(len(node.args) - 1):
        args = [*node.args]
        args[place], args[place + 1] = args[place + 1], args[place]
        yield _edit("arguments swapped", node, "args", args)
    if len(node.args) == 1 and not node.keywords and isinstance(node.func, ast.Name):
        yield _edit("call skipped", node, "func", _lambda(ast.Name("same", ast.Load()), "same"))
    if not node.args and not node.keywords and isinstance(node.func, ast.Attribute):
        yield _edit("call skipped", node, "func", _lambda(node.func.value))
    for place in _places(len(node.keywords)):
        yield _edit("argument dropped", node, "keywords", node.keywords[:place] + node.keywords[place + 1 :])
    if isinstance(node.func, ast.Name) and node.func.id in _OTHER_NAMES:
        yield _edit("other function", node.func, "id", _OTHER_NAMES[node.func.id])
    if isinstance(node.func, ast.Attribute) and node.func.attr in _OTHER_NAMES:
        yield _edit("other function", node.func, "attr", _OTHER_NAMES[node.func.attr])


def _lambda(body: ast.expr, *names: str) -> ast.Lambda:
    taken = ast.arguments(
        posonlyargs=[], args=[ast.arg(name) for name in names], kwonlyargs=[], kw_defaults=[], defaults=[]
    )
    return ast.Lambda(taken, body)


def _statements(node: ast.AST) -> Iterator[Edit]:
    """Statements left out; what a handler of errors does is what swallows them when it is."""
    for name in ("body", "orelse", "finalbody"):
        block = getattr(node, name, None)
        if not isinstance(block, list):
            continue
        for place, each in enumerate(block):
            mistake = _left_out(each)
            if mistake:
                changed: list[ast.stmt] = [*block[:place], ast.Pass(), *block[place + 1 :]]
                yield Edit(mistake, each.lineno, ((node, name, changed),))


def _left_out(node: ast.AST) -> str:
    if isinstance(node, ast.Raise):
        return "error swallowed"
    if isinstance(node, ast.Expr) and isinstance(node.value, ast.Call):
        return "call left out"
    if isinstance(node, ast.Assign | ast.AugAssign):
        return "assignment left out"
    if isinstance(node, ast.Break | ast.Continue):
        return "jump left out"
    return ""


def _results(node: ast.AST) -> Iterator[Edit]:
    if isinstance(node, ast.Return) and node.value is not None and not _is_none(node.value):
        yield _edit(DROPPED, node, "value", ast.Constant(None))
    if isinstance(node, ast.ExceptHandler):
        swallowed: list[ast.stmt] = [ast.Pass()]
        yield _edit("error swallowed", node, "body", swallowed)


def _is_none(node: ast.expr) -> bool:
    return isinstance(node, ast.Constant) and node.value is None


_MAKERS: Final[tuple[Callable[[ast.AST], Iterator[Edit]], ...]] = (
    _conditions,
    _comparisons,
    _sums,
    _numbers,
    _objects,
    _calls,
    _statements,
    _results,
)
