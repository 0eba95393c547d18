"""Profiles out of what a person typed. Pure but for reading the named file."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from moothall.cli.invocation import Invocation
from moothall.errors import InvalidInput, UsageError

BOOKKEEPING = frozenset({"status", "origin", "revision", "updated_at"})
"""What the registry adds to a profile; it comes back with a profile that was shown and saved."""

_LISTS = frozenset({"tags", "interests"})


def gathered(call: Invocation, sources: Sequence[str]) -> dict[str, Any]:
    """The fields that the sources name: JSON files, ``-`` for standard input, ``NAME=VALUE`` pairs; later ones win.

    Raises:
        UsageError: nothing was named, or something that is neither a file nor a pair.
        InvalidInput: a file cannot be read or holds no JSON object.
    """
    if not sources:
        raise UsageError(call.text("agents.no_source"), hint=call.text("agents.no_source_try"))
    fields: dict[str, Any] = {}
    for source in sources:
        fields |= _file(call, source) if source == "-" or _is_file(source) else _pair(call, source)
    return {name: value for name, value in fields.items() if name not in BOOKKEEPING}


def merged(profile: Mapping[str, Any], changes: Mapping[str, Any]) -> dict[str, Any]:
    """A profile with changes; a dotted name (``capabilities.max_roles``) reaches into it."""
    result = {name: value for name, value in profile.items() if name not in BOOKKEEPING}
    for name, value in changes.items():
        first, _, rest = name.partition(".")
        inner = result.get(first)
        result[first] = merged(inner if isinstance(inner, Mapping) else {}, {rest: value}) if rest else value
    return result


def _is_file(source: str) -> bool:
    """Whether it names a file; a pair with a long value is too long for a name, which the system says by an error."""
    try:
        return Path(source).is_file()
    except OSError:
        return False


def _file(call: Invocation, source: str) -> dict[str, Any]:
    try:
        value = json.loads(sys.stdin.read() if source == "-" else Path(source).read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise InvalidInput(call.text("agents.bad_json", source=source), why=str(error)) from error
    if not isinstance(value, dict):
        raise InvalidInput(call.text("agents.bad_json", source=source))
    return value


def _pair(call: Invocation, source: str) -> dict[str, Any]:
    name, equals, value = source.partition("=")
    if not (name and equals):
        raise UsageError(call.text("agents.bad_pair", pair=source), hint=call.text("agents.no_source_try"))
    try:
        parsed: object = json.loads(value)
    except ValueError:
        parsed = [part.strip() for part in value.split(",") if part.strip()] if name in _LISTS else value
    return {name: parsed}
