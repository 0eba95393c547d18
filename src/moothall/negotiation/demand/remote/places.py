"""Where an agent elsewhere is asked, from one target that names it. Pure.

::

    did:wba:…                            did:wba:…#demand.offer
    a2a:ALIAS-OR-URL                     a2a:ALIAS-OR-URL#demand.offer
    mcp:SERVER   mcp:SERVER.AGENT        mcp:SERVER.demand_offer   mcp:SERVER.AGENT_demand_offer
    https://HOST/…/AGENT                 https://HOST/…/AGENT.demand.offer

Each can be named by itself where an agent has other names for them.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import Final

from moothall.calls.target import Target
from moothall.directory.registry import REMOTE
from moothall.errors import Told, ValidationError
from moothall.negotiation.demand.remote.messages import OFFER, PROFILE, REVIEW

_HASHED: Final = frozenset({"did", "a2a"})
_WEB: Final = frozenset({"http", "https"})
_DIGITS: Final = 12


@dataclass(frozen=True, slots=True)
class Place:
    """Where one agent is asked for each thing; `target` is what was named."""

    target: str
    offer: str
    review: str
    profile: str

    @property
    def agent_id(self) -> str:
        """Its id here: the same for the same target, and none that the other side can choose."""
        return f"{REMOTE}{hashlib.sha256(self.target.encode()).hexdigest()[:_DIGITS]}"


def place_of(target: str, offer: str = "", review: str = "", profile: str = "") -> Place:
    """The place of an agent; what is given beside its target stands for what would follow from it.

    Raises:
        ValidationError: one is no target of somebody elsewhere, or the first names an operation.
    """
    named = Target.parse(target)
    _check_elsewhere(named)
    if named.operation and named.scheme in _HASHED:
        raise ValidationError("the target names an operation", told=Told("participants.operation"))
    for other in (offer, review, profile):
        if other:
            _check_elsewhere(Target.parse(other))
    return Place(
        str(named),
        offer or _at(named, OFFER),
        review or _at(named, REVIEW),
        profile or _at(named, PROFILE),
    )


def _at(place: Target, operation: str) -> str:
    if place.scheme in _HASHED:
        return f"{place}#{operation}"
    if place.scheme == "mcp":  # the names that models see have no dots
        within = f"{place.operation}_" if place.operation else ""
        return f"mcp:{place.address}.{within}{operation.replace('.', '_')}"
    return f"{place.address.rstrip('/')}.{operation}"


def _check_elsewhere(target: Target) -> None:
    if target.scheme not in _HASHED | _WEB | {"mcp"}:
        raise ValidationError("not a target of somebody elsewhere", told=Told("participants.target"))
