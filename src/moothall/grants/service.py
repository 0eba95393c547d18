"""Delegations of a node: what may be used, and how they are made, taken back and looked at (rows DEL-02 to DEL-05)."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial

from sqlalchemy.engine import Connection

from moothall.audit.committed import put_committed
from moothall.grants import rows, walking
from moothall.grants.giving import Giving, Kept, Made, Terms
from moothall.grants.model import Chain
from moothall.grants.onward import Onward
from moothall.grants.parties import may_touch, not_yours
from moothall.grants.ports import Ground
from moothall.grants.proving import Proofs
from moothall.grants.reading import Reading
from moothall.grants.records import gave, revoked
from moothall.grants.retrying import Retrying
from moothall.grants.views import Delegation, DelegationPage, Status, shown
from moothall.grants.walking import chain_to, ends, prove_all
from moothall.identity.principal import Principal
from moothall.storage.changes import Changes
from moothall.storage.revisions import bump


class Grants:
    """The delegations of a node; several processes may work on one store."""

    def __init__(self, ground: Ground) -> None:
        self._ground = ground
        self._onward = Onward(ground.clock)
        self._proofs = Proofs(ground.documents)
        self._giving = Giving(ground, self._proofs, self._onward)
        self._reading = Reading(ground, self._proofs, self._onward)
        self._retrying = Retrying(ground, self._proofs)
        self._changes = Changes()

    def now(self) -> float:
        """The time at which chains are used (`Chain.covers`): Unix seconds, never less than it said before."""
        return self._onward.now()

    async def chains_for(self, holder: str) -> tuple[Chain, ...]:
        """The chains that end at somebody and fit, those that do not count yet included.

        One whose far delegator's document cannot be had within a second is missing, and not waited for any more; it is
        asked for again, and once it is there, `Ground.on_change` is called with this holder.

        Raises:
            StorageError: the store cannot say.
        """
        found = await self._ground.store.read(partial(rows.ending_at, holder=holder, now=self.now()))
        return await self.chains_of(holder, found)

    async def chains_of(self, holder: str, found: Sequence[rows.Row]) -> tuple[Chain, ...]:
        """The same, where the rows are read by somebody who reads more at once (`rows.ending_at`, as of `now`)."""
        if not found:
            return ()
        proved = await prove_all(found, self._proofs, walking.BRIEF, self._retrying.waiting)
        if proved.unknown:
            self._retrying.later(holder, proved.unknown)
        audience, now = self._ground.audience, self.now()
        made = [chain_to(end, found, proved, audience=audience, now=now, holder=holder) for end in ends(found, holder)]
        return tuple(chain for chain in made if isinstance(chain, Chain))

    async def create(self, principal: Principal, terms: Terms) -> Delegation:
        """Delegate, with a key of this node.

        Raises:
            PermissionDeniedError: the caller is neither the delegator nor, for an agent of this node, the operator; the
                delegator lacks a right that is named; this node has no key of it; or what it stands on forbids it.
            InvalidInput: an argument has no such form, or the end is past or more than 30 days away.
            Overloaded: there are too many delegations of the delegator or to the delegate.
            Unavailable: what it stands on cannot be proved now, or it could not be put on record.
            StorageError: the store did not keep it.
        """
        return await self._changes.make(self._keep(principal, "create", await self.prepare(principal, terms)))

    async def prepare(self, principal: Principal, terms: Terms) -> Made:
        """Make a delegation that counts once `exchange` has written it down; raises as `create`."""
        return await self._giving.create(principal, terms)

    async def add(self, principal: Principal, token: str) -> Delegation:
        """Take in a delegation that its delegator signed elsewhere; the same one again changes nothing.

        Raises:
            PermissionDeniedError: the caller is not concerned, the root lacks a right that is named, or a link that
                it stands on does not allow it.
            InvalidInput: it is no delegation for this node, or its signature does not hold.
            Conflict: another one has its id, or it was taken back.
            Unavailable: as `create`.
            UpstreamError, CallTimeout, Overloaded: the delegator's DID document cannot be had; there are too many.
            StorageError: as `create`.
        """
        made = await self._giving.add(principal, token)
        return await self._changes.make(self._keep(principal, "add", made))

    async def revoke(self, principal: Principal, grant_id: str) -> None:
        """Take a delegation back, and with it all that stand on it, from the next call on; once is enough.

        Its delegator may, one further up, its delegate, and the operator.

        Raises:
            PermissionDeniedError: there is none of this id that the caller may take back.
            StorageError: it could not be written down; the delegation counts still.
            Unavailable: it could not be put on record, likewise.
        """
        links = rows.standing_on(await self._ground.store.read(partial(rows.with_parents, ids=[grant_id])), grant_id)
        if not may_touch(principal, links):
            raise not_yours()
        await self._changes.make(self._take_back(principal, grant_id))

    def exchange(
        self, connection: Connection, principal: Principal, *, give: Sequence[Made] = (), take: Collection[str] = ()
    ) -> Callable[[], None]:
        """Write delegations down and take others back, in a transaction of somebody who has looked whether that may be.

        Returns:
            What is to be called after the commit: it tells and puts on record what was done.

        Raises:
            Overloaded: there are too many delegations of a delegator or to a delegate.
        """
        if not give and not rows.live(connection, take):
            return lambda: None
        number = bump(connection, "grants")  # first, as everywhere: those who write at the same time wait here
        at = self._ground.clock.now()
        at = at.replace(microsecond=at.microsecond // 1_000 * 1_000)
        taken = [ended for grant_id in sorted(take) if (ended := _ended(connection, grant_id, at)) is not None]
        given = [self._giving.keep_in(connection, made, number, at) for made in give]
        return partial(self._exchanged, principal, number, (give, given), taken)

    async def show(self, principal: Principal, grant_id: str) -> Delegation:
        """One delegation; raises PermissionDeniedError where there is none that the caller may see."""
        return await self._reading.show(principal, grant_id)

    async def list(
        self,
        principal: Principal,
        *,
        delegator: str = "",
        delegate: str = "",
        status: Status | None = None,
        limit: int = 50,
        cursor: str = "",
    ) -> DelegationPage:
        """Delegations of a delegator, to a delegate, or both, the newest first; empty: the caller's own.

        Raises:
            PermissionDeniedError: the caller is neither; only the operator sees those of others.
            InvalidInput: the cursor is none.
            StorageError: the store cannot say.
        """
        return await self._reading.page(principal, delegator, delegate, status, limit, cursor)

    async def aclose(self) -> None:
        """Let what is being written be told, and stop asking for documents."""
        await self._changes.aclose()
        await self._retrying.aclose()

    async def _keep(self, principal: Principal, verb: str, made: Made) -> Delegation:
        kept = await self._giving.keep(made)
        if kept.revision:
            self._wrote(frozenset({kept.grant.delegate}), kept.revision)
            put_committed(self._ground.recorder, gave(principal, verb, kept.chain))
        return shown(kept.grant, kept.created_at, kept.chain)

    async def _take_back(self, principal: Principal, grant_id: str) -> None:
        self._ground.recorder.check()
        committed = await self._ground.store.write(lambda found: self.exchange(found, principal, take=[grant_id]))
        committed()

    def _exchanged(
        self, principal: Principal, number: int, given: tuple[Sequence[Made], Sequence[Kept]], taken: Sequence[_Ended]
    ) -> None:
        for made in given[0]:
            self._giving.remember(made)
        holders = frozenset(kept.grant.delegate for kept in given[1]).union(*(ended.holders for ended in taken))
        self._wrote(holders, number)
        for ended in taken:
            put_committed(self._ground.recorder, revoked(principal, ended.links, len(ended.holders)))
        for kept in given[1]:
            put_committed(self._ground.recorder, gave(principal, "create", kept.chain))

    def _wrote(self, holders: frozenset[str], number: int) -> None:
        self._ground.revisions.wrote("grants", number)
        self._ground.on_change(holders, number)


@dataclass(frozen=True, slots=True)
class _Ended:
    """A delegation that was taken back: its chain, and who lost a right by it."""

    links: Sequence[rows.Row]
    holders: frozenset[str]


def _ended(connection: Connection, grant_id: str, at: datetime) -> _Ended | None:
    """Take one back; None: it was before, or there is none."""
    links = rows.standing_on(rows.with_parents(connection, [grant_id]), grant_id)
    if not rows.revoke(connection, grant_id, at):
        return None
    return _Ended(links, rows.holders_below(connection, grant_id))
