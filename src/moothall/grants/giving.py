"""Making delegations: those that this node signs for its agents, and those that others signed (rows DEL-02, DEL-04)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Final
from uuid import uuid4

from sqlalchemy.engine import Connection

from moothall.errors import Conflict, Overloaded, PermissionDeniedError, Told, Unavailable
from moothall.grants import rows
from moothall.grants.chain import Refusal, chain_of
from moothall.grants.model import Chain, Grant
from moothall.grants.onward import Onward
from moothall.grants.parties import check_gives, check_hands_in
from moothall.grants.ports import Ground
from moothall.grants.proving import Proofs
from moothall.grants.signing import sign
from moothall.grants.terms import USUAL_CLASS, asked_actions, asked_capabilities, given, refused, span, within
from moothall.grants.walking import prove_all
from moothall.identity.did import Did
from moothall.identity.principal import Principal
from moothall.storage.revisions import bump

AHEAD: Final = 60
"""Seconds that the clock of a far delegator may be ahead of this node's."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """What a delegator wants to delegate.

    Attributes:
        delegator: the DID of an agent of this node.
        delegate: a DID.
        actions: of the policy, or ``*``: all that the delegator has.
        capabilities: ids, or ``*``: all that the delegator has.
        expires_at: aware of its time zone; None: 24 hours from now, or when ``parent`` ends.
        depth: how many further links the delegate may add.
        parent: the delegation that this one stands on; empty: the delegator's own right.
        classification: the highest class of data; None: internal, or that of ``parent`` if it is less.
    """

    delegator: str
    delegate: str
    actions: frozenset[str]
    capabilities: frozenset[str]
    expires_at: datetime | None = None
    depth: int = 0
    parent: str = ""
    classification: int | None = None


@dataclass(frozen=True, slots=True)
class Made:
    """A delegation that fits and is signed, not in the store yet; ``by_operator``: the node's operator made it."""

    chain: Chain
    token: str
    by_operator: bool = False


@dataclass(frozen=True, slots=True)
class Kept:
    """A delegation that is in the store; ``revision`` is 0 where it was there before."""

    chain: Chain
    created_at: datetime
    revision: int

    @property
    def grant(self) -> Grant:
        """The delegation itself."""
        return self.chain.links[-1]


class Giving:
    """Makes delegations and keeps them."""

    def __init__(self, ground: Ground, proofs: Proofs, onward: Onward) -> None:
        self._ground, self._proofs, self._onward = ground, proofs, onward

    async def create(self, principal: Principal, terms: Terms) -> Made:
        """Make a delegation and sign it; raises as `Grants.create`."""
        check_gives(principal, terms.delegator)
        signer = self._ground.signers(terms.delegator)
        if signer is None:
            raise PermissionDeniedError("this node has no key of the delegator", told=Told("grants.no_key"))
        Did.parse(terms.delegate)
        now = self._onward.now()
        above = await self._above(terms.parent, terms.delegator, now)
        grant = await self._grant(terms, above, now)
        chain = self._fitting((*above.links, grant) if above else (grant,), now)
        return Made(chain, sign(grant, signer), principal.operator)

    async def add(self, principal: Principal, token: str) -> Made:
        """Look at a delegation that its delegator signed; raises as `Grants.add`."""
        grant = await self._proofs.look(token)
        check_hands_in(principal, grant)
        now = self._onward.now()
        if grant.issued > now + AHEAD:
            raise refused(Refusal("time", grant.id))
        above = await self._above(grant.parent, grant.delegator, now)
        chain = self._fitting((*above.links, grant) if above else (grant,), now)
        holdings = await self._ground.held(chain.root, grant.actions, grant.capabilities)
        given(grant.actions, grant.capabilities, within(holdings, above))
        return Made(chain, token)

    async def _grant(self, terms: Terms, above: Chain | None, now: float) -> Grant:
        begins, ends = span(terms.expires_at, now, above.expires if above else None)
        holder = above.root if above else terms.delegator
        named = asked_capabilities(terms.capabilities, above)
        holdings = await self._ground.held(holder, asked_actions(terms.actions), named)
        what = given(terms.actions, terms.capabilities, within(holdings, above))
        usual = min(USUAL_CLASS, above.classification) if above else USUAL_CLASS
        return Grant(
            id=str(uuid4()),
            parent=terms.parent,
            delegator=terms.delegator,
            delegate=terms.delegate,
            audience=self._ground.audience,
            actions=what.actions,
            capabilities=what.capabilities,
            issued=begins,
            not_before=max(begins, above.not_before) if above else begins,
            expires=ends,
            depth=terms.depth,
            classification=usual if terms.classification is None else terms.classification,
        )

    async def _above(self, parent: str, delegator: str, now: float) -> Chain | None:
        """The chain that a delegation stands on, which ends at its delegator; None: it stands on nothing."""
        if not parent:
            return None
        found = await self._ground.store.read(partial(rows.with_parents, ids=[parent]))
        links = rows.standing_on(found, parent)
        proved = await prove_all(links, self._proofs)
        if proved.unknown:
            raise Unavailable("what the delegation stands on cannot be proved", told=Told("grants.unproved"))
        if not links or len(proved.grants) < len(links):
            raise refused(Refusal("link", parent))
        above = chain_of(
            [proved.grants[row.id] for row in links],
            delegator,
            audience=self._ground.audience,
            now=now,
            revoked=proved.revoked,
        )
        if isinstance(above, Refusal):
            raise refused(above)
        return above

    def _fitting(self, links: Sequence[Grant], now: float) -> Chain:
        chain = chain_of(links, links[-1].delegate, audience=self._ground.audience, now=now)
        if isinstance(chain, Refusal):
            raise refused(chain)
        return chain

    async def keep(self, made: Made) -> Kept:
        """Write a delegation down; raises as `Grants.create` and `Grants.add`."""
        self._ground.recorder.check()
        grant, at = made.chain.links[-1], self._onward.moment()

        def work(connection: Connection) -> Kept:
            if (known := _known(connection, grant.id, made.token)) is not None:
                return Kept(made.chain, known, 0)
            # the number makes those who write at the same time wait for each other
            return self.keep_in(connection, made, bump(connection, "grants"), at)

        kept = await self._ground.store.write(work)
        self.remember(made)
        return kept

    def keep_in(self, connection: Connection, made: Made, number: int, at: datetime) -> Kept:
        """The same in a transaction that has counted its change as `number`; tell `remember` once it is committed."""
        chain = made.chain
        grant = chain.links[-1]
        if (known := _known(connection, grant.id, made.token)) is not None:
            return Kept(chain, known, 0)
        if most := rows.full(connection, grant, at.timestamp(), by_operator=made.by_operator):
            raise Overloaded("too many delegations", told=Told("grants.full", {"most": most}))
        rows.insert(connection, grant, made.token, at)
        return Kept(chain, at, number)

    def remember(self, made: Made) -> None:
        """The signature of one that was written down need not be looked at again."""
        self._proofs.remember(made.token, made.chain.links[-1])


def _known(connection: Connection, grant_id: str, token: str) -> datetime | None:
    """When a delegation was made that is there already; its id may not be that of another, or of a dead one.

    Raises:
        Conflict: it is. (Not PermissionDeniedError, an `OSError`: the store would take it for a failure of its own.)
    """
    known = next((row for row in rows.with_parents(connection, [grant_id]) if row.id == grant_id), None)
    if known is None:
        return None
    if known.token != token or known.format != rows.FORMAT:
        raise Conflict("another delegation has this id", told=Told("grants.other_token"))
    if known.revoked_at is not None:
        raise Conflict("the delegation was taken back", told=Told("grants.chain.revoked"))
    return known.created_at
