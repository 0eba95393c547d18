"""The keys that a DID document lists, and what each may be used for. Pure.

Entries of kinds that are not used here stay in the document and are passed over (a key that cannot be read is one of
them): a document may say more than this node understands.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from moothall.errors import InvalidInput, Told
from moothall.identity import base58, jwk, multikey
from moothall.identity.did import Did
from moothall.identity.keys import ALGORITHMS, Algorithm, PublicKey

MOST: Final = 64
"""Keys of one document; more are a burden, not a use."""

_KINDS: Final[Mapping[str, tuple[Algorithm, ...]]] = {
    "Multikey": ALGORITHMS,
    "JsonWebKey": ALGORITHMS,
    "JsonWebKey2020": ALGORITHMS,
    "Ed25519VerificationKey2020": ("Ed25519",),
    "Ed25519VerificationKey2018": ("Ed25519",),
    "EcdsaSecp256k1VerificationKey2019": ("secp256k1",),
    "EcdsaSecp256r1VerificationKey2019": ("P-256",),
}
_MATERIAL: Final = ("publicKeyMultibase", "publicKeyJwk", "publicKeyBase58")


class Methods:
    """What stands under ``verificationMethod``.

    Raises:
        InvalidInput: it is no list of objects with an id, is too long, or an id stands twice.
    """

    def __init__(self, did: Did, document: Mapping[str, Any]) -> None:
        """Take the list of a document; keys are read when a relationship names them."""
        self._did = did
        self._document = document
        self._entries: dict[str, Mapping[str, Any]] = {}
        for entry in _listed(document, "verificationMethod"):
            self._add(entry)

    def under(self, relationship: str) -> dict[str, PublicKey]:
        """The usable keys of a relationship (``authentication``, ``assertionMethod``), by their DID URLs.

        Raises:
            InvalidInput: it is no list of references and objects, or an object's id stands elsewhere, too.
        """
        keys: dict[str, PublicKey] = {}
        for entry in _listed(self._document, relationship):
            keyid = self._absolute(entry) if isinstance(entry, str) else self._add(entry)
            key = self._key(self._entries.get(keyid, {}))
            if key is not None:
                keys[keyid] = key
        return keys

    def _add(self, entry: object) -> str:
        named = entry.get("id") if isinstance(entry, dict) else None
        if not isinstance(entry, dict) or not isinstance(named, str):
            raise _refused("document_form")
        keyid = self._absolute(named)
        if keyid in self._entries:
            raise _refused("document_twice")
        self._entries[keyid] = entry
        return keyid

    def _absolute(self, reference: str) -> str:
        return f"{self._did.text}{reference}" if reference.startswith("#") else reference

    def _key(self, entry: Mapping[str, Any]) -> PublicKey | None:
        kinds = _KINDS.get(str(entry.get("type")), ())
        foreign = entry.get("controller", self._did.text) != self._did.text
        if foreign or not self._absolute(str(entry.get("id"))).startswith(f"{self._did.text}#"):
            return None
        try:
            key = _material(entry)
        except InvalidInput:
            return None
        return key if key and key.algorithm in kinds else None


def _material(entry: Mapping[str, Any]) -> PublicKey | None:
    given = [name for name in _MATERIAL if name in entry]
    if len(given) != 1:
        return None
    value = entry[given[0]]
    if isinstance(value, dict):
        return jwk.decode(value) if given == ["publicKeyJwk"] else None
    if not isinstance(value, str) or given == ["publicKeyJwk"]:
        return None
    if given == ["publicKeyBase58"]:
        return PublicKey.from_raw("Ed25519", base58.decode(value))
    return multikey.decode(value)


def _listed(document: Mapping[str, Any], name: str) -> list[Any]:
    found = document.get(name, [])
    if not isinstance(found, list) or len(found) > MOST:
        raise _refused("document_form")
    return found


def _refused(why: str) -> InvalidInput:
    return InvalidInput("the DID document cannot be used", told=Told(f"identity.{why}"))
