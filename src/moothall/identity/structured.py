"""Structured field values (RFC 8941), as signature headers use them: dictionaries of items and lists. Pure.

Strict: what this accepts, every parser accepts with equal values. A key that stands twice is refused, since readers
would differ about which of the two counts. Every member keeps its received text, because a signature covers the text
that was sent and not what somebody writes anew from its values.
"""

from __future__ import annotations

import binascii
import re
from collections.abc import Mapping
from decimal import Decimal
from types import MappingProxyType
from typing import Final, NamedTuple

_KEY: Final = r"[a-z*][a-z0-9_\-.*]*"
_BARE: Final = (
    r"(?:(-?[0-9]{1,15}(?![0-9.]))"  # an integer
    r"|(-?[0-9]{1,12}\.[0-9]{1,3}(?![0-9.]))"  # a decimal
    r'|"([ !#-\[\]-~]*(?:\\["\\][ !#-\[\]-~]*)*)"'  # a string
    r"|:([A-Za-z0-9+/]*={0,2}):"  # a byte sequence
    r"|([A-Za-z*][!#$%&'*+\-.^_`|~:/0-9A-Za-z]*)"  # a token
    r"|\?([01]))"  # a boolean
)
_INTEGER, _DECIMAL, _STRING, _BYTES, _TOKEN = range(1, 6)
_bare: Final = re.compile(_BARE).match
_parameter: Final = re.compile(f"; *({_KEY})(?:={_BARE})?").match
_label: Final = re.compile(f"({_KEY})(=?)").match
_comma: Final = re.compile(r"[ \t]*,[ \t]*").match
_spaces: Final = re.compile(" *").match


class Malformed(ValueError):
    """The text is no structured field, or one of a kind that no signature header uses."""


class Token(str):
    """A bare word, to tell it from a string."""

    __slots__ = ()


Bare = bool | int | Decimal | str | bytes
"""A value without parameters; tokens are of the class `Token`."""

Parameters = Mapping[str, Bare]
_NONE: Final[Parameters] = MappingProxyType({})


class Item(NamedTuple):
    """A value with its parameters."""

    value: Bare
    parameters: Parameters


class Member(NamedTuple):
    """A member of a dictionary: an item, or an inner list as a tuple of items; `raw` is its text as received."""

    value: Bare | tuple[Item, ...]
    parameters: Parameters
    raw: str


def parse_dictionary(text: str) -> dict[str, Member]:
    """Read a dictionary; the values of a header that came in several lines are joined by commas before.

    Raises:
        Malformed: the text does not have the form, or has a key twice.
    """
    text = text.strip(" ")
    members: dict[str, Member] = {}
    at, end = 0, len(text)
    while at < end:
        at = _member(text, at, members)
        if at == end:
            break
        comma = _comma(text, at)
        if comma is None or comma.end() == end:
            raise Malformed("no comma between two members, or one after the last")
        at = comma.end()
    return members


def _member(text: str, at: int, members: dict[str, Member]) -> int:
    label = _label(text, at)
    if label is None or label[1] in members:
        raise Malformed("no key, or one that stands there already")
    start = at = label.end()
    value: Bare | tuple[Item, ...] = True
    if label[2]:
        value, at = _inner_list(text, at + 1) if text[at : at + 1] == "(" else _bare_item(text, at)
    parameters, at = _parameters(text, at)
    members[label[1]] = Member(value, parameters, text[start:at])
    return at


def _inner_list(text: str, at: int) -> tuple[tuple[Item, ...], int]:
    items: list[Item] = []
    while True:
        after = _end_of_spaces(text, at)
        if text[after : after + 1] == ")":
            return tuple(items), after + 1
        if items and after == at:
            raise Malformed("no space between two items")
        value, at = _bare_item(text, after)
        parameters, at = _parameters(text, at)
        items.append(Item(value, parameters))


def _end_of_spaces(text: str, at: int) -> int:
    spaces = _spaces(text, at)
    return spaces.end() if spaces else at


def _parameters(text: str, at: int) -> tuple[Parameters, int]:
    if text[at : at + 1] != ";":
        return _NONE, at
    found: dict[str, Bare] = {}
    while (match := _parameter(text, at)) is not None:
        if match[1] in found:
            raise Malformed("a parameter stands twice")
        found[match[1]] = True if match.lastindex == 1 else _value(match, 1)
        at = match.end()
    if text[at : at + 1] in {";", "="}:
        raise Malformed("a parameter does not have the form")
    return found, at


def _bare_item(text: str, at: int) -> tuple[Bare, int]:
    match = _bare(text, at)
    if match is None:
        raise Malformed("no value")
    return _value(match, 0), match.end()


def _value(match: re.Match[str], before: int) -> Bare:
    """The value of a match of `_BARE`, whose groups come after `before` others."""
    last = match.lastindex or 0
    kind, found = last - before, match[last]
    if kind == _STRING:
        return _unescaped(found) if "\\" in found else found
    if kind == _INTEGER:
        return int(found)
    if kind == _BYTES:
        return _decoded(found)
    if kind == _TOKEN:
        return Token(found)
    return Decimal(found) if kind == _DECIMAL else found == "1"


def _unescaped(text: str) -> str:
    return re.sub(r"\\(.)", r"\1", text)


def _decoded(text: str) -> bytes:
    try:
        return binascii.a2b_base64(text, strict_mode=True)
    except binascii.Error as error:
        raise Malformed("a byte sequence is not base64") from error
