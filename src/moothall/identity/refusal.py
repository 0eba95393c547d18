"""How a proof of identity is refused: the reasons of did:wba, told in every language (row WIRE-CHAL-02)."""

from __future__ import annotations

from moothall.error_table import Challenge
from moothall.errors import PermissionDeniedError, Told, Unauthenticated

FORBIDDEN_DID = "forbidden_did"


def refused(reason: Challenge, message: str) -> Unauthenticated:
    """The error of a proof that does not hold; `message` repeats nothing of the request."""
    error = Unauthenticated.challenged(reason, message)
    error.told = Told(f"proof.{reason}", hint=f"proof.hint.{reason}")
    return error


def suspended() -> PermissionDeniedError:
    """The error of an identity that was proved and is suspended at this node."""
    error = PermissionDeniedError(
        "this identity is suspended at this node", told=Told("proof.forbidden_did", hint="proof.hint.forbidden_did")
    )
    error.reason = FORBIDDEN_DID
    return error
