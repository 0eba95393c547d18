"""The decisions of a run, one by one, as its requester may open them: a projection of the run's rows. Pure.

What an agent answers to an invitation is withheld until the barrier of that call has closed.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Literal

from pydantic import Field

from moothall.events.model import Event, RunRecord
from moothall.llm.decision import Source
from moothall.messages import Lang, text
from moothall.negotiation.demand.channel_view import Rows
from moothall.negotiation.demand.models import JsonObject, Model
from moothall.negotiation.demand.prompts import PROMPTS
from moothall.negotiation.demand.spending import ANSWERS
from moothall.negotiation.demand.view import HEAD_TYPES, Problem, lang_of
from moothall.negotiation.demand.wire import CHANNEL_ADMIN, COORDINATOR

STEP_TYPES = HEAD_TYPES | {"decision", "message", "barrier", "towow.filter.completed"}
"""The rows from which everything here can be told."""

Kind = Literal["understand", "filter", "respond", "aggregate", "review", "adjust", "gaps", "recurse", "compromise"]

_NUMBERS = {prompt.kind: prompt.number for prompt in PROMPTS}
_ADDRESS = frozenset({"type", "channel_id", "agent_id", "display_name", "round"})
_ROUND = re.compile(r"\.r(\d+)")
_FIRST_PLAN = 1


class Step(Model):
    """One decision: who took it, what it took of a model, what came out.

    ``result`` is null for an offer that is still sealed and for an answer that cannot be known.
    """

    key: str
    at: str
    prompt: Kind
    number: int = Field(ge=1, le=9)
    agent_id: str | None = None
    display_name: str = ""
    round: int | None = None
    source: Source | None = Field(None, description="null for a participant that says nothing about it")
    degraded: bool = False
    error: Problem | None = Field(None, description="how the model failed, where something else stood in for it")
    model: str | None = None
    requests: int = Field(0, ge=0)
    repaired: bool = Field(default=False, description="the model's first answer was refused, a later one was used")
    input_tokens: int = Field(0, ge=0)
    output_tokens: int = Field(0, ge=0)
    cost_usd: float | None = None
    seconds: float | None = None
    result: JsonObject | None = None


class StepList(Model):
    """The decisions of a demand in the order in which they were taken."""

    demand_id: str
    steps: tuple[Step, ...] = ()


def step_list(record: RunRecord, rows: Sequence[Event]) -> StepList:
    """Every decision of a run so far, from rows of `STEP_TYPES`."""
    seen = Rows(rows)
    return StepList(demand_id=record.id, steps=tuple(_Reading(seen, lang_of(record, seen.last)).steps()))


class _Reading:
    """Reads the decisions out of the rows of one run."""

    def __init__(self, seen: Rows, lang: Lang) -> None:
        self._seen = seen
        self._lang: Lang = lang
        self._names = _names(seen)

    def steps(self) -> Iterator[Step]:
        """The steps in the order of their rows."""
        for row in self._seen.all:
            if row.type == "decision":
                yield self._decision(row)
            elif row.type == "message" and row.payload["from"] not in {COORDINATOR, CHANNEL_ADMIN}:
                yield self._answer(row)
            elif row.type == "barrier":
                yield from self._unknown(row)

    def _decision(self, row: Event) -> Step:
        kept = row.payload["value"]
        first = _FIRST_PLAN if kept["prompt"] == "aggregate" else None
        return self._step(row, kept["prompt"], kept, result=kept["output"], round=_round_of(row.key) or first)

    def _answer(self, row: Event) -> Step:
        name, body = row.payload["from"], row.payload["body"]
        kind, phase = ANSWERS[body["type"]], row.key.removesuffix(f".{name}")
        sealed = kind == "respond" and self._seen.closed(phase) is None
        result = None if sealed else {field: value for field, value in body.items() if field not in _ADDRESS}
        told = self._who(name) | {"round": _round_of(phase) or body.get("round"), "result": result}
        return self._step(row, kind, row.payload["meta"], **told)

    def _unknown(self, row: Event) -> Iterator[Step]:
        """The answers that were unknown when a barrier closed: nothing came out, and the code says why."""
        kind, phase = "review" if "policy" in row.payload else "respond", row.key.removesuffix(".closed")
        for name, code in row.payload.get("unknown", {}).items():
            kept = {"source": "fallback", "degraded": True, "error": code}
            letter = self._seen.by_key.get(f"review.{phase.removeprefix('feedback.')}.{name}")
            asked_in = letter.payload["body"]["round"] if letter else _round_of(phase) or _FIRST_PLAN
            told = self._who(name) | {"round": asked_in, "key": f"{phase}.{name}.unknown"}
            yield self._step(row, kind, kept, **told)

    def _step(self, row: Event, kind: str, kept: Mapping[str, Any], **told: object) -> Step:
        usage, code = kept.get("usage") or {}, kept.get("error")
        return Step.model_validate(
            {
                "key": row.key,
                "at": row.ts,
                "prompt": kind,
                "number": _NUMBERS[kind],
                "source": kept.get("source"),
                "degraded": kept.get("degraded", False),
                "error": {"code": code, "message": text(f"errors.{code}.message", self._lang)} if code else None,
                "repaired": kept.get("source") == "llm" and usage.get("requests", 0) > 1,
                **usage,
                **told,
            }
        )

    def _who(self, name: str) -> JsonObject:
        return {"agent_id": name, "display_name": self._names.get(name, "")}


def _names(seen: Rows) -> dict[str, str]:
    """The names of everybody who may be asked."""
    opened = [row.payload["body"] for row in seen.messages("create_channel")]
    thought_of = [payload["candidates"] for payload in seen.public("filter.completed")]
    listed = [*thought_of, *(body[part] for body in opened for part in ("candidates", "reserve"))]
    return {item["agent_id"]: item["display_name"] for items in listed for item in items}


def _round_of(phase: str) -> int | None:
    """The round that a key tells: ``adjust.r2``, ``feedback.r1``, ``substitutes.r2``."""
    match = _ROUND.search(phase)
    return int(match[1]) if match else None
