"""A delegation, and the chain of them that gives a right. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

MOST_LINKS: Final = 4
"""Delegations in one chain."""
LONGEST: Final = 30 * 86_400
"""Seconds that a delegation may last."""
USUAL: Final = 86_400
"""Seconds that one lasts whose delegator says nothing else (`resolutions.md`, DEL-02)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Grant:
    """One delegation, as its delegator signed it.

    Attributes:
        id: a UUID.
        parent: the delegation from which the delegator has the right; empty: the right is its own.
        delegator, delegate: DIDs.
        audience: the node whose capabilities these are: its base URL.
        actions: of the policy; never a wildcard.
        capabilities: ids (``AGENT.NAME``); never a wildcard.
        issued, not_before, expires: Unix seconds.
        depth: how many further links the delegate may add; 0: none.
        classification: the highest class of data that it opens (0 public to 3 restricted).
    """

    id: str
    parent: str = ""
    delegator: str
    delegate: str
    audience: str
    actions: frozenset[str]
    capabilities: frozenset[str]
    issued: int
    not_before: int
    expires: int
    depth: int = 0
    classification: int = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Chain:
    """A chain whose links fit: what its last delegate may do with the right of its first delegator.

    Attributes:
        links: from the root on, at least one.
        actions, capabilities, expires, not_before, classification: what is left at the end.
        parties: the root, every delegate between, and the holder, in order.
    """

    links: tuple[Grant, ...]
    actions: frozenset[str]
    capabilities: frozenset[str]
    not_before: int
    expires: int
    classification: int
    parties: tuple[str, ...]

    @property
    def root(self) -> str:
        """Whose right it is."""
        return self.parties[0]

    @property
    def holder(self) -> str:
        """Who may use it."""
        return self.parties[-1]

    def covers(self, action: str, capability: str, classification: int, now: float) -> bool:
        """Whether it opens this action on this capability now, as far as the chain alone decides."""
        return (
            action in self.actions
            and capability in self.capabilities
            and classification <= self.classification
            and self.not_before <= now < self.expires
        )
