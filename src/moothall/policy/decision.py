"""A question to the policy, and its answer. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, Protocol, Self

from moothall.capability.spec import CapabilitySpec
from moothall.identity.principal import Principal

Effect = Literal["allow", "deny", "approve"]


@dataclass(frozen=True, slots=True)
class PermissionResult:
    """The answer (row ENV-08).

    Attributes:
        effect: ``approve`` means: allowed once somebody has approved this very call.
        reason: for the audit record; a stranger is not told.
        policy: the name of the rule that decided.
    """

    effect: Effect
    reason: str = ""
    policy: str = ""

    @property
    def allowed(self) -> bool:
        """Whether the call may go ahead now."""
        return self.effect == "allow"

    @classmethod
    def ALLOWED(cls, reason: str = "", policy: str = "") -> Self:  # noqa: N802 - named by the specification
        """An answer that lets the call go ahead."""
        return cls("allow", reason, policy)

    @classmethod
    def DENIED(cls, reason: str = "", policy: str = "") -> Self:  # noqa: N802 - named by the specification
        """An answer that stops it."""
        return cls("deny", reason, policy)


@dataclass(slots=True)
class AccessRequest:  # not frozen: one is made for every call, and a frozen one takes three times as long
    """May this caller call this capability of this agent, through this door?"""

    principal: Principal
    agent: str
    spec: CapabilitySpec
    door: str


class Authorizer(Protocol):
    """What decides."""

    def decide(self, request: AccessRequest) -> PermissionResult:
        """Decide; anything it does not allow is denied."""
        ...
