"""Tokens by which agents vouch for code: whose it is, and which, by its hash. Pure but for looking up DID documents."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from moothall.errors import IntegrityError, InvalidInput, Told
from moothall.grants.ports import Documents
from moothall.identity import jws
from moothall.identity.did import DidUrl
from moothall.identity.document import DidDocument
from moothall.identity.keys import Signer

TYPE: Final = "moothall-routine+jwt"
"""What tells these tokens from all others that the same key signs (RFC 8725 §3.11)."""

_CLAIMS: Final = frozenset({"iss", "sub", "iat"})


@dataclass(frozen=True, slots=True)
class Vouched:
    """A token that was taken apart; nothing of it is proved.

    Attributes:
        by: the DID of the agent that vouches.
        hash: ``sha256:…`` of the module.
    """

    by: str
    hash: str
    _statement: jws.Jws

    def holds(self, document: DidDocument) -> bool:
        """Whether this document is the agent's, and has the key that signed."""
        keyid = self._statement.keyid
        key = document.authentication.get(keyid) or document.assertion.get(keyid)
        return document.did.text == self.by and key is not None and self._statement.signed_by(key)

    def names_a_key_of(self, document: DidDocument) -> bool:
        """Whether the document has the key at all; one that is missing may be newer than the document at hand."""
        return self._statement.keyid in {*document.authentication, *document.assertion}


def sign_module(module_hash: str, signer: Signer, at: datetime) -> str:
    """The token by which an agent vouches for a module.

    Raises:
        InvalidInput: the key is of no kind that counts.
    """
    by = DidUrl.parse(signer.keyid).did.text
    return jws.sign(signer, TYPE, {"iat": int(at.timestamp()), "iss": by, "sub": module_hash})


def take_apart(token: str) -> Vouched:
    """Read a token without believing it.

    Raises:
        IntegrityError: it is none; nothing of it is repeated.
    """
    try:
        statement = jws.read(token, TYPE)
        claims = dict(statement.claims)
        by = DidUrl.parse(statement.keyid).did.text
    except InvalidInput as error:
        raise _refused() from error
    if claims.keys() != _CLAIMS or claims["iss"] != by or not isinstance(claims["sub"], str):
        raise _refused()
    return Vouched(by, claims["sub"], statement)


async def verify(token: str, module_hash: str, documents: Documents) -> str:
    """The DID of the agent that vouches for this module.

    Raises:
        IntegrityError: the token is none, is for another module, or its signature does not hold.
        UpstreamError, CallTimeout, Overloaded: the agent's document cannot be had now.
    """
    vouched = take_apart(token)
    if vouched.hash != module_hash:
        raise _refused()
    document = await documents.resolve(vouched.by)
    if not vouched.names_a_key_of(document):
        document = await documents.resolve(vouched.by, refresh=True)
    if not vouched.holds(document):
        raise _refused()
    return vouched.by


def _refused() -> IntegrityError:
    return IntegrityError("nobody vouches for this code", told=Told("codegen.routine.unsigned"))
