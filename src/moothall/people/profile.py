"""A person as this node knows it, and how its verification moves (row UID-08). Pure."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from types import MappingProxyType
from typing import Any, Final, Literal

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from moothall.clock import SystemClock
from moothall.errors import Conflict, Told
from moothall.people.facts import LEAST_TRUST, MOST_TRUST, USUAL_TRUST
from moothall.people.texts import Text

Verification = Literal["unverified", "pending", "verified"]

_NEXT: Final[Mapping[Verification, frozenset[Verification]]] = MappingProxyType(
    {
        "unverified": frozenset({"pending"}),
        "pending": frozenset({"verified", "unverified"}),
        "verified": frozenset({"unverified"}),
    }
)


def _now() -> datetime:
    return SystemClock().now()


class UserProfile(BaseModel):
    """What a node keeps of a person; only the person and the node's operator ever see it.

    Attributes:
        user_id: NAME of ``user:NAME``.
        trust_level: 1 to 10, given by this node, never by the person.
        verification_status: whether the operator found out who it is; see `moved`.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    user_id: str
    display_name: Text = Field("", max_length=200)
    email: Text = Field("", max_length=320)
    phone: Text = Field("", max_length=64)
    preferences: dict[str, Any] = Field(default_factory=dict)
    trust_level: int = Field(USUAL_TRUST, ge=LEAST_TRUST, le=MOST_TRUST)
    verification_status: Verification = "unverified"
    created_at: AwareDatetime = Field(default_factory=_now)


class PersonPolicy(BaseModel):
    """What a person lets its own agents do with each other (row PRM-04)."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    allow_cross_agent_calls: bool = False


def moved(before: Verification, after: Verification) -> Verification:
    """The status after a step: unverified, pending, verified; and back to unverified from both. Staying is no step.

    Raises:
        Conflict: there is no such step.
    """
    if after != before and after not in _NEXT[before]:
        raise Conflict(
            "the verification cannot go that way",
            why=f"from {before} it does not go to {after}",
            told=Told("people.verification", {"before": before, "after": after}),
        )
    return after
