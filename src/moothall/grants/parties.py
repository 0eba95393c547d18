"""Who may do what with delegations; told by the proved caller alone, never by a field of a request. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from moothall.errors import PermissionDeniedError, Told
from moothall.grants.model import Grant
from moothall.grants.rows import Row
from moothall.identity.principal import Principal


def check_gives(principal: Principal, delegator: str) -> None:
    """Let nobody delegate but the delegator itself, and the operator (for agents of this node, whose keys sign).

    A bearer token is not enough: whoever stole one for its last minutes could make it last for a month.

    Raises:
        PermissionDeniedError: it is somebody else, or did not sign the request.
    """
    if principal.operator:
        return
    if not (principal.verified and principal.kind == "did" and principal.id == delegator):
        raise PermissionDeniedError("not the delegator", told=Told("grants.not_delegator"))
    if principal.binding != "request":
        raise PermissionDeniedError("the request is not signed", told=Told("grants.unsigned"))


def check_hands_in(principal: Principal, grant: Grant) -> None:
    """Let nobody hand in a delegation that does not concern it.

    Raises:
        PermissionDeniedError: it is neither delegator nor delegate, nor the operator.
    """
    if not principal.operator and not concerns(principal, grant.delegator, grant.delegate):
        raise PermissionDeniedError("not a party of the delegation", told=Told("grants.not_party"))


def concerns(principal: Principal, *parties: str) -> bool:
    """Whether it is proved to be one of these DIDs."""
    return principal.verified and principal.kind == "did" and principal.id in parties


def may_touch(principal: Principal, links: Sequence[Row]) -> bool:
    """Whether it may see and take back the last of these links: its delegator, one above, its delegate, the operator.

    The columns of the rows are enough to decide it: nobody gains a right by it.
    """
    if not links:
        return False
    return principal.operator or concerns(principal, links[-1].delegate, *(row.delegator for row in links))


def not_yours() -> PermissionDeniedError:
    """The same answer for a delegation that does not exist and for one of others."""
    return PermissionDeniedError("no such delegation of this caller", told=Told("grants.not_yours"))
