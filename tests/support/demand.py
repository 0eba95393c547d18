"""Small worlds for negotiations: profiles made to measure, participants that follow a script, a node to run them."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from moothall.clock import Clock
from moothall.directory.profiles import AgentProfile
from moothall.events.model import Event
from moothall.negotiation.demand.models import AgentResponse
from moothall.negotiation.demand.participants import (
    LATER,
    OfferAnswer,
    Participant,
    ParticipantUnreachableError,
    ReviewAnswer,
)
from moothall.negotiation.demand.plan_models import ProposalFeedback
from moothall.negotiation.demand.wire import DemandOffer, ProposalReview
from moothall.node import Node
from moothall.settings import Settings

SUMMARY = "这是一份为测试而写的简介，内容与任何真实的人或机构无关。" * 8
ACCEPT = ProposalFeedback(feedback_type="accept", reasoning="好")
WITHDRAW = ProposalFeedback(feedback_type="withdraw", reasoning="有别的安排")
SILENT = "silent"
"""A script's word for: cannot be reached."""


def wish(**changes: object) -> ProposalFeedback:
    """A request for change."""
    return ProposalFeedback(
        feedback_type="negotiate",
        reasoning="希望调整",
        adjustment_request="希望调整",
        proposed_changes={**changes, "reason": "希望调整"},
    )


DECLINE = AgentResponse(decision="decline", decline_reason="没有档期", reasoning="没有档期")


def profile(name: str, *tags: str, city: str = "北京", price: float = 1000, **more: Any) -> AgentProfile:
    """An agent that offers each of ``tags`` for ``price`` and would settle for 80 % of it."""
    offers = [
        {"tag": tag, "title": tag, "price": price, "unit": "event", "capacity": more.get("capacity", 500)}
        for tag in tags
    ]
    return AgentProfile.model_validate(
        {
            "agent_id": f"user_agent_{name}",
            "user_name": name,
            "profile_summary": SUMMARY[:220],
            "location": city,
            "tags": list(tags),
            "capabilities": {"max_roles": more.get("max_roles", 2), "offers": offers},
            "interests": ["技术"],
            "availability": "随时",
            "reservation": {"floors": dict.fromkeys(tags, more.get("floor", price * 0.8))},
        }
    )


@dataclass
class Script:
    """What one agent does: its offer and its reviews by round; ``None`` leaves it to the agent's persona.

    The last review repeats. Every call is kept in ``calls`` with its idempotency key.
    """

    offer: AgentResponse | str | None = None
    reviews: Sequence[ProposalFeedback | str | None] = ()
    calls: list[tuple[str, str]] = field(default_factory=list)


class Scripted:
    """A participant that follows a script and falls back to the persona it stands in for."""

    def __init__(self, persona: Participant, script: Script) -> None:
        self._persona = persona
        self._script = script

    async def offer(self, invitation: DemandOffer, *, key: str) -> OfferAnswer:
        self._script.calls.append(("offer", key))
        answer = self._script.offer
        if answer is None:
            return await self._persona.offer(invitation, key=key)
        return _spoken(answer)

    async def review(self, request: ProposalReview, *, key: str) -> ReviewAnswer:
        self._script.calls.append(("review", key))
        reviews = self._script.reviews
        answer = reviews[min(request.round, len(reviews)) - 1] if reviews else None
        if answer is None:
            return await self._persona.review(request, key=key)
        return _spoken(answer)


def _spoken(answer: Any) -> Any:
    if answer == SILENT:
        raise ParticipantUnreachableError(SILENT)
    return LATER if answer == "later" else answer


@asynccontextmanager
async def running(
    data: Path,
    profiles: Iterable[AgentProfile] = (),
    scripts: Mapping[str, Script] | None = None,
    *,
    clock: Clock | None = None,
    participants: Callable[[Node, AgentProfile], Participant] | None = None,
    **settings: Any,
) -> AsyncIterator[Node]:
    """A started node whose registry holds ``profiles`` (the sample agents with ``demo_agents=True``)."""
    by_name = {f"user_agent_{name}": script for name, script in (scripts or {}).items()}

    def speaker(of: AgentProfile) -> Participant:
        if participants is not None:
            return participants(node, of)
        persona = node.persona(of)
        return Scripted(persona, by_name[of.agent_id]) if of.agent_id in by_name else persona

    values: dict[str, Any] = {"data": data, "demo_agents": False, **settings}
    node = Node(Settings(**values), participants=speaker, clock=clock)
    async with node:
        for item in profiles:
            await node.registry.register(item)
        yield node


async def negotiate(node: Node, text: str) -> list[Event]:
    """Submit a demand and follow it to its end; all its public events."""
    submitted = await node.demands.submit(text)
    return [event async for event in node.log.follow(submitted.demand_id)]


def of_type(events: Iterable[Event], kind: str) -> list[dict[str, Any]]:
    """The payloads of one public type (without the ``towow.`` prefix), in order."""
    return [event.payload for event in events if event.type == f"towow.{kind}"]


def kinds(events: Iterable[Event]) -> list[str]:
    """The public types in order, without the prefix."""
    return [event.type.removeprefix("towow.") for event in events]
