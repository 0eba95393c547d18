"""Chains to be tampered with, and trails that are opened and closed again."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from moothall.audit.anchor import Anchor, Signers, read, sign
from moothall.audit.anchor_file import FILE, tokens
from moothall.audit.archive import verified
from moothall.audit.links import Link, link_of
from moothall.audit.record import AuditRecord
from moothall.audit.row import FIRST, SALT, Row, rows
from moothall.audit.trail import USUAL, AuditTrail, Terms
from moothall.audit.verification import Finding
from moothall.clock import Clock
from moothall.identity.agent import new_identity
from moothall.identity.keys import PrivateKey, Signer
from moothall.storage.authority import audit_anchor, audit_record
from moothall.storage.store import Store
from tests.support.clock import ManualClock

NODE = "node-1"
START = datetime(2026, 3, 1, 12, tzinfo=UTC)
IDENTITY = new_identity("node", "node.example", ("agents", "node"), created=START).identity
SIGNER = IDENTITY.signer
OURS = Signers({SIGNER.keyid: SIGNER.key.public})
ANYBODY = Signers(anybody=True)
STRANGER = Signer(SIGNER.keyid, PrivateKey.generate())


def record(number: int = 0, **fields: Any) -> AuditRecord:
    usual = {"kind": "call", "action": "read", "actor": "user:bob", "resource": "node.add", "effect": "allow"}
    return AuditRecord(**{**usual, "details": {"n": number}, **fields})


def chain(length: int, node: str = NODE) -> list[Row]:
    entries = [(record(number), START + timedelta(seconds=number)) for number in range(1, length + 1)]
    return rows(node, entries, FIRST, bytes(range(SALT)) * length)


def anchor(row: Row, signer: Signer = SIGNER, **fields: Any) -> Anchor:
    said = Anchor(node=row.node, seq=row.seq, hash=row.hash, time=START, count=row.seq)
    return read(sign(replace(said, **fields), signer))


def links(found: Sequence[Row]) -> list[Link]:
    return [link_of(row) for row in found]


@asynccontextmanager
async def trail(
    store: Store,
    clock: Clock | None = None,
    signer: Signer | None = SIGNER,
    terms: Terms = USUAL,
    folder: Path | None = None,
) -> AsyncIterator[AuditTrail]:
    opened = await AuditTrail.open(
        store, clock or ManualClock(START), signer, (folder or folder_of(store)) / FILE, terms
    )
    try:
        yield opened
    finally:
        await opened.aclose()


FOLDERS: dict[str, Path] = {}


@asynccontextmanager
async def store(folder: Path, url: str = "") -> AsyncIterator[Store]:
    opened = await Store.open(folder, url)
    FOLDERS[opened.node] = folder
    try:
        yield opened
    finally:
        await opened.close()


def folder_of(of: Store) -> Path:
    return FOLDERS[of.node]


async def kept(of: Store, node: str = "") -> list[Any]:
    """What the table has, as it is."""
    query = sa.select(audit_record).where(audit_record.c.node == (node or of.node)).order_by(audit_record.c.seq)
    return list(await of.read(lambda connection: connection.execute(query).all()))


async def run(of: Store, statement: Any, *values: Any) -> None:
    """Tamper with the store."""
    await of.write(lambda connection: connection.execute(statement, *values))


async def found(of: Store, signers: Signers = OURS) -> list[Finding]:
    """Verify a store, by the statements in it and in the file of its node."""
    file = folder_of(of) / FILE
    lines = file.read_bytes().splitlines(keepends=True) if file.exists() else []
    others = [read(token) for token in tokens(iter(lines))]
    return await of.read(lambda connection: verified(connection, signers, others))


async def anchored(of: Store) -> list[int]:
    query = sa.select(audit_anchor.c.seq).where(audit_anchor.c.node == of.node).order_by(audit_anchor.c.seq)
    return [int(seq) for seq in await of.read(lambda connection: connection.execute(query).scalars().all())]
