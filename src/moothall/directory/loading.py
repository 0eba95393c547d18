"""Profiles out of a file: every row valid, or an error that names the row."""

from __future__ import annotations

import json
from collections.abc import Iterable
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING

from pydantic import ValidationError

from moothall.directory.profiles import AgentProfile
from moothall.errors import InvalidInput

if TYPE_CHECKING:
    from importlib.resources.abc import Traversable

_SHOWN = 80
"""Characters of an id that are repeated in an error, as many as a good one may have."""


def mock_profiles_file() -> Traversable:
    """The demonstration profiles that travel with the package."""
    return files("moothall").joinpath("data", "mock_profiles.json")


def load_profiles_from_file(path: str | Path | Traversable) -> list[AgentProfile]:
    """Read a JSON list of profiles (spec C §4.5.1).

    Raises `InvalidInput` for an unreadable file, one that is not a JSON list, a bad row (named with its number, counted
    from 1, its `agent_id` and the field at fault) or an `agent_id` that occurs twice. Values are never quoted.
    """
    source = Path(path) if isinstance(path, str) else path
    try:
        rows = json.loads(source.read_text(encoding="utf-8"))
    except OSError as error:
        raise InvalidInput(f"cannot read {source}", why=error.strerror or type(error).__name__) from error
    except ValueError as error:
        raise InvalidInput(f"{source} is not JSON in UTF-8", why=str(error)) from error
    if not isinstance(rows, list):
        raise InvalidInput(f"{source} does not hold a JSON list of profiles", hint="wrap the profiles in [ ]")
    return parse_profiles(rows)


def parse_profiles(rows: list[object]) -> list[AgentProfile]:
    """Check rows of JSON values; `InvalidInput` as `load_profiles_from_file` describes it."""
    return each_once(parse_profile(row, number) for number, row in enumerate(rows, start=1))


def each_once(profiles: Iterable[AgentProfile]) -> list[AgentProfile]:
    """The profiles, none of which has the `agent_id` of another; `InvalidInput` names the row of one that has."""
    found: list[AgentProfile] = []
    rows_by_id: dict[str, int] = {}
    for number, profile in enumerate(profiles, start=1):
        if (first := rows_by_id.setdefault(profile.agent_id, number)) != number:
            raise _bad_row(number, profile.agent_id, "agent_id", f"row {first} has the same agent_id")
        found.append(profile)
    return found


def parse_profile(row: object, number: int = 1) -> AgentProfile:
    """Check one row; `InvalidInput` names row, `agent_id` and field."""
    try:
        return AgentProfile.model_validate(row)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False, include_context=False)[0]
        field = ".".join(str(part) for part in first["loc"])
        message = first["msg"].removeprefix("Value error, ")
        if not field and ": " in message:
            field, message = message.split(": ", 1)
        raise _bad_row(number, _claimed_id(row), field or "row", message) from None


def _claimed_id(row: object) -> str:
    claimed = row.get("agent_id") if isinstance(row, dict) else None
    if not isinstance(claimed, str):
        return "?"
    return claimed if len(claimed) <= _SHOWN else f"{claimed[:_SHOWN]}…"


def _bad_row(number: int, agent_id: str, field: str, why: str) -> InvalidInput:
    return InvalidInput(
        f"row {number} ({agent_id}): {field}: {why}",
        why=why,
        hint="correct the row and load the file again; nothing was changed",
        details={"row": number, "agent_id": agent_id, "field": field},
    )
