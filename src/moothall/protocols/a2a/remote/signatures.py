"""What the signatures on a card are worth (A2A 1.0 §8.4): JWS over the RFC 8785 form of the card without them.

A key counts where a DID document vouches for it: what a card itself names as the place of its key proves no more than
its address does already.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, Protocol

from moothall.canonical import canonical, strict_json
from moothall.capability.spec import JsonObject
from moothall.errors import InvalidInput, MoothallError
from moothall.identity import base64url
from moothall.identity.document import DidDocument
from moothall.identity.keys import Algorithm
from moothall.protocols.a2a.remote.card import Signature, Verdict
from moothall.telemetry import logger

_ALGORITHMS: Final[Mapping[str, Algorithm]] = {
    "EdDSA": "Ed25519",
    "Ed25519": "Ed25519",
    "ES256": "P-256",
    "ES256K": "secp256k1",
}
_RANKS: Final[tuple[Verdict, ...]] = ("signed", "invalid", "unknown", "none")
_MOST: Final = 5
_log = logger("a2a")


class Resolves(Protocol):
    """Finds the document of a DID; raises as `moothall.identity.resolver.Resolver.resolve`."""

    async def resolve(self, did: str, /, *, refresh: bool = False) -> DidDocument:
        """The document of a DID."""
        ...


async def verified(card: JsonObject, resolver: Resolves) -> Signature:
    """The verdict on a card: one signature that holds is enough, since readers differ in what form they take it in."""
    listed = card.get("signatures")
    if not isinstance(listed, list) or not listed:
        return Signature()
    found = [await _verdict(each, card, resolver) for each in listed[:_MOST]]
    return min(found, key=lambda each: _RANKS.index(each.verdict))


async def _verdict(signature: object, card: JsonObject, resolver: Resolves) -> Signature:
    row = signature if isinstance(signature, dict) else {}
    protected, signed = row.get("protected"), row.get("signature")
    try:
        header = strict_json(base64url.decode(protected)) if isinstance(protected, str) else {}
        proof = base64url.decode(signed) if isinstance(signed, str) else b""
    except InvalidInput:
        return Signature("invalid")
    if not isinstance(header, dict) or "crit" in header or not proof or not isinstance(protected, str):
        return Signature("invalid")
    keyid, algorithm = header.get("kid"), _ALGORITHMS.get(str(header.get("alg")))
    if not isinstance(keyid, str) or not keyid.startswith("did:") or algorithm is None:
        return Signature("unknown")
    did = keyid.partition("#")[0]
    try:
        document = await resolver.resolve(did)
    except MoothallError as error:
        _log.info("the DID that signed a card was not resolved: %s", error)
        return Signature("unknown", did)
    key = document.assertion.get(keyid) or document.authentication.get(keyid)
    if key is None or key.algorithm != algorithm:
        return Signature("invalid", did)
    verdict: Verdict = "invalid"
    for form in _forms(card):
        if key.verify(f"{protected}.{base64url.encode(form)}".encode(), proof):
            verdict = "signed"
    return Signature(verdict, did)


def _forms(card: JsonObject) -> list[bytes]:
    """What may have been signed: the card as it stands, or without its empty members (§8.4.1)."""
    unsigned = {key: value for key, value in card.items() if key != "signatures"}
    try:
        return [canonical(unsigned), canonical(_filled(unsigned))]
    except InvalidInput:
        return []


def _filled(value: Any) -> Any:  # noqa: ANN401 - JSON of any shape
    if isinstance(value, dict):
        return {key: kept for key, each in value.items() if not _empty(kept := _filled(each))}
    if isinstance(value, list):
        return [kept for each in value if not _empty(kept := _filled(each))]
    return value


def _empty(value: object) -> bool:
    return value is None or value in ("", [], {})
