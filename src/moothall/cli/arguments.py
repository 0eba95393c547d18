"""The arguments of a call out of what a person typed. Pure but for standard input."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from typing import Any

from moothall.cli.invocation import Invocation
from moothall.errors import UsageError


def arguments(call: Invocation, words: Sequence[str]) -> dict[str, Any]:
    """Arguments by name: ``k=v`` (JSON, else text), ``k:=v`` (JSON), ``{…}``, or ``-`` for one from standard input.

    Raises:
        UsageError: a word is none of these, or names an argument twice.
    """
    found: dict[str, Any] = {}
    for word in words:
        fresh = _object(call, word) if word == "-" or word.startswith("{") else _pair(call, word)
        if twice := sorted(found.keys() & fresh.keys()):
            raise UsageError(call.text("call.twice", name=", ".join(twice)))
        found |= fresh
    return found


def _object(call: Invocation, word: str) -> dict[str, Any]:
    try:
        value = _loads(sys.stdin.read() if word == "-" else word)
    except ValueError as error:
        raise UsageError(call.text("call.bad_json"), why=str(error)) from error
    if not isinstance(value, dict):
        raise UsageError(call.text("call.no_object"))
    return value


def _pair(call: Invocation, word: str) -> dict[str, Any]:
    name, equals, value = word.partition("=")
    strict = name.endswith(":")
    name = name.removesuffix(":")
    if not (name and equals):
        raise UsageError(call.text("call.bad_pair", pair=word), hint=call.text("call.bad_pair_try"))
    try:
        return {name: _loads(value)}
    except ValueError as error:
        if strict:
            raise UsageError(call.text("call.bad_json"), why=str(error)) from error
        return {name: value}


def _loads(words: str) -> Any:  # noqa: ANN401 - JSON of any shape
    """JSON, without the numbers that only Python takes for it (NaN, and those beyond a double)."""
    value = json.loads(words, parse_constant=_no_number)
    json.dumps(value, allow_nan=False)
    return value


def _no_number(name: str) -> Any:  # noqa: ANN401 - the signature that `json` asks for
    raise ValueError(f"{name} is no JSON number")
