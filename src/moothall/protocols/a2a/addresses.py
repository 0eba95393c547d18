"""Where the cards of agents are, and where they are asked (A2A 1.0 §5.3, §8.2). Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Literal

WELL_KNOWN: Final = "/.well-known/agent-card.json"
"""The card of a domain's agent."""

Leaf = Literal["card", "keys", "call"]

_AGENTS: Final = "/agents/"
_KEYS: Final = "/.well-known/jwks.json"
_CALL: Final = "/a2a"
_LEAVES: Final[Mapping[str, Leaf]] = {WELL_KNOWN: "card", _KEYS: "keys", _CALL: "call", f"{_CALL}/": "call"}


@dataclass(frozen=True, slots=True)
class Place:
    """What stands at an address; ``rest`` is what follows the address at which an agent is asked.

    An empty ``agent`` is the one of the domain.
    """

    agent: str
    leaf: Leaf
    rest: str = ""


def card_path(agent: str) -> str:
    """The path of an agent's card."""
    return f"{_AGENTS}{agent}{WELL_KNOWN}"


def keys_path(agent: str) -> str:
    """The path of the keys that sign its card, as a JSON Web Key Set."""
    return f"{_AGENTS}{agent}{_KEYS}"


def call_path(agent: str) -> str:
    """The path at which it is asked: JSON-RPC at the path itself, HTTP+JSON below it."""
    return f"{_AGENTS}{agent}{_CALL}"


def place_at(path: str) -> Place | None:
    """What a path names, if it is one of ours; whether there is such an agent is not asked."""
    if path == WELL_KNOWN:
        return Place("", "card")
    if not path.startswith(_AGENTS):
        return None
    agent, slash, below = path[len(_AGENTS) :].partition("/")
    tail = slash + below
    if not agent:
        return None
    if tail in _LEAVES:
        return Place(agent, _LEAVES[tail])
    if tail.startswith(f"{_CALL}/"):
        return Place(agent, "call", tail[len(_CALL) :])
    return None
