"""What the agents of one person may do to each other, by their roles (rows PRM-04, PRM-06, PRM-07). Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from types import MappingProxyType
from typing import Final, Literal

from pydantic import Field, field_validator

from moothall.capability.spec import Action
from moothall.policy.named.cedar import actions, policy, text
from moothall.policy.named.named_policy import Name, NamedPolicy
from moothall.policy.sources import PolicyConfig, PolicySource

ANY: Final = "*"

MATRIX: Final = "same user, role permission granted"
"""The reason of what a cell allows."""
SWITCH: Final = "user allows cross-agent calls"
"""The reason of what a person's switch ``allow_cross_agent_calls`` allows."""

_Cells = Mapping[Name | Literal["*"], frozenset[Literal[Action, "*"]]]

USUAL: Final[Mapping[str, Mapping[str, tuple[str, ...]]]] = MappingProxyType(
    {
        "admin": {ANY: (ANY,)},
        "personal": {"work": ("read", "query"), "finance": ("read", "query"), "health": ("read",)},
        "work": {"personal": ("notify", "schedule")},
        "finance": {"personal": ("notify",)},
    }
)
"""The matrix of spec B §8.6."""


class RoleMatrix(NamedPolicy):
    """Rows are roles of callers, columns roles of those called, cells actions; ``*`` is any column, any action.

    It speaks of agents of one person in one environment, and only allows: walls between environments and tiers, and
    every other refusal, stand above it. A row of the file takes the place of the whole usual row.

    Example::

        [matrix.assistant]
        calendar = ["read", "schedule"]
        "*" = ["notify"]
    """

    rows: Mapping[Name, _Cells] = Field(default_factory=lambda: USUAL, validate_default=True)

    @field_validator("rows")
    @classmethod
    def _with_actions(cls, value: Mapping[str, _Cells]) -> Mapping[str, _Cells]:
        empty = [f"{caller}.{target}" for caller, row in value.items() for target, cell in row.items() if not cell]
        if empty:
            message = f"{empty[0]} names no action; leave the line out"
            raise ValueError(message)
        return value

    def allowed(self, caller: str, target: str) -> frozenset[str]:
        """What an agent of the one role may do to one of the other: its column and the one for all."""
        row = self.rows.get(caller, {})
        return row.get(target, frozenset()) | row.get(ANY, frozenset())

    def permits(self, caller: str, target: str, action: str) -> bool:
        """Whether the matrix allows the action; walls are not its business."""
        return not self.allowed(caller, target).isdisjoint({action, ANY})

    def config(self) -> PolicyConfig:
        """One permit for each cell, and one for the switch of a person."""
        source = "\n".join([*self._permits(), _SWITCHED, _SWITCHED_AGENT])
        return PolicyConfig(sources=(PolicySource("personal", "matrix", source),))

    def _permits(self) -> Iterator[str]:
        for caller, row in sorted(self.rows.items()):
            for target, cell in sorted(row.items()):
                name = f"matrix-any:{caller}" if target == ANY else f"matrix:{caller}:{target}"
                head = f"principal, {actions(cell)}, resource is Moothall::"
                told = f"{_SAME} && principal.role == {text(caller)}"
                if target != ANY:
                    told += f" && resource.role == {text(target)}"
                yield policy(name, "permit", f"{head}Capability", f"{told} && {_OPEN}", reason=MATRIX)
                yield policy(f"{name}:agent", "permit", f"{head}Agent", told, reason=MATRIX)


_SAME: Final = "context.same_person && principal.environment == resource.environment"
_OPEN: Final = "resource.permissions.isEmpty()"
_LOOK: Final = 'principal, action in Moothall::Action::"look", resource is Moothall::Agent'
_SWITCHED: Final = policy(
    "cross-agent-calls",
    "permit",
    "principal, action, resource is Moothall::Capability",
    f"principal.cross_agent_calls && {_SAME} && resource.read_only && {_OPEN}",
    reason=SWITCH,
    after="delegation",
)
_SWITCHED_AGENT: Final = policy(
    "cross-agent-calls:agent",
    "permit",
    _LOOK,
    f"principal.cross_agent_calls && {_SAME}",
    reason=SWITCH,
    after="delegation",
)
