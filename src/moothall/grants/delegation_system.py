"""Delegations as spec B §8.6 names them, over the same service (rows DEL-01 to DEL-03)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime

from moothall.grants.chain import EVERY
from moothall.grants.giving import Terms
from moothall.grants.ports import Held
from moothall.grants.reading import MOST
from moothall.grants.service import Grants
from moothall.grants.views import Delegation
from moothall.identity.principal import Principal


class AgentDelegationSystem:
    """The delegations of a node, for one proved caller; it keeps nothing of its own, so all of it outlives the process.

    Args:
        grants: the delegations.
        held: what somebody may do now by a right of its own.
        principal: who asks: what it may make and see are its own, the operator's are all.
    """

    def __init__(self, grants: Grants, held: Held, principal: Principal) -> None:
        self._grants, self._held, self._principal = grants, held, principal

    async def delegation_chains(self) -> Mapping[str, tuple[Delegation, ...]]:
        """The delegations that the caller may see, by their delegators, the newest first.

        Raises:
            PermissionDeniedError, StorageError: as `Grants.list`.
        """
        found: dict[str, tuple[Delegation, ...]] = {}
        cursor = None
        while cursor != "":
            page = await self._grants.list(self._principal, limit=MOST, cursor=cursor or "")
            for each in page.delegations:
                found[each.delegator] = (*found.get(each.delegator, ()), each)
            cursor = page.next_cursor
        return found

    async def delegation_policies(self) -> Mapping[str, Mapping[str, frozenset[str]]]:
        """What every delegate may do for every delegator now, link by link: delegator, delegate, actions.

        Raises:
            PermissionDeniedError, StorageError: as `Grants.list`.
        """
        found: dict[str, dict[str, frozenset[str]]] = {}
        for delegator, given in (await self.delegation_chains()).items():
            for each in given:
                if each.status == "active":
                    known = found.setdefault(delegator, {})
                    known[each.delegate] = known.get(each.delegate, frozenset()).union(each.actions)
        return found

    async def create_delegation(
        self, delegator_did: str, delegate_did: str, permissions: Iterable[str], expires_at: datetime | None = None
    ) -> Delegation:
        """Delegate actions (``*``: all) on everything that the delegator may do them with.

        Raises:
            MoothallError: as `Grants.create`.
        """
        terms = Terms(
            delegator=delegator_did,
            delegate=delegate_did,
            actions=frozenset(permissions),
            capabilities=frozenset({EVERY}),
            expires_at=expires_at,
        )
        return await self._grants.create(self._principal, terms)

    async def check_delegation_permission(self, delegator_did: str, delegate_did: str, action: str) -> bool:
        """Whether the delegate may do something for the delegator now, with anything.

        A delegation between just these two has to count, and whoever the right comes from has to have it still. Whether
        a call may be made is decided by the policy, which asks for more.

        Raises:
            StorageError: the store cannot say.
        """
        now = self._grants.now()
        for chain in await self._grants.chains_for(delegate_did):
            usable = action in chain.actions and chain.not_before <= now < chain.expires
            if usable and chain.links[-1].delegator == delegator_did:
                held = await self._held(chain.root, frozenset({action}), chain.capabilities)
                if held.get(action, frozenset()) & chain.capabilities:
                    return True
        return False
