"""Many policies become one configuration, in which each of them takes part. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import reduce

from moothall.policy.named.role_hierarchy import RoleHierarchy
from moothall.policy.sensitive import Sensitive
from moothall.policy.sources import PolicyConfig
from moothall.policy.trust import TrustNetwork


def joined(configs: Iterable[PolicyConfig]) -> PolicyConfig:
    """All of them at once: every policy and every rule takes part; what one of them asks for, all have.

    Raises:
        ValueError: they contradict each other: two time zones, or roles that inherit each other.
    """
    parts = tuple(configs)
    usual = PolicyConfig()
    return PolicyConfig(
        sources=tuple(dict.fromkeys(source for part in parts for source in part.sources)),
        builtin=tuple(layer for layer in usual.builtin if all(layer in part.builtin for part in parts)),
        resources=tuple(rule for part in parts for rule in part.resources),
        roles=RoleHierarchy(inherits=_roles(part.roles for part in parts)).inherits,
        narrowing=tuple(policy for part in parts for policy in part.narrowing),
        sensitive=_sensitive(part.sensitive for part in parts),
        trust=reduce(TrustNetwork.joined, (part.trust for part in parts), TrustNetwork()),
        zone=_zone({part.zone for part in parts} - {usual.zone}) or usual.zone,
    )


def _roles(tables: Iterable[Mapping[str, tuple[str, ...]]]) -> dict[str, tuple[str, ...]]:
    roles: dict[str, tuple[str, ...]] = {}
    for table in tables:
        for role, parents in table.items():
            roles[role] = tuple(dict.fromkeys(roles.get(role, ()) + parents))
    return roles


def _sensitive(stated: Iterable[Sensitive]) -> Sensitive:
    """What counts by any of them; where one lifts a default, that default does not come back from the silent others."""
    usual = Sensitive()
    spoken = [one for one in stated if one != usual]
    return reduce(Sensitive.joined, spoken) if spoken else usual


def _zone(spoken: set[str]) -> str:
    if len(spoken) > 1:
        message = f"all hours are told in one time zone, and these are several: {', '.join(sorted(spoken))}"
        raise ValueError(message)
    return next(iter(spoken), "")
