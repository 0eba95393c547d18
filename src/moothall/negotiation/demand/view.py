"""A demand as its requester reads it: a projection of the run's rows, the same while it runs and ever after. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Literal

from pydantic import Field

from moothall.clock import rfc3339
from moothall.events.model import Event, JsonObject, RunRecord
from moothall.events.types import TERMINAL_EVENT_TYPES
from moothall.messages import Lang, detect_lang, text
from moothall.negotiation.demand.awaiting import waits_for_confirmation
from moothall.negotiation.demand.channel import channel_id_of
from moothall.negotiation.demand.machine import MAX_NEGOTIATION_ROUNDS, ChannelStatus
from moothall.negotiation.demand.models import ChannelId, Confidence, Demand, DemandUnderstanding, Model
from moothall.negotiation.demand.plan_models import Cost
from moothall.negotiation.demand.spending import Spent, decisions, spent

UNDERSTOOD, CONFIRMED, CREATED = "towow.demand.understood", "towow.demand.confirmed", "towow.channel.created"
FINALIZED, FAILED = "towow.proposal.finalized", "towow.negotiation.failed"
HEAD_TYPES = frozenset({UNDERSTOOD, CONFIRMED, CREATED, "transition", *TERMINAL_EVENT_TYPES})
"""The rows from which a demand's state can be told."""

DEMAND_TYPES = HEAD_TYPES | {"decision", "message", "barrier"}
"""The rows from which everything here can be told."""

CODES = frozenset({"E003", "E004", "E005", "E006"})
"""The errors that end or weaken a negotiation without being one of the request (row NEG-FAIL-01)."""

Status = Literal["processing", "completed", "failed"]


class Problem(Model):
    """An error of the negotiation, in the language of the demand."""

    code: str
    message: str


class Usage(Spent):
    """The same for the whole demand, and for each kind of prompt."""

    by_prompt: dict[str, Spent] = Field(default_factory=dict)


class DegradedStep(Model):
    """How many decisions of one kind a model failed to take, and the code of the failure."""

    prompt: str
    code: str
    count: int = Field(ge=1)


class DemandState(Model):
    """Where a demand stands; ``round`` is 0 before there is a plan."""

    demand_id: str
    channel_id: ChannelId
    status: Status
    channel_status: ChannelStatus
    round: int = Field(ge=0, le=MAX_NEGOTIATION_ROUNDS)
    max_rounds: int = MAX_NEGOTIATION_ROUNDS
    awaiting_confirmation: bool = False
    consensus: Literal["full", "partial"] | None = None
    reason: str | None = Field(None, description="why it failed, a fixed word")
    message: str | None = Field(None, description="why it failed, for people, in the language of the demand")
    suggestions: tuple[str, ...] = Field((), description="what could be done, once it has ended")
    error: Problem | None = Field(None, description="E003 to E006, where one of them ended or weakened it")


class DemandView(Demand, DemandState):
    """A demand, whole (row NEG-DATA-01 and more)."""

    understanding: DemandUnderstanding | None = Field(None, description="what is negotiated, as confirmed")
    edited: tuple[str, ...] = Field((), description="the fields of it that the requester replaced")
    uncertainties: tuple[str, ...] = ()
    confidence: Confidence | None = None
    source: str | None = Field(None, description="who understood it")
    degraded: bool = Field(default=False, description="a model failed somewhere and something else stood in")
    degraded_steps: tuple[DegradedStep, ...] = ()
    participants_count: int = 0
    usage: Usage = Usage()
    parent_demand_id: str | None = None
    closed_at: str | None = None


class DemandSummary(DemandState):
    """A demand in a list."""

    requester_id: str
    raw_input: str
    surface_demand: str
    capability_tags: tuple[str, ...]
    confidence: Confidence | None = None
    cost: Cost | None = Field(None, description="what the plan costs that was agreed on")
    usage: Spent | None = Field(None, description="what its decisions took of a model, told when it has ended")
    created_at: str


def demand_state(record: RunRecord, rows: Iterable[Event]) -> DemandState:
    """Where a demand stands, from rows of `HEAD_TYPES`."""
    last = last_of(rows)
    moved: JsonObject = last["transition"].payload if "transition" in last else {"to_state": "created", "round": 0}
    final, failed = last.get(FINALIZED), last.get(FAILED)
    ended: JsonObject = end.payload if (end := final or failed) else {}
    return DemandState(
        demand_id=record.id,
        channel_id=channel_id_of(record.id),
        status="completed" if final else "failed" if failed else "processing",
        channel_status=ChannelStatus(moved["to_state"]),
        round=moved["round"],
        max_rounds=last[CREATED].payload["max_rounds"] if CREATED in last else MAX_NEGOTIATION_ROUNDS,
        awaiting_confirmation=waiting(record, last),
        consensus=final.payload["consensus"] if final else None,
        reason=failed.payload["reason"] if failed else None,
        message=failed.payload["message"] if failed else None,
        suggestions=ended.get("suggestions", ()),
        error=_problem(failed, lang_of(record, last)),
    )


def demand_view(record: RunRecord, rows: Sequence[Event]) -> DemandView:
    """All there is to say about a demand, from rows of `DEMAND_TYPES`."""
    last, state = last_of(rows), demand_state(record, rows)
    understanding = understanding_of(record, last)
    steps = _degraded(rows)
    said = understanding or DemandUnderstanding(surface_demand="")
    codes = [step.code for step in steps if step.code in CODES]
    problem = state.error or (_told(codes[-1], lang_of(record, last)) if codes else None)
    return DemandView(
        **{**dict(state), "error": problem},
        requester_id=record.meta.get("requester_id", ""),
        raw_input=record.meta.get("raw_input", said.surface_demand),
        surface_demand=said.surface_demand,
        deep_understanding=said.deep_understanding,
        capability_tags=said.capability_tags,
        context=said.context,
        created_at=rfc3339(record.created_at),
        understanding=understanding,
        edited=last[CONFIRMED].payload["edited"] if CONFIRMED in last else (),
        uncertainties=said.uncertainties,
        confidence=understanding.confidence if understanding else None,
        source=last[UNDERSTOOD].payload["source"] if UNDERSTOOD in last else None,
        degraded=bool(steps),
        degraded_steps=steps,
        participants_count=last[CREATED].payload["participants_count"] if CREATED in last else 0,
        usage=_usage(rows),
        parent_demand_id=record.parent,
        closed_at=rfc3339(record.closed_at) if record.closed_at else None,
    )


def demand_summary(record: RunRecord, rows: Sequence[Event]) -> DemandSummary:
    """A line of a list, from rows of `HEAD_TYPES`."""
    last = last_of(rows)
    understanding = understanding_of(record, last)
    final = last[FINALIZED].payload if FINALIZED in last else None
    end = final or (last[FAILED].payload if FAILED in last else {})
    return DemandSummary(
        **dict(demand_state(record, rows)),
        requester_id=record.meta.get("requester_id", ""),
        raw_input=record.meta.get("raw_input", ""),
        surface_demand=understanding.surface_demand if understanding else "",
        capability_tags=understanding.capability_tags if understanding else (),
        confidence=understanding.confidence if understanding else None,
        cost=final["final_proposal"].get("cost") if final else None,
        usage=end.get("usage"),
        created_at=rfc3339(record.created_at),
    )


def understanding_of(record: RunRecord, last: Mapping[str, Event]) -> DemandUnderstanding | None:
    """The understanding that counts, given the last row of each type: the confirmed one, else the first."""
    if CONFIRMED in last:
        return DemandUnderstanding.model_validate(last[CONFIRMED].payload["understanding"])
    if UNDERSTOOD in last:
        return DemandUnderstanding.model_validate(last[UNDERSTOOD].payload)
    known = record.meta.get("understanding")
    return DemandUnderstanding.model_validate(known) if known else None


def waiting(record: RunRecord, last: Mapping[str, Event]) -> bool:
    """Whether a run waits for its requester's confirmation, given the last row of each type."""
    asked = waits_for_confirmation(record.meta) and UNDERSTOOD in last
    return asked and not (last.keys() & {CONFIRMED, FINALIZED, FAILED})


def lang_of(record: RunRecord, last: Mapping[str, Event]) -> Lang:
    """The language of a demand, given the last row of each type."""
    understanding = understanding_of(record, last)
    return understanding.lang if understanding else detect_lang(record.meta.get("raw_input", ""))


def last_of(rows: Iterable[Event]) -> dict[str, Event]:
    """The last row of each type."""
    return {row.type: row for row in rows}


def _problem(failed: Event | None, lang: Lang) -> Problem | None:
    code = failed.payload.get("code") if failed else None
    return _told(code, lang) if code in CODES else None


def _told(code: str, lang: Lang) -> Problem:
    return Problem(code=code, message=text(f"errors.{code}.message", lang))


def _degraded(rows: Iterable[Event]) -> tuple[DegradedStep, ...]:
    counts: dict[tuple[str, str], int] = {}
    for prompt, kept in decisions(rows):
        if kept.get("degraded"):
            key = prompt, kept.get("error") or "E003"
            counts[key] = counts.get(key, 0) + 1
    return tuple(DegradedStep(prompt=prompt, code=code, count=count) for (prompt, code), count in counts.items())


def _usage(rows: Iterable[Event]) -> Usage:
    by_prompt: dict[str, list[Mapping[str, Any]]] = {}
    for prompt, kept in decisions(rows):
        if usage := kept.get("usage"):
            by_prompt.setdefault(prompt, []).append(usage)
    every = [usage for usages in by_prompt.values() for usage in usages]
    return Usage(**dict(spent(every)), by_prompt={prompt: spent(usages) for prompt, usages in by_prompt.items()})
