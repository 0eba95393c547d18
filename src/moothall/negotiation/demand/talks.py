"""What the parts of one channel's negotiation share: the channel, its ear, its brain, its limits."""

from __future__ import annotations

import random
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from functools import cached_property
from hashlib import sha256
from typing import Literal

from moothall.clock import parse_rfc3339
from moothall.directory.concepts import Vocabulary
from moothall.directory.index import RegistrySnapshot
from moothall.directory.profiles import AgentProfile
from moothall.events.run import Run
from moothall.negotiation.demand.barrier import Barrier
from moothall.negotiation.demand.channel import Channel
from moothall.negotiation.demand.deciding import RunDecisions
from moothall.negotiation.demand.models import DemandUnderstanding, Offer
from moothall.negotiation.demand.post import Mailbox
from moothall.negotiation.demand.questions import RecursionLimits
from moothall.negotiation.demand.wire import CandidateRef

TimeoutPolicy = Literal["accept", "abstain", "withdraw"]


@dataclass(frozen=True, slots=True)
class Limits:
    """The settable limits of a negotiation; times in seconds."""

    response_timeout: float = 300.0
    feedback_timeout: float = 120.0
    feedback_timeout_policy: TimeoutPolicy = "accept"
    subnet_timeout: float = 60.0
    confirm_timeout: float = 86_400.0
    recursion: RecursionLimits = field(default_factory=RecursionLimits)


@dataclass
class Talks:
    """One channel's negotiation while it is in memory; everything in it can be rebuilt from the log."""

    channel: Channel
    barrier: Barrier
    mailbox: Mailbox
    decisions: RunDecisions
    limits: Limits
    demand: DemandUnderstanding
    profiles: Mapping[str, AgentProfile]
    vocabulary: Vocabulary
    today: date
    registered: Callable[[], Awaitable[RegistrySnapshot]]
    depth: int = 0
    invited: list[CandidateRef] = field(default_factory=list)
    offers: dict[str, Offer] = field(default_factory=dict)

    @cached_property
    def brief(self) -> dict[str, object]:
        """The demand as it travels in messages; written out once."""
        return self.demand.model_dump(mode="json")

    @property
    def run(self) -> Run:
        """The run this channel lives in."""
        return self.channel.run

    @property
    def seed(self) -> int:
        """Seeds whatever must be random and yet the same at replay: derived from the demand's id."""
        return int.from_bytes(sha256(self.channel.demand_id.encode()).digest()[:4], "big")

    def standing(self, gone: Sequence[str] = ()) -> tuple[Offer, ...]:
        """The offers that are no refusal, of agents that have not left, in seeded random order.

        The order depends on who offered, never on who answered first.
        """
        kept = [self.offers[name] for name in sorted(self.offers) if name not in gone]
        kept = [offer for offer in kept if offer.decision != "decline"]
        random.Random(self.seed).shuffle(kept)  # noqa: S311 - fairness needs a repeatable order, not a secret one
        return tuple(kept)

    async def deadline(self, key: str, seconds: float) -> datetime:
        """The absolute end of a phase: fixed in the log the first time, read from there ever after."""
        await self.run.emit(self.channel.deadline(key, self.run.clock.now() + timedelta(seconds=seconds)))
        row = self.run.recorded(key)
        return parse_rfc3339(row.payload["at"]) if row else self.run.clock.now()

    def send_to_agent(self, agent_id: str, body: dict[str, object], key: str) -> None:
        """Put a message into an agent's queue; ``key`` makes a repetition after a crash recognisable."""
        self.mailbox.send(agent_id, body, {"key": f"{self.run.id}/{key}"})
