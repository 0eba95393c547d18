"""Participants at other nodes: who is let in, and what asks them, put together."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, Final

from moothall.calls.caller import UnifiedCaller
from moothall.clock import Clock
from moothall.directory.concepts import load_vocabulary
from moothall.directory.profiles import AgentProfile
from moothall.directory.registry import AgentRegistry
from moothall.directory.searching import Search
from moothall.errors import InvalidInput
from moothall.negotiation.demand.participants import Participant, ParticipantFactory
from moothall.negotiation.demand.remote.capabilities import ParticipantCapabilities
from moothall.negotiation.demand.remote.guests import Guests
from moothall.negotiation.demand.remote.participant import Asking, Question
from moothall.negotiation.demand.remote.store import Places
from moothall.settings import Settings
from moothall.storage.store import Store

_UNSIGNED: Final = "mcp:"


@dataclass(frozen=True, slots=True, kw_only=True)
class ParticipatingGround:
    """What it stands on.

    Attributes:
        settings, clock, store: of the node.
        registry: the agents that negotiate.
        caller: makes calls that the node's own agent signs.
        search: finds what other nodes list; None where this node does not look.
    """

    settings: Settings
    clock: Clock
    store: Store
    registry: AgentRegistry
    caller: Callable[[], UnifiedCaller]
    search: Callable[[], Search | None]


class Participating:
    """The room of participants elsewhere.

    Attributes:
        guests: those that are let in.
        capabilities: what the owner does with them.
    """

    def __init__(self, ground: ParticipatingGround) -> None:
        self._ground = ground
        places = Places(ground.store, ground.clock)
        self.guests = Guests(ground.registry, places, self._ask, ground.search)
        self.capabilities: Sequence[object] = (ParticipantCapabilities(self.guests),)
        self._asking = Asking(
            places=places,
            ask=self._ask,
            today=self._today,
            vocabulary=load_vocabulary(),
            offer_seconds=ground.settings.response_timeout,
            review_seconds=ground.settings.feedback_timeout,
        )

    def speaker(self, profile: AgentProfile, otherwise: ParticipantFactory) -> Participant:
        """Who speaks for a profile."""
        return self._asking.speaker(profile, otherwise)

    async def _ask(self, question: Question) -> Any:  # noqa: ANN401 - JSON of any shape
        """Ask as the node's own agent.

        Nodes keep no keys for callers that prove nothing, as may be so over MCP alone, and refuse such a call before
        any of it is done: then it is made without.
        """
        call, target, params = self._ground.caller().call, question.target, question.params
        try:
            return await call(target, params, timeout=question.seconds, idempotency_key=question.key or None)
        except InvalidInput:
            if not question.key or not target.startswith(_UNSIGNED):
                raise
        return await call(target, params, timeout=question.seconds)

    def _today(self) -> date:
        return self._ground.clock.now().astimezone().date()
