"""Two simple nodes in one process, on free ports, with a gate that lets everything pass where a test is not about it."""

from __future__ import annotations

import json
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from moothall.negotiation.protocol.limits import Limits
from moothall.negotiation.protocol.provider_session import ProviderSession
from moothall.negotiation.protocol.requester_session import RequesterSession
from moothall.simple_node.node import SimpleNegotiationNode

REQUIREMENT = "Look up which courses a user has completed"
INPUT = "user_id: string, required"
OUTPUT = json.dumps(
    {
        "type": "object",
        "properties": {"titles": {"type": "array", "items": {"type": "string"}}},
        "required": ["titles"],
    }
)
CAPABILITY = json.dumps(
    {
        "capabilities": [
            {
                "target": "callback",
                "description": "Completed courses of a user",
                "input": {"type": "object", "properties": {"user_id": {"type": "string"}}, "required": ["user_id"]},
                "output": json.loads(OUTPUT),
            }
        ]
    }
)
TITLES = {"u-1": ["Signals"], "u-2": ["Bridges", "Tunnels"]}
LIMITS = Limits(message_timeout=20, negotiation_timeout=40, code_generation_timeout=40)


async def completed(request: dict[str, Any]) -> dict[str, Any]:
    """Business code."""
    return {"code": 200, "titles": TITLES.get(request["user_id"], [])}


@dataclass
class Provider:
    """What Bob's owner wrote, and what it was told."""

    callback: Any = completed
    capability: str = CAPABILITY
    asked: list[tuple[str, str, str]] = field(default_factory=list)
    sessions: list[ProviderSession] = field(default_factory=list)

    async def able(self, requirement: str, input_description: str, output_description: str) -> str:
        self.asked.append((requirement, input_description, output_description))
        return self.capability

    async def new_session(self, session: ProviderSession) -> None:
        self.sessions.append(session)
        session.provider_instance.set_protocol_callback(self.callback)
        await session.code_generated()


def simple(folder: Path, provider: Provider | None = None, limits: Limits = LIMITS) -> SimpleNegotiationNode:
    """A node at a free port; with a provider it provides."""
    node = SimpleNegotiationNode(
        "localhost",
        None,
        0,
        "/ws",
        folder,
        provider and provider.new_session,
        provider and provider.able,
        limits=limits,
    )
    node.generate_did_document()
    return node


@asynccontextmanager
async def two(
    folder: Path, provider: Provider, limits: Limits = LIMITS
) -> AsyncIterator[tuple[SimpleNegotiationNode, SimpleNegotiationNode]]:
    """Alice and Bob, who run."""
    async with simple(folder / "alice", limits=limits) as alice, simple(folder / "bob", provider, limits) as bob:
        yield alice, bob


async def connected(alice: SimpleNegotiationNode, bob: SimpleNegotiationNode, **more: Any) -> RequesterSession:
    """A session in which both sides are ready."""
    session = await alice.connect_to_did_with_negotiation(bob.did, REQUIREMENT, INPUT, OUTPUT, **more)
    assert await session.code_generated(), session.meta.error
    return session


def said(session: RequesterSession) -> list[str]:
    """What the messages of its negotiation were about."""
    talk = session.meta.conversation
    assert talk is not None
    return [message["action"] for _, message in talk.messages]


def children() -> set[int]:
    """Processes of this one that are alive."""
    found = set()
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            state, parent = (folder / "stat").read_text().rpartition(")")[2].split()[:2]
        except OSError:
            continue
        if int(parent) == os.getpid() and state != "Z":
            found.add(int(folder.name))
    return found
