"""Rows: records as they are written, one after the other."""

from __future__ import annotations

import hashlib
import json
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from moothall.audit.record import AuditRecord
from moothall.audit.row import FIRST, LONGEST, SALT, START, canonical_form, rows
from moothall.canonical import canonical
from tests.audit.chains import NODE, record

NOW = datetime(2026, 3, 1, 12, 0, 0, 123_456, tzinfo=UTC)
SALTS = bytes(range(SALT)) * 4

scalars = (
    st.none()
    | st.booleans()
    | st.integers(-(2**53) + 1, 2**53 - 1)
    | st.text()
    | st.floats(allow_nan=False, allow_infinity=False)
)
values = st.recursive(scalars, lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner), max_leaves=12)


def body(one: AuditRecord) -> dict[str, Any]:
    (row,) = rows(NODE, [(one, NOW)], FIRST, SALTS)
    said: dict[str, Any] = json.loads(row.body)
    assert row.body.encode() == canonical(said)
    assert said["actor"] == row.actor
    return said


@given(values)
def test_the_fast_form_is_the_canonical_one(value: Any) -> None:
    assert canonical_form(value) == canonical(value)


def test_a_body_says_everything_of_a_record_and_its_place() -> None:
    one = record(7, subject="did:wba:far.example:ann", policies=("p1", "p2"), grants=("g1",), digest="sha-256:00")
    assert body(one) == {
        "node": NODE,
        "seq": 1,
        "time": "2026-03-01T12:00:00.123Z",
        "salt": bytes(range(SALT)).hex(),
        "kind": "call",
        "action": "read",
        "actor": "user:bob",
        "subject": "did:wba:far.example:ann",
        "resource": "node.add",
        "effect": "allow",
        "reason": "",
        "policies": ["p1", "p2"],
        "revision": "",
        "door": "",
        "request_id": "",
        "digest": "sha-256:00",
        "grants": ["g1"],
        "details": {"n": 7},
    }


def test_each_hash_is_over_the_one_before_and_the_digest_of_the_body() -> None:
    made = rows(NODE, [(record(number), NOW) for number in range(3)], FIRST, SALTS)
    before = START
    for number, row in enumerate(made, 1):
        digest = hashlib.sha256(row.body.encode()).hexdigest()
        before = hashlib.sha256((before + digest).encode()).hexdigest()
        assert (row.seq, row.hash) == (number, before)


@given(st.builds(record, actor=st.text(), reason=st.text(), details=st.dictionaries(st.text(), values, max_size=4)))
def test_whatever_a_record_says_can_be_written(one: AuditRecord) -> None:
    assert body(one)["reason"] == one.reason


def test_a_number_that_would_be_read_as_another_is_left_out() -> None:
    assert body(record(details={"n": 2.0**60}))["details"] == {"left_out": "InvalidInput"}
    assert body(record(details={"n": 0.25}))["details"] == {"n": 0.25}


@pytest.mark.parametrize(
    "fields",
    [
        {"reason": "lone \ud800 surrogate", "actor": "user:\udfff"},
        {"details": {"set": {1, 2}}},
        {"details": {"large": 2**60}},
        {"details": {"nan": float("nan")}},
        {"details": {"text": "x" * LONGEST}},
        {"policies": ("p\ud800",) * 100},
        {"actor": "user:\0bob"},
    ],
    ids=["surrogate", "set", "large", "nan", "long", "policies", "nul"],
)
def test_what_has_no_canonical_form_is_replaced_and_nothing_goes_missing(fields: dict[str, Any]) -> None:
    said = body(record(**fields))
    assert said["resource"] == "node.add"
    assert "\0" not in said["actor"]
    assert len(canonical(said)) < LONGEST
    if "actor" not in fields or "reason" in fields:
        assert set(said["details"]) == {"left_out"}


def test_equal_records_have_digests_that_tell_nothing() -> None:
    first, second = rows(NODE, [(record(), NOW)] * 2, FIRST, bytes(SALT) + bytes([1]) * SALT)
    assert json.loads(first.body)["salt"] != json.loads(second.body)["salt"]
