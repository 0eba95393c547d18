"""What a person needs to know of a negotiation, as a pure reduction of its events.

The same events give the same view, live or replayed. Unknown events and keys are ignored, so an older command line can
show a newer node. Texts of strangers arrive here already cleaned.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import Any, Literal

JsonObject = Mapping[str, Any]
AgentState = Literal["invited", "participate", "conditional", "decline", "accept", "negotiate", "withdraw"]
Result = Literal["running", "full", "partial", "failed"]


@dataclass(frozen=True, slots=True)
class Agent:
    """One candidate: what it said last; ``silent`` marks an answer that silence was counted as."""

    agent_id: str
    name: str
    reason: str = ""
    state: AgentState = "invited"
    words: str = ""
    silent: bool = False


@dataclass(frozen=True, slots=True)
class Tally:
    """The answers to the current plan; ``default`` are among the accepts."""

    accept: int = 0
    negotiate: int = 0
    withdraw: int = 0
    default: int = 0


@dataclass(frozen=True, slots=True)
class Subnet:
    """A sub-negotiation for a gap."""

    demand_id: str
    gap: str
    outcome: str = ""


@dataclass(frozen=True, slots=True)
class View:
    """A negotiation so far. ``deadline`` is RFC 3339; ``plan`` the latest proposal; ``seen`` counts events."""

    demand_id: str = ""
    demand: str = ""
    tags: tuple[str, ...] = ()
    confidence: str = ""
    uncertainties: tuple[str, ...] = ()
    understanding: JsonObject = field(default_factory=lambda: MappingProxyType({}))
    phase: str = "created"
    round: int = 0
    max_rounds: int = 3
    invited: int = 0
    deadline: str = ""
    started: str = ""
    latest: str = ""
    agents: Mapping[str, Agent] = field(default_factory=lambda: MappingProxyType({}))
    tally: Tally = Tally()
    plan: JsonObject | None = None
    gaps: tuple[JsonObject, ...] = ()
    subnets: tuple[Subnet, ...] = ()
    result: Result = "running"
    reason: str = ""
    code: str = ""
    unconfirmed: tuple[str, ...] = ()
    compromise: JsonObject | None = None
    suggestions: tuple[str, ...] = ()
    degraded: bool = False
    seen: int = 0

    @property
    def offers(self) -> int:
        """How many of the invited have answered the invitation."""
        return sum(agent.state != "invited" for agent in self.agents.values())

    @property
    def ended(self) -> bool:
        """Whether the terminal event was seen."""
        return self.result != "running"

    def apply(self, event: JsonObject) -> View:
        """The view after one more event in the public form."""
        payload = event["payload"]
        stamp = event["timestamp"]
        step = _STEPS.get(event["event_type"])
        changed = self if step is None else step(self, payload)
        return replace(
            changed,
            demand_id=self.demand_id or payload.get("demand_id", ""),
            started=self.started or stamp,
            latest=stamp,
            degraded=self.degraded or bool(payload.get("degraded")),
            seen=self.seen + 1,
        )

    def name_of(self, agent_id: str) -> str:
        """The name of an agent, its id when it is not known."""
        known = self.agents.get(agent_id)
        return known.name if known else agent_id

    def with_agent(self, payload: JsonObject, **changes: Any) -> View:  # noqa: ANN401 - fields of Agent
        """The view with one agent changed, or added."""
        agent_id = payload.get("agent_id", "")
        known = self.agents.get(agent_id) or Agent(agent_id, payload.get("display_name") or agent_id)
        return replace(self, agents=MappingProxyType({**self.agents, agent_id: replace(known, **changes)}))


def _submitted(view: View, payload: JsonObject) -> View:
    return replace(view, demand=payload.get("raw_input", ""))


def _understood(view: View, payload: JsonObject) -> View:
    return replace(
        view,
        demand=view.demand or payload.get("surface_demand", ""),
        tags=tuple(payload.get("capability_tags", ())),
        confidence=payload.get("confidence", ""),
        uncertainties=tuple(payload.get("uncertainties", ())),
        understanding=payload,
    )


def _filtered(view: View, payload: JsonObject) -> View:
    agents = {
        row["agent_id"]: Agent(row["agent_id"], row.get("display_name") or row["agent_id"], row.get("reason", ""))
        for row in payload.get("candidates", ())
    }
    return replace(view, agents=MappingProxyType(agents), invited=len(agents))


def _broadcast(view: View, payload: JsonObject) -> View:
    invited = payload.get("recipients_count", view.invited)
    return replace(view, phase="collecting", invited=invited, deadline=payload.get("deadline_at", ""))


def _offered(view: View, payload: JsonObject) -> View:
    words = payload.get("contribution") or payload.get("decline_reason", "")
    return view.with_agent(payload, state=payload.get("decision", "participate"), words=words)


def _distributed(view: View, payload: JsonObject) -> View:
    return replace(
        view,
        phase="negotiating",
        plan=payload.get("proposal"),
        round=payload.get("round", view.round + 1),
        max_rounds=payload.get("max_rounds", view.max_rounds),
        deadline=payload.get("deadline_at", ""),
        tally=Tally(),
    )


def _answered(view: View, payload: JsonObject) -> View:
    kind, silent, tally = payload.get("feedback_type", ""), bool(payload.get("by_default")), view.tally
    counted = replace(
        tally,
        accept=tally.accept + (kind == "accept"),
        negotiate=tally.negotiate + (kind == "negotiate"),
        withdraw=tally.withdraw + (kind == "withdraw"),
        default=tally.default + (silent and kind == "accept"),
    )
    return _stood_in(replace(view, tally=counted), payload)


def _stood_in(view: View, payload: JsonObject) -> View:
    """What one of them said to a plan; who was asked after the last round is in no round's count."""
    words = payload.get("adjustment_request") or payload.get("reasoning", "")
    silent = bool(payload.get("by_default"))
    return view.with_agent(payload, state=payload.get("feedback_type", ""), words=words, silent=silent)


def _withdrawn(view: View, payload: JsonObject) -> View:
    return view.with_agent(payload, state="withdraw", words=payload.get("reason", ""))


def _invited(view: View, payload: JsonObject) -> View:
    added = view.with_agent(payload, reason=payload.get("reason", ""))
    return replace(added, invited=len(added.agents))


def _gaps(view: View, payload: JsonObject) -> View:
    return replace(view, phase="gaps", gaps=tuple(payload.get("gaps", ())), deadline="")


def _subnet(view: View, payload: JsonObject) -> View:
    opened = Subnet(payload.get("sub_demand_id", ""), payload.get("gap_type", ""))
    return replace(view, phase="subnet", subnets=(*view.subnets, opened), deadline=payload.get("deadline_at", ""))


def _subnet_done(view: View, payload: JsonObject) -> View:
    ended = payload.get("sub_demand_id")
    subnets = tuple(
        replace(subnet, outcome=payload.get("outcome", "")) if subnet.demand_id == ended else subnet
        for subnet in view.subnets
    )
    return replace(view, subnets=subnets)


def _finalized(view: View, payload: JsonObject) -> View:
    return _ended(
        view,
        payload,
        phase="finalized",
        plan=payload.get("final_proposal") or view.plan,
        result="full" if payload.get("consensus", "full") == "full" else "partial",
        round=payload.get("rounds_taken", view.round),
        unconfirmed=tuple(payload.get("unconfirmed", ())),
    )


def _failed(view: View, payload: JsonObject) -> View:
    return _ended(
        view,
        payload,
        phase="failed",
        plan=payload.get("last_proposal") or view.plan,
        result="failed",
        reason=payload.get("message") or payload.get("reason", ""),
        code=payload.get("code", ""),
    )


def _ended(view: View, payload: JsonObject, **changes: Any) -> View:  # noqa: ANN401 - fields of View
    gaps: Sequence[JsonObject] = payload.get("gaps", view.gaps)
    return replace(
        view,
        deadline="",
        gaps=tuple(gaps),
        compromise=payload.get("compromise"),
        suggestions=tuple(payload.get("suggestions", ())),
        **changes,
    )


_STEPS: Mapping[str, Callable[[View, JsonObject], View]] = MappingProxyType(
    {
        "towow.demand.submitted": _submitted,
        "towow.demand.understood": _understood,
        "towow.demand.confirmed": lambda view, payload: _understood(view, payload["understanding"]),
        "towow.filter.completed": _filtered,
        "towow.channel.created": lambda view, _: replace(view, phase="broadcasting"),
        "towow.demand.broadcast": _broadcast,
        "towow.offer.submitted": _offered,
        "towow.aggregation.started": lambda view, _: replace(view, phase="aggregating", deadline=""),
        "towow.proposal.distributed": _distributed,
        "towow.proposal.feedback": _answered,
        "towow.negotiation.round_started": lambda view, payload: replace(
            view, round=payload.get("round", view.round), phase="proposal_sent"
        ),
        "towow.agent.withdrawn": _withdrawn,
        "towow.substitute.invited": _invited,
        "towow.substitute.answered": _stood_in,
        "towow.gap.identified": _gaps,
        "towow.subnet.triggered": _subnet,
        "towow.subnet.completed": _subnet_done,
        "towow.proposal.finalized": _finalized,
        "towow.negotiation.failed": _failed,
    }
)
