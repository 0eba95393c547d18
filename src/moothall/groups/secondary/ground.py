"""What secondary authorization stands on: the rooms of the node that decide."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass

from moothall.approvals.desk import ApprovalDesk
from moothall.calls.hub import current_hub, part_of
from moothall.errors import UsageError
from moothall.grants.service import Grants
from moothall.groups.membership import Groups
from moothall.identity.principal import Principal
from moothall.policy.named.checks import Checks, Finds


@dataclass(frozen=True, slots=True, kw_only=True)
class SecondaryGround:
    """What it stands on.

    Attributes:
        groups: who is in which group.
        engine: decides.
        grants: delegations.
        desk: approvals, and the operator's rules about them.
        find: the capability of an id.
        agents: the DIDs of the hosted agents by their names.
        primary: the primary agent of a person.
        callers: a DID as the caller that it would be, were it to prove itself now.
    """

    groups: Groups
    engine: Checks
    grants: Grants
    desk: ApprovalDesk
    find: Finds
    agents: Callable[[], Mapping[str, str]]
    primary: Callable[[str], Awaitable[str | None]]
    callers: Callable[[str], Principal]


def current_ground() -> SecondaryGround:
    """The ground of the node of this context (`calls.hub.using`).

    Raises:
        UsageError: there is none.
    """
    found = part_of(current_hub().gateway, SecondaryGround)
    if found is None:
        raise UsageError("secondary authorization needs a node")
    return found
