"""Whether a signature proves who sent a message: every rule, in the one order (rows WIRE-SIG-03 to 09).

Form, coverage, time, digest, key, signature, and last the nonce: a nonce that was remembered before its signature holds
would let anybody use up the nonces of others.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final, NamedTuple, Protocol

from moothall.errors import CallTimeout, MoothallError, Overloaded, StorageError, Unauthenticated
from moothall.identity.did import Did
from moothall.identity.digest import digest_holds
from moothall.identity.document import DidDocument
from moothall.identity.keys import Algorithm, PublicKey
from moothall.identity.message import Message
from moothall.identity.nonces import KEPT, NonceStore
from moothall.identity.refusal import refused
from moothall.identity.server_nonces import ServerNonces
from moothall.identity.signature import LONGEST_HEADER, Signature

AHEAD: Final = 60
"""Seconds that a sender's clock may be ahead."""

OLDEST: Final = 300
"""Seconds that a signature counts, from ``created`` and to ``expires``."""

_NONCE_LENGTH: Final = range(16, 129)
_ALGORITHMS: Final[Mapping[str, Algorithm]] = MappingProxyType(
    {"ed25519": "Ed25519", "ecdsa-p256-sha256": "P-256", "ecdsa-secp256k1-sha256": "secp256k1"}
)


class Resolve(Protocol):
    """Finds the document of a DID; `refresh` asks for one that is newer than what is kept, within limits."""

    def __call__(self, did: str, /, *, refresh: bool = False) -> Awaitable[DidDocument]:
        """The document.

        Raises:
            MoothallError: there is none, or it cannot be had.
        """
        ...


class Proven(NamedTuple):
    """Who sent a message, proved: the DID, the DID URL of its key, and the key."""

    did: Did
    keyid: str
    key: PublicKey
    key_bound: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Rules:
    """What may be set of the rules.

    Attributes:
        require_expires: whether a signature must say when it ends.
        demand_nonce: whether only nonces of our own challenges count: for those who embed a verifier where clocks
            cannot be trusted, and what a client has to cope with (row WIRE-NONCE-02); no setting of a node.
    """

    require_expires: bool = True
    demand_nonce: bool = False


class Verification:
    """Checks signatures against the documents of those who claim to have made them."""

    def __init__(
        self,
        resolve: Resolve,
        nonces: NonceStore,
        server_nonces: ServerNonces,
        now: Callable[[], float],
        rules: Rules | None = None,
    ) -> None:
        """Find documents by `resolve`, remember nonces in `nonces`, ask `now` for the time (Unix seconds)."""
        self._resolve, self._nonces, self._server_nonces = resolve, nonces, server_nonces
        self._now, self._rules = now, rules or Rules()

    async def prove(self, message: Message, found: Iterable[Signature]) -> Proven:
        """Who sent a message, by the first of its signatures that holds.

        Args:
            message: what the signatures cover.
            found: those by DIDs, from `moothall.identity.signature.signatures`.

        Raises:
            Unauthenticated: none holds; it says why the first does not.
            Overloaded: too many nonces wait or live, or too many documents are asked for.
            CallTimeout: the host of a DID does not answer.
            StorageError: the store of nonces failed.
        """
        failure: Unauthenticated | None = None
        for signature in found:
            try:
                return await self._one(signature, message)
            except Unauthenticated as error:
                failure = failure or error
        raise failure or refused("invalid_request", "no signature names a DID's key in keyid")

    async def _one(self, signature: Signature, message: Message) -> Proven:
        now = int(self._now())
        _check_coverage(signature, message)
        nonce = self.check_nonce(signature.parameters.get("nonce"), now)
        created = self._created(signature, now)
        _check_digest(signature, message)
        proven = await self.key(signature.keyid)
        _check_algorithm(signature, proven.key)
        if not proven.key.verify(signature.base(message), signature.value):
            raise refused("invalid_signature", "the signature does not fit the request")
        await self.use_nonce(signature.keyid, nonce, created)
        return proven

    def check_nonce(self, nonce: object, now: int) -> str:
        """The nonce of a proof, if it has the form and, where this node demands that, comes from it.

        Raises:
            Unauthenticated: it does not.
        """
        if type(nonce) is not str or len(nonce) not in _NONCE_LENGTH:
            raise refused("invalid_nonce", "the signature needs a nonce of 16 to 128 characters")
        expiry = self._server_nonces.expiry(nonce)
        if expiry is None and self._rules.demand_nonce:
            raise refused("invalid_nonce", "sign with the nonce of this challenge")
        if expiry is not None and expiry < now:
            raise refused("invalid_nonce", "the nonce came too late: sign with the one of this challenge")
        return nonce

    def _created(self, signature: Signature, now: int) -> int:
        """When a signature that counts now was made."""
        created, expires = signature.parameters.get("created"), signature.parameters.get("expires")
        if type(created) is not int:
            raise refused("invalid_timestamp", "the signature does not say when it was created")
        if created > now + AHEAD or now - created > OLDEST:
            raise refused("invalid_timestamp", "the signature is too old or from the future")
        if expires is None and not self._rules.require_expires:
            return created
        if type(expires) is not int:
            raise refused("invalid_timestamp", "the signature does not say when it expires")
        if expires < now or not 0 <= expires - created <= OLDEST:
            raise refused("invalid_timestamp", "the signature has expired, or is valid for too long")
        return created

    async def key(self, keyid: str) -> Proven:
        """The key that a DID URL names, if its document lets it authenticate.

        Raises:
            Unauthenticated: it is no DID URL, the document cannot be had, or the key is not under ``authentication``.
            Overloaded: too many documents are asked for; whether the proof holds is not known.
            CallTimeout: the host of the DID does not answer in time; likewise.
            StorageError: likewise.
        """
        name, _, _ = keyid.partition("#")
        try:
            did = Did.parse(name)
            document = await self._resolve(name)
            if keyid not in document.authentication:
                document = await self._resolve(name, refresh=True)
        except (Overloaded, CallTimeout, StorageError):
            raise
        except MoothallError as error:
            raise refused("invalid_did", "the DID cannot be used, or its document cannot be had") from error
        key = document.authentication.get(keyid)
        if key is None:
            raise refused("invalid_verification_method", "the DID's document does not let this key authenticate")
        return Proven(did, keyid, key, document.key_bound)

    async def use_nonce(self, keyid: str, nonce: str, created: int) -> None:
        """Take the nonce of a proof that holds; one that this node gave out works once, whoever signs with it.

        Raises:
            Unauthenticated: it was used before.
            Overloaded: too many nonces wait or live.
            StorageError: the store of nonces failed.
        """
        expiry = self._server_nonces.expiry(nonce)
        key, since = (keyid, created) if expiry is None else ("", expiry)
        if not await self._nonces.use(key, nonce, since + KEPT):
            raise refused("invalid_nonce", "this nonce was used before")


def _check_coverage(signature: Signature, message: Message) -> None:
    covered = signature.components
    whole = "@method" in covered and "@target-uri" in covered
    if not whole or (message.body and "content-digest" not in covered):
        raise refused(
            "invalid_request", "the signature must cover @method, @target-uri and, with a body, content-digest"
        )


def _check_digest(signature: Signature, message: Message) -> None:
    if "content-digest" not in signature.components:
        return
    field = message.component("content-digest")
    if field is None or len(field) > LONGEST_HEADER or not digest_holds(field, message.body):
        raise refused("invalid_content_digest", "Content-Digest does not fit the body")


def _check_algorithm(signature: Signature, key: PublicKey) -> None:
    named = signature.parameters.get("alg")
    if named is not None and (type(named) is not str or _ALGORITHMS.get(named) != key.algorithm):
        raise refused("invalid_signature", "alg does not fit the key")
