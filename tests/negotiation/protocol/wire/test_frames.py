"""Frames: a byte that says what follows."""

from __future__ import annotations

import json

import pytest

from moothall.errors import PayloadTooLarge, ProtocolViolation
from moothall.negotiation.protocol.wire.frames import Frame, Kind, decode, encode, json_object, meta


@pytest.mark.requirement("META-WIRE-01")
@pytest.mark.parametrize(
    ("kind", "header"), [(Kind.META, 0x00), (Kind.APPLICATION, 0x40), (Kind.NATURAL, 0x80), (Kind.VERIFICATION, 0xC0)]
)
def test_the_top_two_bits_say_the_kind_and_the_others_are_zero(kind: Kind, header: int) -> None:
    assert encode(kind, b"{}") == bytes([header]) + b"{}"
    assert decode(bytes([header]) + b"{}") == Frame(kind, b"{}")


@pytest.mark.requirement("META-WIRE-01")
def test_the_low_six_bits_of_what_is_received_are_ignored() -> None:
    assert [decode(bytes([kind | 0x3F, 1])).kind for kind in Kind] == list(Kind)


@pytest.mark.requirement("META-WIRE-01")
def test_an_empty_frame_is_a_violation_that_can_be_answered() -> None:
    with pytest.raises(ProtocolViolation) as caught:
        decode(b"")
    assert caught.value.details["code"] == "empty_frame"


@pytest.mark.requirement("META-LIMIT-02")
def test_a_frame_has_at_most_256_kib() -> None:
    assert len(decode(b"\x40" + b"x" * 262_143).payload) == 262_143
    with pytest.raises(PayloadTooLarge):
        decode(b"\x40" + b"x" * 262_144)
    with pytest.raises(PayloadTooLarge):
        decode(b"\x40abc", most=3)


@pytest.mark.requirement("META-PROTO-13")
def test_a_meta_frame_is_a_zero_byte_and_the_message_in_utf_8() -> None:
    frame = meta({"action": "x", "text": "你好"})
    assert frame[0] == 0
    assert json.loads(frame[1:].decode("utf-8")) == {"action": "x", "text": "你好"}


@pytest.mark.parametrize(
    "payload",
    [b"", b"{", b"[]", b"1", b'"x"', b"{}{}", b'{"a":1,"a":2}', b'{"a":NaN}', b"\xff", b'{"a":"\\ud800"}', b"[" * 40],
    ids=repr,
)
def test_what_is_no_json_object_with_one_meaning_is_a_violation(payload: bytes) -> None:
    with pytest.raises(ProtocolViolation) as caught:
        json_object(payload)
    assert caught.value.details["code"] == "bad_json"


def test_a_json_object_is_read() -> None:
    assert json_object(b'{"a": [1, null]}') == {"a": [1, None]}
