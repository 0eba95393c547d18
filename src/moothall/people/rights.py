"""Who may change what is known of people and units. Pure.

Only who calls counts: a verified principal, never a name in a request. An agent does not speak for its person here; it
acts for it in calls, as its role allows.
"""

from __future__ import annotations

from collections.abc import Collection

from moothall.audit.changing import Refused
from moothall.errors import Conflict, PermissionDeniedError, Told
from moothall.identity.principal import Principal
from moothall.people.parties import person_named


class NotAllowed(Refused):
    """Raised inside a transaction where somebody may not do this."""

    def told(self) -> PermissionDeniedError:
        """The error for the caller."""
        return PermissionDeniedError("only those whose it is may do this", told=Told("people.not_yours"))


def is_person(principal: Principal, person: str) -> bool:
    """Whether this is that very person, by a key of its own."""
    return principal.verified and principal.kind == "user" and person_named(principal.id) == person != ""


def check_operator(principal: Principal) -> None:
    """Only the operator goes on. Raises NotAllowed."""
    if not principal.operator:
        raise NotAllowed


def check_person(principal: Principal, person: str) -> None:
    """Only the person and the operator go on. Raises NotAllowed."""
    if not (principal.operator or is_person(principal, person)):
        raise NotAllowed


def check_one_of(principal: Principal, parties: Collection[str]) -> None:
    """Only these parties (DIDs, ``user:NAME``) and the operator go on. Raises NotAllowed."""
    if not (principal.operator or (principal.verified and principal.id in parties)):
        raise NotAllowed


def check_api(origin: str) -> None:
    """Only what came through the API is changed through it.

    Raises:
        Conflict: it stands in the operator's file, and would come back with it.
    """
    if origin != "api":
        raise Conflict("it stands in people.toml", told=Told("people.of_file"))
