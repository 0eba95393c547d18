"""Who may use which service through the master agent: rules that a permission group holds (row MCA-08). Pure."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Annotated, Final

from pydantic import BaseModel, ConfigDict, Field

from moothall.people.texts import Text

EVERY: Final = "*"
MOST_NAMED: Final = 1_000

Name = Annotated[Text, Field(min_length=1, max_length=1_024)]


class ServiceRule(BaseModel):
    """Lets members of the group use a service; without any rule nobody uses anything.

    Attributes:
        service: its id; ``*``: every one, also those that are registered later.
        members: DIDs; with `roles` empty as well: every member.
        roles: of members in the group.
        actions: of the policy, such as ``read``; ``*``: all.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    service: Name
    members: tuple[Name, ...] = Field(default=(), max_length=MOST_NAMED)
    roles: tuple[Name, ...] = Field(default=(), max_length=100)
    actions: tuple[Name, ...] = Field(default=(EVERY,), max_length=20)

    def covers(self, member: str, role: str, service: str, action: str) -> bool:
        """Whether it lets a member do this; an empty action is one that nobody knows, which only ``*`` covers."""
        everybody = not (self.members or self.roles)
        return (
            self.service in {EVERY, service}
            and (everybody or member in self.members or role in self.roles)
            and (EVERY in self.actions or action in self.actions)
        )


def permits(rules: Iterable[ServiceRule], member: str, role: str, service: str, action: str) -> bool:
    """Whether any rule lets a member of the group use a service."""
    return any(rule.covers(member, role, service, action) for rule in rules)
