"""The capabilities in what somebody includes: a function, a module, a dictionary, or an object with methods."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator, Mapping
from types import FunctionType, MethodType, ModuleType
from typing import Any

from moothall.capability.compiling import Member
from moothall.capability.declaration import DEFAULTS, Declaration, check_lines, declared
from moothall.capability.options import OptionError, settle


def members_of(included: object) -> tuple[Member, ...]:
    """The functions that become capabilities.

    A function is one, decorated or not. Of a module (those defined there), a dictionary and an object, the decorated
    ones are.

    Raises:
        OptionError: there is none, or what is included is a class.
    """
    if isinstance(included, type):
        raise OptionError(f"{included.__qualname__} is a class; include an object of it, {included.__name__}()")
    if isinstance(included, FunctionType | MethodType) or (callable(included) and declared(included)):
        return (_member(included),)
    if isinstance(included, ModuleType):
        found = tuple(_of_module(included))
    elif isinstance(included, Mapping):
        found = tuple(_of_mapping(included))
    else:
        found = methods_of(included)
    if not found:
        raise OptionError(f"nothing in {_called(included)} is decorated with @capability")
    return found


def methods_of(owner: object) -> tuple[Member, ...]:
    """The decorated methods of an object, bound to it, in the order of their definition."""
    names = dict.fromkeys(name for kind in reversed(type(owner).__mro__) for name in vars(kind))
    bound = (getattr(owner, name) for name in names if _is_declared(inspect.getattr_static(type(owner), name)))
    return tuple(_member(method, type(owner)) for method in bound)


def _of_module(module: ModuleType) -> Iterator[Member]:
    own = {id(item): item for item in vars(module).values() if declared(item)}
    yield from (_member(item) for item in own.values() if getattr(item, "__module__", "") == module.__name__)


def _of_mapping(table: Mapping[Any, Any]) -> Iterator[Member]:
    for key, item in table.items():
        declaration = declared(item)
        if declaration is None:
            continue
        named = any("name" in line for line in declaration.lines) or key == getattr(item, "__name__", "")
        yield _member(item) if named else _member(item, name=str(key))


def _member(function: Callable[..., Any], owner: type | None = None, *, name: str = "") -> Member:
    holder = owner if owner is not None else _owner(function)
    declaration = declared(function)
    if declaration is None:
        declaration = Declaration(({},))
        check_lines(function, declaration.lines, _called(function))
    given = getattr(holder, DEFAULTS, {})
    member = Member(function, declaration, settle(given, f"{_called(holder)}.{DEFAULTS}", identity=False))
    return member.with_options(settle({"name": name})) if name else member


def _owner(function: object) -> type | None:
    owner = getattr(function, "__self__", None)
    return owner if isinstance(owner, type) or owner is None else type(owner)


def _is_declared(attribute: object) -> bool:
    inner = attribute.__func__ if isinstance(attribute, staticmethod | classmethod) else attribute
    return declared(inner) is not None


def _called(item: object) -> str:
    return str(getattr(item, "__qualname__", None) or getattr(item, "__name__", None) or type(item).__name__)
