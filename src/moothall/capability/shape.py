"""What a function takes and gives, read from its signature, annotations and docstring, once."""

from __future__ import annotations

import inspect
import sys
import types
from collections.abc import AsyncGenerator, AsyncIterable, AsyncIterator, Callable, Mapping
from dataclasses import dataclass, field
from typing import Annotated, Any, Final, Union, get_args, get_origin, get_type_hints
from weakref import WeakKeyDictionary

import docstring_parser

from moothall.capability.context import CallContext
from moothall.capability.options import OptionError

MISSING: Final = inspect.Parameter.empty
"""Stands for: no default, no annotation."""

TOOLS: Final = "tools"
"""The name of the parameter that takes tools."""

_STREAMS: Final = frozenset({AsyncIterator, AsyncGenerator, AsyncIterable})
_SECTIONS: Final = (
    "args:",
    "arguments:",
    "parameters:",
    "returns:",
    "return:",
    "yields:",
    "raises:",
    "examples:",
    ":param",
)
_HERE: Final = __name__.rpartition(".")[0]


@dataclass(frozen=True, slots=True)
class Parameter:
    """One parameter; ``default`` is `MISSING` where there is none."""

    name: str
    annotation: Any
    default: Any = MISSING
    positional_only: bool = False
    keyword_only: bool = False
    description: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Shape:
    """What a function takes and gives.

    Attributes:
        parameters: those that a caller fills; the context is not among them.
        context: the name of the parameter that takes the context; empty for none.
        context_at: its place among those that can only be given by position; -1: it is given by name.
        tools: the name of the parameter that takes tools to call others with; empty for none.
        returns: the annotation of the result, of one value where it streams; `MISSING` where there is none.
        summary: the first paragraph of the docstring.
        result: what the docstring says of the result.
        asynchronous: whether calling it gives something to wait for.
        generator: whether it yields.
        streams: whether its values come one after another.
        made: what was built from it already, by who builds it: every node makes the same of its own capabilities.
    """

    parameters: tuple[Parameter, ...]
    context: str = ""
    context_at: int = -1
    tools: str = ""
    returns: Any = MISSING
    summary: str = ""
    result: str = ""
    asynchronous: bool = False
    generator: bool = False
    streams: bool = False
    made: dict[str, Any] = field(init=False, repr=False, compare=False, default_factory=dict)


_known: Final[WeakKeyDictionary[Callable[..., Any], tuple[object, Mapping[str, Any] | None, Shape]]] = (
    WeakKeyDictionary()
)
"""Shapes of methods, with the class and the annotations that each was read for: the same for all objects of it."""


def read(function: Callable[..., Any], hints: Mapping[str, Any] | None = None) -> Shape:
    """Read the shape of a function; ``hints`` are its annotations, where they were evaluated already.

    Raises:
        OptionError: it collects arguments (``*args``, ``**kwargs``), or an annotation cannot be evaluated.
    """
    if not isinstance(function, types.MethodType):
        return _read(function, hints)
    known, owner = _known.get(function.__func__), type(function.__self__)
    if known is not None and known[0] is owner and _same(known[1], hints):
        return known[2]
    shape = _read(function, hints)
    _known[function.__func__] = owner, hints, shape
    return shape


def _same(known: Mapping[str, Any] | None, hints: Mapping[str, Any] | None) -> bool:
    """Whether these are the very same annotations; equal ones may differ: ``int | str == str | int``."""
    if known is None or hints is None:
        return known is hints
    return known.keys() == hints.keys() and all(known[name] is hint for name, hint in hints.items())


def _read(function: Callable[..., Any], hints: Mapping[str, Any] | None) -> Shape:
    evaluated = hints if hints is not None else evaluate(function)
    signature = check_named(function)
    said = docstring_parser.parse(inspect.getdoc(function) or "")
    told = {item.arg_name.lstrip("*"): " ".join((item.description or "").split()) for item in said.params}
    parameters: list[Parameter] = []
    context, context_at, tools = "", -1, ""
    for name, parameter in signature.parameters.items():
        annotation = evaluated.get(name, Any)
        by_position = parameter.kind is parameter.POSITIONAL_ONLY
        if _is_context(annotation):
            context, context_at = name, len(parameters) if by_position else -1
            continue
        if takes_tools(parameter, annotation):
            tools = name
            continue
        keyword_only = parameter.kind is parameter.KEYWORD_ONLY
        parameters.append(Parameter(name, annotation, parameter.default, by_position, keyword_only, told.get(name, "")))
    inner = inspect.unwrap(function)  # what a decorator of somebody else's wrapped says whether calling it takes time
    returns, streams = _result(inner, evaluated.get("return", MISSING))
    return Shape(
        parameters=tuple(parameters),
        context=context,
        context_at=context_at,
        tools=tools,
        returns=returns,
        summary=summary(function),
        result=" ".join(((said.returns and said.returns.description) or "").split()),
        asynchronous=inspect.iscoroutinefunction(inner) or inspect.isasyncgenfunction(inner),
        generator=inspect.isgeneratorfunction(inner) or inspect.isasyncgenfunction(inner),
        streams=streams,
    )


def check_named(function: Callable[..., Any]) -> inspect.Signature:
    """The signature of a function that names its parameters.

    Raises:
        OptionError: it collects arguments (``*args``, ``**kwargs``).
    """
    signature = inspect.signature(function)
    for parameter in signature.parameters.values():
        if parameter.kind in {parameter.VAR_POSITIONAL, parameter.VAR_KEYWORD}:
            raise OptionError(f"{_called(function)}: a capability names its parameters; {parameter} has no schema")
    return signature


def summary(function: Callable[..., Any]) -> str:
    """The first paragraph of the docstring, on one line; empty where there is none (row DEC-33)."""
    paragraph = (inspect.getdoc(function) or "").strip().split("\n\n")[0]
    return "" if paragraph.lower().startswith(_SECTIONS) else " ".join(paragraph.split())


def evaluate(function: Callable[..., Any], names: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """The annotations of a function as types; ``names`` are known beside those of its module.

    Raises:
        OptionError: one of them names something that is not there.
    """
    try:
        return get_type_hints(function, localns={"CallContext": CallContext, **(names or {})}, include_extras=True)
    except NameError as error:
        raise OptionError(f"{_called(function)}: an annotation names {error.name!r}, which is not defined") from error


def evaluate_here(function: Callable[..., Any]) -> dict[str, Any] | None:
    """The annotations, with the names that are visible where the function is decorated; None: not all of them yet."""
    if not any(isinstance(item, str) for item in getattr(function, "__annotations__", {}).values()):
        return None
    try:
        return evaluate(function, _surroundings())
    except OptionError:
        return None


def _surroundings() -> dict[str, Any]:
    frame = sys._getframe()  # noqa: SLF001 - the only way to the names of the function or class that is being defined
    while frame.f_back is not None and frame.f_globals.get("__name__", "").startswith(_HERE):
        frame = frame.f_back
    names = dict(frame.f_locals)
    while frame.f_back is not None and "__qualname__" in frame.f_locals:  # a class body; what encloses it counts, too
        frame = frame.f_back
        names = {**frame.f_locals, **names}
    return names


def takes_tools(parameter: inspect.Parameter, annotation: object) -> bool:
    """Whether it is the parameter that the framework fills with tools: ``tools: dict``, and nothing else (row LLM-07).

    A table that callers fill is called otherwise, or says what is in it: ``tools: dict[str, int]``.
    """
    return (
        parameter.name == TOOLS
        and (annotation is dict or annotation == "dict")
        and parameter.default is MISSING
        and parameter.kind is not parameter.POSITIONAL_ONLY
    )


def context_of(annotation: object) -> bool:
    """Whether an annotation asks for the context, also where it is still a text."""
    return "CallContext" in annotation if isinstance(annotation, str) else _is_context(annotation)


def _is_context(annotation: object) -> bool:
    if annotation is CallContext:
        return True
    origin = get_origin(annotation)
    if origin is Annotated:
        return _is_context(get_args(annotation)[0])
    return origin in {Union, types.UnionType} and any(_is_context(item) for item in get_args(annotation))


def _result(function: Callable[..., Any], annotation: Any) -> tuple[Any, bool]:  # noqa: ANN401 - a type
    yields = inspect.isasyncgenfunction(function) or inspect.isgeneratorfunction(function)
    if not yields and get_origin(annotation) not in _STREAMS:
        return annotation, False
    arguments = get_args(annotation)
    return (arguments[0] if arguments else MISSING), True


def _called(function: Callable[..., Any]) -> str:
    return getattr(function, "__qualname__", type(function).__name__)
