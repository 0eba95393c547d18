"""What all rooms of a host stand on, once: the parts of the node, and what they ask of the host while it runs."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass

from moothall.calls.path import CallPath
from moothall.capability.registry import Registry
from moothall.clock import Clock
from moothall.directory.registry import AgentRegistry
from moothall.events.log import EventLog
from moothall.identity.office import IdentityOffice, Place
from moothall.identity.principal import Principal
from moothall.llm.base import BaseLLM
from moothall.messages import Lang
from moothall.settings import Settings
from moothall.storage.store import Store


@dataclass(frozen=True, slots=True, kw_only=True)
class House:
    """What a room stands on.

    Attributes:
        settings, clock, store, log, office, registry: of the node.
        place: where it is for others.
        profiles: of those who negotiate; None: there are none.
        llm: the model for whole texts; None: rules, schemas and templates alone.
        lang: of what is written for people.
        path: the call path, which is made after the rooms.
        principals: who an agent of this node is as a caller, by its name.
        callers: a DID as the caller that it would be, were it to prove itself now.
        renewed: somebody as it would be verified now; None: nobody would be let in as this one.
        agents: the DIDs of the hosted agents by their names.
        own: ids of the capabilities that the node itself is made of.
        suspended: whether the policy, as it is now, refuses an identity whatever it may.
    """

    settings: Settings
    clock: Clock
    store: Store
    log: EventLog
    office: IdentityOffice
    registry: Registry
    place: Place
    profiles: AgentRegistry | None
    llm: BaseLLM | None
    lang: Lang
    path: Callable[[], CallPath]
    principals: Callable[[str], Principal]
    callers: Callable[[str], Principal]
    renewed: Callable[[Principal], Principal | None]
    agents: Callable[[], Mapping[str, str]]
    own: Callable[[], Collection[str]]
    suspended: Callable[[str], bool]
