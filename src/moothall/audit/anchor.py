"""Signed statements about a chain: at this time its record number so-and-so had this hash. Pure.

A chain alone does not show that its end was cut off, nor that all of it was written anew; a statement that lies
somewhere else does. It is a JWS (RFC 7515) by the key of the node's own agent, and carries the public key: a DID that
contains the fingerprint of its key proves by itself that the key is its own.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

from moothall.clock import parse_rfc3339, rfc3339
from moothall.errors import InvalidInput
from moothall.identity import jwk, jws
from moothall.identity.did import DidUrl
from moothall.identity.keys import PublicKey, Signer

TYPE: Final = "moothall-audit-anchor+jwt"


@dataclass(frozen=True, slots=True, kw_only=True)
class Anchor:
    """What a statement says.

    Attributes:
        node, seq, hash: the row with this number in the chain of this node has this hash.
        time: when it was signed.
        count: how many rows of the chain were kept then, up to and with this one.
        start: whether the rows up to and with this one may be missing: they were pruned.
        keyid: the DID URL of the key that signed.
        token: the statement itself.
    """

    node: str
    seq: int
    hash: str
    time: datetime
    count: int
    start: bool = False
    keyid: str = ""
    token: str = ""


@dataclass(frozen=True, slots=True)
class Signers:
    """Whose statements count.

    Attributes:
        known: keys by their DID URLs.
        dids: DIDs that count without their keys being known, where they contain the fingerprint of their key.
        anybody: whether every DID does that contains it.
    """

    known: Mapping[str, PublicKey] = field(default_factory=dict)
    dids: frozenset[str] = frozenset()
    anybody: bool = False

    def trust(self, keyid: str, key: PublicKey) -> bool:
        """Whether this key signs for this DID URL, and counts."""
        if (known := self.known.get(keyid)) is not None:
            return known == key
        try:
            url = DidUrl.parse(keyid)
        except InvalidInput:
            return False
        counts = self.anybody or url.did.text in self.dids
        return counts and url.did.key_bound and url.did.fingerprint == jwk.thumbprint(key)


def sign(anchor: Anchor, signer: Signer) -> str:
    """The statement as a token.

    Raises:
        InvalidInput: the key is of a kind that no statement is signed with.
    """
    claims: dict[str, Any] = {
        "node": anchor.node,
        "seq": anchor.seq,
        "hash": anchor.hash,
        "time": rfc3339(anchor.time),
        "count": anchor.count,
        "start": anchor.start,
        "key": jwk.encode(signer.key.public),
    }
    return jws.sign(signer, TYPE, claims)


def read(token: str) -> Anchor:
    """What a statement says, whoever signed it; see `holds`.

    Raises:
        InvalidInput: it is none.
    """
    return _parsed(token)[0]


def holds(anchor: Anchor, signers: Signers) -> bool:
    """Whether a statement was signed by somebody who counts, and says nothing else than it did then."""
    try:
        said, statement, key = _parsed(anchor.token)
    except InvalidInput:
        return False
    return said == anchor and signers.trust(said.keyid, key) and statement.signed_by(key)


def _parsed(token: str) -> tuple[Anchor, jws.Jws, PublicKey]:
    statement = jws.read(token, TYPE)
    said = statement.claims
    try:
        key = jwk.decode(said["key"])
        anchor = Anchor(
            node=_typed(said["node"], str),
            seq=_typed(said["seq"], int),
            hash=_typed(said["hash"], str),
            time=parse_rfc3339(_typed(said["time"], str)),
            count=_typed(said["count"], int),
            start=_typed(said["start"], bool),
            keyid=statement.keyid,
            token=token,
        )
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise _refused() from error
    return anchor, statement, key


def _typed(value: object, kind: type[Any]) -> Any:  # noqa: ANN401 - of that type
    if type(value) is not kind:
        raise _refused()
    return value


def _refused() -> InvalidInput:
    return InvalidInput("not a statement about an audit trail")
