"""Whether tokens are by whom they say: each is proved once, by its delegator's DID document, and then remembered."""

from __future__ import annotations

import hashlib
from collections import OrderedDict
from typing import Final

from moothall.errors import InvalidInput, Told
from moothall.grants.model import Grant
from moothall.grants.ports import Documents
from moothall.grants.signing import take_apart

REMEMBERED: Final = 16_384
"""Tokens that are remembered; those that were not asked for longest are forgotten first."""


class Proofs:
    """Proves tokens.

    What held once holds until it ends or is taken back, even if the delegator's document drops the key: a delegation
    lasts 30 days at most, and revoking it is at once.
    """

    def __init__(self, documents: Documents) -> None:
        self._documents = documents
        self._held: OrderedDict[bytes, Grant] = OrderedDict()

    def known(self, token: str) -> Grant | None:
        """What a token says that held before."""
        digest = _digest(token)
        known = self._held.get(digest)
        if known is not None:
            self._held.move_to_end(digest)
        return known

    async def look(self, token: str) -> Grant:
        """The same as `prove`, of a token that somebody hands in: what is not kept is not remembered either."""
        return self.known(token) or await self._proved(token)

    async def prove(self, token: str) -> Grant:
        """What a token of the store says, if its delegator signed it.

        Raises:
            InvalidInput: it is no delegation, or its signature does not hold.
            UpstreamError, CallTimeout, Overloaded: the delegator's document cannot be had now.
        """
        known = self.known(token)
        if known is None:
            known = await self._proved(token)
            self.remember(token, known)
        return known

    def remember(self, token: str, grant: Grant) -> None:
        """Take it as proved from now on that a token says this."""
        self._held[_digest(token)] = grant
        if len(self._held) > REMEMBERED:
            self._held.popitem(last=False)

    async def _proved(self, token: str) -> Grant:
        signed = take_apart(token)
        document = await self._documents.resolve(signed.grant.delegator)
        if not signed.names_a_key_of(document):
            document = await self._documents.resolve(signed.grant.delegator, refresh=True)
        if not signed.holds(document):
            raise InvalidInput("the signature of the delegation does not hold", told=Told("grants.signature"))
        return signed.grant


def _digest(token: str) -> bytes:
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).digest()
