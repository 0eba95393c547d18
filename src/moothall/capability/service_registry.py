"""`ServiceRegistry`: the registry under the name, and with the methods, that the framework's specification gives it."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, TypedDict

from moothall.capability import schema, shape
from moothall.capability.compiling import Member
from moothall.capability.declaration import NO_LAYERS, spec_of
from moothall.capability.entry import Entry
from moothall.capability.members import members_of
from moothall.capability.options import settle
from moothall.capability.proxies import body_of
from moothall.capability.registry import Registry
from moothall.capability.snapshot import DEFAULT_AGENT
from moothall.capability.spec import CapabilitySpec, JsonObject


class ServiceInfo(TypedDict):
    """What one can know of a service before calling it (row SOA-07)."""

    name: str
    description: str
    parameters: JsonObject
    tags: list[str]
    capabilities: list[str]


class ServiceRegistry:
    """A façade of `Registry` for functions without an agent of their own.

    Args:
        registry: where they are registered; a new one by default. ``Registry``'s own methods list, enable, disable,
            deprecate and remove them.
        agent: the agent that they are registered for.
    """

    def __init__(self, registry: Registry | None = None, agent: str = DEFAULT_AGENT) -> None:
        self.registry = registry or Registry()
        self.agent = agent

    def register(
        self,
        func: Callable[..., Any],
        scope: str | Iterable[str] | None = None,
        permissions: Iterable[str] | None = None,
    ) -> Entry:
        """Register a function; what is not given here is as its decorator says, if it has one.

        Raises:
            OptionError: an option makes no sense.
            Conflict: there is one of that name and version.
        """
        given = {"scope": scope, "permissions": permissions}
        options = {option: value for option, value in given.items() if value is not None}
        return self._add(members_of(func)[0].with_options(settle(options, "register()")))

    def auto_register_service(self, func: Callable[..., Any]) -> ServiceInfo:
        """Register a function as it is and return what is known of it. Raises as `register`."""
        member = members_of(func)[0]
        self._add(member)
        return describe_member(member)

    def get_registered_services(self) -> list[ServiceInfo]:
        """What is known of every service of this agent, by name."""
        return [describe_entry(entry) for entry in self.registry.snapshot.of_agent(self.agent)]

    def _add(self, member: Member) -> Entry:
        return self.registry.add(self.agent, [member])[0]


def describe_member(member: Member) -> ServiceInfo:
    """What can be known of a function that is not registered."""
    spec = spec_of(member.function, member.declaration.lines, NO_LAYERS)
    form = shape.read(body_of(member.function), member.declaration.hints)
    return _info(spec, schema.input_schema(form), streams=form.streams)


def describe_entry(entry: Entry) -> ServiceInfo:
    """What can be known of a registered capability."""
    return _info(entry.spec, entry.input_schema, streams=entry.streams)


def _info(spec: CapabilitySpec, parameters: JsonObject, *, streams: bool) -> ServiceInfo:
    effects = spec.annotations
    abilities: dict[str, bool] = dict.fromkeys(sorted(spec.exposure), True) | {
        "public": spec.public,
        "streaming": streams,
        "idempotent": spec.idempotent,
        "read_only": effects.read_only,
        "destructive": effects.destructive,
        "open_world": effects.open_world,
        "cached": spec.cache_ttl > 0,
    }
    return ServiceInfo(
        name=spec.name,
        description=spec.description,
        parameters=parameters,
        tags=list(spec.tags),
        capabilities=[ability for ability, has in abilities.items() if has],
    )
