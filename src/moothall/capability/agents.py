"""An agent: a name, and the capabilities that it offers.

::

    class Weather:
        capability_defaults = {"access": "authenticated"}

        @capability
        async def forecast(self, city: str) -> Forecast: ...

    agent = Agent("weather", Weather(), description="Forecasts for every town")
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar, Self, TypeVar

from moothall.capability.adapters import AdapterLayer
from moothall.capability.compiling import Member
from moothall.capability.life import Hook, Life
from moothall.capability.members import members_of, methods_of
from moothall.capability.registry import Registry, checked_name

H = TypeVar("H", bound=Hook)


class Agent:
    """What a node hosts; a node gives it its identity.

    A class of its own may have decorated methods: they are capabilities of the object.

    Args:
        name: letters, digits, ``_`` and ``-``; part of its DID and of the ids of its capabilities.
        capabilities: whatever `include` takes.
        description: what it is for, in its description document.
        adapters: its own conversion, validation, documents and errors.
        did: the identity that it must have, where it has one already.
        listed: whether the node's list of agents names it; who knows its DID can call it either way.

    Attributes:
        life: what is run when its node starts and stops.

    Raises:
        OptionError: the name is none, or as `include`.
    """

    capability_defaults: ClassVar[Mapping[str, Any]] = {}

    def __init__(
        self,
        name: str,
        /,
        *capabilities: object,
        description: str = "",
        adapters: AdapterLayer | None = None,
        did: str = "",
        listed: bool = True,
    ) -> None:
        self.name = checked_name(name)
        self.description = description
        self.adapters = adapters
        self.did = did
        self.listed = listed
        self.life = Life()
        self._included: list[Member] = []
        self._registries: list[Registry] = []
        self.include(*capabilities)

    @property
    def members(self) -> tuple[Member, ...]:
        """The functions that are its capabilities: methods of its own class first."""
        return (*methods_of(self), *self._included)

    def include(self, *included: object) -> Self:
        """Take in functions, modules, dictionaries, or objects with decorated methods; also while the node runs.

        Raises:
            OptionError: there is no capability in one of them.
            Conflict: the node has one of that name and version, or with that path and verb.
        """
        members = [member for item in included for member in members_of(item)]
        for registry in self._registries:
            registry.add(self.name, members, adapters=self.adapters)
        self._included.extend(members)
        return self

    def updated(self, uri: str) -> None:
        """Tell whoever watches a resource of this agent that it is another now; can be called from any thread."""
        for registry in self._registries:
            registry.updated(uri)

    def on_start(self, hook: H) -> H:
        """Run a function, which may be asynchronous, once when the node starts; can be used as a decorator."""
        return self.life.on_start(hook)

    def on_stop(self, hook: H) -> H:
        """Run a function, which may be asynchronous, once when the node stops; can be used as a decorator."""
        return self.life.on_stop(hook)

    def join(self, registry: Registry) -> None:
        """Become known in a registry, with every capability and hook; what is included later joins, too.

        Raises:
            OptionError, Conflict: as `include`.
        """
        if registry in self._registries:
            return
        registry.add(self.name, self.members, adapters=self.adapters)
        registry.add_agent(self.name, description=self.description, did=self.did)
        registry.on_start(self.life.start)
        registry.on_stop(self.life.stop)
        self._registries.append(registry)

    def leave(self, registry: Registry) -> None:
        """Join it no more with what is included later: the node of that registry has stopped."""
        if registry in self._registries:
            self._registries.remove(registry)

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.name!r})"


def register_local_methods_to_agent(agent: Agent, module_or_dict: object) -> tuple[str, ...]:
    """Include the decorated functions of a module or dictionary and return their names (row DEC-02).

    Raises:
        OptionError, Conflict: as `Agent.include`.
    """
    agent.include(module_or_dict)
    return tuple(member.name for member in members_of(module_or_dict))
