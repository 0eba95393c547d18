"""What the decisions of a run have cost so far, read from its log. Pure.

A decision is a row of its own (prompts 1, 2, 4, 6 to 9) or an agent's answer (prompts 3 and 5) with its marks.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pydantic import Field

from moothall.events.model import Event
from moothall.negotiation.demand.models import JsonObject, Model
from moothall.negotiation.demand.questions import EstimatedCost
from moothall.negotiation.demand.wire import CHANNEL_ADMIN, COORDINATOR

ANSWERS = {"offer_response": "respond", "proposal_feedback": "review"}
"""The kind of prompt behind each kind of answer."""


def decisions(history: Iterable[Event]) -> Iterator[tuple[str, JsonObject]]:
    """Every decision of a run: the kind of its prompt, and who decided at what cost.

    An agent whose answer could not be known has decided nothing, but its model failed: it is among them, degraded.
    """
    for event in history:
        payload = event.payload
        if event.type == "decision":
            yield payload["value"]["prompt"], payload["value"]
        elif event.type == "message" and payload["from"] not in {COORDINATOR, CHANNEL_ADMIN}:
            yield ANSWERS[payload["body"]["type"]], payload["meta"]
        elif event.type == "barrier":
            kind = "review" if "policy" in payload else "respond"
            for code in payload.get("unknown", {}).values():
                yield kind, {"source": "fallback", "degraded": True, "error": code}


class Spent(Model):
    """What decisions took of a model; the cost in US dollars where the price is known."""

    requests: int = Field(0, ge=0)
    input_tokens: int = Field(0, ge=0)
    output_tokens: int = Field(0, ge=0)
    cost_usd: float | None = None


def spent(usages: Sequence[Mapping[str, Any]]) -> Spent:
    """The sum of what decisions took, as their rows keep it."""
    costs = [usage["cost_usd"] for usage in usages if usage.get("cost_usd") is not None]
    counted = {name: sum(usage[name] for usage in usages) for name in ("requests", "input_tokens", "output_tokens")}
    return Spent(**counted, cost_usd=round(sum(costs), 6) if costs else None)


def spent_so_far(history: Iterable[Event]) -> Spent:
    """What all decisions of a run took."""
    return spent([usage for _, kept in decisions(history) if (usage := kept.get("usage"))])


@dataclass(frozen=True, slots=True)
class Planned:
    """A sub-negotiation for which ``asked`` agents would be invited and ``reviewers`` see the plan."""

    asked: int
    reviewers: int

    @property
    def calls(self) -> dict[str, int]:
        """How often each kind of prompt would be asked; it arrives understood, and rules compare what is left open."""
        return {"filter": 1, "respond": self.asked, "aggregate": 1, "review": self.reviewers}


def estimate(planned: Planned, history: Sequence[Event]) -> EstimatedCost:
    """What a sub-negotiation would cost, at what the same kinds of decision have cost this run on average.

    Tokens and seconds are 0 where no model was asked; then only calls can be compared.
    """
    made = list(decisions(history))
    used: dict[str, list[tuple[int, float]]] = {}
    for kind, kept in made:
        if usage := kept.get("usage"):
            used.setdefault(kind, []).append((usage["input_tokens"] + usage["output_tokens"], usage["seconds"]))
    every = [item for items in used.values() for item in items]
    tokens = seconds = 0.0
    for kind, calls in planned.calls.items() if every else ():
        known = used.get(kind, every)
        tokens += calls * sum(item[0] for item in known) / len(known)
        seconds += min(calls, 1) * max(item[1] for item in known)
    return EstimatedCost(
        tokens=round(tokens),
        time_seconds=round(seconds, 3),
        calls=sum(planned.calls.values()),
        calls_used=len(made),
        tokens_used=sum(item[0] for item in every),
    )
