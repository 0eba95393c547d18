"""The hierarchy of duties: what holding one of them contains (row POL-06). Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from graphlib import CycleError, TopologicalSorter

from moothall.errors import SettingsError


def inherited(roles: Mapping[str, tuple[str, ...]]) -> Mapping[str, frozenset[str]]:
    """For each duty all that it contains, itself included.

    Raises:
        SettingsError: a duty inherits itself.
    """
    try:
        order = tuple(TopologicalSorter(roles).static_order())
    except CycleError as error:
        circle = " > ".join(error.args[1])
        message = f"roles: a duty inherits itself: {circle}"
        raise SettingsError(message) from error
    whole: dict[str, frozenset[str]] = {}
    for name in order:
        whole[name] = frozenset({name}).union(*(whole[parent] for parent in roles.get(name, ())))
    return whole


def closure(duties: Iterable[str], inherits: Mapping[str, frozenset[str]]) -> frozenset[str]:
    """All that these duties contain; one that the hierarchy does not name contains itself."""
    return frozenset().union(*(inherits.get(duty, frozenset({duty})) for duty in duties))
