"""The levels of authorization, with the policies that each of them has now (spec B §7.1, row POL-01). Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Literal, Self

from moothall.policy.policies import Policy, PolicySet


@dataclass(frozen=True, kw_only=True)
class Level:
    """One level.

    Attributes:
        name: of the layer of policies, and of the option ``access`` that opens a capability to it.
        policies: those of the layer, in the order in which they stand in their files.
    """

    name: ClassVar[Literal["public", "personal", "team", "department", "enterprise"]]
    policies: tuple[Policy, ...]


@dataclass(frozen=True, kw_only=True)
class PublicLevel(Level):
    """Everybody."""

    name = "public"


@dataclass(frozen=True, kw_only=True)
class PersonalLevel(Level):
    """The agents of one person."""

    name = "personal"


@dataclass(frozen=True, kw_only=True)
class TeamLevel(Level):
    """Members of one team."""

    name = "team"


@dataclass(frozen=True, kw_only=True)
class DepartmentLevel(Level):
    """Members of one department, and of those inside it."""

    name = "department"


@dataclass(frozen=True, kw_only=True)
class EnterpriseLevel(Level):
    """Members of one organisation, with the levels inside it."""

    name = "enterprise"
    department: DepartmentLevel
    team: TeamLevel


@dataclass(frozen=True, kw_only=True)
class AuthorizationHierarchy:
    """All levels; what is open to one of them may be read at those inside it, too."""

    enterprise: EnterpriseLevel
    personal: PersonalLevel
    public: PublicLevel

    @classmethod
    def of(cls, policies: PolicySet) -> Self:
        """The levels of a set of policies."""

        def layer(name: str) -> tuple[Policy, ...]:
            return tuple(policy for policy in policies.policies.values() if policy.layer == name)

        return cls(
            enterprise=EnterpriseLevel(
                policies=layer(EnterpriseLevel.name),
                department=DepartmentLevel(policies=layer(DepartmentLevel.name)),
                team=TeamLevel(policies=layer(TeamLevel.name)),
            ),
            personal=PersonalLevel(policies=layer(PersonalLevel.name)),
            public=PublicLevel(policies=layer(PublicLevel.name)),
        )
