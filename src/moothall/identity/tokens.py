"""Access tokens: what a caller gets after a signed request, to call with for an hour (rows WIRE-TOKEN-01, 02).

A token says who calls and binds nothing of the call. It is a JWT (RFC 9068) with one possible header, so that nothing
in a token can choose how it is verified.
"""

from __future__ import annotations

import secrets
from collections import OrderedDict
from collections.abc import Callable
from itertools import count
from typing import Any, Final, NamedTuple

from moothall.canonical import dumps, loads
from moothall.errors import InvalidInput, Unauthenticated
from moothall.identity import base64url
from moothall.identity.refusal import refused
from moothall.identity.revocation import Revocations
from moothall.identity.token_key import TokenKey

LIFE: Final = 3600
"""Seconds that a token counts."""

REUSED: Final = 60
"""Seconds in which the same caller gets the same token again."""

_HEADER: Final = base64url.encode(dumps({"alg": "EdDSA", "typ": "at+jwt"})) + "."
_LONGEST: Final = 4096
_AHEAD: Final = 60
_KEPT: Final = 4096


class Claims(NamedTuple):
    """What a token that counts says: whose it is, its id, when it was issued (Unix seconds), and for which key."""

    did: str
    jti: str
    issued_at: int
    thumbprint: str


class _Issued(NamedTuple):
    text: str
    claims: Claims


class Tokens:
    """Issues and reads the tokens of one node."""

    def __init__(
        self, key: TokenKey, audience: str, revocations: Revocations, now: Callable[[], float], *, reused: int = REUSED
    ) -> None:
        """Sign with `key` for `audience`, this node's public address; `now` tells the time in Unix seconds."""
        self._key, self._audience, self._revocations, self._now = key, audience, revocations, now
        self._reused = reused
        self._start, self._numbers = secrets.token_urlsafe(12), count(1)  # ids are unique; nobody need not guess them
        self._issued: OrderedDict[tuple[str, str], _Issued] = OrderedDict()

    def issue(self, did: str, thumbprint: str) -> str:
        """A token for a DID that signed with the key of this thumbprint; one of the last minute if there is one."""
        now = int(self._now())
        known = self._issued.get((did, thumbprint))
        if known and 0 <= now - known.claims.issued_at < self._reused and not self._revoked(known.claims):
            return known.text
        made = self._made(did, thumbprint, now)
        self._issued[did, thumbprint] = made
        self._issued.move_to_end((did, thumbprint))
        if len(self._issued) > _KEPT:
            self._issued.popitem(last=False)
        return made.text

    def _made(self, did: str, thumbprint: str, now: int) -> _Issued:
        # What is revoked is so up to the end of that second, and a token that is asked for after it must count.
        issued_at = max(now, self._revocations.last(did) + 1)
        claims = Claims(did, f"{self._start}.{next(self._numbers)}", issued_at, thumbprint)
        content = {
            "iss": self._audience,
            "aud": self._audience,
            "sub": did,
            "iat": issued_at,
            "nbf": now,
            "exp": issued_at + LIFE,
            "jti": claims.jti,
            "cnf": {"jkt": thumbprint},
        }
        signed = _HEADER + base64url.encode(dumps(content))
        return _Issued(f"{signed}.{base64url.encode(self._key.private.sign(signed.encode('ascii')))}", claims)

    async def read(self, token: str) -> Claims:
        """What a token says, if it is one of this node's that counts.

        Raises:
            Unauthenticated: it is none, is damaged, of another server, expired or revoked.
            StorageError: what was revoked cannot be read.
        """
        content = self._verified(token)
        now = self._now()
        if content["iss"] != self._audience or content["aud"] != self._audience:
            raise _refused("the access token is of another server")
        if content["exp"] <= now or content["nbf"] > now + _AHEAD:
            raise _refused("the access token has expired, or does not count yet")
        claims = Claims(content["sub"], content["jti"], content["iat"], content["cnf"]["jkt"])
        await self._revocations.catch_up()
        if self._revoked(claims):
            raise _refused("the access token was revoked")
        return claims

    def _verified(self, token: str) -> dict[str, Any]:
        signed, _, signature = token.rpartition(".")
        if not looks_like(token) or len(token) > _LONGEST or not token.isascii():
            raise _refused("not an access token of this server")
        try:
            held = self._key.private.public.verify(signed.encode("ascii"), base64url.decode(signature))
            content: dict[str, Any] = loads(base64url.decode(signed.removeprefix(_HEADER))) if held else {}
        except (InvalidInput, ValueError) as error:
            raise _refused("not an access token of this server") from error
        if not held:
            raise _refused("not an access token of this server")
        return content

    def _revoked(self, claims: Claims) -> bool:
        return self._revocations.revoked(claims.jti, claims.did, claims.issued_at)


def looks_like(token: str) -> bool:
    """Whether a bearer token has the header of ours; keys of users have not."""
    return token.startswith(_HEADER)


def _refused(message: str) -> Unauthenticated:
    return refused("invalid_access_token", message)
