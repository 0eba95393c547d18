"""What a group is, who is in it, and who may hear whom. Pure.

A group is found by its id. Its owner, a DID or ``user:NAME``, rules it; its members are DIDs. What members say stands
in the event log, in a topic of the group's own.
"""

from __future__ import annotations

import hashlib
import re
from datetime import datetime
from typing import Any, Final, Literal

from pydantic import BaseModel, ConfigDict, Field

from moothall.audit.changing import Refused
from moothall.errors import InvalidInput, PermissionDeniedError, Told
from moothall.groups.master.rules import ServiceRule
from moothall.people.texts import Text

State = Literal["invited", "active"]
Status = Literal["active", "dissolved"]
Joining = Literal["invitation", "open"]
Effect = Literal["allow", "deny"]

NO_ACCESS: Final = "无群组访问权限"
"""What everybody is told who has no access to a group, whether or not there is one (row TPL-31)."""

PERSONAL: Final = "personal_multi_agent"
"""The type of the group of all agents of one person (row GRP-02)."""
USUAL: Final = "group"
"""The type of every other one, unless its maker calls it something else."""
MEMBER: Final = "member"
"""The role of a member that was given none."""

MOST_MEMBERS: Final = 1_000
MOST_OWNED: Final = 100
"""Groups that one owner has."""
MOST_JOINED: Final = 200
"""Groups that one agent is in: each of them costs in every decision about it."""
MOST_RULES: Final = 100
MOST_SERVICES: Final = 1_000
MOST_MESSAGE: Final = 64 * 1024
"""Bytes of the content of a message, as JSON."""
MOST_PAGE: Final = 200
"""Messages that are read at once."""

_WORD: Final = re.compile(r"[^\W\d_][\w-]{0,63}")
_ID: Final = re.compile(r"[^\W]([\w .@+:-]{0,126}[\w@+-])?")
_PERSONAL: Final = re.compile(r"user_(.+)_agents", re.DOTALL)


class Rule(BaseModel):
    """Whether members of one kind may send to members of another: a DID, a role in the group, or ``*`` for any."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    sender: Text = "*"
    receiver: Text = "*"
    effect: Effect = "deny"


class GroupPolicy(BaseModel):
    """What holds inside of a group.

    Attributes:
        join: whether an agent needs an invitation to join.
        messages: whether a member may send to another where no rule speaks of the two.
        rules: exceptions of that; one that denies counts more than those that allow.
        services: what members may use through the master agent that asks this group.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    join: Joining = "invitation"
    messages: Effect = "allow"
    rules: tuple[Rule, ...] = Field(default=(), max_length=MOST_RULES)
    services: tuple[ServiceRule, ...] = Field(default=(), max_length=MOST_SERVICES)

    def allows(self, sender: tuple[str, str], receiver: tuple[str, str]) -> bool:
        """Whether a message may go from one member to another; each is a DID with its role."""
        spoken = {
            rule.effect for rule in self.rules if rule.sender in {"*", *sender} and rule.receiver in {"*", *receiver}
        }
        if "deny" in spoken:
            return False
        return "allow" in spoken or self.messages == "allow"


class Member(BaseModel):
    """Somebody in a group; who is only invited counts for nothing yet."""

    model_config = ConfigDict(frozen=True)

    member: str
    role: str = MEMBER
    state: State = "active"
    joined_at: datetime

    @property
    def party(self) -> tuple[str, str]:
        """The DID with its role, for `GroupPolicy.allows`."""
        return self.member, self.role


class Group(BaseModel):
    """A group, without its members.

    Attributes:
        kind: what its maker calls it.
        revision: grows with every change of the group or its members; whoever edits may name the one that was read.
        secondary: the rules of secondary authorization, JSON.
    """

    model_config = ConfigDict(frozen=True)

    id: str
    kind: str = USUAL
    title: str = ""
    owner: str
    status: Status = "active"
    policy: GroupPolicy = GroupPolicy()
    secondary: dict[str, Any] = Field(default_factory=dict)
    revision: int = 0
    created_at: datetime
    updated_at: datetime

    @property
    def active(self) -> bool:
        """Whether anything can be done in it."""
        return self.status == "active"


class NoAccess(Refused):
    """Raised inside a transaction where somebody has no access to a group."""

    def told(self) -> PermissionDeniedError:
        """The error for the caller: the same for groups that there are not."""
        return no_access()


def no_access() -> PermissionDeniedError:
    """What is raised where somebody has no access to a group."""
    return PermissionDeniedError(NO_ACCESS, told=Told("groups.no_access"))


def topic_of(group: str) -> str:
    """The topic of a group's messages."""
    return f"grp-{_short(group)}"


def mailbox_of(did: str) -> str:
    """The topic of what is said to one agent alone."""
    return f"box-{_short(did)}"


def personal_id(person: str) -> str:
    """The id of the group of a person's agents."""
    return f"user_{person}_agents"


def checked_group_id(text: str) -> str:
    """The id of a group: letters of any script, digits, ``_``, and ``. @ + : -`` and spaces between.

    Raises:
        InvalidInput: it is none.
    """
    if not _ID.fullmatch(text):
        raise InvalidInput("not an id that a group can have", told=Told("groups.id"))
    return text


def reserved(group: str) -> str:
    """Whose personal group has this id; empty: nobody's, whoever is first may have it."""
    match = _PERSONAL.fullmatch(group)
    return match[1] if match else ""


def checked_role(text: str) -> str:
    """The role of a member, a word such as ``finance``.

    Raises:
        InvalidInput: it is none.
    """
    if not _WORD.fullmatch(text):
        raise InvalidInput("not a role that a member can have", told=Told("groups.role"))
    return text


def _short(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:24]
