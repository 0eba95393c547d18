"""Looking at delegations, as far as they concern the caller (row DEL-05)."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from functools import partial
from typing import Final

import sqlalchemy as sa

from moothall.clock import parse_rfc3339, rfc3339
from moothall.errors import InvalidInput, Told
from moothall.grants import rows
from moothall.grants.onward import Onward
from moothall.grants.parties import concerns, may_touch, not_yours
from moothall.grants.ports import Ground
from moothall.grants.proving import Proofs
from moothall.grants.views import Delegation, DelegationPage, Status, shown
from moothall.grants.walking import Proved, chain_to, prove_all
from moothall.identity.principal import Principal
from moothall.storage.authority import delegation

MOST: Final = 200
"""Delegations on one page."""

_d: Final = delegation.c


class Reading:
    """Reads delegations for those whom they concern."""

    def __init__(self, ground: Ground, proofs: Proofs, onward: Onward) -> None:
        self._ground, self._proofs, self._onward = ground, proofs, onward

    async def show(self, principal: Principal, grant_id: str) -> Delegation:
        """One delegation; raises as `Grants.show`."""
        found = await self._ground.store.read(partial(rows.with_parents, ids=[grant_id]))
        if not may_touch(principal, rows.standing_on(found, grant_id)):
            raise not_yours()
        seen = await self._seen(found, [row for row in found if row.id == grant_id])
        if not seen:
            raise not_yours()
        return seen[0]

    async def page(
        self, principal: Principal, delegator: str, delegate: str, status: Status | None, limit: int, cursor: str
    ) -> DelegationPage:
        """Delegations, the newest first; raises as `Grants.list`."""
        if not principal.operator and not concerns(principal, *filter(None, (delegator, delegate))):
            if delegator or delegate or not concerns(principal, principal.id):
                raise not_yours()
            parties = sa.or_(_d.delegator == principal.id, _d.delegate == principal.id)
        else:
            sides = ((_d.delegator, delegator), (_d.delegate, delegate))
            parties = sa.and_(sa.true(), *(column == party for column, party in sides if party))
        limit, after = max(1, min(limit, MOST)), _after(cursor)
        found = await self._ground.store.read(partial(rows.page, parties=parties, after=after, limit=limit))
        above = await self._ground.store.read(partial(rows.with_parents, ids=[row.id for row in found]))
        seen = await self._seen(above, found)
        last = found[-1] if len(found) == limit else None
        return DelegationPage(
            delegations=[each for each in seen if status in {None, each.status}],
            next_cursor=f"{rfc3339(last.created_at)}/{last.id}" if last else "",
        )

    async def _seen(self, found: Sequence[rows.Row], wanted: Sequence[rows.Row]) -> list[Delegation]:
        proved = await prove_all(found, self._proofs)
        return [self._shown(row, found, proved) for row in wanted if row.id in proved.grants]

    def _shown(self, row: rows.Row, found: Sequence[rows.Row], proved: Proved) -> Delegation:
        fits = chain_to(
            row.id, found, proved, audience=self._ground.audience, now=self._onward.now(), holder=row.delegate
        )
        return shown(proved.grants[row.id], row.created_at, fits)


def _after(cursor: str) -> tuple[datetime, str] | None:
    if not cursor:
        return None
    at, slash, last = cursor.partition("/")
    try:
        when = parse_rfc3339(at)
    except ValueError as error:
        raise InvalidInput("not a cursor", told=Told("grants.cursor")) from error
    if not slash:
        raise InvalidInput("not a cursor", told=Told("grants.cursor"))
    return when, last
