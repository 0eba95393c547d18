"""DID documents: read once, checked once, then used as they are (rows WIRE-DID-03 to 05, WIRE-DOC-02 to 05). Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from types import MappingProxyType
from typing import Any, Final

from moothall.clock import SystemClock
from moothall.errors import InvalidInput, Told
from moothall.identity import jwk
from moothall.identity.did import Did
from moothall.identity.keys import PublicKey
from moothall.identity.methods import Methods
from moothall.identity.proofs import EDDSA, OLD_SECP256K1, PURPOSE, SECP256K1, Proof

DEEPEST: Final = 32
"""Lists and objects that may stand in one another."""

DESCRIPTION: Final = "AgentDescription"

_OLD_PURPOSES: Final = (PURPOSE, "authentication")


@dataclass(frozen=True, slots=True)
class Service:
    """An address that a document names; `endpoint` is empty where it is no text."""

    id: str
    type: str
    endpoint: str


@dataclass(frozen=True, slots=True, eq=False)
class DidDocument:
    """A document that was found to belong to its DID.

    Attributes:
        did: whose it is.
        authentication: the keys that may sign as this DID, by their DID URLs.
        assertion: the keys that may vouch for documents.
        services: the addresses it names.
        key_bound: whether the DID itself vouches for the keys, by the fingerprint in it.
        raw: the document, with all that is not used here.
    """

    did: Did
    authentication: Mapping[str, PublicKey]
    assertion: Mapping[str, PublicKey]
    services: tuple[Service, ...]
    key_bound: bool
    raw: Mapping[str, Any] = field(repr=False)

    @classmethod
    def load(
        cls, did: Did | str, value: object, *, allow_legacy: bool = False, now: datetime | None = None
    ) -> DidDocument:
        """Check a document, as JSON read it, against the DID that was resolved.

        `allow_legacy` takes DIDs without a fingerprint and the old proofs; `now` is for a proof that ends, the
        machine's time unless given.

        Raises:
            InvalidInput: it is no DID document or one of another DID, a proof that it needs is missing, one that it has
                does not hold, or no key of it fits the fingerprint.
        """
        did = Did.parse(did) if isinstance(did, str) else did
        did.check_allowed(allow_legacy=allow_legacy)
        if not isinstance(value, dict) or too_deep(value):
            raise _refused("document_form")
        if value.get("id") != did.text:
            raise _refused("document_id")
        methods = Methods(did, value)
        authentication, assertion = methods.under("authentication"), methods.under("assertionMethod")
        if did.kind == "e1" or "proof" in value:
            proof = Proof.of(value)
            prover = _prover(proof, authentication, assertion, allow_legacy=allow_legacy)
            _check_proof(did, value, proof, prover, now or SystemClock().now())
        elif did.kind == "k1":
            authentication = _bound(did, authentication)
            assertion = {keyid: key for keyid, key in assertion.items() if keyid in authentication}
        return cls(
            did,
            MappingProxyType(authentication),
            MappingProxyType(assertion),
            tuple(_services(value)),
            did.key_bound,
            MappingProxyType(value),
        )

    @property
    def description_url(self) -> str:
        """Where the agent's description is; empty if the document does not say."""
        return next((service.endpoint for service in self.services if service.type == DESCRIPTION), "")


def too_deep(value: object) -> bool:
    """Whether more lists and objects stand in one another than a document needs; hashing goes down into all of them."""
    level: list[object] = [value]
    for _ in range(DEEPEST + 1):
        inner: list[object] = []
        for part in level:
            if isinstance(part, dict):
                inner.extend(part.values())
            elif isinstance(part, list):
                inner.extend(part)
        if not inner:
            return False
        level = inner
    return True


def _prover(
    proof: Proof, authentication: Mapping[str, PublicKey], assertion: Mapping[str, PublicKey], *, allow_legacy: bool
) -> PublicKey:
    """The key that a proof names, if it may vouch for the document."""
    old = proof.suite == OLD_SECP256K1
    if old and not allow_legacy:
        raise _refused("proof_old")
    if proof.purpose not in (_OLD_PURPOSES if old else (PURPOSE,)):
        raise _refused("proof_purpose")
    key = assertion.get(proof.method) or (authentication.get(proof.method) if old else None)
    if key is None:
        raise _refused("proof_method")
    return key


def _check_proof(did: Did, document: Mapping[str, Any], proof: Proof, key: PublicKey, now: datetime) -> None:
    if did.key_bound and not _fits(did, key):
        raise _refused("document_binding")
    if (did.kind == "e1" and proof.suite != EDDSA) or (did.kind == "k1" and proof.suite == EDDSA):
        raise _refused("proof_suite", suites=EDDSA if did.kind == "e1" else SECP256K1)
    if proof.expires is not None and proof.expires <= now:
        raise _refused("proof_expired")
    if not proof.holds(document, key):
        raise _refused("proof_wrong")


def _bound(did: Did, keys: Mapping[str, PublicKey]) -> dict[str, PublicKey]:
    """The keys that the fingerprint vouches for; where no proof does, nobody does for the others."""
    bound = {keyid: key for keyid, key in keys.items() if _fits(did, key)}
    if not bound:
        raise _refused("document_binding")
    return bound


def _fits(did: Did, key: PublicKey) -> bool:
    return key.algorithm in jwk.BINDINGS and jwk.binding(key) == did.path[-1]


def _services(document: Mapping[str, Any]) -> list[Service]:
    found = document.get("service", [])
    entries = [entry for entry in found if isinstance(entry, dict)] if isinstance(found, list) else []
    told = [tuple(entry.get(name) for name in ("id", "type", "serviceEndpoint")) for entry in entries]
    return [Service(*(part if isinstance(part, str) else "" for part in parts)) for parts in told]


def _refused(why: str, **values: object) -> InvalidInput:
    return InvalidInput("the DID document cannot be used", told=Told(f"identity.{why}", values))
