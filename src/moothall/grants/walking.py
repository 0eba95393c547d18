"""From rows to chains: what holds of the table, proved and put in order."""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Final

from moothall.errors import InvalidInput, MoothallError
from moothall.grants.chain import Refusal, chain_of
from moothall.grants.model import Chain, Grant
from moothall.grants.proving import Proofs
from moothall.grants.rows import Row, standing_on
from moothall.telemetry import logger

PATIENCE: Final = 5.0
"""Seconds for which hosts of delegators are waited for, all of them together, where a delegation is made or shown."""
BRIEF: Final = 1.0
"""The same where somebody's rights are looked up: whoever lent to it must not be able to hold it up."""

_log = logger("grants")


@dataclass(frozen=True, slots=True)
class Proved:
    """Rows whose tokens hold.

    Attributes:
        grants: what they say, by their ids.
        revoked: ids of those that were taken back.
        unknown: tokens that could not be proved now, since their delegators' documents cannot be had.
    """

    grants: dict[str, Grant] = field(default_factory=dict)
    revoked: set[str] = field(default_factory=set)
    unknown: set[str] = field(default_factory=set)


async def prove_all(
    rows: Iterable[Row], proofs: Proofs, seconds: float = PATIENCE, later: Collection[str] = ()
) -> Proved:
    """Prove rows; one whose token does not hold, or does not say what its columns say, gives nothing.

    Args:
        rows: of the table.
        proofs: of tokens.
        seconds: for which hosts are waited for.
        later: tokens that somebody else tries to prove, and nobody waits for here.
    """
    proved, rows = Proved(), list(rows)
    tokens = {row.token for row in rows if proofs.known(row.token) is None}
    said = await _said(tokens.difference(later), proofs, seconds)
    for row in rows:
        grant = proofs.known(row.token) or said.get(row.token)
        if grant is None:
            if row.token not in said:
                proved.unknown.add(row.token)
        elif row.agrees(grant):
            proved.grants[row.id] = grant
            if row.revoked_at is not None:
                proved.revoked.add(row.id)
        else:
            _log.warning("the delegation %s in the store gives nothing: its row says other things than it", row.id)
    return proved


async def _said(tokens: Iterable[str], proofs: Proofs, seconds: float) -> dict[str, Grant | None]:
    """What tokens say; None: one does not hold; missing: it cannot be proved now."""
    tasks = {token: asyncio.create_task(proofs.prove(token)) for token in tokens}
    said: dict[str, Grant | None] = {}
    try:
        if tasks:
            await asyncio.wait(tasks.values(), timeout=seconds)
        for token in [token for token, task in tasks.items() if task.done()]:
            try:
                said[token] = tasks.pop(token).result()
            except InvalidInput as error:
                _log.warning("a delegation in the store gives nothing: %s", error)
                said[token] = None
            except MoothallError as error:
                _log.info("a delegation cannot be proved now: %s", error)
    finally:
        for task in tasks.values():
            task.cancel()
    return said


def chain_to(
    end: str, rows: Sequence[Row], proved: Proved, *, audience: str, now: float, holder: str
) -> Chain | Refusal:
    """The chain that ends with a delegation, or why there is none."""
    links = standing_on(rows, end)
    if any(row.id not in proved.grants for row in links):
        return Refusal("form", end)
    grants = [proved.grants[row.id] for row in links]
    return chain_of(grants, holder, audience=audience, now=now, revoked=proved.revoked)


def ends(rows: Iterable[Row], holder: str) -> Collection[str]:
    """The delegations to a holder among rows."""
    return [row.id for row in rows if row.delegate == holder]
