"""Identities as tests need them, and ways to spoil them."""

from __future__ import annotations

import copy
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from moothall.identity.creation import new_did, new_document
from moothall.identity.did import Did
from moothall.identity.keys import Algorithm, PrivateKey, Signer
from moothall.identity.proofs import prove

NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)


@dataclass(frozen=True)
class Made:
    """An identity and its document; `proved` makes another document's proof with the same key."""

    did: Did
    signer: Signer
    document: dict[str, Any]

    @property
    def bare(self) -> dict[str, Any]:
        """The document without its proof, to be changed."""
        return copy.deepcopy({name: value for name, value in self.document.items() if name != "proof"})

    def proved(self, document: dict[str, Any]) -> dict[str, Any]:
        return prove(document, self.signer, NOW)


def made(algorithm: Algorithm = "Ed25519", path: tuple[str, ...] = ("user", "alice"), **more: Any) -> Made:
    key = PrivateKey.generate(algorithm)
    did = new_did("example.com:3000", path, key.public)
    return made_of(did, key, **more)


def made_of(did: Did, key: PrivateKey, **more: Any) -> Made:
    document = new_document(did, key, created=NOW, **more)
    return Made(did, Signer(f"{did}#key-1", key), document)
