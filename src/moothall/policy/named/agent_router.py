"""Authorization in the router, as spec B §6.1 draws it (row AUT-03); the doors of a node use the call path."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

from moothall.capability.entry import Entry
from moothall.capability.snapshot import Snapshot
from moothall.identity.principal import Principal
from moothall.policy.decision import PermissionResult, Subject
from moothall.policy.named.authorization_engine import AuthorizationEngine
from moothall.policy.named.checks import Checks, nothing_there

CALLS: Final = "/api/v1/capabilities/"
"""Below which every capability has an address by its id."""


class APIRegistry:
    """Finds capabilities by the address at which they are called.

    Args:
        snapshot: the capabilities as they are now.
        below: where those are that have no address of their own.
    """

    def __init__(self, snapshot: Callable[[], Snapshot], below: str = CALLS) -> None:
        self._snapshot, self._below = snapshot, below

    def get_api_info(self, api_path: str, method: str = "POST") -> Entry | None:
        """The capability at an address for a verb; None where there is none that can be called."""
        snapshot = self._snapshot()
        if api_path.startswith(self._below):
            entry = snapshot.entries.get(api_path.removeprefix(self._below)) if method == "POST" else None
        else:
            own = (one for one in snapshot.newest if one.spec.path == api_path and method in one.spec.methods)
            entry = next(own, None)
        return None if entry is None or entry.state == "disabled" else entry


class AgentRouter:
    """Decides whether a caller may use an address.

    Args:
        authorization_engine: decides.
        api_registry: finds what is there.
        engine: knows the callers.
        context: what the request that is being served says for itself (``purpose``).
    """

    def __init__(
        self,
        authorization_engine: AuthorizationEngine,
        api_registry: APIRegistry,
        engine: Checks,
        context: Callable[[], Mapping[str, Any]] = dict,
    ) -> None:
        self.authorization_engine = authorization_engine
        self.api_registry = api_registry
        self._engine, self._context = engine, context

    async def check_authorization(self, caller: Principal, api_path: str, method: str) -> PermissionResult:
        """Whether a caller may use an address, by what policies, people and grants say now.

        Args:
            caller: as the verifier made it: a DID alone would be a claim (row AUT-06).
            api_path: of the request.
            method: its verb.

        Raises:
            StorageError: the store cannot say who the caller is.
        """
        entry = self.api_registry.get_api_info(api_path, method)
        if entry is None:
            return nothing_there(self._engine.policies)
        subject = await self.get_caller_info(caller)
        return await self.authorization_engine.authorize(subject, entry, entry.spec.acts, self.get_request_context())

    async def get_caller_info(self, caller: Principal) -> Subject:
        """The caller with all that is known of it now.

        Raises:
            StorageError: the store cannot say.
        """
        return await self._engine.subject(caller)

    def get_request_context(self) -> Mapping[str, Any]:
        """What the request says for itself."""
        return self._context()
