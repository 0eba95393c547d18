"""The group that says who may use which service (rows MCA-03, MCA-08)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from moothall.errors import StorageError
from moothall.groups.master.rules import permits
from moothall.groups.store import GroupStore
from moothall.policy.decision import INSUFFICIENT, PermissionResult
from moothall.telemetry import logger

POLICY: Final = "permission-group"
"""Stands for the policy of what such a group says."""
NOT_ASKED: Final = "the group could not be asked"

_log = logger("groups")


class GroupController:
    """Asks the permission group of a master agent; whom it does not let in, nobody does.

    Args:
        store: where the groups are.
        group: the id of the permission group now; empty: there is none yet, and nobody may do anything.
    """

    def __init__(self, store: GroupStore, group: Callable[[], str]) -> None:
        self._store, self._group = store, group

    async def check_permission(self, caller_did: str, service_id: str, action: str = "") -> PermissionResult:
        """Whether a member of the group may do something with a service; a group that cannot be asked says no."""
        try:
            seen = await self._store.seen(self._group(), [caller_did])
        except StorageError:
            _log.exception("the permission group could not be asked; that is a denial")
            return PermissionResult.DENIED(NOT_ASKED, POLICY)
        member = seen.members.get(caller_did) if seen is not None else None
        if seen is None or member is None:
            return PermissionResult.DENIED(INSUFFICIENT, POLICY)
        if permits(seen.group.policy.services, caller_did, member.role, service_id, action):
            return PermissionResult.ALLOWED("the permission group lets its member use the service", POLICY)
        return PermissionResult.DENIED(INSUFFICIENT, POLICY)

    async def is_member(self, did: str) -> bool:
        """Whether somebody is in the group; a group that cannot be asked has no members."""
        try:
            seen = await self._store.seen(self._group(), [did])
        except StorageError:
            _log.exception("the permission group could not be asked; it counts as empty")
            return False
        return seen is not None and did in seen.members
