"""What agents may do to each other, as spec B §8.6 asks for it (rows PRM-01 to PRM-05)."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime
from typing import Final

from moothall.grants.chain import EVERY
from moothall.grants.giving import Terms
from moothall.grants.service import Grants
from moothall.grants.views import Delegation
from moothall.identity.principal import OWNER, Principal
from moothall.people.identities import UserIdentityManager
from moothall.people.profile import PersonPolicy
from moothall.people.profiles import Profiles
from moothall.policy.decision import NOBODY_ALLOWS, PermissionResult
from moothall.policy.named.checks import Checks
from moothall.policy.resources import AgentResource

NOT_PERMITTED: Final = "cross-agent call not permitted"


class CrossAgentPolicies:
    """What people let their own agents do with each other, by person; kept in the store."""

    def __init__(self, profiles: Profiles, by: Principal) -> None:
        self._profiles, self._by = profiles, by

    async def get(self, user_id: str) -> PersonPolicy:
        """What a person said; nothing said: its agents may not.

        Raises:
            StorageError: the store cannot say.
        """
        return await self._profiles.policy(user_id)

    async def set(self, user_id: str, *, allow_cross_agent_calls: bool) -> PersonPolicy:
        """Let a person's agents call each other, for what only reads and not over walls; or no longer.

        Raises:
            PermissionDeniedError: it is another person.
        """
        policy = PersonPolicy(allow_cross_agent_calls=allow_cross_agent_calls)
        return await self._profiles.set_policy(user_id, policy, by=self._by)


class DelegationRules:
    """Delegations by their delegators; kept in the store."""

    def __init__(self, grants: Grants, by: Principal) -> None:
        self._grants, self._by = grants, by

    async def get(self, delegator_did: str) -> tuple[Delegation, ...]:
        """The newest delegations of somebody, at most fifty.

        Raises:
            PermissionDeniedError: of somebody else.
        """
        page = await self._grants.list(self._by, delegator=delegator_did)
        return tuple(page.delegations)

    async def add(
        self,
        delegator_did: str,
        delegate_did: str,
        actions: Iterable[str],
        capabilities: Iterable[str] = (EVERY,),
        expires_at: datetime | None = None,
    ) -> Delegation:
        """Delegate; raises as `Grants.create`."""
        terms = Terms(
            delegator=delegator_did,
            delegate=delegate_did,
            actions=frozenset(actions),
            capabilities=frozenset(capabilities),
            expires_at=expires_at,
        )
        return await self._grants.create(self._by, terms)

    async def remove(self, grant_id: str) -> None:
        """Take a delegation back; raises as `Grants.revoke`."""
        await self._grants.revoke(self._by, grant_id)


class MultiAgentPermissionManager:
    """Decides about agents by their DIDs, through the one engine; keeps nothing of its own.

    Args:
        identity_manager: knows whose an agent is.
        engine: decides.
        profiles, grants: keep what people allow, and delegations.
        by: who reads and edits; the node's own process unless given.

    Attributes:
        cross_agent_policies: what people let their agents do with each other.
        delegation_rules: delegations.
    """

    def __init__(
        self,
        identity_manager: UserIdentityManager,
        *,
        engine: Checks,
        profiles: Profiles,
        grants: Grants,
        by: Principal = OWNER,
    ) -> None:
        self.identity_manager = identity_manager
        self.cross_agent_policies = CrossAgentPolicies(profiles, by)
        self.delegation_rules = DelegationRules(grants, by)
        self._engine = engine

    async def check_cross_agent_permission(self, caller_did: str, target_did: str, action: str) -> PermissionResult:
        """Whether one agent may do something to another, as if it had proved who it is.

        Two agents of nobody are never those of one person.

        Raises:
            StorageError: the store cannot say.
        """
        caller_user = await self.identity_manager.get_agent_user(caller_did)
        target_user = await self.identity_manager.get_agent_user(target_did)
        if caller_user is not None and caller_user == target_user:
            return await self._handle_same_user_agents(caller_did, target_did, action)
        return await self._handle_different_user_agents(caller_did, target_did, action)

    async def _handle_same_user_agents(self, caller: str, target: str, action: str) -> PermissionResult:
        """Matrix, then delegations, then what the person allows; else a denial (row PRM-03)."""
        result = await self._engine.check(caller, action, AgentResource(id=target))
        return replace(result, reason=NOT_PERMITTED) if result.policy == NOBODY_ALLOWS else result

    async def _handle_different_user_agents(self, caller: str, target: str, action: str) -> PermissionResult:
        """Denied unless a delegation, a team or a contract allows it (row PRM-05)."""
        return await self._engine.check(caller, action, AgentResource(id=target))
