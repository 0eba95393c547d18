"""Services of this node, as its registry of capabilities has them now."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from moothall.capability.service_registry import ServiceInfo, describe_entry
from moothall.capability.spec import UNLISTED
from moothall.groups.master.ground import MasterGround

_HANDLERS: Final = frozenset({"group", "message"})
"""Templates of what is no service."""


def services_of(ground: MasterGround, agent: str) -> Iterator[tuple[ServiceInfo, str]]:
    """What a hosted agent offers, each with the action that it is."""
    for entry in ground.gateway().snapshot.of_agent(agent):
        if entry.state != "disabled" and entry.spec.template not in _HANDLERS and UNLISTED not in entry.spec.tags:
            yield describe_entry(entry), entry.spec.acts


def action_of(ground: MasterGround, agent: str, name: str) -> str:
    """The action that a capability of a hosted agent is; empty where there is none of that name."""
    entry = ground.gateway().snapshot.find(f"{agent}.{name}") if agent else None
    return entry.spec.acts if entry is not None else ""


def capability_of(ground: MasterGround, service_id: str) -> tuple[str, str]:
    """A service as a capability of this node, and the action that it is; both empty where it is none."""
    did, _, name = service_id.partition("#")
    agent = ground.name_of(did)
    action = action_of(ground, agent, name)
    return (f"{agent}.{name}", action) if action else ("", "")
