"""Delegations as signed tokens, with a type of their own. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from moothall.errors import InvalidInput, Told
from moothall.grants.claims import MOST_NAMED, claims_of, grant_of
from moothall.grants.model import Grant
from moothall.identity import jws
from moothall.identity.did import DidUrl
from moothall.identity.document import DidDocument
from moothall.identity.keys import Signer

TYPE: Final = "moothall-grant+jwt"
"""What tells a delegation from every other token that the same key signs (RFC 8725 §3.11)."""


@dataclass(frozen=True, slots=True)
class Signed:
    """A token that was taken apart; nothing of it is proved."""

    grant: Grant
    _statement: jws.Jws

    def holds(self, document: DidDocument) -> bool:
        """Whether the delegator's document has the key, for signing or vouching, and the signature is by it."""
        keyid = self._statement.keyid
        key = document.authentication.get(keyid) or document.assertion.get(keyid)
        return document.did.text == self.grant.delegator and key is not None and self._statement.signed_by(key)

    def names_a_key_of(self, document: DidDocument) -> bool:
        """Whether the document has the key at all; one that is missing may be newer than the document at hand."""
        return self._statement.keyid in {*document.authentication, *document.assertion}


def sign(grant: Grant, signer: Signer) -> str:
    """The token of a delegation, signed with a key of its delegator.

    Raises:
        InvalidInput: it names more than a token has room for, or the key is of no kind that counts.
    """
    token = jws.sign(signer, TYPE, dict(sorted(claims_of(grant).items())))
    if len(token) > jws.LONGEST or len(grant.capabilities) > MOST_NAMED:
        told = Told("grants.crowded", {"most": MOST_NAMED})
        raise InvalidInput("the delegation names more than it has room for", told=told)
    return token


def take_apart(token: str) -> Signed:
    """Read a token without believing it.

    Raises:
        InvalidInput: it is too long, no compact JWS, of another type or algorithm, names no key of its delegator, or
            its claims are not those of a delegation; nothing of it is repeated.
    """
    statement = jws.read(token, TYPE)
    grant = grant_of(dict(statement.claims))
    if DidUrl.parse(statement.keyid).did.text != grant.delegator:
        raise InvalidInput("the key is not the delegator's", told=Told("grants.form"))
    return Signed(grant, statement)
