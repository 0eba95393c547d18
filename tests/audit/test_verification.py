"""Chains that somebody changed: the first bad record is named, whatever was done."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from moothall.audit.anchor import Anchor, Signers
from moothall.audit.row import Row, chained, digest_of
from moothall.audit.verification import Fault, Finding, verify
from tests.audit.chains import ANYBODY, NODE, OURS, SIGNER, START, STRANGER, anchor, chain, links

CHAIN = chain(12)
ANCHORS = [anchor(CHAIN[3]), anchor(CHAIN[9])]
SOUND = Finding(node=NODE, first=1, last=12, hash=CHAIN[-1].hash, anchored=10, anchors=2, signers=(SIGNER.keyid,))
places = st.integers(0, len(CHAIN) - 1)


def fault(rows: list[Row], anchors: list[Anchor] = ANCHORS, signers: Signers = OURS) -> Fault | None:
    (finding,) = verify(links(rows), anchors, signers)
    return finding.fault


def where(found: Fault | None) -> tuple[int, str] | None:
    return None if found is None else (found.seq, found.trouble)


def anew(rows: list[Row], start: int) -> list[Row]:
    """The rows with the hashes from `start` on made anew, as somebody would who knows how."""
    made = rows[:start]
    for row in rows[start:]:
        before = made[-1].hash if made else "0" * 64
        made.append(replace(row, hash=chained(before, digest_of(row.body.encode()))))
    return made


def test_a_sound_chain_is_found_sound_and_how_far_it_is_signed() -> None:
    assert verify(links(CHAIN), ANCHORS, OURS) == [SOUND]
    assert verify(links(CHAIN), [*ANCHORS, *ANCHORS], ANYBODY) == [SOUND]
    assert verify([], [], OURS) == []


@given(places, st.data())
def test_a_change_of_any_part_of_a_row_names_it(place: int, data: st.DataObject) -> None:
    row = CHAIN[place]
    at = data.draw(st.integers(0, len(row.body) - 1))
    letter = data.draw(st.characters(codec="utf-8").filter(lambda each: each != row.body[at]))
    changes = [
        {"body": row.body[:at] + letter + row.body[at + 1 :]},
        {"body": row.body[:at]},
        {"hash": row.hash[::-1]},
        {"kind": "system"},
        {"actor": "user:eve"},
        {"at": row.at + timedelta(milliseconds=data.draw(st.integers(1, 10**9)))},
    ]
    rows = list(CHAIN)
    rows[place] = replace(row, **data.draw(st.sampled_from(changes)))
    found = fault(rows)
    assert found is not None
    assert found.seq == place + 1
    assert found.trouble in {"content", "columns", "hash"}


@given(places, st.integers(1, 12))
def test_rows_that_are_missing_are_named(place: int, number: int) -> None:
    rows = CHAIN[:place] + CHAIN[place + number :]
    cut = place + number >= len(CHAIN)
    expected = (place + 1, "truncated" if cut else "gap")
    assert where(fault(rows)) == (None if cut and place >= 10 else expected)


@given(places, places)
def test_rows_that_changed_places_are_named(one: int, other: int) -> None:
    rows = list(CHAIN)
    rows[one], rows[other] = rows[other], rows[one]
    low = min(one, other)
    assert where(fault(rows)) == (None if one == other else (low + 1, "gap"))


@given(places, places)
def test_numbers_that_changed_places_are_named(one: int, other: int) -> None:
    rows = list(CHAIN)
    rows[one], rows[other] = replace(rows[other], seq=rows[one].seq), replace(rows[one], seq=rows[other].seq)
    assert where(fault(rows)) == (None if one == other else (min(one, other) + 1, "columns"))


@given(places, places)
def test_a_row_that_was_put_in_is_named(place: int, other: int) -> None:
    rows = list(CHAIN)
    rows.insert(place, CHAIN[other])
    found = where(fault(rows))
    if other == place:
        assert found == (place + 1, "order")
    elif other > place:
        assert found == (place + 1, "gap")
    else:
        assert found == (other + 1, "order")
    renumbered = [replace(row, seq=number) for number, row in enumerate(rows, 1)]
    first = place + 1 if other != place else place + 2
    assert where(fault(renumbered)) == (first, "columns")


@given(places)
def test_a_chain_that_was_written_anew_differs_from_the_next_signed_row(place: int) -> None:
    rows = list(CHAIN)
    rows[place] = replace(rows[place], body=rows[place].body.replace("allow", "denied"))
    rows = anew(rows, place)
    signed = next((each.seq for each in ANCHORS if each.seq > place), None)
    found = fault(rows)
    assert where(found) == (None if signed is None else (signed, "mismatch"))
    if found is not None:
        assert found.sound == (4 if place >= 4 else 0)


def test_a_row_whose_own_hash_alone_was_made_anew_does_not_fit_the_next() -> None:
    rows = list(CHAIN)
    rows[5] = replace(rows[5], body=rows[5].body.replace("allow", "denied"))
    rows[5] = anew(rows, 5)[5]
    assert where(fault(rows)) == (7, "hash")


def test_a_chain_of_which_nothing_is_left_is_missed() -> None:
    assert where(fault([])) == (1, "truncated")


def test_statements_count_only_from_those_who_may_make_them() -> None:
    assert where(fault(CHAIN, [anchor(CHAIN[3], STRANGER)])) == (4, "signature")
    assert where(fault(CHAIN, [anchor(CHAIN[3], STRANGER)], ANYBODY)) == (4, "signature")
    assert where(fault(CHAIN, ANCHORS, Signers())) == (4, "signature")
    did = SIGNER.keyid.partition("#")[0]
    assert fault(CHAIN, ANCHORS, Signers(dids=frozenset({did}))) is None
    assert where(fault(CHAIN, ANCHORS, Signers(dids=frozenset({"did:wba:other.example"})))) == (4, "signature")


@pytest.mark.parametrize(
    "change", [{"seq": 5}, {"hash": CHAIN[4].hash}, {"count": 3}, {"time": START + timedelta(1)}, {"start": True}],
    ids=["seq", "hash", "count", "time", "start"],
)  # fmt: skip
def test_a_statement_says_what_was_signed_and_nothing_else(change: dict[str, object]) -> None:
    found = where(fault(CHAIN, [replace(ANCHORS[0], **change)]))  # type: ignore[arg-type]
    assert found == (change.get("seq", 4), "signature")


def test_a_statement_with_a_wrong_count_proves_nothing() -> None:
    assert where(fault(CHAIN, [anchor(CHAIN[3], count=3)])) == (4, "mismatch")


def test_a_pruned_chain_begins_where_a_statement_says_so_and_nowhere_else() -> None:
    start = anchor(CHAIN[3], start=True)
    (finding,) = verify(links(CHAIN[4:]), [start, ANCHORS[1]], OURS)
    assert (finding.first, finding.last, finding.fault) == (5, 12, None)
    assert where(fault(CHAIN[4:])) == (1, "gap")
    assert where(fault(CHAIN[3:], [start])) == (4, "order")
    assert where(fault(CHAIN[5:], [start])) == (5, "gap")
    assert where(fault(CHAIN[4:], [anchor(CHAIN[3], STRANGER, start=True)])) == (1, "gap")


def test_chains_of_several_nodes_are_followed_apart() -> None:
    other = chain(5, "node-2")
    rows = [*CHAIN[:4], *other[:3], *CHAIN[4:], *other[4:]]
    first, second = verify(links(rows), ANCHORS, OURS)
    assert first == SOUND
    assert second.fault == Fault("node-2", 4, "gap", 0)
    moved = [replace(row, node=NODE) for row in other]
    assert where(fault(moved, [])) == (1, "columns")
