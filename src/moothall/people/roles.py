"""Roles that agents have among those of their person, their tiers, and the environment that a DID names. Pure.

Any word may be a role; these are the ones that rules speak of (spec B §8.4, §8.6). A role is what `agent_role` said
when the agent was registered, never something that its DID looks like (row UID-01).
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from moothall.errors import InvalidInput
from moothall.identity.did import Did

DEFAULT: Final = "default"
PRIMARY: Final = "primary"
PERSONAL: Final = "personal"
ADMIN: Final = "admin"
BASIC: Final = "basic"
AUDIT: Final = "audit"
"""Reads the audit log and does nothing else (row UID-03); only the node's operator gives it."""

ROLES: Final = (DEFAULT, PRIMARY, PERSONAL, "work", "finance", "health", BASIC, ADMIN, AUDIT)

ENVIRONMENTS: Final = frozenset({"dev", "staging", "prod"})
"""What the first label of a host name may say of an agent (row UID-02)."""

_USUAL_TIER: Final = 1
_TIERS: Final[Mapping[str, int]] = MappingProxyType({BASIC: 0, ADMIN: 2})


def tier(role: str) -> int:
    """How much an agent of a role may at most: 0 ``basic``, 1 all others, 2 ``admin``; nobody calls upwards."""
    return _TIERS.get(role, _USUAL_TIER)


def environment_of(party: str) -> str:
    """The environment that the host of a DID names: ``did:wba:dev.company.com:…`` is in ``dev``; else empty."""
    if not party.startswith("did:"):
        return ""
    try:
        label = Did.parse(party).host.partition(".")[0]
    except InvalidInput:
        return ""
    return label if label in ENVIRONMENTS else ""
