"""What a generated service takes and gives, read from its source as a tree: nothing of it is run or evaluated (GEN-05).

Code says what it computes, and nothing about who may call it: whatever looks like permissions or exposure is refused.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Final

import docstring_parser

from moothall.codegen.module import LONGEST_SOURCE, Function, JsonObject
from moothall.codegen.report import Problem, Report, Stage, StageReport
from moothall.codegen.services.annotations import Unreadable, schema_of
from moothall.errors import CodeRefused, Told

_OWN: Final = frozenset(
    "access approval auth auth_required auto_publish binding capability capability_defaults classification exposure "
    "expose_to llm_generated manifest may_call permissions policy provenance publish published scope".split()
)
"""Names that say who may call, or what may be called: the host's, never the code's."""

_RESERVED: Final = frozenset({"call", "context", "ctx", "print", "self", "tools"})
_MOST_PARAMETERS: Final = 30
_LONGEST_SUMMARY: Final = 500


@dataclass(frozen=True, slots=True)
class Signature:
    """A function as its source declares it.

    Attributes:
        name: of the function.
        function: its parameters and its value as JSON Schema.
        summary: the first paragraph of its docstring.
        targets: what it calls by name, as it is written there.
    """

    name: str
    function: Function
    summary: str = ""
    targets: tuple[str, ...] = field(default=())


def signature_of(source: str, name: str = "") -> Signature:
    """Read the function of that name, or the only one that does not begin with ``_``.

    Raises:
        CodeRefused: there is no such function, it decorates itself or says who may call it, or a type is missing or not
            one of those that are allowed; ``details["report"]`` says what and where.
    """
    tree = _parsed(source)
    problems = list(_own_words(tree))
    found = _function(tree, name)
    if found.decorator_list:
        problems.append(_problem("decorator", "code does not decorate itself: that is the host's", found.lineno))
    try:
        function = _declared(found)
    except Unreadable as error:
        problems.append(_problem("types", str(error), error.where))
        raise refused(problems) from None
    if problems:
        raise refused(problems)
    return Signature(found.name, function, _summary(found), tuple(_targets(tree)))


def refused(problems: Sequence[Problem]) -> CodeRefused:
    """The error of code that did not pass, with what is wrong with it."""
    stages: dict[Stage, list[Problem]] = {}
    for problem in problems:
        stages.setdefault(problem.stage, []).append(problem)
    report = Report(
        stages=tuple(StageReport(stage=stage, passed=False, problems=tuple(found)) for stage, found in stages.items())
    )
    told, details = Told("codegen.service.refused_code"), {"report": report.model_dump(mode="json")}
    return CodeRefused("the code is refused", told=told, details=details)


def _parsed(source: str) -> ast.Module:
    if len(source) > LONGEST_SOURCE:
        raise refused([_problem("size", "the code is too long", 0, "parse")])
    try:
        return ast.parse(source)
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        line = getattr(error, "lineno", 0) or 0
        raise refused([_problem("syntax", "it is not Python", line, "parse")]) from None


def _own_words(tree: ast.Module) -> Iterator[Problem]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import | ast.ImportFrom) and any(
            each.split(".")[0] == "moothall"
            for each in (getattr(node, "module", None) or "", *(alias.name for alias in node.names))
        ):
            yield _problem("exposure", "code does not reach for the framework", node.lineno)
        elif isinstance(node, ast.Attribute) and node.attr in {"__capability__", "capability_defaults"}:
            yield _problem("exposure", "code does not say who may call it", node.lineno)
    for node in tree.body:
        for said in _bound(node):
            if said in _OWN:
                yield _problem("exposure", f"{said!r} is for the host to say, not for the code", node.lineno)


def _bound(node: ast.stmt) -> Iterator[str]:
    """The names that a statement at the top binds."""
    match node:
        case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name) | ast.ClassDef(name=name):
            yield name
        case ast.Assign() | ast.AnnAssign() | ast.AugAssign():
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            for target in targets:
                yield from (each.id for each in ast.walk(target) if isinstance(each, ast.Name))
        case _:
            return


def _function(tree: ast.Module, name: str) -> ast.FunctionDef | ast.AsyncFunctionDef:
    functions = [node for node in tree.body if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)]
    chosen = [each for each in functions if (each.name == name if name else not each.name.startswith("_"))]
    if len(chosen) != 1:
        wanted = f"one function {name!r}" if name else "one function whose name does not begin with '_'"
        raise refused([_problem("function", f"the module needs {wanted}", 1)])
    return chosen[0]


def _declared(found: ast.FunctionDef | ast.AsyncFunctionDef) -> Function:
    arguments = found.args
    if arguments.vararg or arguments.kwarg or arguments.posonlyargs:
        raise Unreadable("parameters have names: no *, no **, none by position alone", found.lineno)
    if found.returns is None:
        raise Unreadable("the type of the value is missing", found.lineno)
    every = [*arguments.args, *arguments.kwonlyargs]
    if len(every) > _MOST_PARAMETERS:
        raise Unreadable(f"at most {_MOST_PARAMETERS} parameters", found.lineno)
    unset: list[ast.expr | None] = [None] * (len(arguments.args) - len(arguments.defaults))
    defaults = [*unset, *arguments.defaults, *arguments.kw_defaults]
    told = {item.arg_name: " ".join((item.description or "").split()) for item in _docstring(found).params}
    properties: JsonObject = {}
    required: list[str] = []
    for parameter, default in zip(every, defaults, strict=True):
        schema = _parameter(parameter)
        if text := told.get(parameter.arg):
            schema["description"] = text[:_LONGEST_SUMMARY]
        if default is None:
            required.append(parameter.arg)
        else:
            schema["default"] = _constant(default)
        properties[parameter.arg] = schema
    parameters: JsonObject = {"type": "object", "properties": properties, "additionalProperties": False}
    if required:
        parameters["required"] = required
    if summary := _summary(found):
        parameters["description"] = summary
    try:
        return Function(name=found.name, parameters=parameters, returns=schema_of(found.returns))
    except ValueError:
        raise Unreadable("the name is lower case, letters, digits and '_', at most 64", found.lineno) from None


def _parameter(parameter: ast.arg) -> JsonObject:
    if parameter.arg in _RESERVED or parameter.arg.startswith("_"):
        raise Unreadable(f"the name {parameter.arg!r} cannot be a parameter's", parameter.lineno)
    if parameter.annotation is None:
        raise Unreadable(f"the type of {parameter.arg!r} is missing", parameter.lineno)
    return schema_of(parameter.annotation)


def _constant(node: ast.expr) -> object:
    """A default value: a constant, or a list or dictionary of constants."""
    try:
        value = ast.literal_eval(node)
    except (ValueError, TypeError, SyntaxError, RecursionError, MemoryError):
        raise Unreadable("a default is a constant", node.lineno) from None
    if not _json(value, 0):
        raise Unreadable("a default is JSON", node.lineno)
    return value


def _json(value: object, depth: int) -> bool:
    if depth > _MOST_PARAMETERS:
        return False
    match value:
        case None | bool() | int() | str():
            return True
        case float():
            return value - value == 0  # neither infinite nor NaN
        case list():
            return all(_json(each, depth + 1) for each in value)
        case dict():
            return all(isinstance(key, str) and _json(each, depth + 1) for key, each in value.items())
        case _:
            return False


def _docstring(found: ast.FunctionDef | ast.AsyncFunctionDef) -> docstring_parser.Docstring:
    return docstring_parser.parse(ast.get_docstring(found) or "")


def _summary(found: ast.FunctionDef | ast.AsyncFunctionDef) -> str:
    paragraph = (ast.get_docstring(found) or "").split("\n\n")[0]
    return " ".join(paragraph.split())[:_LONGEST_SUMMARY]


def _targets(tree: ast.Module) -> Iterator[str]:
    seen = set[str]()
    for node in ast.walk(tree):
        match node:
            case ast.Call(func=ast.Name(id="call"), args=[ast.Constant(value=str(target)), *_]) if target not in seen:
                seen.add(target)
                yield target
            case _:
                continue


def _problem(code: str, message: str, line: int, stage: Stage = "signature") -> Problem:
    return Problem(stage=stage, code=code, message=message, line=line)
