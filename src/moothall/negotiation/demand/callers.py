"""Whose name a caller acts in, and which demands it may see (rows NEG-API-01 and -09). Pure.

A demand belongs to whoever submitted it: the user of a key, or an agent by its DID. For everybody else but the node's
owner and admins it does not exist. A node that asks nobody who they are shows its demands to all of its callers, which
can only be on the same machine.
"""

from __future__ import annotations

from moothall.errors import DemandNotFound, Forbidden, Told, Unauthenticated
from moothall.events.model import RunRecord
from moothall.identity.principal import EVERYTHING, Principal
from moothall.negotiation.demand.tokens import opens

USER = "user:"
"""What the id of a user's principal begins with; the rest is the name."""

NO_KEY = Told("why.no_key", hint="why.rule.user_key")


def sees_all(caller: Principal) -> bool:
    """Whether every demand of the node is open to the caller."""
    return caller.kind == "local" or caller.owner or caller.holds((EVERYTHING,))


def may_see(caller: Principal, record: RunRecord) -> bool:
    """Whether the caller may read and steer this demand; who may not is told that there is none."""
    if sees_all(caller) or opens(caller, record):
        return True
    name = requester_of(caller)
    return name is not None and name == record.meta.get("requester_id")


def reader_of(caller: Principal, record: RunRecord) -> str:
    """The identity in whose name a demand is read: the caller's, or with a stream token that of whoever submitted it.

    A DID, or a user as ``user:NAME``: no user's name has a colon.
    """
    if caller.kind != "stream" and may_see(caller, record):
        return caller.id
    name = str(record.meta.get("requester_id", ""))
    return name if ":" in name else f"{USER}{name}"


def requester_of(caller: Principal) -> str | None:
    """The name under which the caller's own demands are kept; None for a caller who has no demands of its own.

    The name of a user has no colon (`parse_keys` ends it there), so no user has the name of an agent.
    """
    if not caller.verified:
        return None
    if caller.kind == "user":
        return caller.id.removeprefix(USER)
    return caller.id if caller.kind == "did" else None


def submitting_user(caller: Principal, user_id: str | None) -> str | None:
    """For whom the caller submits: ``user_id`` where anybody may say so, else itself.

    Raises:
        Unauthenticated: the caller is nobody who could have a demand.
        Forbidden: the name is another's.
    """
    if sees_all(caller):
        return user_id or requester_of(caller)
    name = requester_of(caller)
    if name is None:
        raise Unauthenticated("no API key in Authorization: Bearer", told=NO_KEY)
    if user_id and user_id != name:
        told = Told("why.other_user", hint="why.rule.other_user")
        raise Forbidden("user_id is not the user of this key", told=told)
    return name


def listed_user(caller: Principal, user_id: str) -> str | None:
    """Whose demands a caller may list: everybody's (None) where it sees all of them, else its own.

    Raises:
        DemandNotFound: there are none of that user for this caller.
    """
    if sees_all(caller):
        return user_id or None
    name = requester_of(caller)
    if name is None or user_id not in {"", name}:
        raise DemandNotFound("no demands of that user", told=Told("why.no_demands_of"))
    return name


def noted_as(caller: Principal) -> str:
    """The caller's name where something that was done is noted."""
    return requester_of(caller) or ("anonymous" if caller.kind == "local" else "owner")
