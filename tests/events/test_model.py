from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from moothall.events.model import Event, event_id, is_public, parse_event_id
from moothall.events.stream import Topic

RUN = "d-0123abcd"


@given(st.integers(min_value=0, max_value=999_999_999))
def test_an_event_id_names_its_place_in_its_run_and_in_no_other(seq: int) -> None:
    name = event_id(RUN, seq)
    assert name == f"evt-0123abcd-{seq}"
    assert parse_event_id(RUN, name) == seq
    assert parse_event_id("d-ffff0000", name) is None


@pytest.mark.parametrize(
    "text", ["", "7", "evt-", "evt-0123abcd", "evt-0123abcd--1", "evt-0123abcd-01", "evt-0123abcd-1 ", "evt-0123ABCD-1",
             "evt-0123abcd-9999999999", "evt-0123abcd-١"]
)  # fmt: skip
def test_anything_else_names_nothing(text: str) -> None:
    assert parse_event_id(RUN, text) is None


def test_only_types_of_the_specification_leave_the_store() -> None:
    assert is_public("towow.offer.submitted")
    assert not is_public("step")
    assert is_public("moot.group.message")
    assert not is_public("towowish")
    assert not is_public("moothall.x")
    event = Event(RUN, 3, "k", "towow.x", "2026-01-22T10:05:00.000Z", {})
    assert (event.event_id, event.public) == ("evt-0123abcd-3", True)


@given(st.lists(st.tuples(st.integers(0, 30), st.integers(1, 8)), max_size=20))
def test_a_ring_holds_each_seq_once_whatever_is_published_twice_or_late(parts: list[tuple[int, int]]) -> None:
    topic = Topic()
    for first, length in parts:
        rows = [(RUN, n, f"k{n}", "towow.x", "t", "{}") for n in range(first, first + length)]
        joined = topic.add(rows, closed=False)
        seqs = [entry[0] for entry in topic.ring]
        assert topic.base is not None
        assert topic.next is not None
        assert seqs == list(range(topic.base, topic.next))
        assert joined or first > topic.next
        assert [entry[0] for entry in topic.since(topic.next - 1)] == [topic.next - 1]
