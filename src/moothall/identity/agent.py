"""The identity of an agent of this node: its DID, its document and the key behind them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import x25519

from moothall.canonical import dumps
from moothall.identity.creation import KEY, new_did, new_document
from moothall.identity.did import Did
from moothall.identity.document import DidDocument
from moothall.identity.keys import Algorithm, PrivateKey, Signer


@dataclass(frozen=True, slots=True, eq=False)
class AgentIdentity:
    """Who an agent is, and what it proves it with.

    Attributes:
        agent: its name in this node.
        did: its identifier.
        document: the checked document.
        body: the document as it is served.
        signer: its private key, and the DID URL of it.
    """

    agent: str
    did: Did
    document: DidDocument
    body: bytes = field(repr=False)
    signer: Signer


@dataclass(frozen=True, slots=True)
class NewIdentity:
    """An identity that was just made, and all its private keys in PEM by their fragments."""

    identity: AgentIdentity
    keys: Mapping[str, bytes] = field(repr=False)


def new_identity(
    agent: str,
    domain: str,
    path: Sequence[str],
    *,
    created: datetime,
    algorithm: Algorithm = "Ed25519",
    description_url: str = "",
    agreement: bool = False,
) -> NewIdentity:
    """Make keys, a DID and its document; `agreement` adds keys for messages that only their receiver can read.

    Raises:
        InvalidInput: the domain is an IP address or none, a segment of the path is none, or no DID can be bound to
            this kind of key.
    """
    key = PrivateKey.generate(algorithm)
    did = new_did(domain, path, key.public)
    keys = {KEY: key.pem()}
    signing, point = None, b""
    if agreement:
        second, third = PrivateKey.generate("P-256"), x25519.X25519PrivateKey.generate()
        keys |= {"key-2": second.pem(), "key-3": _pem(third)}
        signing, point = second.public, third.public_key().public_bytes_raw()
    document = new_document(
        did, key, created=created, description_url=description_url, signing=signing, agreement=point
    )
    loaded = DidDocument.load(did, document, now=created)
    return NewIdentity(AgentIdentity(agent, did, loaded, dumps(document), Signer(f"{did}#{KEY}", key)), keys)


def _pem(key: x25519.X25519PrivateKey) -> bytes:
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
