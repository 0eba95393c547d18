"""How an agent shows that it wants its services listed by a master agent (row MCA-06).

An agent of this node is hosted by it; one of another node calls ``register`` itself, with a signature over the request,
or hands in a statement that it signed with the key of its DID: for this node, for these services, once.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from moothall.canonical import digest
from moothall.clock import Clock
from moothall.errors import InvalidInput, PermissionDeniedError, Told
from moothall.identity import jws
from moothall.identity.did import Did
from moothall.identity.jws import Jws
from moothall.identity.keys import Signer
from moothall.identity.nonces import NonceStore
from moothall.identity.principal import Principal
from moothall.people.control import Documents, OwnAgents

TYPE: Final = "moothall-services+jwt"
LONGEST: Final = 600
"""Seconds that a proof may last."""

_AHEAD: Final = 60
_TEXTS: Final = ("iss", "sub", "aud", "services", "jti")
_TIMES: Final = ("iat", "exp")


def prove(signer: Signer, did: str, services: Iterable[Mapping[str, Any]], audience: str, now: float) -> str:
    """A statement that `did`, whose key `signer` has, wants these services listed at the node of that address.

    Raises:
        InvalidInput: a key of this kind makes no statements.
    """
    claims = {
        "iss": did,
        "sub": did,
        "aud": audience,
        "services": digest_of(services),
        "iat": int(now),
        "exp": int(now) + LONGEST // 2,
        "jti": secrets.token_urlsafe(16),
    }
    return jws.sign(signer, TYPE, claims)


def digest_of(services: Iterable[Mapping[str, Any]]) -> str:
    """What a statement is bound to."""
    return digest([dict(service) for service in services])


def refused(why: str) -> PermissionDeniedError:
    """The error for a proof that does not hold; `why`: what of it."""
    return PermissionDeniedError(
        "it is not proved that the agent wants this", told=Told("master.proof"), details={"proof": why}
    )


@dataclass(frozen=True, slots=True)
class Control:
    """Whether an agent has the DID under which services are to be listed.

    Attributes:
        audience: the address of this node.
        documents: finds the documents of DIDs.
        own: the agents whose keys this node has.
        nonces: each proof counts once.
    """

    audience: str
    documents: Documents
    own: OwnAgents
    nonces: NonceStore
    clock: Clock

    async def check(self, did: str, services: Iterable[Mapping[str, Any]], token: str, by: Principal) -> None:
        """Return where it is proved that `did` wants these services listed.

        Raises:
            PermissionDeniedError: it is not.
            InvalidInput: it is no DID.
            MoothallError: the document of the DID cannot be had.
        """
        Did.parse(did)
        if token:
            await self._check(did, services, token)
        elif not (by.verified and by.kind == "did" and by.id == did and by.binding == "request") and not (
            by.operator and self.own.is_own(did)
        ):
            raise refused("missing")

    async def _check(self, did: str, services: Iterable[Mapping[str, Any]], token: str) -> None:
        statement = _read(token, did, digest_of(services), self.audience, self.clock.now().timestamp())
        key = (await self.documents.resolve(did)).authentication.get(statement.keyid)
        if key is None:  # it may be new
            key = (await self.documents.resolve(did, refresh=True)).authentication.get(statement.keyid)
        if key is None or not statement.signed_by(key):
            raise refused("signature")
        if not await self.nonces.use(did, statement.claims["jti"], statement.claims["exp"]):
            raise refused("used")


def _read(token: str, did: str, services: str, audience: str, now: float) -> Jws:
    try:
        statement = jws.read(token, TYPE)
    except InvalidInput as error:
        raise refused("form") from error
    claims = statement.claims
    texts = all(isinstance(claims.get(name), str) and claims[name] for name in _TEXTS)
    if not texts or not all(type(claims.get(name)) is int for name in _TIMES):
        raise refused("form")
    for name, value in {"iss": did, "sub": did, "aud": audience, "services": services}.items():
        if claims[name] != value:
            raise refused(name)
    if claims["exp"] <= now or claims["iat"] > now + _AHEAD or not 0 < claims["exp"] - claims["iat"] <= LONGEST:
        raise refused("time")
    return statement
