"""Setting a team up with its rules, by the names of the specification (spec B §7.3; rows TEA-01 to TEA-05)."""

from __future__ import annotations

from collections.abc import Iterable

from pydantic import BaseModel, ConfigDict

from moothall.identity.principal import OWNER, Principal
from moothall.people.collaborations import CollaborationPolicies
from moothall.people.team_rules import ExternalPolicies, InternalPolicies, ProjectPolicies, TeamRules
from moothall.people.teams import Team, TeamRegistry


class TeamAuthorizationConfig(BaseModel):
    """A team, and what it lets its members, other teams and joint projects do; the policy engine decides by it."""

    model_config = ConfigDict(frozen=True)

    team: Team
    internal_policies: InternalPolicies
    external_policies: ExternalPolicies
    collaboration_policies: ProjectPolicies


class TeamAuthorizationManager:
    """Sets teams up.

    Attributes:
        team_registry: the teams.
        collaboration_policies: what teams have agreed on.
    """

    def __init__(self, team_registry: TeamRegistry, collaboration_policies: CollaborationPolicies) -> None:
        self.team_registry, self.collaboration_policies = team_registry, collaboration_policies

    async def setup_team_authorization(
        self,
        team_id: str,
        members: Iterable[str],
        *,
        parent: str = "",
        name: str = "",
        owners: Iterable[str] = (),
        rules: TeamRules | None = None,
        by: Principal = OWNER,
    ) -> TeamAuthorizationConfig:
        """Make a team with its rules; the usual ones unless given.

        Raises:
            PermissionDeniedError: `by` is neither the operator nor an owner of the parent, or of a unit around it.
            Conflict: the id is in use.
            InvalidInput: a name has no such form.
        """
        registry = self.team_registry
        team = await registry.create_team(team_id, members, parent=parent, name=name, owners=owners, rules=rules, by=by)
        return TeamAuthorizationConfig(
            team=team,
            internal_policies=self.create_internal_policies(team),
            external_policies=self.create_external_policies(team),
            collaboration_policies=self.create_collaboration_policies(team),
        )

    @staticmethod
    def create_internal_policies(team: Team) -> InternalPolicies:
        """What members may do to each other's agents: exactly this (row TEA-03)."""
        return team.rules.internal

    @staticmethod
    def create_external_policies(team: Team) -> ExternalPolicies:
        """What the team may grant another one, which counts once both have agreed (row TEA-04)."""
        return team.rules.external

    @staticmethod
    def create_collaboration_policies(team: Team) -> ProjectPolicies:
        """What the team may grant for a joint project, which has an end (row TEA-05)."""
        return team.rules.collaboration
