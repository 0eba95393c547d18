"""What a reader of published documents may know of: the capabilities that it may call.

Who proves nothing reads what anybody may call who proves who it is: that is how callers learn that they have to sign.
"""

from __future__ import annotations

from typing import Final

from moothall.calls.ports import Gateway
from moothall.errors import PermissionDeniedError, RateLimited, Unauthenticated
from moothall.identity.principal import ANONYMOUS, Principal
from moothall.identity.request import HttpRequest

STRANGER: Final = Principal(id="did:wba:stranger.invalid", kind="did", binding="request")
"""Anybody at all who proves who it is; the name is one that no DID can have (RFC 2606)."""


async def reader_of(gateway: Gateway, request: HttpRequest, *, everybody: bool) -> Principal:
    """Who reads; of documents for ``everybody`` a proof that does not hold keeps nobody from reading as a stranger.

    Raises:
        MoothallError: as `Gateway.authenticate`, for documents that are not for everybody.
    """
    try:
        return await gateway.authenticate(request)
    except (Unauthenticated, PermissionDeniedError, RateLimited):
        if not everybody:
            raise
        return ANONYMOUS


async def seen_by(gateway: Gateway, principal: Principal, door: str) -> frozenset[str]:
    """The ids of the capabilities that a reader may know of.

    Raises:
        StorageError: the store cannot say what it may call.
    """
    reader = principal if principal.verified else STRANGER
    return frozenset(entry.id for entry in await gateway.visible(reader, door))
