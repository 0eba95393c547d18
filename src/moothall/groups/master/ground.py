"""What a master agent stands on: the parts of the node that hosts it (row MCA-02)."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol, runtime_checkable

from moothall.calls.hub import current_hub, part_of
from moothall.calls.ports import Gateway
from moothall.capability.agents import Agent
from moothall.capability.service_registry import ServiceInfo
from moothall.clock import Clock
from moothall.errors import UsageError
from moothall.groups.channel import InternalCommunicationChannel
from moothall.groups.master.proof import Control
from moothall.groups.master.services import Origin, Service
from moothall.groups.membership import Groups
from moothall.identity.principal import Principal
from moothall.policy.decision import PermissionResult
from moothall.storage.store import Store


@runtime_checkable
class ServiceRegistry(Protocol):
    """Knows the services; `UnifiedServiceRegistry` fills it."""

    async def add_service(
        self, agent_id: str, info: Mapping[str, Any], *, action: str = "", origin: Origin = "registered"
    ) -> Service:
        """List a service of an agent."""
        ...

    async def keep_only(self, agent_id: str, ids: Iterable[str], *, origin: Origin = "registered") -> None:
        """Forget the services of an agent that it offers no more."""
        ...

    async def get_service(self, service_id: str) -> Service | None:
        """A service that is there."""
        ...

    async def services(self, *, agent_id: str = "", after: str = "", gone: bool = False) -> list[Service]:
        """Services by their ids, page by page."""
        ...

    async def mark(self, agent_id: str, *, alive: bool) -> bool:
        """Note whether an agent answers."""
        ...


@runtime_checkable
class Controller(Protocol):
    """Asks the permission group; `GroupController` fills it."""

    async def check_permission(self, caller_did: str, service_id: str, action: str = "") -> PermissionResult:
        """Whether a member of the group may do something with a service."""
        ...

    async def is_member(self, did: str) -> bool:
        """Whether somebody is in the group."""
        ...


@runtime_checkable
class Permissions(Protocol):
    """Asks the policies of this node; `policy.named.checks.PermissionManager` fills it."""

    async def check_permission(self, caller: Principal, service_id: str, action: str = "") -> PermissionResult:
        """Whether somebody may call a capability of this node, by ``AGENT.NAME``."""
        ...


@dataclass(frozen=True, slots=True)
class Elsewhere:
    """A service that was found where its agent lists it; ``sure``: that place answered when it was read last."""

    agent_id: str
    info: ServiceInfo
    sure: bool = True


class Found(Protocol):
    """Knows what was found elsewhere."""

    async def __call__(self, *, afresh: bool) -> Iterable[Elsewhere]:
        """What is listed there still; ``afresh``: it is looked for anew before."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class MasterGround:
    """What it stands on.

    Attributes:
        clock, store: of the node.
        groups: who is in which group.
        channel: what is said in a group, by its id.
        control: whether an agent has the DID under which it registers.
        permissions: the policies of the node.
        gateway: its call path.
        callers: a DID as the caller that it would be, were it to prove itself now.
        principals: who an agent of this node is as a caller, by its name.
        agents: the DIDs of the hosted agents by their names; `house` is the name of the node's own.
        host: hosts an agent with the keys that this node has of its DID, and starts it.
        found: what was found elsewhere.
        visit: returns where an agent elsewhere answers the one of this node that is named; else it raises
            MoothallError.
        allow_legacy: whether DIDs without their key's fingerprint count.
    """

    clock: Clock
    store: Store
    groups: Groups
    channel: Callable[[str], InternalCommunicationChannel]
    control: Control
    permissions: Permissions
    gateway: Callable[[], Gateway]
    callers: Callable[[str], Principal]
    principals: Callable[[str], Principal]
    agents: Callable[[], Mapping[str, str]]
    house: str
    host: Callable[[Agent], Awaitable[None]]
    found: Found
    visit: Callable[[str, str], Awaitable[None]]
    allow_legacy: bool

    def name_of(self, did: str) -> str:
        """The name of a hosted agent; empty: this node hosts none of that DID."""
        return next((name for name, own in self.agents().items() if own == did), "")


def current_ground() -> MasterGround | None:
    """The ground of the node of this context; None where there is none.

    See `calls.hub.using`.
    """
    try:
        hub = current_hub()
    except UsageError:
        return None
    return part_of(hub.gateway, MasterGround)
