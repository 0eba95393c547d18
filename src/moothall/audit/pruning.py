"""Leaving old rows behind: only up to a row that a statement confirms, and with a new one that says where it begins."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from typing import Final

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from moothall.audit.anchor import Anchor, sign
from moothall.audit.reading import anchors
from moothall.identity.keys import Signer
from moothall.storage.authority import audit_anchor, audit_record

_RECORD: Final = audit_record.c
_ANCHOR: Final = audit_anchor.c
_STEP: Final = 10_000
"""Rows that may go in one transaction, as far as statements lie that close."""


def prune(
    connection: Connection, node: str, before: datetime, now: datetime, signer: Signer
) -> tuple[Anchor, int] | None:
    """Take away the oldest rows, all older than `before`: some of them, in the transaction at hand.

    The last row always stays. None: there are none that can go; else the statement where the chain begins from now on,
    and how many rows went.
    """
    chain = _RECORD.node == node
    first, last = connection.execute(sa.select(sa.func.min(_RECORD.seq), sa.func.max(_RECORD.seq)).where(chain)).one()
    if first is None:
        return None
    young = connection.execute(sa.select(sa.func.min(_RECORD.seq)).where(chain, _RECORD.at >= before)).scalar()
    end = min(last if young is None else young, last) - 1
    fit = [each for each in anchors(connection, node) if first <= each.seq <= end and each.hash]
    if not fit:
        return None
    near = [each for each in fit if each.seq < first + _STEP]
    chosen = near[-1] if near else fit[0]
    there = connection.execute(sa.select(_RECORD.hash).where(chain, _RECORD.seq == chosen.seq)).scalar()
    if there != chosen.hash:  # whoever verifies must find that, and not we hide it
        return None
    start = Anchor(node=node, seq=chosen.seq, hash=chosen.hash, time=now, count=chosen.seq, start=True)
    start = replace(start, keyid=signer.keyid, token=sign(start, signer))
    gone = connection.execute(sa.delete(audit_record).where(chain, _RECORD.seq <= chosen.seq)).rowcount
    connection.execute(sa.delete(audit_anchor).where(_ANCHOR.node == node, _ANCHOR.seq < chosen.seq))
    at = (_ANCHOR.node == node, _ANCHOR.seq == chosen.seq)
    connection.execute(sa.update(audit_anchor).where(*at).values(token=start.token))
    return start, gone
