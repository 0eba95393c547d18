"""The subset of Python that generated code is written in: what may be imported, named and written. Pure.

A filter, never the boundary: that is the sandbox. It says early, and in words that help to mend it, what would fail
there or has no place in code that is tested before it is used: the clock, chance, and names that lead inside objects.
"""

from __future__ import annotations

import ast
import builtins
import warnings
from collections.abc import Iterator, Mapping
from functools import cache
from importlib.resources import files
from typing import Final

from moothall.codegen.module import LONGEST_SOURCE, MOST_LINES, Function, Manifest
from moothall.codegen.report import Problem
from moothall.messages import Lang

CALL: Final = "call"
"""What code reaches the host by."""

RESERVED: Final = "_moot"
"""How the names begin that the host uses inside."""

IMPORTS: Final = frozenset(
    """__future__ base64 binascii bisect collections copy csv dataclasses datetime decimal functools hashlib itertools
    json math re typing unicodedata""".split(),
)
"""Modules that the sandbox has, without those of the clock and of chance."""

TYPING: Final = frozenset("Annotated Any Callable Final Iterable Literal Mapping Optional Sequence Union".split())
"""What the sandbox has of `typing`."""

BUILTINS: Final = frozenset(
    """abs all any bin bool bytes chr dict divmod enumerate filter float format frozenset hex int isinstance iter len
    list map max min next oct ord pow print range repr reversed round set slice sorted str sum tuple type zip
    ArithmeticError AssertionError AttributeError Exception IndexError KeyError LookupError NotImplementedError
    OverflowError RecursionError RuntimeError StopIteration TimeoutError TypeError UnicodeDecodeError
    UnicodeEncodeError ValueError ZeroDivisionError""".split(),
)

CLOCK: Final = frozenset("now today utcnow".split())

_NODES: Final[tuple[type[ast.AST], ...]] = (
    ast.Module, ast.FunctionDef, ast.ClassDef, ast.Return, ast.Assign, ast.AnnAssign, ast.AugAssign, ast.For,
    ast.While, ast.If, ast.Raise, ast.Try, ast.ExceptHandler, ast.Assert, ast.Import, ast.ImportFrom, ast.Nonlocal,
    ast.Expr, ast.Pass, ast.Break, ast.Continue, ast.Match, ast.match_case, ast.pattern, ast.BoolOp, ast.NamedExpr,
    ast.BinOp, ast.UnaryOp, ast.Lambda, ast.IfExp, ast.Dict, ast.Set, ast.ListComp, ast.SetComp, ast.DictComp,
    ast.GeneratorExp, ast.comprehension, ast.Compare, ast.Call, ast.JoinedStr, ast.FormattedValue, ast.Constant,
    ast.Attribute, ast.Subscript, ast.Starred, ast.Name, ast.List, ast.Tuple, ast.Slice, ast.expr_context, ast.boolop,
    ast.operator, ast.unaryop, ast.cmpop, ast.arguments, ast.arg, ast.keyword, ast.alias,
)  # fmt: skip

_REFUSED: Final[Mapping[type[ast.AST], str]] = {
    ast.AsyncFunctionDef: "there is nothing to wait for: write plain functions",
    ast.Await: "calls need no await",
    ast.Yield: "there are no generators: collect the values in a list",
    ast.YieldFrom: "there are no generators: collect the values in a list",
    ast.Delete: "there is no del: use pop",
    ast.Global: "there is no global: hand values on as arguments",
    ast.With: "there is nothing that with could open",
    ast.TryStar: "there is no except*",
}


def problems(source: str, manifest: Manifest) -> list[Problem]:
    """What a module has that the subset has not, and what it lacks of its manifest; empty: nothing.

    Stages parse, subset and signature; one that finds something ends it.
    """
    found = list(_size(source))
    if found:
        return found
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # what a stranger's text is warned of is the linter's concern
            tree = ast.parse(source)
    except SyntaxError as error:
        return [_problem("parse", "syntax", error.msg, error.lineno or 0)]
    except (ValueError, MemoryError, RecursionError):
        return [_problem("parse", "syntax", "it cannot be parsed", 0)]
    return list(_outside(tree, manifest)) or list(_signatures(tree, manifest))


@cache
def guide(lang: Lang = "en") -> str:
    """The subset in words, for whoever writes code."""
    return files("moothall").joinpath("data", "codegen", f"subset.{lang}.md").read_text(encoding="utf-8").strip()


def _problem(stage: str, code: str, message: str, line: int) -> Problem:
    return Problem.model_validate({"stage": stage, "code": code, "message": message[:500], "line": line})


def _size(source: str) -> Iterator[Problem]:
    if len(source) > LONGEST_SOURCE:
        yield _problem("parse", "size", f"it has more than {LONGEST_SOURCE} characters", 0)
    elif source.count("\n") > MOST_LINES:
        yield _problem("parse", "size", f"it has more than {MOST_LINES} lines", 0)


def _outside(tree: ast.Module, manifest: Manifest) -> Iterator[Problem]:
    """What is not of the subset, from the top of the module to its end."""
    defined = _defined(tree)
    targets = _Targets(tree, manifest)
    for node in ast.walk(tree):
        line = getattr(node, "lineno", 0)
        for code, message in (*_written(node), *_named(node, defined), *targets.of(node)):
            yield _problem("subset", code, message, line)


def _written(node: ast.AST) -> Iterator[tuple[str, str]]:
    """What is wrong with a piece as it is written."""
    if not isinstance(node, _NODES):
        kind = type(node)
        yield "syntax", _REFUSED.get(kind, f"{kind.__name__} is not of the subset")
    elif isinstance(node, ast.ClassDef) and (node.bases or node.keywords):
        yield "inheritance", "classes have no bases: raise ValueError for errors, use dicts for values"
    elif isinstance(node, ast.Import):
        yield from (_import(alias.name) for alias in node.names if alias.name not in IMPORTS)
    elif isinstance(node, ast.ImportFrom):
        yield from _import_from(node)


def _import(name: str) -> tuple[str, str]:
    return "import", f"{name} cannot be imported; there are {' '.join(sorted(IMPORTS))}"


def _import_from(node: ast.ImportFrom) -> Iterator[tuple[str, str]]:
    if node.level or node.module not in IMPORTS:
        yield _import(node.module or ".")
        return
    names = {alias.name for alias in node.names}
    if "*" in names:
        yield "import", "import names one by one"
    elif node.module == "typing" and (missing := names - TYPING):
        yield "import", f"typing has no {' '.join(sorted(missing))} here; it has {' '.join(sorted(TYPING))}"


def _named(node: ast.AST, defined: frozenset[str]) -> Iterator[tuple[str, str]]:
    """What is wrong with the names in a piece."""
    for name in _names(node):
        if "__" in name:
            yield "name", f"{name}: names with two underscores lead inside objects"
        elif name.startswith(RESERVED):
            yield "name", f"{name}: names that begin with {RESERVED} belong to the host"
    if isinstance(node, ast.Attribute) and node.attr in CLOCK:
        yield "clock", f"{node.attr}: there is no clock; take the time as an argument"
    if isinstance(node, ast.Name) and node.id not in defined and node.id not in BUILTINS and hasattr(builtins, node.id):
        yield "builtin", f"{node.id} is not of the subset"


def _names(node: ast.AST) -> Iterator[str]:
    """All names that a piece has of its own."""
    for field in ("id", "attr", "arg", "name", "rest", "asname", "kwd_attrs", "names"):
        value = getattr(node, field, None)
        for each in value if isinstance(value, list) else [value]:
            if isinstance(each, str) and not (isinstance(node, ast.alias) and each == "__future__"):
                yield each


def _defined(tree: ast.Module) -> frozenset[str]:
    """The names that a module gives a meaning anywhere."""
    names: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            names.add(node.id)
        elif isinstance(node, ast.FunctionDef | ast.ClassDef):
            names.add(node.name)
        elif isinstance(node, ast.arg):
            names.add(node.arg)
        elif isinstance(node, ast.alias):
            names.add((node.asname or node.name).partition(".")[0])
    return frozenset(names)


class _Targets:
    """Looks at how ``call`` is used: its targets are written in the code, and are in the manifest."""

    def __init__(self, tree: ast.Module, manifest: Manifest) -> None:
        self._may_call = manifest.may_call
        self._constants = dict(_constants(tree))
        self._called = {id(node.func) for node in ast.walk(tree) if isinstance(node, ast.Call)}

    def of(self, node: ast.AST) -> Iterator[tuple[str, str]]:
        """What is wrong with a piece."""
        if isinstance(node, ast.Name | ast.FunctionDef | ast.ClassDef | ast.arg | ast.alias):
            yield from self._name(node)
        elif isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == CALL:
            yield from self._target(node)

    def _name(self, node: ast.AST) -> Iterator[tuple[str, str]]:
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load):
            if node.id == CALL and id(node) not in self._called:
                yield "call", "call can only be called"
        elif CALL in _names(node):
            yield "call", "call is the host's: nothing else can have its name"

    def _target(self, node: ast.Call) -> Iterator[tuple[str, str]]:
        given = [*node.args, *(keyword.value for keyword in node.keywords if keyword.arg == "target")]
        target = self._text(given[0]) if given else None
        if target is None:
            yield "target", 'the target of a call is written as a text: call("…", {…})'
        elif target not in self._may_call:
            allowed = " ".join(self._may_call) or "nothing"
            yield "target", f"{target} cannot be called; it may call {allowed}"

    def _text(self, node: ast.expr) -> str | None:
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            return node.value
        return self._constants.get(node.id) if isinstance(node, ast.Name) else None


def _constants(tree: ast.Module) -> Iterator[tuple[str, str]]:
    """Texts that have a name at the top of a module, which nothing changes later."""
    stored = [node.id for node in ast.walk(tree) if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)]
    for statement in tree.body:
        match statement:
            case (
                ast.Assign(targets=[ast.Name(id=name)], value=ast.Constant(value=str() as text))
                | ast.AnnAssign(target=ast.Name(id=name), value=ast.Constant(value=str() as text))
            ) if stored.count(name) == 1:
                yield name, text


def _signatures(tree: ast.Module, manifest: Manifest) -> Iterator[Problem]:
    """What the functions of the manifest lack."""
    for function in manifest.functions:
        found = [each for each in tree.body if isinstance(each, ast.FunctionDef) and each.name == function.name]
        if len(found) != 1:
            yield _problem("signature", "function", f"def {function.name}(…) has to stand at the top once", 0)
            continue
        for message in _signature(found[0], function):
            yield _problem("signature", "parameters", f"{function.name}: {message}", found[0].lineno)


def _signature(node: ast.FunctionDef, function: Function) -> Iterator[str]:
    arguments = node.args
    if node.decorator_list:
        yield "it has no decorators"
    if arguments.vararg or arguments.kwarg or arguments.posonlyargs:
        yield "its parameters are named one by one"
        return
    wanted = function.parameters.get("properties", {})
    named = [*arguments.args, *arguments.kwonlyargs]
    if {each.arg for each in named} != set(wanted):
        yield f"its parameters are {', '.join(wanted) or 'none'}"
        return
    late = arguments.args[len(arguments.args) - len(arguments.defaults) :]
    optional = {each.arg for each in late}
    optional |= {a.arg for a, d in zip(arguments.kwonlyargs, arguments.kw_defaults, strict=True) if d is not None}
    for name in wanted:
        if name not in function.parameters.get("required", ()) and name not in optional:
            yield f"{name} can be left out, so it needs a default"
