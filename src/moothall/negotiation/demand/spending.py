"""What the decisions of a run have cost so far, read from its log. Pure.

A decision is a row of its own (prompts 1, 2, 4, 6 to 9) or an agent's answer (prompts 3 and 5) with its marks.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from moothall.events.model import Event
from moothall.negotiation.demand.models import JsonObject
from moothall.negotiation.demand.questions import EstimatedCost
from moothall.negotiation.demand.wire import CHANNEL_ADMIN, COORDINATOR

_ANSWERS = {"offer_response": "respond", "proposal_feedback": "review"}


def decisions(history: Iterable[Event]) -> Iterator[tuple[str, JsonObject]]:
    """Every decision of a run: the kind of its prompt, and who decided at what cost.

    An agent whose answer could not be known has decided nothing, but its model failed: it is among them, degraded.
    """
    for event in history:
        payload = event.payload
        if event.type == "decision":
            yield payload["value"]["prompt"], payload["value"]
        elif event.type == "message" and payload["from"] not in {COORDINATOR, CHANNEL_ADMIN}:
            yield _ANSWERS[payload["body"]["type"]], payload["meta"]
        elif event.type == "barrier":
            kind = "review" if "policy" in payload else "respond"
            for code in payload.get("unknown", {}).values():
                yield kind, {"source": "fallback", "degraded": True, "error": code}


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
