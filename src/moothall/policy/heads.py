"""What the head of a policy leaves out, and what its conditions read: told from Cedar's JSON form. Pure."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final, Self

Uid = tuple[str, str]
"""Type and id of an entity."""

NAMESPACE: Final = "Moothall"
_ACTION: Final = f"{NAMESPACE}::Action"


@dataclass(frozen=True, slots=True)
class Scope:
    """One of the three parts of a head.

    Attributes:
        kind: the type that is asked for; empty: any.
        within: entities of which it has to be one, or be inside one; None: any.
        exact: whether being inside is not enough.
    """

    kind: str = ""
    within: frozenset[Uid] | None = None
    exact: bool = False

    @classmethod
    def of(cls, part: Mapping[str, Any]) -> Self:
        """Read one part."""
        inside = part.get("in", part)
        named = [inside["entity"]] if "entity" in inside else inside.get("entities")
        within = None if named is None else frozenset((one["type"], one["id"]) for one in named)
        return cls(part.get("entity_type", ""), within, part["op"] == "==")

    def admits(self, uid: Uid, inside: Collection[Uid]) -> bool:
        """Whether an entity, which is inside these, is spoken of."""
        if self.kind and self.kind != uid[0]:
            return False
        if self.within is None or uid in self.within:
            return True
        return not self.exact and not self.within.isdisjoint(inside)


@dataclass(frozen=True, slots=True)
class Head:
    """Of whom and what a policy speaks, whatever its conditions say."""

    principal: Scope
    action: Scope
    resource: Scope

    @classmethod
    def of(cls, policy: Mapping[str, Any]) -> Self:
        """Read a policy's head."""
        return cls(Scope.of(policy["principal"]), Scope.of(policy["action"]), Scope.of(policy["resource"]))


def action_uid(name: str) -> Uid:
    """An action as an entity."""
    return _ACTION, name


def reads(policy: Mapping[str, Any], attribute: str) -> bool:
    """Whether a policy's conditions look at ``context.ATTRIBUTE``, or at the context as a whole."""
    return any(found in {attribute, ""} for found in _context(policy["conditions"]))


def _context(node: object) -> Iterator[str]:
    """The attributes of the context that are looked at; an empty string where it is used whole."""
    if isinstance(node, list):
        for item in node:
            yield from _context(item)
    elif isinstance(node, dict):
        if node == {"Var": "context"}:
            yield ""
        elif (attribute := _looked_at(node)) is not None:
            yield attribute
        else:
            for item in node.values():
                yield from _context(item)


def _looked_at(node: Mapping[str, Any]) -> str | None:
    """``a`` where the node is ``context.a`` or ``context has a``."""
    for operator in (".", "has"):
        inner = node.get(operator)
        if isinstance(inner, dict) and inner.get("left") == {"Var": "context"} and isinstance(inner.get("attr"), str):
            return str(inner["attr"])
    return None
