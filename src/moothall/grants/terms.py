"""What a delegator can give away of what it holds (row DEL-02). Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from moothall.errors import InvalidInput, PermissionDeniedError, Told
from moothall.grants.chain import EVERY, Refusal, Why
from moothall.grants.claims import ACTIONS
from moothall.grants.model import LONGEST, USUAL, Chain

USUAL_CLASS: Final = 1
"""The highest class of data that a delegation opens which names none: internal; what is confidential is named."""

Holdings = Mapping[str, frozenset[str]]
"""For each action the ids of the capabilities that somebody may do it with."""

_BAD: Final[frozenset[Why]] = frozenset({"audience", "cycle", "expired", "form", "time", "wildcard"})


@dataclass(frozen=True, slots=True)
class Given:
    """What a delegation names, with ``*`` written out."""

    actions: frozenset[str]
    capabilities: frozenset[str]


def asked_actions(actions: frozenset[str]) -> frozenset[str]:
    """The actions to ask about; ``*`` stands for all that there are."""
    return ACTIONS if EVERY in actions else actions


def asked_capabilities(capabilities: frozenset[str], above: Chain | None) -> frozenset[str] | None:
    """The capabilities to ask about; None: all that there are. Of a chain nothing goes beyond what it lends."""
    if above is None:
        return None if EVERY in capabilities else capabilities
    return above.capabilities if EVERY in capabilities else above.capabilities & capabilities


def given(actions: frozenset[str], capabilities: frozenset[str], holdings: Holdings) -> Given:
    """What is given, out of what the delegator holds.

    ``*`` is all that it holds, as far as the other of the two lets it. What is named has to be held: every capability
    with one of the actions, and every action with one of the capabilities.

    Raises:
        InvalidInput: nothing is asked for.
        PermissionDeniedError: the delegator does not hold something that was named, or nothing at all.
    """
    if not actions or not capabilities:
        raise InvalidInput("a delegation names actions and capabilities", told=Told("grants.nothing"))
    wanted = asked_actions(actions)
    held = {action: holdings.get(action, frozenset()) for action in wanted}
    if EVERY not in capabilities:
        held = {action: found & capabilities for action, found in held.items()}
    there = frozenset(action for action, found in held.items() if found)
    found = frozenset[str]().union(*held.values())
    lacking = (set() if EVERY in actions else wanted - there) | (capabilities - found - {EVERY})
    if lacking or not there:
        what = ", ".join(sorted(lacking)[:5]) or EVERY
        raise PermissionDeniedError("the delegator lacks a right", told=Told("grants.lacks", {"what": what}))
    return Given(there, found)


def within(holdings: Holdings, chain: Chain | None) -> Holdings:
    """What is left of the root's holdings at the end of a chain; all of it where there is none."""
    if chain is None:
        return holdings
    return {action: holdings.get(action, frozenset()) & chain.capabilities for action in chain.actions}


def span(expires_at: datetime | None, now: float, latest: int | None) -> tuple[int, int]:
    """When a delegation begins and ends, Unix seconds; ``latest``: when the one that it stands on ends.

    Raises:
        InvalidInput: the end has no time zone, is not ahead, or is further away than a delegation may last.
    """
    begins = int(now)
    if expires_at is None:
        return begins, min(begins + USUAL, latest or begins + USUAL)
    if expires_at.tzinfo is None or expires_at.utcoffset() is None:
        raise InvalidInput("the end of a delegation has no time zone", told=Told("grants.naive"))
    ends = int(expires_at.astimezone(UTC).timestamp())
    if not begins < ends <= begins + LONGEST:
        told = Told("grants.span", {"days": LONGEST // 86_400})
        raise InvalidInput("the end of a delegation is past or too far away", told=told)
    return begins, ends


def refused(refusal: Refusal) -> InvalidInput | PermissionDeniedError:
    """The error that tells why a delegation does not fit."""
    kind = InvalidInput if refusal.why in _BAD else PermissionDeniedError
    return kind("the delegation does not fit", told=Told(f"grants.chain.{refusal.why}"))
