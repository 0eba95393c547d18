"""Whether who registers an agent has its DID: the node's own keys, or a proof by the key of the DID (row UID-05)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from moothall.clock import Clock
from moothall.errors import InvalidInput, Told
from moothall.identity.document import DidDocument
from moothall.identity.keys import Signer
from moothall.identity.nonces import NonceStore
from moothall.identity.principal import Principal
from moothall.people import proof
from moothall.people.rights import NotAllowed


class Documents(Protocol):
    """Finds the document of a DID, as `identity.resolver.Resolver` does."""

    async def resolve(self, did: str, /, *, refresh: bool = False) -> DidDocument:
        """The document; an error of the tree where there is none."""
        ...


class OwnAgents(Protocol):
    """The agents whose keys this node has."""

    def is_own(self, did: str) -> bool:
        """Whether a DID is one of theirs."""
        ...

    def did(self, agent: str) -> str | None:
        """The DID of one of them by its name."""
        ...

    def signer(self, did: str) -> Signer | None:
        """The key of one of them."""
        ...


@dataclass(frozen=True, slots=True)
class Control:
    """Checks proofs for the node with the address `audience`, each of which counts once; makes them for others."""

    audience: str
    documents: Documents
    own: OwnAgents
    nonces: NonceStore
    clock: Clock

    def prove(self, agent: str, person: str, audience: str, by: Principal) -> str:
        """A proof that an agent of this node is to be a person's at the node with the address `audience`.

        Raises:
            PermissionDeniedError: `by` is not this node's operator.
            InvalidInput: there is no such agent, or keys of its kind make no proofs.
        """
        if not by.operator:
            raise NotAllowed().told()
        did = self.own.did(agent) or ""
        signer = self.own.signer(did)
        if signer is None:
            raise InvalidInput("no agent of this node", told=Told("people.no_agent"))
        return proof.prove(signer, did, person, audience, self.clock.now().timestamp())

    async def check(self, did: str, person: str, token: str, by: Principal) -> None:
        """Return where it is proved that `did` wants to be an agent of `person`.

        The node's own keys speak for its operator only: else anybody with an account could take an agent of the node.

        Raises:
            PermissionDeniedError: it is not proved.
            MoothallError: the document of the DID cannot be had.
        """
        if not token:
            if by.operator and self.own.is_own(did):
                return
            raise proof.refused("missing")
        statement = proof.read(token, did, person, self.audience, self.clock.now().timestamp())
        key = (await self.documents.resolve(did)).authentication.get(statement.keyid)
        if key is None:  # it may be new
            key = (await self.documents.resolve(did, refresh=True)).authentication.get(statement.keyid)
        if key is None or not statement.signed_by(key):
            raise proof.refused("signature")
        if not await self.nonces.use(did, statement.claims["jti"], statement.claims["exp"]):
            raise proof.refused("used")
