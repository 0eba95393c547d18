"""The handlers of groups and messages at this node: which there are, and how an event is given to one.

A handler is an ordinary capability of its agent with ``template="group"`` or ``"message"``: it is called through the
call path, in the name of whoever sent the message, so that policies, limits, deadlines and records hold for it as well.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final, Protocol

from moothall.calls.call import LOCAL
from moothall.calls.ports import CallFacts, Gateway
from moothall.calls.request_ids import fresh
from moothall.calls.target import Target
from moothall.capability.context import CallContext
from moothall.capability.entry import Entry
from moothall.capability.handlers import GROUP, MESSAGE
from moothall.capability.registry import Snapshot
from moothall.errors import MoothallError
from moothall.groups.model import no_access
from moothall.groups.store import GroupStore
from moothall.identity.principal import Principal
from moothall.policy.decision import AccessRequest, Authorizer, Effect

_NET: Final = "groups"
"""The door of handlers that only the network can call."""


class Asking(Protocol):
    """Who asks handlers, and how long it waits; a `CallContext` is one."""

    @property
    def principal(self) -> Principal:
        """In whose name they are called."""
        ...

    @property
    def deadline(self) -> float:
        """Monotonic seconds after which nobody waits."""
        ...

    @property
    def hops(self) -> int:
        """Capabilities and nodes that it has passed through."""
        ...

    @property
    def request_id(self) -> str:
        """Under which it is logged."""
        ...


@dataclass(frozen=True, slots=True)
class Answer:
    """What a handler answered: a value, or the error that it failed with."""

    handler: str
    agent: str
    value: Any = None
    error: MoothallError | None = None


class Handlers:
    """The handlers that the registry of this node has now.

    ``conceals``: whether a handler is not there at all for who may not call it; else it refuses, and says so.
    """

    def __init__(
        self,
        snapshot: Callable[[], Snapshot],
        gateway: Callable[[], Gateway],
        agents: Callable[[], Mapping[str, str]],
        monotonic: Callable[[], float],
        authorizer: Authorizer,
        *,
        conceals: bool = False,
    ) -> None:
        self._snapshot, self._gateway, self.agents, self._monotonic = snapshot, gateway, agents, monotonic
        self._authorizer, self._conceals = authorizer, conceals
        self._seen: Snapshot | None = None
        self._of_groups: dict[str, list[Entry]] = {}
        self._of_agents: dict[str, list[Entry]] = {}

    def under(self, group_id: str) -> list[Entry]:
        """The handlers of a group, and those of every group that their agents are in (row TPL-34)."""
        self._look()
        return [*self._of_groups.get(group_id, ()), *self._of_groups.get("", ())]

    def of_agent(self, agent: str) -> list[Entry]:
        """The handlers of direct messages of an agent."""
        self._look()
        return self._of_agents.get(agent, [])

    def listeners(self) -> frozenset[str]:
        """The DIDs of the agents of this node that have handlers of groups."""
        self._look()
        return frozenset(self.did(entry) for entries in self._of_groups.values() for entry in entries) - {""}

    def did(self, entry: Entry) -> str:
        """The DID of a handler's agent; empty where it has none."""
        return self.agents().get(entry.agent, "")

    def agent(self, did: str) -> str:
        """The name of the agent of this node with a DID, or of that name itself; empty: there is none."""
        agents = self.agents()
        return did if did in agents else next((name for name, own in agents.items() if own == did), "")

    def left(self, ctx: Asking) -> float:
        """Seconds for which whoever asks waits still."""
        return ctx.deadline - self._monotonic()

    async def effect(self, entry: Entry, principal: Principal) -> Effect:
        """What the policy says of somebody's calls of a handler. Raises StorageError where the store cannot say."""
        subject = await self._authorizer.subject(principal)
        return self._authorizer.decide(AccessRequest(subject, entry, _door(entry))).effect

    async def seen_by(self, principal: Principal, entries: Iterable[Entry]) -> list[Entry]:
        """Those of some handlers that somebody may call: of the others nothing is listed."""
        return [entry for entry in entries if await self.effect(entry, principal) != "deny"]

    async def there_for(self, principal: Principal, entries: Iterable[Entry]) -> list[Entry]:
        """Those of some handlers that are there for who says something: where denials are concealed, no others."""
        return await self.seen_by(principal, entries) if self._conceals else list(entries)

    async def give(self, entry: Entry, given: tuple[Any, ...], ctx: Asking, principal: Principal) -> Answer:
        """Call a handler with what it takes, by place, or all of it in one object."""
        names = list(entry.input_schema.get("properties", {}))
        keys = ("group_id", "event_type", "event_data")
        if entry.spec.template == GROUP and len(names) == 1:
            params: dict[str, Any] = {names[0]: dict(zip(keys, given, strict=True))}
        else:
            params = dict(zip(names, given, strict=False))
        facts = CallFacts(
            door=_door(entry),
            principal=principal,
            request_id=fresh(),
            timeout=self.left(ctx),
            hops=ctx.hops + 1,
            agent=entry.agent,
            parent=ctx.request_id,
            inside=True,
        )
        reply = await self._gateway().call(Target.parse(f"local:{entry.key}"), params, facts)
        return Answer(entry.id, self.did(entry), None if reply.error else reply.data, reply.error)

    def _look(self) -> None:
        snapshot = self._snapshot()
        if snapshot is self._seen:
            return
        groups: dict[str, list[Entry]] = {}
        agents: dict[str, list[Entry]] = {}
        for entry in snapshot.newest:
            if entry.state == "disabled":
                continue
            if entry.spec.template == GROUP:
                groups.setdefault(entry.spec.group_id, []).append(entry)
            elif entry.spec.template == MESSAGE:
                agents.setdefault(entry.agent, []).append(entry)
        self._seen, self._of_groups, self._of_agents = snapshot, groups, agents


def _door(entry: Entry) -> str:
    return LOCAL if "local" in entry.spec.exposure else _NET


class GroupGuard:
    """Stands before every handler of groups: only for events of a group that both caller and agent are in (TPL-31)."""

    def __init__(self, store: GroupStore, identity: Callable[[Principal], str], handlers: Handlers) -> None:
        self._store, self._identity, self._handlers = store, identity, handlers

    async def __call__(self, ctx: CallContext, arguments: Mapping[str, Any]) -> None:
        """Let the call go ahead, or not.

        Raises:
            PermissionDeniedError: the caller has no access to the group, or the handler is not one of it.
        """
        first: Any = next(iter(arguments.values()), None)
        group_id = first.get("group_id") if isinstance(first, Mapping) else first
        entry = next(
            (one for one in self._handlers.under(str(group_id)) if one.id == f"{ctx.agent}.{ctx.capability}"), None
        )
        if entry is None or not isinstance(group_id, str):
            raise no_access()
        caller, agent = self._identity(ctx.principal), self._handlers.did(entry)
        seen = await self._store.seen(group_id, {caller, agent})
        if seen is None or agent not in seen.members:
            raise no_access()
        if caller not in seen.members and group_id not in await self._store.groups(caller):  # by a link for calls
            raise no_access()
