"""Taking access tokens back, as the node's owner (row WIRE-TOKEN-04)."""

from __future__ import annotations

from typing import Protocol

from moothall.capability.context import CallContext
from moothall.capability.decorators import capability
from moothall.errors import Told, ValidationError


class Revokes(Protocol):
    """What lets tokens count no more; each method raises StorageError where that could not be written down."""

    async def revoke_token(self, jti: str) -> None:
        """One token, by its id."""
        ...

    async def revoke_did(self, did: str) -> None:
        """Those of a DID that were issued until now."""
        ...

    async def revoke_all(self) -> None:
        """All that were issued until now."""
        ...


class TokenCapabilities:
    """The capabilities ``tokens.*`` of a node, for its owner."""

    def __init__(self, revocations: Revokes) -> None:
        self._revocations = revocations

    @capability(name="tokens.revoke", destructive=True, idempotent=True, binding="request")
    async def revoke(
        self,
        ctx: CallContext,
        did: str = "",
        token: str = "",
        every: bool = False,  # noqa: FBT001, FBT002
    ) -> str:
        """Let access tokens count no more, from the next request on.

        Args:
            ctx: who calls.
            did: those of this DID that were issued until now.
            token: the one with this id (its claim jti).
            every: all that were issued until now.
        """
        ctx.firsthand()
        if [bool(did), bool(token), every].count(True) != 1:
            raise ValidationError("name one of did, token and every", told=Told("calls.revoke_one"))
        if did:
            await self._revocations.revoke_did(did)
        elif token:
            await self._revocations.revoke_token(token)
        else:
            await self._revocations.revoke_all()
        return did or token or "every"
