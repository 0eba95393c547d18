"""Signatures as they stand in the headers ``Signature-Input`` and ``Signature`` (RFC 9421 §4). Pure.

The text that is verified is the text that was received: neither the order nor the spelling of parameters is ours to
choose.
"""

from __future__ import annotations

import re
from binascii import Error as Base64Error
from binascii import a2b_base64
from collections.abc import Sequence
from functools import lru_cache
from typing import Final, NamedTuple

from moothall.identity.message import Message
from moothall.identity.refusal import refused
from moothall.identity.structured import Item, Malformed, Member, Parameters, parse_dictionary

LONGEST_HEADER: Final = 8 * 1024
"""Characters of each header of a proof."""

# The one shape that clients emit, read at one go; whatever else there is, the parser reads piece by piece.
_usual_input: Final = re.compile(
    r'([a-z*][a-z0-9_\-.*]*)=(\(((?:"[a-z0-9@-]+" )*"[a-z0-9@-]+")\)'
    r';created=([0-9]{1,15});expires=([0-9]{1,15});nonce="([ !#-\[\]-~]*)";keyid="(did:[ !#-\[\]-~]*)")'
).fullmatch
_usual_value: Final = re.compile(r"([a-z*][a-z0-9_\-.*]*)=:([A-Za-z0-9+/]*={0,2}):").fullmatch

_MOST: Final = 3  # labels that are tried: each may cost a document to fetch and a signature to check


class Signature(NamedTuple):
    """One signature by a DID, as received.

    Attributes:
        keyid: the DID URL of the key.
        components: the names that it covers, in its order.
        parameters: created, expires, nonce and the like, not yet judged.
        text: the received text of components and parameters, which is signed as well.
        value: the signature itself.
    """

    keyid: str
    components: tuple[str, ...]
    parameters: Parameters
    text: str
    value: bytes

    def base(self, message: Message) -> bytes:
        """The bytes that the key signed (RFC 9421 §2.5).

        Raises:
            Unauthenticated: the message lacks a part that the signature covers, or one is not of printable ASCII.
        """
        lines: list[str] = []
        for name in self.components:
            value = message.component(name)
            if value is None:
                raise refused("invalid_request", "the signature covers something that the request does not have")
            lines.append(f'"{name}": {value}')
        lines.append(f'"@signature-params": {self.text}')
        base = "\n".join(lines)
        if not base.isascii() or base.count("\n") != len(self.components):
            raise refused("invalid_request", "the signature covers a value that is not of printable ASCII")
        return base.encode("ascii")


def signatures(inputs: str, values: str) -> Sequence[Signature]:
    """The signatures by DIDs among all that a message carries, in its order, three at most.

    Args:
        inputs: ``Signature-Input``, several lines joined by commas.
        values: ``Signature``, likewise.

    Raises:
        Unauthenticated: a header is too long or malformed, or the value of a signature by a DID is missing.
    """
    if len(inputs) > LONGEST_HEADER or len(values) > LONGEST_HEADER:
        raise refused("invalid_request", "Signature-Input or Signature is too long")
    usual = _usual(inputs, values)
    return (usual,) if usual else _several(inputs, values)


def _usual(inputs: str, values: str) -> Signature | None:
    """The signature where there is one alone, in the shape that clients emit; None for any other text."""
    described, signed = _usual_input(inputs), _usual_value(values)
    if described is None or signed is None or described[1] != signed[1]:
        return None
    _, text, covered, created, expires, nonce, keyid = described.groups()
    try:
        value = a2b_base64(signed[2], strict_mode=True)
    except Base64Error:
        return None
    parameters = {"created": int(created), "expires": int(expires), "nonce": nonce, "keyid": keyid}
    return Signature(keyid, _names(covered), parameters, text, value)


@lru_cache(maxsize=256)
def _names(covered: str) -> tuple[str, ...]:
    """The names in ``"a" "b"``; there are few different lists in a node's life."""
    return _distinct(tuple(name[1:-1] for name in covered.split(" ")))


def _several(inputs: str, values: str) -> Sequence[Signature]:
    try:
        described, signed = parse_dictionary(inputs), parse_dictionary(values)
    except Malformed as error:
        raise refused("invalid_request", "Signature-Input or Signature is malformed") from error
    if not described:
        raise refused("invalid_request", "Signature-Input is missing")
    found = [_signature(member, signed.get(label)) for label, member in described.items() if _by_did(member)]
    return found[:_MOST]


def _by_did(member: Member) -> bool:
    keyid = member.parameters.get("keyid")
    return type(keyid) is str and keyid.startswith("did:")


def _signature(described: Member, signed: Member | None) -> Signature:
    value = signed.value if signed else None
    items = described.value
    if not isinstance(value, bytes) or not isinstance(items, tuple):
        raise refused("invalid_request", "a label stands in only one of Signature-Input and Signature")
    components = _distinct(tuple(map(_component, items)))
    return Signature(str(described.parameters["keyid"]), components, described.parameters, described.raw, value)


def _distinct(components: tuple[str, ...]) -> tuple[str, ...]:
    if len(set(components)) < len(components):
        raise refused("invalid_request", "the signature covers something twice")
    return components


def _component(item: Item) -> str:
    if type(item.value) is not str or item.parameters or item.value != item.value.lower():
        raise refused("invalid_request", "the signature covers something in a way that is not supported here")
    return item.value
