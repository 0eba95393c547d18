"""What an agent offers a caller, and by which ways, as the choice between them sees it. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from typing import Final
from urllib.parse import urlsplit

from moothall.capability.entry import Entry
from moothall.codegen.services.exact import exact
from moothall.negotiation.protocol.bodies import ExecutionMode
from moothall.negotiation.protocol.needs import JsonObject

JSON: Final = "application/json"
EVENTS: Final = "text/event-stream"

TRANSPORT: Final = "transport-protected"
"""The security profile of requests that are signed, on a connection that nobody else reads."""

RPC_PROFILE: Final = "anp.rpc.v1"
"""The profile of calls of a structured interface."""

TASK_PROFILE: Final = "a2a.task.v1"
"""The profile of tasks, as A2A 1.0 has them; a name of ours, since ANP has none."""

_NEAR: Final = frozenset({"localhost", "127.0.0.1", "::1"})

AGREED_NAMES: Final = "protocol."
"""What the names of agreed protocols begin with."""

CONTENT: Final[dict[ExecutionMode, str]] = {
    "direct_structured_call": JSON,
    "stream": EVENTS,
    "async_task": JSON,
}
"""The modes in which capabilities are called here, each with what the answer consists of."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Interface:
    """A way to an agent's capabilities.

    Attributes:
        id: its name in results.
        kind: the type that descriptions give it.
        protocol: ``openrpc``, ``A2A``, ….
        profile: of the calls.
        url: where they go.
        modes: in which it carries them out.
        refs: other names and addresses by which a caller may know it.
    """

    id: str
    kind: str
    protocol: str
    profile: str
    url: str
    modes: tuple[ExecutionMode, ...]
    refs: tuple[str, ...] = ()

    def called(self, ref: str) -> bool:
        """Whether somebody who says this means the interface."""
        return ref in {self.id, self.url, *self.refs}

    def is_a(self, kind: str) -> bool:
        """Whether it is of a type, or speaks a protocol, of this name."""
        return kind.casefold() in {self.kind.casefold(), self.protocol.casefold()}


@dataclass(frozen=True, slots=True, kw_only=True)
class Offer:
    """A capability that the caller may call.

    Attributes:
        name: at its agent.
        approval: whether each call waits for a person.
        timeout_ms: how long a call may take.
    """

    name: str
    description: str = ""
    tags: tuple[str, ...] = ()
    request: JsonObject = field(default_factory=dict, repr=False)
    response: JsonObject = field(default_factory=dict, repr=False)
    streams: bool = False
    approval: bool = False
    timeout_ms: int = 30_000

    @property
    def modes(self) -> tuple[ExecutionMode, ...]:
        """How it can be carried out, the most natural way first."""
        return (
            ("stream", "direct_structured_call", "async_task")
            if self.streams
            else (
                "direct_structured_call",
                "async_task",
            )
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class FrontTerms:
    """What an agent's front door can do.

    Attributes:
        interfaces: the ways to its capabilities, the usual one first.
        security_profiles: that hold here.
        drafting: whether it drafts protocols.
    """

    interfaces: tuple[Interface, ...]
    security_profiles: tuple[str, ...] = (TRANSPORT,)
    drafting: bool = True

    @property
    def profiles(self) -> tuple[str, ...]:
        """Of the calls that can be agreed on."""
        return tuple(dict.fromkeys(each.profile for each in self.interfaces))

    @property
    def content_types(self) -> tuple[str, ...]:
        """Of the answers that can be agreed on."""
        modes = [mode for each in self.interfaces for mode in each.modes]
        return tuple(dict.fromkeys(CONTENT[mode] for mode in modes if mode in CONTENT))


def offers_of(agent: str, entries: Iterable[Entry]) -> tuple[Offer, ...]:
    """An agent's capabilities among those that a caller may call."""
    return tuple(_offer(entry) for entry in entries if entry.agent == agent)


def _offer(entry: Entry) -> Offer:
    spec = entry.spec
    value = entry.output_schema or {}
    return Offer(
        name=spec.name,
        description=spec.description,
        tags=spec.tags,
        request=entry.input_schema,
        response={"type": "array", "items": value} if entry.streams else value,
        streams=entry.streams,
        approval=spec.approval,
        timeout_ms=int(spec.timeout * 1000),
    )


def interfaces_of(rpc: str, *, document: str, tasks: str = "") -> tuple[Interface, ...]:
    """The ways to an agent of a node.

    Args:
        rpc: the address of its call route.
        document: that of its OpenRPC document.
        tasks: where it takes tasks of A2A; empty: it does not.
    """
    calls = Interface(
        id="interface.openrpc",
        kind="StructuredInterface",
        protocol="openrpc",
        profile=RPC_PROFILE,
        url=rpc,
        modes=("direct_structured_call", "stream"),
        refs=(document,),
    )
    if not tasks:
        return (calls,)
    taken = Interface(
        id="interface.a2a",
        kind="StructuredInterface",
        protocol="A2A",
        profile=TASK_PROFILE,
        url=tasks,
        modes=("async_task",),
    )
    return (calls, taken)


def for_drafting(offers: Iterable[Offer]) -> tuple[Offer, ...]:
    """Capabilities as drafted protocols see them: no protocols themselves, and integers are integers.

    Ours may also travel as decimal strings, beyond 2^53; a drafted protocol has none so large.
    """
    return tuple(
        replace(offer, request=exact(offer.request), response=exact(offer.response))
        for offer in offers
        if not offer.name.startswith(AGREED_NAMES) and not offer.streams
    )


def security_of(base: str) -> tuple[str, ...]:
    """The security profiles of a node at an address: over plain HTTP nothing is protected, but on the very machine."""
    place = urlsplit(base)
    near = place.hostname in _NEAR or (place.hostname or "").endswith(".localhost")
    return (TRANSPORT,) if place.scheme == "https" or near else ()
