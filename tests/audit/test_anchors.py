"""Signed statements: when they are made, where they are kept, and what they show."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest
import sqlalchemy as sa

from moothall.audit.anchor import read, sign
from moothall.audit.anchor_file import FILE, append, last, tokens
from moothall.audit.trail import Terms
from moothall.errors import InvalidInput, StorageError
from moothall.identity.keys import PrivateKey, Signer
from moothall.storage.authority import audit_anchor, audit_record
from tests.audit.chains import (
    NODE,
    SIGNER,
    START,
    Signers,
    anchor,
    anchored,
    chain,
    found,
    kept,
    record,
    run,
    store,
    trail,
)
from tests.support.clock import ManualClock


def signed(folder: Path) -> list[int]:
    with (folder / FILE).open("rb") as lines:
        return [read(token).seq for token in tokens(lines)]


async def test_the_end_of_the_chain_is_signed_after_so_many_rows_so_much_time_and_at_the_end(
    database_url: str, tmp_path: Path
) -> None:
    clock = ManualClock(START)
    async with store(tmp_path, database_url) as opened:
        async with trail(opened, clock, terms=Terms(every=10, seconds=60)) as audit:
            for number in range(3):
                await audit.settle(record(number))
            assert await anchored(opened) == []
            await clock.advance(61)
            await audit.settle(record(3))
            assert len(await anchored(opened)) == 1
            await clock.advance(1)
            for number in range(11):
                await audit.settle(record(number))
            await audit.flush()
            assert await anchored(opened) == [3, 13]
        assert await anchored(opened) == [3, 13, 15]
        assert signed(tmp_path) == [3, 13, 15]
        assert stat.S_IMODE((tmp_path / FILE).stat().st_mode) == 0o600
        (finding,) = await found(opened)
        assert (finding.fault, finding.anchored, finding.anchors) == (None, 15, 3)
        assert finding.signers == (SIGNER.keyid,)


async def test_rows_that_are_cut_off_show_though_the_statements_in_the_database_are_gone_as_well(
    database_url: str, tmp_path: Path
) -> None:
    async with store(tmp_path, database_url) as opened:
        async with trail(opened) as audit:
            for number in range(6):
                audit.put(record(number))
        await run(opened, sa.delete(audit_record).where(audit_record.c.seq > 4))
        await run(opened, sa.delete(audit_anchor))
        (finding,) = await found(opened)
        assert finding.fault is not None
        assert (finding.fault.seq, finding.fault.trouble) == (5, "truncated")


@pytest.mark.parametrize(
    ("column", "value", "trouble"),
    [
        ("body", "nonsense", "content"),
        ("actor", "user:eve", "columns"),
        ("kind", "system", "columns"),
        ("hash", "0" * 64, "hash"),
        ("at", START.replace(year=2031), "columns"),
    ],
    ids=["body", "actor", "kind", "hash", "at"],
)
@pytest.mark.requirement("POL-08")
async def test_a_record_that_is_changed_in_the_database_is_named(
    database_url: str, tmp_path: Path, column: str, value: object, trouble: str
) -> None:
    async with store(tmp_path, database_url) as opened:
        async with trail(opened) as audit:
            for number in range(5):
                audit.put(record(number))
        await run(opened, sa.update(audit_record).where(audit_record.c.seq == 3).values({column: value}))
        (finding,) = await found(opened)
        assert finding.fault is not None
        assert (finding.fault.seq, finding.fault.trouble) == (3, trouble)


@pytest.mark.parametrize("column", ["at", "body", "hash", "actor"])
async def test_values_of_another_kind_are_found_and_break_nothing(tmp_path: Path, column: str) -> None:
    async with store(tmp_path) as opened:
        async with trail(opened) as audit:
            audit.put(record(0))
        await run(opened, sa.update(audit_record).values({column: sa.text("x'00ff'")}))
        (finding,) = await found(opened)
        assert finding.fault is not None
        assert finding.fault.seq == 1


async def test_a_store_that_lost_signed_rows_says_so_in_its_log_and_on_record(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async with store(tmp_path) as opened:
        async with trail(opened) as audit:
            for number in range(5):
                audit.put(record(number))
        await run(opened, sa.delete(audit_record).where(audit_record.c.seq > 2))
        async with trail(opened):
            pass
        assert "5 was signed" in caplog.text
        *_, note = await kept(opened)
        assert (note.seq, note.kind) == (3, "system")
        assert '"action":"shortened"' in note.body
        caplog.clear()
        async with trail(opened) as audit:
            audit.put(record(9))
        assert caplog.text == ""
        (finding,) = await found(opened)
        assert finding.fault is not None
        assert (finding.fault.seq, finding.fault.trouble) == (5, "truncated")


async def test_what_a_killed_node_left_unsigned_is_signed_at_the_next_start(tmp_path: Path) -> None:
    clock = ManualClock(START)
    async with store(tmp_path) as opened:
        async with trail(opened, clock, signer=None) as audit:
            audit.put(record(0))
        async with trail(opened, clock):
            pass
        assert await anchored(opened) == [1]
        async with trail(opened, clock):
            pass
        assert signed(tmp_path) == [1]


async def test_a_file_that_cannot_be_written_stops_no_record(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    async with store(tmp_path) as opened:
        async with trail(opened, terms=Terms(every=1)) as audit:
            (tmp_path / FILE).symlink_to(tmp_path / "elsewhere")
            await audit.settle(record(0))
            await audit.settle(record(1))
            (tmp_path / FILE).unlink()
        assert len(await kept(opened)) == 2
        assert "was not signed" in caplog.text
        assert signed(tmp_path)[-1] == 2


async def test_a_file_of_somebody_else_opens_no_trail(tmp_path: Path) -> None:
    async with store(tmp_path) as opened:
        (tmp_path / FILE).symlink_to("/etc/passwd")
        with pytest.raises(StorageError):
            async with trail(opened):
                pass


def test_a_line_that_a_crash_left_half_written_goes_with_the_next_one(tmp_path: Path) -> None:
    path = tmp_path / FILE
    assert last(path) == ""
    append(path, "one")
    with path.open("ab") as file:
        file.write(b'{"anchor": "tw')
    assert last(path) == "one"
    with path.open("rb") as lines:
        assert list(tokens(lines)) == ["one"]
    append(path, "three")
    with path.open("rb") as lines:
        assert list(tokens(lines)) == ["one", "three"]
    assert last(path) == "three"


async def test_a_last_line_that_is_no_statement_is_passed_over(tmp_path: Path) -> None:
    (tmp_path / FILE).write_text('{"anchor": "nonsense"}\n[]\n')
    async with store(tmp_path) as opened:
        async with trail(opened) as audit:
            audit.put(record(0))
        assert await anchored(opened) == [1]


@pytest.mark.parametrize("algorithm", ["Ed25519", "secp256k1"])
def test_a_statement_is_read_as_it_was_signed(algorithm: str) -> None:
    signer = Signer("did:wba:node.example#key-1", PrivateKey.generate(algorithm))  # type: ignore[arg-type]
    said = anchor(chain(1)[0], signer)
    assert (said.node, said.seq, said.count, said.time, said.start) == (NODE, 1, 1, START, False)
    assert said.keyid == signer.keyid
    assert read(sign(said, signer)).hash == said.hash


def test_a_did_without_a_fingerprint_of_its_key_is_known_or_does_not_count() -> None:
    signer = Signer("did:wba:node.example#key-1", PrivateKey.generate())
    key = signer.key.public
    assert Signers({signer.keyid: key}).trust(signer.keyid, key)
    assert not Signers(anybody=True).trust(signer.keyid, key)
    assert not Signers(anybody=True).trust("nonsense", key)


@pytest.mark.parametrize("token", ["", "a.b.c", "ünsinn", "eyJhbGciOiJub25lIn0.e30.", "x" * 20_000])
def test_what_is_no_statement_is_refused(token: str) -> None:
    with pytest.raises(InvalidInput):
        read(token)


def test_nothing_but_the_owner_can_read_the_file_whatever_the_mask_is(tmp_path: Path) -> None:
    mask = os.umask(0)
    try:
        append(tmp_path / FILE, "one")
    finally:
        os.umask(mask)
    assert stat.S_IMODE((tmp_path / FILE).stat().st_mode) == 0o600
