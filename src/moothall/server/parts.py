"""What the server needs of a node; ``node.py`` hands it in."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from prometheus_client.registry import Collector

from moothall.calls.ports import Gateway
from moothall.clock import Clock
from moothall.directory.registry import AgentRegistry
from moothall.errors import MoothallError
from moothall.events.log import EventLog
from moothall.identity.principal import Principal
from moothall.llm.meter import Meter
from moothall.negotiation.demand.service import DemandService
from moothall.negotiation.demand.submissions import SubmitLimit
from moothall.protocols.house import Challenged
from moothall.resilience import Breaker
from moothall.server.doors import Door
from moothall.server.web import PACKAGED
from moothall.settings import Settings

HEARTBEAT_SECONDS = 5.0
"""How often an idle stream shows a sign of life (row NEG-API-14)."""


class LlmStatus(Protocol):
    """The language model that decides, as far as the operator is told."""

    @property
    def provider(self) -> str:
        """The provider's short name."""

    @property
    def model(self) -> str:
        """The model's name there."""

    @property
    def meter(self) -> Meter:
        """What its calls took."""

    @property
    def breaker(self) -> Breaker:
        """Whether it is left alone after failures."""


class Welcoming(Protocol):
    """The node's verifier, as far as its answers need it."""

    def welcome(self, principal: Principal) -> Sequence[tuple[str, str]]:
        """Headers for a good answer, such as an access token for who signed."""
        ...


class Challenging(Protocol):
    """What makes the challenges of the node."""

    def of(self, error: MoothallError) -> Challenged | None:
        """What goes with an error of authentication, and None with others."""
        ...


@dataclass(frozen=True)
class ServerParts:
    """The parts.

    ``ready`` says whether the worker runs, ``heartbeat`` is in seconds, ``llm`` is None without one, ``page`` is the
    folder of the built page. ``gateway`` is the call path that every route takes and whose capabilities are served
    over HTTP; ``submissions`` counts at every door; ``suspended`` says whether the policy refuses an identity;
    ``doors`` are further ways to the capabilities, ``sockets`` those over WebSocket; ``meters`` have figures of their
    own for ``/metrics``.
    """

    settings: Settings
    log: EventLog
    registry: AgentRegistry
    demands: DemandService
    gateway: Gateway
    submissions: SubmitLimit
    verifier: Welcoming
    challenger: Challenging
    suspended: Callable[[str], bool]
    clock: Clock
    owner_token: str
    ready: Callable[[], bool]
    heartbeat: float = HEARTBEAT_SECONDS
    llm: LlmStatus | None = None
    page: Path = PACKAGED
    doors: Sequence[Door] = ()
    sockets: Sequence[Door] = ()
    meters: Sequence[Collector] = ()
