"""Entities in Cedar's JSON form. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from moothall.canonical import dumps
from moothall.policy.heads import NAMESPACE, Uid


@dataclass(frozen=True, slots=True)
class Entity:
    """One entity: what it is called, what it is in, and its JSON."""

    uid: Uid
    inside: frozenset[Uid]
    text: str


def uid(kind: str, name: str) -> Uid:
    """Type and id of an entity of the schema's namespace."""
    return f"{NAMESPACE}::{kind}", name


def refer(kind: str, name: str) -> dict[str, str]:
    """A reference to an entity."""
    return {"type": f"{NAMESPACE}::{kind}", "id": name}


def refer_all(kind: str, names: Iterable[str]) -> list[dict[str, str]]:
    """References, sorted."""
    return [refer(kind, name) for name in sorted(names)]


def entity(kind: str, name: str, attributes: Mapping[str, Any], parents: Iterable[tuple[str, str]]) -> Entity:
    """An entity that is in ``parents``, each of them a kind and a name."""
    inside = list(parents)
    text = dumps(
        {
            "uid": refer(kind, name),
            "attrs": dict(attributes),
            "parents": [refer(*parent) for parent in inside],
        }
    ).decode()
    return Entity(uid(kind, name), frozenset(uid(*parent) for parent in inside), text)
