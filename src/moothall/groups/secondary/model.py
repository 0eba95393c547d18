"""What a group keeps of its secondary authorization, and what of it asks for an approval. Pure.

It gives no right by itself: delegations are those of the node, signed and limited, and policies decide as ever. What it
says of approvals only narrows.
"""

from __future__ import annotations

from collections.abc import Mapping
from fnmatch import fnmatchcase
from typing import Annotated, Any, Final

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from moothall.approvals.asking import DEFAULT_WORKFLOW
from moothall.errors import InvalidInput, Told
from moothall.people.texts import Text

MOST_RULES: Final = 100
MOST_SECONDS: Final = 30 * 86_400
"""As long as any delegation may last."""

USUAL_WORKFLOWS: Final[Mapping[str, str]] = {
    "write": DEFAULT_WORKFLOW,
    "delete": DEFAULT_WORKFLOW,
    "manage": DEFAULT_WORKFLOW,
}
"""Actions that have to be approved where a group says nothing else: those that change something."""

Name = Annotated[Text, Field(min_length=1, max_length=1_024)]


class DelegationRule(BaseModel):
    """What the primary agent delegates to members of the group.

    Attributes:
        delegate: a member's DID, or a role in the group.
        actions: of the policy; ``*``: all that the primary agent has.
        capabilities: ids; ``*``: all that it has.
        seconds: how long a delegation lasts; it is made anew whenever this is set up.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    delegate: Name
    actions: tuple[Name, ...] = Field(min_length=1, max_length=20)
    capabilities: tuple[Name, ...] = Field(default=("*",), min_length=1, max_length=100)
    seconds: Annotated[int, Field(gt=0, le=MOST_SECONDS)] = 86_400

    def names(self, member: str, role: str) -> bool:
        """Whether it is about a member."""
        return self.delegate in {member, role}


class Secondary(BaseModel):
    """What stands in the column ``secondary`` of a group.

    Attributes:
        primary: the DID of the agent that delegates.
        chains: ids of the delegations that it gave by the rules, by the members that hold them.
        rules: what it delegates.
        workflows: the workflow of approval (`policy.toml`) for each action, or pattern of actions; None: the usual.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    primary: str = ""
    chains: Mapping[str, tuple[str, ...]] = Field(default_factory=dict)
    rules: tuple[DelegationRule, ...] = Field(default=(), max_length=MOST_RULES)
    workflows: Mapping[Name, Name] | None = Field(default=None, max_length=MOST_RULES)

    @property
    def asks(self) -> Mapping[str, str]:
        """The workflows that hold."""
        return USUAL_WORKFLOWS if self.workflows is None else self.workflows

    def workflow(self, action: str) -> str:
        """The workflow that an action needs; empty: none."""
        return next((name for pattern, name in self.asks.items() if fnmatchcase(action, pattern)), "")


class SecondaryAuthorizationConfig(BaseModel):
    """What was set up (row SEC-02).

    Attributes:
        primary_agent: the DID of the agent that delegates.
        delegation_chains: ids of the delegations that it gave, by the members that hold them: all but itself.
        approval_workflows: the workflow of each action that has to be approved.
    """

    model_config = ConfigDict(frozen=True)

    primary_agent: str
    delegation_chains: Mapping[str, tuple[str, ...]]
    approval_workflows: Mapping[str, str]


def read(stored: Mapping[str, Any]) -> Secondary:
    """What a group keeps.

    Raises:
        InvalidInput: it makes no sense.
    """
    try:
        return Secondary.model_validate(stored)
    except ValidationError as error:
        raise InvalidInput("the secondary authorization makes no sense", told=Told("master.secondary")) from error
