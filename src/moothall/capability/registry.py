"""The capabilities of a node: an immutable, versioned snapshot that every door reads, and what publishes it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from dataclasses import replace
from typing import Any, cast

from moothall.capability.adapters import AdapterLayer
from moothall.capability.compatibility import breaking
from moothall.capability.compiling import Member, compile_entry
from moothall.capability.declaration import Layers
from moothall.capability.entry import Entry, State
from moothall.capability.life import Hook, Life
from moothall.capability.options import OptionError, Settled, settle
from moothall.capability.proxies import Direct, route_of
from moothall.capability.snapshot import DEFAULT_AGENT, AgentRecord, Snapshot
from moothall.capability.spec import Made
from moothall.capability.threads import Threads
from moothall.capability.versions import precedence
from moothall.errors import Conflict, ServiceNotFoundError
from moothall.identity.keystore import AGENT_NAME
from moothall.telemetry import logger

__all__ = ["AgentRecord", "Registry", "Snapshot"]

Listener = Callable[[Snapshot], None]
Watcher = Callable[[str], None]

_LOG = logger("capability")


def checked_name(agent: str) -> str:
    """The name of an agent, which has no dots: ``AGENT.NAME`` can be read in one way only.

    Raises:
        OptionError: it is none.
    """
    if not AGENT_NAME.fullmatch(agent):
        raise OptionError("the name of an agent consists of at most 64 letters, digits, '_' and '-', and no '-' first")
    return agent


class Registry:
    """Takes capabilities in and publishes a snapshot with every change.

    Args:
        threads: synchronous capabilities that may run at once.
        options: options of capabilities by ``NAME`` or ``AGENT.NAME``, as a configuration file has them; they go before
            the decorator's (row DEC-51).
        adapters: conversion, validation, documents and errors, for agents that bring none of their own.
        default_agent: the agent whose capabilities need no agent's name.
    """

    def __init__(
        self,
        *,
        threads: int = 64,
        options: Mapping[str, Mapping[str, Any]] | None = None,
        adapters: AdapterLayer | None = None,
        default_agent: str = DEFAULT_AGENT,
    ) -> None:
        self.adapters = adapters or AdapterLayer()
        self.threads = Threads(threads)
        self._file = {
            name: settle(given, f"the configuration of {name}", identity=False)
            for name, given in (options or {}).items()
        }
        self._run_time: dict[str, Settled] = {}
        self._members: dict[str, tuple[Member, AdapterLayer]] = {}
        self._entries: dict[str, Entry] = {}
        self._agents: dict[str, AgentRecord] = {}
        self._listeners: list[Listener] = []
        self._watchers: list[Watcher] = []
        self._life = Life()
        self._direct: Direct | None = None
        self._snapshot = Snapshot(default_agent=default_agent)

    @property
    def snapshot(self) -> Snapshot:
        """The capabilities as they are now."""
        return self._snapshot

    def add_agent(self, name: str, *, description: str = "", did: str = "") -> AgentRecord:
        """Make an agent known, or more of one that is.

        Raises:
            OptionError: the name is none.
            Conflict: it has another DID.
        """
        known = self._agents.get(name) or AgentRecord(checked_name(name))
        if did and known.did and did != known.did:
            raise Conflict(f"the agent {name} has another DID already", details={"agent": name})
        record = AgentRecord(name, description or known.description, did or known.did)
        if record != self._agents.get(name):
            self._agents[name] = record
            self._publish()
        return record

    def remove_agent(self, name: str) -> None:
        """Take an agent and all its capabilities out."""
        self._agents.pop(name, None)
        for key in [key for key, entry in self._entries.items() if entry.agent == name]:
            self._forget(key)
        self._publish()

    def add(self, agent: str, members: Iterable[Member], *, adapters: AdapterLayer | None = None) -> tuple[Entry, ...]:
        """Take functions in as capabilities of an agent; all of them or none.

        Raises:
            OptionError: the agent's name is none; the options or the signature of one make no sense.
            Conflict: there is one of that name and version, or with that path and verb.
        """
        agent, chosen = checked_name(agent), adapters or self.adapters
        made: dict[str, tuple[Entry, Member]] = {}
        for member in members:
            entry = self._compile(member, agent, chosen)
            key = entry.key
            if key in self._entries or key in made:
                raise Conflict(f"there is a capability {key} already", details={"capability": key})
            made[key] = entry, member
        self._refuse_shared_paths([entry for entry, _ in made.values()])
        self._agents.setdefault(agent, AgentRecord(agent))
        for key, (entry, member) in made.items():
            self._warn_of_breaks(entry)
            self._entries[key] = entry
            self._members[key] = member, chosen
        self._publish()
        return tuple(entry for entry, _ in made.values())

    def remove(self, name: str) -> None:
        """Take a capability out: ``AGENT.NAME`` with all its versions, or one ``AGENT.NAME@VERSION``.

        Raises:
            ServiceNotFoundError: there is none.
        """
        for key in self._keys(name):
            self._forget(key)
        self._publish()

    def enable(self, name: str) -> None:
        """Let it be called again. Raises as `remove`."""
        self._set_state(name, "enabled")

    def disable(self, name: str) -> None:
        """Let nobody call it; callers read that it is out of service. Raises as `remove`."""
        self._set_state(name, "disabled")

    def deprecate(self, name: str) -> None:
        """Mark it as something that will go. Raises as `remove`."""
        self._set_state(name, "deprecated")

    def configure(self, name: str, /, **options: Any) -> None:  # noqa: ANN401 - checked one by one
        """Set options at run time; they go before all others. ``name`` is as in `remove`; all its versions or none.

        Raises:
            OptionError: an option makes no sense, or may only stand at the decorator.
            ServiceNotFoundError: there is no such capability.
        """
        settled = settle(options, f"configure({name!r})", identity=False)
        compiled: dict[str, Entry] = {}
        told: dict[str, Settled] = {}
        for key in self._keys(name):
            member, adapters = self._members[key]
            entry = self._entries[key]
            later = {**self._run_time.get(key, {}), **settled}
            made = self._compile(member, entry.agent, adapters, later)
            compiled[key] = replace(made, state=entry.state)
            told[key] = later
        self._entries.update(compiled)
        self._run_time.update(told)
        self._publish()

    def made(self, name: str, made: Made) -> None:
        """Say what is known of a generated body, and with it who may see it; ``name`` is as in `remove`.

        Raises:
            ServiceNotFoundError: there is no such capability.
        """
        for key in self._keys(name):
            member, adapters = self._members[key]
            entry, changed = self._entries[key], replace(member, made=made)
            compiled = self._compile(changed, entry.agent, adapters, self._run_time.get(key))
            self._members[key] = changed, adapters
            self._entries[key] = replace(compiled, state=entry.state)
        self._publish()

    def on_change(self, listener: Listener) -> Callable[[], None]:
        """Call ``listener`` with every new snapshot; what is returned ends that."""
        self._listeners.append(listener)

        def end() -> None:
            with suppress(ValueError):
                self._listeners.remove(listener)

        return end

    def updated(self, uri: str) -> None:
        """Tell whoever watches a resource that what it has to say is another now; can be called from any thread."""
        for watcher in tuple(self._watchers):
            watcher(uri)

    def on_update(self, watcher: Watcher) -> Callable[[], None]:
        """Call ``watcher`` with the URI of every resource that is `updated`; what is returned ends that."""
        self._watchers.append(watcher)

        def end() -> None:
            with suppress(ValueError):
                self._watchers.remove(watcher)

        return end

    def on_start(self, hook: Hook) -> Hook:
        """Run a function, which may be asynchronous, once when the node starts."""
        return self._life.on_start(hook)

    def on_stop(self, hook: Hook) -> Hook:
        """Run a function, which may be asynchronous, once when the node stops."""
        return self._life.on_stop(hook)

    async def start(self, direct: Direct | None = None) -> None:
        """Run the start hooks that have not run, in their order.

        Args:
            direct: makes the calls of proxies that are called as functions.
        """
        self._direct = direct or self._direct
        self._open_routes()
        await self._life.start()

    async def stop(self) -> None:
        """Run the stop hooks, last first, and let the threads end; a second call does nothing."""
        try:
            await self._life.stop()
        finally:
            self._direct = None
            for member, _ in self._members.values():
                if route := route_of(member.function):
                    route.close(self)
            self.threads.close()

    def _compile(
        self, member: Member, agent: str, adapters: AdapterLayer, run_time: Mapping[str, Any] | None = None
    ) -> Entry:
        file = {**self._file.get(member.name, {}), **self._file.get(f"{agent}.{member.name}", {})}
        layers = Layers(member.defaults, file, run_time or {}, member.made)
        return compile_entry(member, agent, layers, self.threads, adapters)

    def _warn_of_breaks(self, entry: Entry) -> None:
        for other in self._entries.values():
            same_major = other.id == entry.id and other.spec.version.split(".")[0] == entry.spec.version.split(".")[0]
            if same_major and precedence(other.spec.version) < precedence(entry.spec.version):
                for found in breaking(other, entry):
                    _LOG.warning("%s breaks callers of %s: %s", entry.key, other.key, found)

    def _refuse_shared_paths(self, made: Iterable[Entry]) -> None:
        taken = {
            (entry.spec.path, verb): key
            for key, entry in self._entries.items()
            if entry.spec.path
            for verb in entry.spec.methods
        }
        for entry in made:
            for verb in entry.spec.methods if entry.spec.path else ():
                holder = taken.setdefault((entry.spec.path, verb), entry.key)
                if holder != entry.key:
                    raise Conflict(
                        f"{verb} {entry.spec.path} belongs to {holder} already; {entry.key} needs another path",
                        details={"path": entry.spec.path, "verb": verb},
                    )

    def _keys(self, name: str) -> list[str]:
        keys = [name] if name in self._entries else [key for key, entry in self._entries.items() if entry.id == name]
        if not keys:
            raise ServiceNotFoundError(f"there is no capability {name}")
        return keys

    def _set_state(self, name: str, state: State) -> None:
        for key in self._keys(name):
            self._entries[key] = replace(self._entries[key], state=state)
        self._publish()

    def _forget(self, key: str) -> None:
        if key in self._members and (route := route_of(self._members[key][0].function)):
            route.close(self)
        for table in (self._entries, self._members, self._run_time):
            cast("dict[str, Any]", table).pop(key, None)

    def _open_routes(self) -> None:
        for key, (member, _) in self._members.items():
            if self._direct is not None and (route := route_of(member.function)):
                route.open(self, self._entries[key], self._direct)

    def _publish(self) -> None:
        self._open_routes()
        last = self._snapshot
        self._snapshot = Snapshot.of(self._entries.values(), self._agents, last.version + 1, last.default_agent)
        for listener in tuple(self._listeners):
            listener(self._snapshot)
