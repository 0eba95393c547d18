"""Frames: one header byte, then the payload (row META-WIRE-01). Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import IntEnum
from typing import Any, Final

from moothall.canonical import dumps, strict_json
from moothall.errors import PayloadTooLarge, ProtocolViolation, Told, ValidationError
from moothall.negotiation.protocol.limits import MAX_MESSAGE_BYTES
from moothall.negotiation.protocol.needs import JsonObject

_KIND: Final = 0b1100_0000
"""The bits of the header that say the kind; the other six are zero when sent and ignored when received."""

_MOST_VALUES: Final = 20_000


class Kind(IntEnum):
    """What a frame carries, as it stands in its header."""

    META = 0x00
    APPLICATION = 0x40
    NATURAL = 0x80
    VERIFICATION = 0xC0


@dataclass(frozen=True, slots=True)
class Frame:
    """A frame that was read."""

    kind: Kind
    payload: bytes = field(repr=False)


def encode(kind: Kind, payload: bytes) -> bytes:
    """A frame as it is sent."""
    return bytes((kind,)) + payload


def decode(data: bytes, most: int = MAX_MESSAGE_BYTES) -> Frame:
    """Read a frame.

    Raises:
        PayloadTooLarge: it is longer than ``most`` bytes, its header included.
        ProtocolViolation: it is empty.
    """
    if len(data) > most:
        raise PayloadTooLarge("the frame is too long", told=Told("agreeing.frame_long", {"most": most}))
    if not data:
        raise ProtocolViolation("the frame is empty", told=Told("agreeing.frame_empty"), details=_said("empty_frame"))
    return Frame(Kind(data[0] & _KIND), data[1:])


def meta(message: Mapping[str, Any]) -> bytes:
    """The frame of a message about the protocol.

    Raises:
        TypeError: it is no JSON.
    """
    return encode(Kind.META, dumps(dict(message)))


def json_object(payload: bytes) -> JsonObject:
    """The JSON object that a payload is.

    Raises:
        ProtocolViolation: it is none that can be read in one way only.
    """
    try:
        value = strict_json(payload, _MOST_VALUES)
    except ValidationError as error:
        raise _no_json(error.told) from error
    if not isinstance(value, dict):
        raise _no_json(None)
    try:
        dumps(value)
    except TypeError as error:  # a number that others would round: it could be neither kept nor signed
        raise _no_json(None) from error
    return value


def _no_json(told: Told | None) -> ProtocolViolation:
    why = told or Told("agreeing.no_object")
    return ProtocolViolation("the frame holds no JSON object", told=why, details=_said("bad_json"))


def _said(code: str) -> dict[str, object]:
    return {"code": code, "action": ""}
