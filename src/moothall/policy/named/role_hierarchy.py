"""Roles of an organisation and what each inherits (row POL-06). Pure."""

from __future__ import annotations

from collections.abc import Mapping
from graphlib import CycleError, TopologicalSorter
from typing import Any

from pydantic import Field, field_validator

from moothall.policy.named.named_policy import Name, Table


class RoleHierarchy(Table):
    """Which roles each role inherits: who is a ``manager`` may do what ``staff`` may.

    Raises:
        ValueError: roles inherit each other in a circle, which is named.
    """

    inherits: Mapping[Name, tuple[Name, ...]] = Field(default_factory=dict)

    @field_validator("inherits")
    @classmethod
    def _without_circles(cls, value: Mapping[str, tuple[str, ...]]) -> Mapping[str, tuple[str, ...]]:
        try:
            TopologicalSorter(value).prepare()
        except CycleError as error:
            circle: list[str] = error.args[1]
            message = f"these roles inherit each other in a circle: {' < '.join(circle)}"
            raise ValueError(message) from error
        return value

    def held(self, role: str) -> frozenset[str]:
        """The role with everything that it inherits, however far up."""
        found: set[str] = set()
        open_: list[str] = [role]
        while open_:
            if (name := open_.pop()) not in found:
                found.add(name)
                open_ += self.inherits.get(name, ())
        return frozenset(found)

    @classmethod
    def of(cls, inherits: Mapping[str, Any]) -> RoleHierarchy:
        """A hierarchy of ``{"manager": ["staff"]}``."""
        return cls(inherits=inherits)
