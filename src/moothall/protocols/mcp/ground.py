"""What the rooms of the MCP server stand on: tools, resources, prompts, completion, and questions to the client."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial

from mcp.server.subscriptions import InMemorySubscriptionBus

from moothall.calls.ports import Gateway
from moothall.capability.threads import Threads
from moothall.protocols.mcp.shares import Shares

DOOR = "mcp"
"""The name of this door in `CallFacts` and `Gateway.visible`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ground:
    """What they share.

    Attributes:
        gateway: the node; asked for at every message, since it is made later.
        name, version: of the server, as clients show them.
        secret: seals what clients keep for us, at least 32 bytes.
        bus: takes what subscribers are told.
        suspended: whether the policy refuses an identity by now.
        threads: where synchronous functions run.
        streams: those that each caller has open.
        completions: those that each caller waits for.
    """

    gateway: Callable[[], Gateway]
    name: str
    version: str
    secret: bytes
    bus: InMemorySubscriptionBus
    suspended: Callable[[str], bool]
    threads: Threads
    streams: Shares = field(default_factory=partial(Shares, 64, 16, "mcp.streams_full"))
    completions: Shares = field(default_factory=partial(Shares, 8, 4, "mcp.completions_full"))
