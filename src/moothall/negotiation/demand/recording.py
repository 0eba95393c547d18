"""A negotiation as it can be shown again: its public events and their rhythm. Pure, but for reading the package."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Mapping, Sequence
from functools import cache
from importlib.resources import files
from itertools import pairwise
from typing import Any, Literal

from pydantic import Field

from moothall.canonical import loads
from moothall.clock import parse_rfc3339
from moothall.errors import InvalidInput, Told
from moothall.events.model import Event
from moothall.messages import Lang
from moothall.negotiation.demand.models import JsonObject, Model

MARK = "DEMO"
"""What the payload of every event of a replay says under ``mark``; ``demo`` is true."""

_IDS = re.compile(r"(d|collab)-([0-9a-f]{8})")


class Moment(Model):
    """One public event, ``after_seconds`` after the one before it."""

    event_type: str
    after_seconds: float = Field(ge=0, allow_inf_nan=False)
    payload: JsonObject


class Scenario(Model):
    """A recorded negotiation that travels with the package (``data/scenarios/<scenario_id>.json``)."""

    scenario_id: str
    title: dict[Lang, str]
    lang: Lang
    raw_input: str
    outcome: Literal["full", "partial", "failed"]
    moments: tuple[Moment, ...] = Field(min_length=1)


def recorded(events: Sequence[Event]) -> tuple[Moment, ...]:
    """The moments of a negotiation, from its public events in order."""
    times = [parse_rfc3339(event.ts) for event in events]
    gaps = [0.0, *((later - earlier).total_seconds() for earlier, later in pairwise(times))]
    return tuple(
        Moment(event_type=event.type, after_seconds=max(0.0, gap), payload=event.payload)
        for event, gap in zip(events, gaps, strict=True)
    )


def again(moment: Moment, run: str) -> JsonObject:
    """The payload of a moment in the replay ``run``: marked, and with ids of its own in place of the recorded ones."""
    own = run.removeprefix("d-")
    main = str(moment.payload.get("demand_id") or moment.payload.get("parent_demand_id") or "").removeprefix("d-")

    def renamed(match: re.Match[str]) -> str:
        kind, old = match.groups()
        # A sub-negotiation has a name that follows from both: the same in every event, another in every replay.
        new = own if old == main else hashlib.sha256(f"{own}/{old}".encode()).hexdigest()[:8]
        return f"{kind}-{new}"

    payload: JsonObject = _mapped(moment.payload, renamed)
    return {**payload, "demo": True, "mark": MARK}


def _mapped(value: Any, renamed: Callable[[re.Match[str]], str]) -> Any:  # noqa: ANN401 - JSON of any shape
    if isinstance(value, str):
        match = _IDS.fullmatch(value)
        return renamed(match) if match else value
    if isinstance(value, list):
        return [_mapped(item, renamed) for item in value]
    if isinstance(value, dict):
        return {key: _mapped(item, renamed) for key, item in value.items()}
    return value


@cache
def scenarios() -> Mapping[str, Scenario]:
    """The scenarios of the package, in the order of their ids."""
    folder = files("moothall").joinpath("data", "scenarios")
    texts = [entry.read_bytes() for entry in folder.iterdir() if entry.name.endswith(".json")]
    found = [Scenario.model_validate(loads(text)) for text in texts]
    return {scenario.scenario_id: scenario for scenario in sorted(found, key=lambda one: one.scenario_id)}


def scenario(scenario_id: str) -> Scenario:
    """One scenario of the package.

    Raises:
        InvalidInput: there is none of that id.
    """
    found = scenarios().get(scenario_id)
    if found is None:
        told = Told("why.no_scenario", {"ids": ", ".join(scenarios())})
        raise InvalidInput("there is no scenario of that id", told=told)
    return found
