"""What the facades of this package ask: the one engine (`moothall.policy.engine.PolicyEngine`)."""

from __future__ import annotations

from typing import Protocol

from moothall.capability.entry import Entry
from moothall.identity.principal import Principal
from moothall.policy.decision import PermissionResult, Subject
from moothall.policy.policies import PolicySet
from moothall.policy.resources import Resource
from moothall.policy.result import denied


class Checks(Protocol):
    """Decides outside of any call."""

    @property
    def policies(self) -> PolicySet:
        """The policies that decide now."""
        ...

    async def subject(self, principal: Principal) -> Subject:
        """The caller as it is now; raises StorageError where the store cannot say."""
        ...

    async def check(
        self, who: Subject | Principal | str, action: str, resource: Resource, *, purpose: str = ""
    ) -> PermissionResult:
        """Whether somebody may do something; of an id, as if it had proved who it is.

        Raises:
            StorageError: the store cannot say.
        """
        ...


class Finds(Protocol):
    """Finds a capability; `Snapshot.find` of a registry does."""

    def __call__(self, name: str, /) -> Entry | None:
        """The capability of an id; None where there is none."""
        ...


def nothing_there(policies: PolicySet) -> PermissionResult:
    """What is said about what does not exist: the same as about what nobody allows."""
    return denied(policies, (), ())


class PermissionManager:
    """Decides about services by their ids (spec B §2.2).

    Args:
        engine: decides.
        find: the capability of an id; None where there is none.
    """

    def __init__(self, engine: Checks, find: Finds) -> None:
        self._engine, self._find = engine, find

    async def check_permission(self, caller: Principal, service_id: str, action: str = "") -> PermissionResult:
        """Whether somebody may call a capability.

        Args:
            caller: as the verifier made it.
            service_id: ``AGENT.NAME``.
            action: what it wants to do; a capability does one thing, and is denied for any other. Empty: that.

        Raises:
            StorageError: the store cannot say.
        """
        entry = self._find(service_id)
        if entry is None or action not in {"", entry.spec.acts}:
            return nothing_there(self._engine.policies)
        return await self._engine.check(caller, entry.spec.acts, entry)
