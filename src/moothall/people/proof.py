"""A statement by which an agent shows that it wants to be a person's: who signs it has the key of the DID. Pure."""

from __future__ import annotations

import secrets
from typing import Any, Final, NoReturn

from moothall.errors import InvalidInput, PermissionDeniedError, Told
from moothall.identity import jws
from moothall.identity.jws import Jws
from moothall.identity.keys import Signer

TYPE: Final = "moothall-proof+jwt"
LONGEST: Final = 600
"""Seconds that a proof may last."""

_AHEAD: Final = 60
_TEXTS: Final = ("iss", "sub", "aud", "person", "jti")
_TIMES: Final = ("iat", "exp")


def prove(signer: Signer, did: str, person: str, audience: str, now: float) -> str:
    """A proof that `did`, whose key `signer` has, is an agent of `person` at the node with the address `audience`.

    Raises:
        InvalidInput: a key of this kind makes no proofs.
    """
    claims = {
        "iss": did,
        "sub": did,
        "aud": audience,
        "person": person,
        "iat": int(now),
        "exp": int(now) + LONGEST // 2,
        "jti": secrets.token_urlsafe(16),
    }
    return jws.sign(signer, TYPE, claims)


def read(token: str, did: str, person: str, audience: str, now: float) -> Jws:
    """A proof that says just this, now; whether the key is the DID's is not known yet.

    Raises:
        PermissionDeniedError: it has another form, is about something else, or does not count now.
    """
    try:
        statement = jws.read(token, TYPE)
    except InvalidInput as error:
        raise refused("form") from error
    claims = statement.claims
    if not _formed(claims):
        _refuse("form")
    wanted = {"iss": did, "sub": did, "aud": audience, "person": person}
    for name, value in wanted.items():
        if claims[name] != value:
            _refuse(name)
    if claims["exp"] <= now or claims["iat"] > now + _AHEAD or not 0 < claims["exp"] - claims["iat"] <= LONGEST:
        _refuse("time")
    return statement


def refused(why: str) -> PermissionDeniedError:
    """The error for a proof that does not hold; `why`: what of it."""
    return PermissionDeniedError(
        "it is not proved that the agent is this person's", told=Told(f"people.proof_{why}"), details={"proof": why}
    )


def _formed(claims: Any) -> bool:  # noqa: ANN401 - claims of a stranger
    texts = all(isinstance(claims.get(name), str) and claims[name] for name in _TEXTS)
    return texts and all(type(claims.get(name)) is int for name in _TIMES)


def _refuse(why: str) -> NoReturn:
    raise refused(why)
