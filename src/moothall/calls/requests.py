"""What is called with what, in all the ways in which callers in this process say it. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from typing import Any, Final

from moothall.calls.target import Target
from moothall.errors import Told, ValidationError

NOTHING: Final[Mapping[str, Any]] = {}
_REQUEST: Final = frozenset({"target", "method", "parameters"})

Request = str | Mapping[str, Any]
"""A target, or ``{"target": …, "method": …, "parameters": {…}}``."""

_parsed = lru_cache(maxsize=1024)(Target.parse)


def what_is_called(
    target: Request, params: Mapping[str, Any] | str, method: str, named: Mapping[str, Any]
) -> tuple[Target, Mapping[str, Any]]:
    """What is called with what.

    Raises:
        ValidationError: it is no target, or an argument is given twice.
    """
    if isinstance(params, str):
        method, params = params, NOTHING
    if not isinstance(target, str):
        target, method, params = _taken_apart(target, method, params)
    return _parsed(target, method), joined(params, named)


def in_words(description: str) -> str:
    """The target of a request in words.

    Raises:
        ValidationError: there are none.
    """
    words = " ".join(description.split())
    if not words:
        raise ValidationError("a request without words", told=Told("calls.no_words"))
    return f"auto:{words}"


def joined(params: Mapping[str, Any], named: Mapping[str, Any]) -> Mapping[str, Any]:
    """Arguments of a mapping and of keywords.

    Raises:
        ValidationError: one is given twice.
    """
    if not named:
        return params
    if params and (twice := params.keys() & named.keys()):
        told = Told("calls.parameters_twice", {"names": ", ".join(sorted(map(str, twice)))})
        raise ValidationError("an argument is given twice", told=told)
    return {**params, **named}


def _taken_apart(
    request: Mapping[str, Any], method: str, params: Mapping[str, Any]
) -> tuple[str, str, Mapping[str, Any]]:
    target, inner = request.get("target"), request.get("parameters") or {}
    named = request.get("method") or method
    if method and named != method:
        raise ValidationError("two methods are named", told=Told("calls.target_two_methods"))
    if not isinstance(target, str) or not isinstance(named, str) or request.keys() - _REQUEST:
        raise ValidationError("not a request", told=Told("calls.request"))
    if not isinstance(inner, Mapping):
        raise ValidationError("parameters is no mapping", told=Told("calls.parameters_mapping"))
    return target, named, joined(inner, params)
