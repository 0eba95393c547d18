"""The verifier of a node, put together from its store, its data directory and its settings."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from moothall.clock import Clock
from moothall.identity.apikeys import ApiKeys
from moothall.identity.document import DidDocument
from moothall.identity.nonce_store import DurableNonces
from moothall.identity.revocation import Revocations
from moothall.identity.server_nonces import ServerNonces
from moothall.identity.site import Site
from moothall.identity.standing import Standing
from moothall.identity.token_key import TokenKey
from moothall.identity.tokens import LIFE, Tokens
from moothall.identity.verification import Resolve, Rules, Verification
from moothall.identity.verifier import Parts, Verifier
from moothall.storage.store import Store


@dataclass(frozen=True, slots=True, kw_only=True)
class Ground:
    """What a verifier stands on.

    Attributes:
        store: where used nonces and revocations are.
        data: the node's directory, where the key of its tokens is.
        clock: the time.
        site: the addresses of the node.
        resolve: finds the documents of DIDs.
        standing: what the node decided about identities.
        keys: the keys that the node gave out.
        known: the document of a DID where the node has it, without asking anybody.
        rules: what may be set of the rules.
        allow_didwba_header: whether the older header counts.
    """

    store: Store
    data: Path
    clock: Clock
    site: Site
    resolve: Resolve
    standing: Standing
    keys: ApiKeys
    known: Callable[[str], DidDocument | None] = lambda _did: None
    rules: Rules | None = None
    allow_didwba_header: bool = False


@dataclass(frozen=True, slots=True)
class Gatehouse:
    """A verifier, with what it needs to be told and to be closed."""

    verifier: Verifier
    verification: Verification
    revocations: Revocations
    nonces: DurableNonces

    async def close(self) -> None:
        """Wait for what is being written; the store is closed after it."""
        await self.nonces.close()


async def assemble(ground: Ground) -> Gatehouse:
    """Put a verifier together.

    Raises:
        StorageError: the key of the tokens or the revocations cannot be read.
    """

    def now() -> float:
        return ground.clock.now().timestamp()

    key = TokenKey.load(ground.data)
    nonces, server_nonces = DurableNonces(ground.store, now), ServerNonces(key.nonce_secret)
    verification = Verification(ground.resolve, nonces, server_nonces, now, ground.rules)
    revocations = await Revocations.open(ground.store, now, ground.clock.monotonic, LIFE)
    parts = Parts(
        site=ground.site,
        verification=verification,
        server_nonces=server_nonces,
        tokens=Tokens(key, ground.site.public.url, revocations, now),
        keys=ground.keys,
        standing=ground.standing,
        now=now,
        known=ground.known,
        allow_didwba_header=ground.allow_didwba_header,
    )
    return Gatehouse(Verifier(parts), verification, revocations, nonces)
