"""Exports: checked without the database, whole or in part, with names or without."""

from __future__ import annotations

import json
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from moothall.audit.export import Filter, export
from moothall.audit.exported import Checked, check
from moothall.audit.redaction import Redaction
from moothall.audit.row import canonical_form, digest_of
from moothall.audit.trail import Terms
from moothall.errors import InvalidInput
from moothall.storage.store import Store
from tests.audit.chains import ANYBODY, SIGNER, START, anchor, chain, record, store, trail
from tests.support.clock import ManualClock

WHO = "did:wba:far.example:agents:ann:e1_x"
ASKED = "ap-580d5a77c22ffd54"


async def exported(of: Store, wanted: Filter = Filter(), redaction: Redaction | None = None) -> list[bytes]:  # noqa: B008
    return await of.read(lambda connection: list(export(connection, wanted, redaction, START)))


def told(lines: list[bytes]) -> list[dict[str, Any]]:
    return [json.loads(line) for line in lines]


def records(lines: list[bytes]) -> list[int]:
    return [row["seq"] for row in told(lines) if "record" in row]


def fault(checked: Checked) -> tuple[int, str] | None:
    bad = checked.fault or next((each.fault for each in checked.findings if each.fault), None)
    return None if bad is None else (bad.seq, bad.trouble)


async def busy(of: Store) -> None:
    """Twenty records, one in an hour, every third of somebody else; a statement after every fifth."""
    clock = ManualClock(START)
    async with trail(of, clock, terms=Terms(every=5, seconds=1e6)) as audit:
        for number in range(20):
            who = WHO if number % 3 == 0 else "user:bob"
            await audit.settle(record(number, actor=who, kind="decision" if number < 10 else "call"))
            await audit.flush()
            await clock.advance(3600)


async def test_a_whole_export_is_checked_as_the_store_is(database_url: str, tmp_path: Path) -> None:
    async with store(tmp_path, database_url) as opened:
        await busy(opened)
        lines = await exported(opened)
    checked = check(lines, ANYBODY)
    assert fault(checked) is None
    assert not checked.partial
    (finding,) = checked.findings
    assert (finding.first, finding.last, finding.anchored, finding.left_out) == (1, 20, 20, 0)
    assert finding.signers == (SIGNER.keyid,)


@pytest.mark.parametrize(
    ("wanted", "expected"),
    [
        (Filter(actor=WHO), list(range(1, 21, 3))),
        (Filter(kind="call"), list(range(11, 21))),
        (Filter(since=START + timedelta(hours=12)), list(range(13, 21))),
        (Filter(until=START + timedelta(hours=3)), [1, 2, 3]),
        (Filter(since=START + timedelta(hours=7), until=START + timedelta(hours=9)), [8, 9]),
        (Filter(since=START + timedelta(days=9)), []),
        (Filter(until=START), []),
    ],
    ids=["actor", "kind", "since", "until", "between", "later", "earlier"],
)
async def test_an_export_in_part_says_so_and_can_be_checked(
    database_url: str, tmp_path: Path, wanted: Filter, expected: list[int]
) -> None:
    async with store(tmp_path, database_url) as opened:
        await busy(opened)
        lines = await exported(opened, wanted)
    assert records(lines) == expected
    assert told(lines)[0]["partial"]
    checked = check(lines, ANYBODY)
    assert checked.partial
    assert fault(checked) is None
    (finding,) = checked.findings
    if expected:
        assert finding.anchored >= expected[-1]
        assert finding.left_out == finding.last - finding.first + 1 - len(expected)
    shown = [number for number, line in enumerate(lines) if b'"record"' in line]
    for number in shown:
        bad = [*lines[:number], lines[number].replace(b'"allow"', b'"denied"'), *lines[number + 1 :]]
        place = json.loads(lines[number])["seq"]
        assert fault(check(bad, ANYBODY)) == (place, "hash")


async def test_a_span_of_time_has_no_more_rows_than_up_to_the_next_statements(tmp_path: Path) -> None:
    async with store(tmp_path) as opened:
        await busy(opened)
        lines = await exported(opened, Filter(since=START + timedelta(hours=7), until=START + timedelta(hours=9)))
    assert [row["seq"] for row in told(lines) if "hash" in row] == [6, 7, 8, 9, 10]


async def test_a_redacted_export_names_nobody_says_so_and_its_chain_can_be_followed(tmp_path: Path) -> None:
    secret = {"decision": "sha-256:1234", "who": f"asked {WHO} or user:bob, mail ann@far.example", WHO: ["user:bob"]}
    async with store(tmp_path) as opened:
        async with trail(opened) as audit:
            audit.put(record(actor=WHO, subject="user:bob", details=secret, reason=f"for {WHO}", digest="sha-256:99"))
            audit.put(record(actor="user:bob", kind="people", resource="person-ann"))
            audit.put(record(actor="owner"))
            audit.put(record(actor="owner", kind="approval", resource=ASKED, details={"approval": ASKED}))
        lines = await exported(opened, redaction=Redaction(b"salt"))
        other = await exported(opened, redaction=Redaction(b"other"))
    text = b"".join(line for line in lines if b'"anchor"' not in line).decode()
    for word in (WHO, "ann", "bob", "far.example", "sha-256", "salt", ASKED):
        assert word not in text.replace('"salt":', "")
    rows = [row["record"] for row in told(lines) if "record" in row]
    assert rows[0]["subject"] == rows[1]["actor"] != rows[0]["actor"]
    assert rows[0]["reason"] == f"for {rows[0]['actor']}"
    assert rows[2]["actor"] == "owner"
    assert rows[0]["actor"] != next(row["record"] for row in told(other) if "record" in row)["actor"]
    checked = check(lines, ANYBODY)
    assert checked.redacted
    assert fault(checked) is None
    assert checked.findings[0].left_out == 4
    assert rows[3]["resource"] == rows[3]["details"]["approval"] != ASKED


async def test_a_redacted_export_shows_no_name_by_whatever_key_it_stands(tmp_path: Path) -> None:
    who = "user:zhang wei"
    details = {
        "person": "zhang", "purpose": "for zhang", "rules": {"lead": who}, "outcome": "ok", "n": 3, "who": {"zhang": 1}
    }  # fmt: skip
    async with store(tmp_path) as opened:
        async with trail(opened) as audit:
            audit.put(record(actor=who, reason=f"asked by {who}.", details=details))
            audit.put(record(kind="people", resource="zhang", reason="people.toml: zhang has no unit", details={}))
        lines = await exported(opened, redaction=Redaction(b"salt"))
    text = b"".join(line for line in lines if b'"anchor"' not in line).decode()
    assert "zhang" not in text
    assert " wei" not in text
    first, second = [row["record"] for row in told(lines) if "record" in row]
    assert first["reason"] == f"asked by {first['actor']}."
    assert first["details"]["rules"] == {"lead": first["actor"]}
    assert (first["details"]["outcome"], first["details"]["n"]) == ("ok", 3)
    assert "purpose" not in first["details"]
    assert "reason" not in second


@given(st.data())
def test_a_line_that_is_changed_taken_out_or_moved_is_noticed(data: st.DataObject) -> None:
    lines = LINES
    place = data.draw(st.integers(3, len(lines) - 1))
    kind = data.draw(st.sampled_from(["out", "twice", "cut", "swap", "letter"]))
    changed = list(lines)
    if kind == "out":
        del changed[place]
    elif kind == "twice":
        changed.insert(place, lines[place])
    elif kind == "cut":
        changed = changed[:place]
    elif kind == "swap":
        other = data.draw(st.integers(3, len(lines) - 1).filter(lambda each: lines[each] != lines[place]))
        changed[place], changed[other] = changed[other], changed[place]
    else:
        at = data.draw(st.integers(0, len(lines[place]) - 2))
        changed[place] = lines[place][:at] + b"#" + lines[place][at + 1 :]
    assert fault(check(changed, ANYBODY)) is not None


CHAIN = chain(6)
LINES = [
    b'{"moothall_audit":1,"exported":"2026-03-01T12:00:00.000Z","partial":false,"redacted":false,"spans":{}}\n',
    *(json.dumps({"anchor": anchor(CHAIN[place]).token}).encode() + b"\n" for place in (2, 5)),
    *(
        json.dumps({"node": row.node, "seq": row.seq, "hash": row.hash, "record": json.loads(row.body)}).encode()
        + b"\n"
        for row in CHAIN
    ),
    b'{"end":6}\n',
]


def test_a_whole_export_leaves_nothing_out() -> None:
    digest = json.dumps({"node": CHAIN[1].node, "seq": 2, "hash": CHAIN[1].hash, "digest": "00"}).encode()
    assert fault(check([*LINES[:4], digest, *LINES[5:]], ANYBODY)) == (2, "content")


@pytest.mark.parametrize(
    ("line", "trouble"),
    [
        (b"nonsense", "unreadable"),
        (b"[]", "unreadable"),
        (b'{"seq": 2}', "unreadable"),
        (b'{"node": "node-1", "seq": "2", "hash": ""}', "unreadable"),
        (b'{"node": "node-1", "seq": 2, "hash": "", "digest": 7}', "unreadable"),
        (b'{"node": "node-1", "seq": 2, "hash": "", "record": 7}', "content"),
        (b'{"node": "node-1", "seq": 2, "hash": "", "record": {"n": 9007199254740993}}', "content"),
        (b'{"node": "node-1", "seq": 2, "hash": "", "record": {"n": 1}}', "columns"),
        (b'{"anchor": "x"}', "unreadable"),
    ],
    ids=["text", "list", "place", "number", "digest", "record", "large", "elsewhere", "anchor"],
)
def test_a_line_that_is_none_of_an_export_is_named(line: bytes, trouble: str) -> None:
    found = fault(check([*LINES[:4], line, *LINES[5:]], ANYBODY))
    assert found == (5 if trouble == "unreadable" else 2, trouble)


@pytest.mark.parametrize(
    "lines",
    [
        [],
        [b"nonsense"],
        [b"{}"],
        [b'{"moothall_audit": 2}'],
        [b'{"moothall_audit": 1, "partial": true}'],
        [b'{"moothall_audit": 1, "partial": true, "spans": {"n": [-1, null]}}'],
        [b'{"moothall_audit": 1, "partial": true, "spans": {"n": [0, "x"]}}'],
        [b'{"moothall_audit": 1, "partial": true, "spans": {"n": [0]}}'],
    ],
    ids=["nothing", "text", "object", "version", "spans", "negative", "end", "short"],
)
def test_what_is_no_export_is_refused(lines: list[bytes]) -> None:
    with pytest.raises(InvalidInput):
        check(lines, ANYBODY)


def test_statements_about_what_a_partial_export_has_not_are_left_alone() -> None:
    head = LINES[0].replace(b'"partial":false', b'"partial":true').replace(b'"spans":{}', b'"spans":{"node-1":[3,6]}')
    lines = [head, *LINES[1:3], *LINES[6:9], b'{"end":3}\n']
    others = [anchor(row) for row in chain(9)]
    assert fault(check(lines, ANYBODY, others)) is None
    assert fault(check(lines, ANYBODY, [anchor(row, node="node-2") for row in chain(2)])) is None
    begins = head.replace(b"[3,6]", b"[2,6]")
    assert fault(check([begins, *lines[1:]], ANYBODY)) == (1, "gap")


async def test_a_record_is_not_taken_at_the_word_of_a_digest_beside_it(tmp_path: Path) -> None:
    async with store(tmp_path) as opened:
        await busy(opened)
        lines = await exported(opened, Filter(actor=WHO))
    number = next(number for number, line in enumerate(lines) if b'"record"' in line)
    row = json.loads(lines[number])
    digest = digest_of(canonical_form(row["record"]))
    forged = {**row, "digest": digest, "record": {**row["record"], "actor": "owner"}}
    bad = [*lines[:number], json.dumps(forged).encode() + b"\n", *lines[number + 1 :]]
    assert fault(check(bad, ANYBODY)) == (row["seq"], "content")
