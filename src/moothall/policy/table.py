"""The table that decides who may call what: default deny, and every decision names the rule that made it. Pure."""

from __future__ import annotations

from typing import Final, Protocol

from moothall.capability.spec import CapabilitySpec
from moothall.identity.principal import EVERYTHING, Kind, Principal
from moothall.policy.decision import AccessRequest, PermissionResult

LOCAL: Final = "local"
"""The door of this process."""

SUSPENDED: Final = PermissionResult.DENIED("the identity is suspended", "suspended")
_OWNER: Final = PermissionResult.ALLOWED("the owner, in this process", "owner-in-process")
_PUBLIC: Final = PermissionResult.ALLOWED("the capability is public", "public")
_OPERATOR: Final = PermissionResult.ALLOWED("a key of this node's operator", "operator-key")
_UNBOUND: Final = PermissionResult.DENIED("the proof of identity does not cover the request", "binding")
_BARE: Final = PermissionResult.DENIED("the older header covers no body: it opens only what reads", "binding-header")
_GRANTED: Final = PermissionResult.ALLOWED("the caller is the owner, or holds what is asked for", "permissions")
_LACKING: Final = PermissionResult.DENIED("the caller lacks a permission", "permissions")
_UNPROVED: Final = PermissionResult.DENIED("the caller did not prove who it is", "unverified")
_AUTHENTICATED: Final = PermissionResult.ALLOWED("the caller proved who it is", "access-authenticated")
_NO_PARTY: Final = PermissionResult.DENIED("such a token admits nobody to capabilities", "access-authenticated")
_OWN: Final = PermissionResult.ALLOWED("the caller acts for the owner", "access-owner")
_STRANGER: Final = PermissionResult.DENIED("the caller does not act for the owner", "access-owner")
_APPROVE: Final = PermissionResult("approve", "somebody has to approve the call", "approval")
OPERATORS: Final[frozenset[Kind]] = frozenset({"owner", "admin"})
"""Whoever has one of their keys can read the node's data and settings: a proof of more would protect nothing."""
_PARTIES: Final[frozenset[Kind]] = frozenset({"did", "user", "owner", "admin"})


class Grants(Protocol):
    """What was granted to whom, and who is refused, as it is now."""

    @property
    def suspended(self) -> frozenset[str]:
        """Identities that are refused whatever they may."""
        ...

    def granted(self, identity: str) -> frozenset[str]:
        """The permissions of an identity."""
        ...


class NoGrants:
    """Nobody was granted anything, and nobody is suspended."""

    suspended: frozenset[str] = frozenset()

    def granted(self, identity: str) -> frozenset[str]:  # noqa: ARG002 - the port's signature
        """Nothing."""
        return frozenset()


class AccessTable:
    """Decides by the options of a capability and by what was granted (rows DEC-08, DEC-09, DEC-25, AUT-06).

    The first rule that fits decides: suspended; the owner in this process, proved by the process itself or by a
    signature; public; a key of the operator; the proof's binding; permissions; then `access`. Who is let in although
    the capability asks for approval waits for it, unless it is the owner.
    """

    def __init__(self, grants: Grants | None = None) -> None:
        self._grants = grants or NoGrants()

    @property
    def suspended(self) -> frozenset[str]:
        """Identities that are refused whatever they may."""
        return self._grants.suspended

    def decide(self, request: AccessRequest) -> PermissionResult:
        """Decide; anything that no rule allows is denied."""
        principal, spec = request.principal, request.spec
        if principal.id in self._grants.suspended:
            return SUSPENDED
        owner = principal.owner and principal.verified
        if owner and request.door == LOCAL and principal.binding == "request":
            return _OWNER  # calls that a capability makes come by this door, too, with the proof of its own caller
        decision = self._allowed(principal, spec, owner=owner)
        return _APPROVE if spec.approval and decision.allowed and not owner else decision

    def _allowed(self, principal: Principal, spec: CapabilitySpec, *, owner: bool) -> PermissionResult:
        if (settled := _by_proof(principal, spec, owner=owner)) is not None:
            return settled
        if spec.permissions:
            held = owner or self._holds(principal, spec.permissions)
            return _GRANTED if held else _LACKING
        if not principal.verified:
            return _UNPROVED
        if spec.access == "authenticated":
            return _AUTHENTICATED if principal.kind in _PARTIES else _NO_PARTY
        return _OWN if owner else _STRANGER

    def _holds(self, principal: Principal, permissions: tuple[str, ...]) -> bool:
        if principal.holds(permissions):
            return True
        if not principal.verified:
            return False
        held = principal.permissions | self._grants.granted(principal.id)
        return EVERYTHING in held or held.issuperset(permissions)


def _by_proof(principal: Principal, spec: CapabilitySpec, *, owner: bool) -> PermissionResult | None:
    """What follows from how the caller proved who it is; None where that settles nothing."""
    if spec.public:
        return _PUBLIC
    if owner and principal.kind in OPERATORS:
        return _OPERATOR
    if spec.binding == "request" and principal.binding != "request":
        return _UNBOUND
    if principal.binding == "header" and not spec.annotations.read_only:
        return _BARE
    return None
