"""``moot audit``: from the store of a node that runs or not, in both languages."""

from __future__ import annotations

import asyncio
import json
import sqlite3
import stat
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from moothall.audit.anchor_file import FILE
from moothall.audit.record import AuditRecord
from moothall.audit.trail import AuditTrail
from moothall.cli.main import run
from moothall.identity.keystore import Keystore
from moothall.storage.store import Store
from tests.support.clock import ManualClock


def node(data: Path, url: str = "", number: int = 5, *, signed: bool = True) -> str:
    """A node that put something on record; its id."""

    async def live() -> str:
        store = await Store.open(data, url)
        me = Keystore.open(data).ensure("node", "node.example")
        trail = await AuditTrail.open(store, ManualClock(), me.signer if signed else None, data / FILE)
        for n in range(number):
            actor = "user:ann" if n == 1 else "user:bob"
            trail.put(AuditRecord(kind="call", action="read", actor=actor, resource="node.add", details={"n": n}))
        await trail.aclose()
        await store.close()
        return store.node

    return asyncio.run(live())


class Moot:
    """Runs commands on a data directory and takes what they print."""

    def __init__(self, data: Path, capsys: pytest.CaptureFixture[str]) -> None:
        self.data, self._capsys = data, capsys

    def __call__(self, *argv: str, lang: str = "en") -> tuple[int, str, str]:
        self._capsys.readouterr()
        code = run(["audit", *argv, "--lang", lang])
        told = self._capsys.readouterr()
        return code, told.out, told.err

    def on(self, *argv: str, **more: str) -> tuple[int, str, str]:
        return self(*argv, "--data", str(self.data), **more)

    def rows(self, *argv: str) -> tuple[int, list[dict[str, Any]]]:
        code, out, _ = self.on(*argv, "--json")
        return code, [json.loads(line) for line in out.splitlines()]


@pytest.fixture
def moot(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Moot:
    return Moot(tmp_path / "node", capsys)


def change(data: Path, statement: str, values: Sequence[object] = ()) -> None:
    with closing(sqlite3.connect(data / "moothall.db", isolation_level=None)) as connection:
        connection.execute(statement, values)


@pytest.mark.requirement("POL-08")
def test_verify_tells_that_all_is_sound_and_how_far_it_is_signed(moot: Moot) -> None:
    name = node(moot.data)
    code, out, err = moot.on("verify")
    assert (code, out) == (0, f"{name}: records 1 to 5 are sound; signed up to 5\n")
    assert "signed by did:wba:node.example:agents:node:e1_" in err
    code, out, _ = moot.on("verify", lang="zh")
    assert (code, out) == (0, f"{name}：第 1 至 5 条记录完好；签名至第 5 条\n")
    code, (row, told) = moot.rows("verify")
    assert (code, row["node"], row["last"], row["fault"]) == (0, name, 5, None)
    assert told == {
        "sound": True,
        "anchored": True,
        "partial": False,
        "redacted": False,
        "unproved": [],
        "fault": None,
    }


@pytest.mark.requirement("POL-08")
@pytest.mark.parametrize(
    ("statement", "seq", "trouble"),
    [
        ("UPDATE audit_record SET body = replace(body, 'user:ann', 'user:eve') WHERE seq = 2", 2, "columns"),
        ("UPDATE audit_record SET body = replace(body, 'node.add', 'node.sub') WHERE seq = 4", 4, "hash"),
        ("DELETE FROM audit_record WHERE seq = 3", 3, "gap"),
        ("DELETE FROM audit_record WHERE seq > 3", 4, "truncated"),
        ("DELETE FROM audit_record", 1, "truncated"),
        ("UPDATE audit_anchor SET token = 'x'", 5, "signature"),
    ],
    ids=["columns", "hash", "gap", "cut", "all", "statement"],
)
def test_verify_names_the_first_bad_record_in_words_and_exits_with_1(
    moot: Moot, statement: str, seq: int, trouble: str
) -> None:
    name = node(moot.data)
    change(moot.data, statement)
    code, out, _ = moot.on("verify")
    assert (code, out.startswith(f"{name}: record {seq} is bad: ")) == (1, True)
    code, zh, _ = moot.on("verify", lang="zh")
    assert (code, zh.startswith(f"{name}：第 {seq} 条记录有问题：")) == (1, True)
    code, (row, told) = moot.rows("verify")
    assert (told["sound"], told["fault"]) == (False, None)
    assert (code, row["fault"]["seq"], row["fault"]["trouble"]) == (1, seq, trouble)
    assert row["fault"]["why"] in out


def test_statements_that_were_kept_elsewhere_show_what_was_cut_off(moot: Moot, tmp_path: Path) -> None:
    node(moot.data)
    elsewhere = tmp_path / "elsewhere.jsonl"
    (moot.data / FILE).rename(elsewhere)
    change(moot.data, "DELETE FROM audit_anchor")
    change(moot.data, "DELETE FROM audit_record WHERE seq > 3")
    code, _, err = moot.on("verify")
    assert code == 0
    assert "no statement signs any of its records" in err
    code, out, _ = moot.on("verify", "--anchors", str(elsewhere))
    assert code == 1
    assert "record 4 is bad" in out
    elsewhere.write_text("nonsense\n")
    code, _, err = moot.on("verify", "--anchors", str(elsewhere))
    assert code == 2
    assert "line 1 of" in err


def test_statements_of_somebody_else_do_not_count(moot: Moot, tmp_path: Path) -> None:
    node(moot.data)
    did = Keystore.open(moot.data).all()[0].did.text
    (moot.data / "identity").rename(tmp_path / "away")
    node(moot.data, number=1)
    code, out, _ = moot.on("verify")
    assert code == 1
    assert "record 5 is bad" in out
    assert moot.on("verify", "--signer", did)[0] == 0


def test_what_is_not_signed_yet_is_told(moot: Moot) -> None:
    name = node(moot.data)
    node(moot.data, number=2, signed=False)
    code, out, err = moot.on("verify")
    assert (code, out) == (0, f"{name}: records 1 to 7 are sound; signed up to 5\n")
    assert "records 6 to 7 are not signed yet" in err


def test_an_export_is_written_for_its_owner_alone_and_verified_without_the_store(moot: Moot, tmp_path: Path) -> None:
    name = node(moot.data)
    file = tmp_path / "audit.jsonl"
    code, out, err = moot.on("export", "-o", str(file))
    assert (code, out, err) == (0, f"8 lines are in {file}\n", "")
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    code, out, _ = moot("verify", str(file))
    assert (code, out) == (0, f"{name}: records 1 to 5 are sound; signed up to 5\n")
    code, _, err = moot.on("export", "-o", str(file))
    assert code == 2
    assert str(file) in err
    lines = file.read_text().splitlines(keepends=True)
    file.write_text("".join(lines[:-1]))
    code, out, _ = moot("verify", str(file))
    assert code == 1
    assert "the end is missing" in out
    code, out, _ = moot("verify", str(file), "--json", lang="zh")
    assert "缺少结尾" in json.loads(out.splitlines()[-1])["fault"]["why"]
    file.write_text("".join(lines).replace('"n":2', '"n":7'))
    code, out, _ = moot("verify", str(file))
    assert (code, "record 3 is bad" in out) == (1, True)
    assert moot("verify", str(file), "--signer", "did:wba:other.example")[0] == 1
    file.write_text("{}\n")
    assert moot("verify", str(file))[0] == 2


def test_an_export_in_part_or_redacted_says_so(tmp_path: Path, capfdbinary: pytest.CaptureFixture[bytes]) -> None:
    node(tmp_path)
    argv = ["audit", "export", "--data", str(tmp_path), "--redact", "--actor", "user:ann", "--since", "2026-01-01"]
    assert run([*argv, "--lang", "en"]) == 0
    out = capfdbinary.readouterr().out
    assert b"user:ann" not in out
    assert out.count(b'"record"') == 1
    file = tmp_path / "some.jsonl"
    file.write_bytes(out)
    assert run(["audit", "verify", str(file), "--json"]) == 0
    row = json.loads(capfdbinary.readouterr().out.splitlines()[-1])
    assert (row["partial"], row["redacted"], row["anchored"]) == (True, True, True)
    assert run(["audit", "verify", str(file), "--lang", "en"]) == 0
    told = capfdbinary.readouterr().err
    assert b"leaves records out" in told
    assert b"redacted" in told


def test_an_export_that_nobody_signed_does_not_pass_where_a_signature_is_asked_for(moot: Moot, tmp_path: Path) -> None:
    name = node(moot.data)
    did, file = Keystore.open(moot.data).all()[0].did.text, tmp_path / "audit.jsonl"
    assert moot.on("export", "-o", str(file))[0] == 0
    assert moot("verify", str(file), "--signer", did)[0] == 0
    assert moot("verify", str(file), "--anchors", str(moot.data / FILE))[0] == 0
    lines = [line for line in file.read_text().splitlines(keepends=True) if '"anchor"' not in line]
    file.write_text("".join(lines))
    assert moot("verify", str(file))[0] == 0
    code, out, _ = moot("verify", str(file), "--signer", did)
    assert (code, f"{name}: no statement that counts confirms its records" in out) == (1, True)
    assert "得不到证明" in moot("verify", str(file), "--signer", did, lang="zh")[1]
    rows = moot("verify", str(file), "--signer", did, "--json")[1].splitlines()
    told = json.loads(rows[-1])
    assert (told["sound"], told["anchored"], told["unproved"]) == (False, False, [name])
    assert moot("verify", str(file), "--anchors", str(moot.data / FILE))[0] == 0
    head = json.loads(lines[0])
    for until in (3, 5, None):  # an export that claims to end where nobody signed that it does
        some = [json.dumps({**head, "partial": True, "spans": {name: [0, until]}}) + "\n", *lines[1:4], '{"end":3}\n']
        file.write_text("".join(some))
        assert moot("verify", str(file), "--anchors", str(moot.data / FILE))[0] == 1, until
        assert (until is None) == (moot("verify", str(file))[0] == 0), until
    file.write_text("".join([json.dumps({**head, "partial": True, "spans": {}}) + "\n", *lines[1:]]))
    assert moot("verify", str(file))[0] == 1
    file.write_text(json.dumps({**head, "partial": True, "spans": {}}) + '\n{"end":0}\n')
    code, out, _ = moot("verify", str(file), "--anchors", str(moot.data / FILE))
    assert (code, "none of the statements" in out) == (1, True)


def test_an_export_that_fails_leaves_no_file(moot: Moot, tmp_path: Path) -> None:
    node(moot.data)
    change(moot.data, "DROP TABLE audit_record")
    assert moot.on("export", "-o", str(tmp_path / "file"))[0] == 1
    assert not (tmp_path / "file").exists()


def test_list_prints_the_newest_first(moot: Moot) -> None:
    node(moot.data)
    code, out, _ = moot.on("list", "--limit", "2")
    assert (code, len(out.splitlines())) == (0, 2)
    assert out.splitlines()[0].split() == ["2026-01-22T10:05:00.000Z", "call", "user:bob", "read", "node.add"]
    code, rows = moot.rows("list")
    assert [row["details"]["n"] for row in rows] == [4, 3, 2, 1, 0]
    code, rows = moot.rows("list", "--actor", "user:ann", "--kind", "call", "--since", "2026-01-22T10:00:00Z")
    assert [row["details"]["n"] for row in rows] == [1]
    code, out, err = moot.on("list", "--until", "2026-01-22")
    assert (code, out, err) == (0, "", "no records\n")
    code, _, err = moot.on("list", "--since", "yesterday")
    assert (code, "neither a time" in err) == (2, True)
    assert moot.on("list", "--kind", "nonsense")[0] == 2


def test_a_node_without_records_or_without_a_store_is_told(moot: Moot) -> None:
    assert moot.on("verify")[0] == 1
    assert "处没有存储库" in moot.on("verify", lang="zh")[2]
    node(moot.data, number=0)
    code, out, err = moot.on("verify")
    assert (code, out, err) == (0, "", "there are no records\n")


def test_a_store_on_postgresql_is_verified_and_listed_too(
    moot: Moot, postgres_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MOOTHALL_DATABASE_URL", postgres_url)
    name = node(moot.data, postgres_url)
    code, out, _ = moot.on("verify")
    assert (code, out) == (0, f"{name}: records 1 to 5 are sound; signed up to 5\n")
    assert len(moot.rows("list")[1]) == 5
