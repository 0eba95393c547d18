"""The room of people, put together for one node."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

from moothall.people.collaborations import CollaborationPolicies
from moothall.people.control import Control
from moothall.people.identities import UserIdentityManager
from moothall.people.profiles import Profiles
from moothall.people.relations import Relations
from moothall.people.store import PeopleStore
from moothall.people.structure import OrganizationStructure
from moothall.people.team_authorization import TeamAuthorizationManager
from moothall.people.teams import TeamRegistry


@dataclass(frozen=True, slots=True)
class People:
    """Everything that this room offers."""

    store: PeopleStore
    identities: UserIdentityManager
    profiles: Profiles
    relations: Relations
    structure: OrganizationStructure
    teams: TeamRegistry
    collaborations: CollaborationPolicies
    team_authorization: TeamAuthorizationManager

    @classmethod
    def of(cls, store: PeopleStore, control: Control) -> Self:
        """Put it together; `control` says whether who registers an agent has its DID."""
        structure = OrganizationStructure(store)
        teams, collaborations = TeamRegistry(store, structure), CollaborationPolicies(store)
        return cls(
            store,
            UserIdentityManager(store, control),
            Profiles(store),
            Relations(store),
            structure,
            teams,
            collaborations,
            TeamAuthorizationManager(teams, collaborations),
        )
