"""What can be asked of delegations, the same through every door (rows DEL-02, DEL-05).

Every proved caller may ask; what it may do to which delegation is decided from its proved identity alone.
"""

from __future__ import annotations

from typing import Annotated

from pydantic import AwareDatetime, Field

from moothall.capability.context import CallContext
from moothall.capability.decorators import capability
from moothall.grants.chain import EVERY, MOST_SECRET
from moothall.grants.claims import LONGEST_GRANT, LONGEST_ID, MOST_NAMED
from moothall.grants.giving import Terms
from moothall.grants.model import MOST_LINKS
from moothall.grants.reading import MOST
from moothall.grants.service import Grants
from moothall.grants.views import Delegation, DelegationPage, Status
from moothall.identity import did, jws
from moothall.people.texts import Text

PartyId = Annotated[Text, Field(max_length=did.LONGEST)]
GrantId = Annotated[Text, Field(max_length=LONGEST_GRANT)]
Named = Annotated[list[Annotated[Text, Field(max_length=LONGEST_ID)]], Field(min_length=1, max_length=MOST_NAMED)]


class GrantCapabilities:
    """The capabilities ``grants.*`` of a node."""

    def __init__(self, grants: Grants) -> None:
        self._grants = grants

    @capability(name="grants.create", access="authenticated", action="manage")
    async def create(  # noqa: PLR0913, PLR0917 - its arguments, as callers name them
        self,
        ctx: CallContext,
        delegate: PartyId,
        actions: Named,
        capabilities: Named | None = None,
        delegator: PartyId = "",
        expires_at: AwareDatetime | None = None,
        depth: Annotated[int, Field(ge=0, lt=MOST_LINKS)] = 0,
        parent: GrantId = "",
        classification: Annotated[int, Field(ge=0, le=MOST_SECRET)] | None = None,
    ) -> Delegation:
        """Lend rights to another agent for a while; this node signs it.

        Args:
            ctx: who calls.
            delegate: the DID that gets the rights.
            actions: what it may do (read, query, …), or *: all that the delegator may.
            capabilities: ids, AGENT.NAME; left out: all that the delegator may do it with.
            delegator: the DID of an agent of this node; empty: the caller itself.
            expires_at: at most 30 days from now; left out: in 24 hours.
            depth: how many further links the delegate may add.
            parent: the delegation that the delegator has the rights by; empty: they are its own.
            classification: the highest class of data that it opens; left out: internal.

        Raises:
            MoothallError: as `Grants.create`.
        """
        ctx.firsthand()
        terms = Terms(
            delegator=delegator or ctx.principal.id,
            delegate=delegate,
            actions=frozenset(actions),
            capabilities=frozenset([EVERY] if capabilities is None else capabilities),
            expires_at=expires_at,
            depth=depth,
            parent=parent,
            classification=classification,
        )
        return await self._grants.create(ctx.principal, terms)

    @capability(name="grants.add", access="authenticated", action="manage", idempotent=True)
    async def add(self, ctx: CallContext, token: Annotated[str, Field(max_length=jws.LONGEST)]) -> Delegation:
        """Hand in a delegation that its delegator signed itself; raises as `Grants.add`."""
        ctx.firsthand()
        return await self._grants.add(ctx.principal, token)

    @capability(name="grants.revoke", access="authenticated", action="manage", idempotent=True, destructive=True)
    async def revoke(self, ctx: CallContext, grant_id: GrantId) -> str:
        """Take a delegation back, and all that stand on it, from the next call on; raises as `Grants.revoke`."""
        ctx.firsthand()
        await self._grants.revoke(ctx.principal, grant_id)
        return grant_id

    @capability(name="grants.show", access="authenticated", idempotent=True, read_only=True)
    async def show(self, ctx: CallContext, grant_id: GrantId) -> Delegation:
        """One delegation that concerns the caller."""
        return await self._grants.show(ctx.principal, grant_id)

    @capability(name="grants.list", access="authenticated", idempotent=True, read_only=True)
    async def list(
        self,
        ctx: CallContext,
        delegator: PartyId = "",
        delegate: PartyId = "",
        status: Status | None = None,
        limit: Annotated[int, Field(ge=1, le=MOST)] = 50,
        cursor: Annotated[Text, Field(max_length=LONGEST_ID)] = "",
    ) -> DelegationPage:
        """List delegations, the newest first; a page may be shorter although there are more.

        Args:
            ctx: who calls.
            delegator: only those of this DID.
            delegate: only those to this DID.
            status: only those that are active, revoked or expired.
            limit: how many are looked at for one page.
            cursor: `next_cursor` of the page before.
        """
        return await self._grants.list(
            ctx.principal, delegator=delegator, delegate=delegate, status=status, limit=limit, cursor=cursor
        )
