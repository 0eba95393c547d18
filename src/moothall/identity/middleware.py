"""Authentication under the names of spec B §6.1: it says who calls, and decides nothing (row AUT-01)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from moothall.identity.principal import Binding, Principal
from moothall.identity.refusal import refused
from moothall.identity.request import HttpRequest
from moothall.identity.verifier import Verifier

_TRUST: Final[dict[Binding, int]] = {"none": 0, "header": 1, "token": 2, "request": 3}


@dataclass(frozen=True, slots=True)
class IdentityResult:
    """Who calls.

    Attributes:
        caller_did: the DID that was proved, or another principal's id; ``anonymous`` for nobody.
        verified: whether anything was proved.
        trust_level: what the proof covers: 0 nothing, 1 a header, 2 the bearer of a token, 3 the whole request.
    """

    caller_did: str
    verified: bool
    trust_level: int


class AuthMiddleware:
    """The verifier of a node, as the specification calls it."""

    def __init__(self, verifier: Verifier) -> None:
        """Ask `verifier`."""
        self._verifier = verifier

    async def verify_identity(self, request: HttpRequest) -> IdentityResult:
        """Who sent a request; whether they may is for the policy to say, of suspended ones, too.

        Raises:
            Unauthenticated: the request shows a proof that does not hold.
        """
        principal = await self._verifier.authenticate(request)
        return IdentityResult(principal.id, principal.verified, _TRUST[principal.binding])

    async def parse_and_verify_did(self, request: HttpRequest) -> Principal:
        """The DID that signed a request, or whose token it carries.

        Raises:
            Unauthenticated: it proves no DID.
        """
        principal = await self._verifier.authenticate(request)
        if principal.kind != "did":
            raise refused("invalid_request", "the request carries no proof of a DID")
        return principal
