"""Where the documents and the call route of an agent are. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

DISCOVERY: Final = "/.well-known/agent-descriptions"
"""The list of a domain's agents (ANP-08)."""

Leaf = Literal["ad.json", "interface.json", "rpc"]

_AGENTS: Final = "/agents/"
_LEAVES: Final[tuple[Leaf, ...]] = ("ad.json", "interface.json", "rpc")


@dataclass(frozen=True, slots=True)
class Place:
    """What stands at an address below ``/agents/``."""

    agent: str
    leaf: Leaf


def path_of(agent: str, leaf: Leaf) -> str:
    """The path of an agent's description, interface or call route."""
    return f"{_AGENTS}{agent}/{leaf}"


def place_at(path: str) -> Place | None:
    """What a path names, if it is one of ours; whether there is such an agent is not asked."""
    if not path.startswith(_AGENTS):
        return None
    agent, _, leaf = path[len(_AGENTS) :].partition("/")
    known = next((known for known in _LEAVES if known == leaf), None)
    return Place(agent, known) if agent and known else None
