"""How often a caller may call in a day (row POL-14). Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated

from pydantic import Field

from moothall.policy.named.named_policy import NamedPolicy, Pattern, Whole
from moothall.policy.sources import PolicyConfig, ResourceRule


class UsageLimitPolicy(NamedPolicy):
    """Each caller may make so many calls of a capability in a day; the count survives a restart.

    Where several limits fit, and where the capability has one of its own (``quota``), the lowest holds.

    Example::

        [usage.per_day]
        "*" = 1000
        "maps.route" = 50
    """

    per_day: Mapping[Pattern, Annotated[Whole, Field(ge=1)]] = Field(default_factory=dict)

    def config(self) -> PolicyConfig:
        """Rules about capabilities; `policy.quota` counts."""
        return PolicyConfig(
            resources=tuple(ResourceRule(capabilities=ids, set={"quota": calls}) for ids, calls in self.per_day.items())
        )
