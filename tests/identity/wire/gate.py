"""A node's gate and those who knock at it: identities, signed requests, and a verifier over a real store."""

from __future__ import annotations

import secrets
from base64 import b64encode
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from hashlib import sha256
from pathlib import Path
from typing import Any

import rfc8785

from moothall.clock import rfc3339
from moothall.errors import MoothallError, UpstreamError
from moothall.identity import base64url, jwk
from moothall.identity.apikeys import ApiKeys
from moothall.identity.assembly import Gatehouse, Ground, assemble
from moothall.identity.creation import new_did, new_document
from moothall.identity.did import Did
from moothall.identity.document import DidDocument
from moothall.identity.keys import Algorithm, PrivateKey, Signer
from moothall.identity.request import HttpRequest
from moothall.identity.signing import sign_request
from moothall.identity.site import Site
from moothall.identity.standing import Standings
from moothall.identity.verification import Rules
from moothall.settings import Settings
from moothall.storage.store import Store
from tests.support.clock import ManualClock

URL = "https://node.example:8420"
TARGET = "/api/v1/capabilities/node.add?x=%7E&y=a+b"
BODY = b'{"a":1}'
OWNER_TOKEN = "the-owner-of-this-node"
USER_KEY, ADMIN_KEY = "key-of-anna-0001", "key-of-the-admins"
NONCE = "1cffd71be5b7cc5906f541206745a5d6"


@dataclass(frozen=True)
class Party:
    """Somebody with a DID: its key and its document."""

    signer: Signer
    document: dict[str, Any]

    @property
    def did(self) -> str:
        return str(self.document["id"])

    @property
    def checked(self) -> DidDocument:
        return DidDocument.load(self.did, self.document, allow_legacy=True)

    def changed(self, **members: Any) -> Party:
        """The same with other members; only for documents without a proof."""
        return Party(self.signer, {**self.document, **members})


def party(algorithm: Algorithm = "Ed25519", name: str = "alice") -> Party:
    """Somebody whose DID contains the fingerprint of an Ed25519 or secp256k1 key."""
    key = PrivateKey.generate(algorithm)
    did = new_did("far.example:3000", ("agents", name), key.public)
    return Party(Signer(f"{did}#key-1", key), new_document(did, key, created=ManualClock().now()))


def bare_party(algorithm: Algorithm = "P-256", did: str = "did:wba:bare.example") -> Party:
    """Somebody with a document that nothing proves but where it was found."""
    key = PrivateKey.generate(algorithm)
    parsed = Did.parse(did)
    method = {"id": f"{did}#key-1", "type": "JsonWebKey", "controller": did, "publicKeyJwk": jwk.encode(key.public)}
    document = {"id": parsed.text, "verificationMethod": [method], "authentication": [method["id"]]}
    return Party(Signer(f"{did}#key-1", key), document)


@dataclass
class Registry:
    """Where documents are found; counts who asks for what."""

    documents: dict[str, DidDocument] = field(default_factory=dict)
    newer: dict[str, DidDocument] = field(default_factory=dict)
    asked: list[tuple[str, bool]] = field(default_factory=list)
    failing: MoothallError | None = None

    def add(self, *parties: Party) -> None:
        for one in parties:
            self.documents[one.did] = one.checked

    async def __call__(self, did: str, /, *, refresh: bool = False) -> DidDocument:
        self.asked.append((did, refresh))
        if self.failing is not None:
            raise self.failing
        found = self.newer.get(did) if refresh else None
        found = found or self.documents.get(did)
        if found is None:
            raise UpstreamError("nobody answers")
        return found


def request(
    method: str = "POST", target: str = TARGET, body: bytes = BODY, headers: Mapping[str, str] | None = None
) -> HttpRequest:
    raw = [(name.lower().encode(), value.encode("latin-1")) for name, value in (headers or {}).items()]
    return HttpRequest(method, target, [(b"host", b"node.example:8420"), *raw], body)


def signed(
    who: Party, now: int, *, method: str = "POST", target: str = TARGET, body: bytes = BODY, nonce: str = ""
) -> HttpRequest:
    """A request as our own client signs it."""
    headers = sign_request(who.signer, method, URL + target, body, now=now, nonce=nonce)
    return request(method, target, body, headers)


def signed_by_hand(
    who: Party,
    covered: Iterable[tuple[str, str]],
    parameters: str,
    *,
    digest: str = "",
    label: str = "sig1",
    body: bytes = BODY,
) -> HttpRequest:
    """A request whose signature covers what the test says, with parameters as the test writes them."""
    covered = list(covered)
    text = "(" + " ".join(f'"{name}"' for name, _ in covered) + ")" + parameters
    base = "\n".join([*(f'"{name}": {value}' for name, value in covered), f'"@signature-params": {text}'])
    value = b64encode(who.signer.sign(base.encode("latin-1"))).decode()
    headers = {"Signature-Input": f"{label}={text}", "Signature": f"{label}=:{value}:"}
    return request(body=body, headers=headers | ({"Content-Digest": digest} if digest else {}))


def older_proof(
    signer: Signer, now: datetime, audience: str, *, version: str = "1.1", seconds: int = 0
) -> dict[str, str]:
    """The six fields of the older proof, signed as the specification says."""
    did, _, method = signer.keyid.partition("#")
    fields = {
        "v": version,
        "did": did,
        "nonce": secrets.token_hex(16),
        "timestamp": rfc3339(now + timedelta(seconds=seconds)),
    }
    name = "aud" if float(version) >= 1.1 else "service"
    signed = {"nonce": fields["nonce"], "timestamp": fields["timestamp"], name: audience, "did": did}
    signature = signer.sign(sha256(rfc8785.dumps(signed)).digest())
    return fields | {"verification_method": method, "signature": base64url.encode(signature)}


def older_header(fields: Mapping[str, str]) -> str:
    """The older proof as the value of ``Authorization``."""
    return "DIDWba " + ", ".join(f'{name}="{value}"' for name, value in fields.items())


@dataclass
class Gate:
    """A verifier over a store, whose clock the test moves."""

    house: Gatehouse
    registry: Registry
    clock: ManualClock
    store: Store
    data: Path

    @property
    def now(self) -> int:
        return int(self.clock.now().timestamp())


@dataclass
class Decisions:
    """What the node decided; the test changes it while the node runs."""

    granted: dict[str, frozenset[str]] = field(default_factory=dict)
    suspended: set[str] = field(default_factory=set)
    own: set[str] = field(default_factory=set)

    def standing(self) -> Standings:
        return Standings(
            granted=lambda identity: self.granted.get(identity, frozenset()),
            suspended=lambda identity: identity in self.suspended,
            own=lambda did: did in self.own,
        )


async def open_gate(
    data: Path,
    registry: Registry,
    *,
    clock: ManualClock | None = None,
    database_url: str = "",
    decisions: Decisions | None = None,
    urls: tuple[str, ...] = (URL,),
    rules: Rules | None = None,
    older: bool = False,
) -> Gate:
    """Open a store and put a verifier over it."""
    clock = clock or ManualClock()
    store = await Store.open(data, database_url)
    settings = Settings(data=data, api_keys=f"anna:{USER_KEY}", admin_api_key=ADMIN_KEY)
    ground = Ground(
        store=store,
        data=data,
        clock=clock,
        site=Site(*urls),
        resolve=registry,
        known=registry.documents.get if isinstance(registry, Registry) else lambda _did: None,
        standing=(decisions or Decisions()).standing(),
        keys=ApiKeys.of(settings, OWNER_TOKEN),
        rules=rules,
        allow_didwba_header=older,
    )
    return Gate(await assemble(ground), registry, clock, store, data)


async def close_gate(gate: Gate) -> None:
    await gate.house.close()
    await gate.store.close()
