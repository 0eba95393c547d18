"""What the engine needs of others, handed in where a node is put together."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final, Protocol

from moothall.grants.model import Chain
from moothall.people.facts import Collaboration, PartyFacts
from moothall.policy.decision import Memberships
from moothall.policy.file import Rules
from moothall.policy.policies import PolicySet
from moothall.storage.revisions import Revisions

_NO_AGENTS: Final[Mapping[str, str]] = MappingProxyType({})


class Policies(Protocol):
    """Where the policies come from; `PolicyStore` and `FixedPolicies` fill it."""

    @property
    def policies(self) -> PolicySet:
        """As they are now; another object when they have changed."""
        ...


class Granted(Protocol):
    """What the settings grant by name, and whom they refuse; `PolicyFile` fills it."""

    @property
    def rules(self) -> Rules:
        """As they are now; another object when they have changed."""
        ...


class FixedRules:
    """Settings that do not change."""

    def __init__(self, permissions: Mapping[str, Iterable[str]] | None = None, suspended: Iterable[str] = ()) -> None:
        self.rules = Rules.of(permissions or {}, suspended)


class People(Protocol):
    """What is known of people; `PeopleStore` fills it."""

    async def facts(self, ids: Iterable[str]) -> Mapping[str, PartyFacts]:
        """What is known of these parties, all of one moment."""
        ...

    async def collaborations(self, teams: Collection[str]) -> tuple[Collaboration, ...]:
        """What members of these teams may do at other teams."""
        ...


class Delegations(Protocol):
    """Delegations and their time; `Grants` fills it."""

    async def chains_for(self, holder: str) -> tuple[Chain, ...]:
        """Chains that end at somebody, also those that begin to hold later."""
        ...

    def now(self) -> float:
        """Unix seconds; never goes back."""
        ...


@dataclass(frozen=True, slots=True)
class Caller:
    """What is known of a caller; ``facts``: of it, and of everybody in its chains at least."""

    facts: Mapping[str, PartyFacts]
    chains: tuple[Chain, ...]
    collaborations: tuple[Collaboration, ...]


class Callers(Protocol):
    """Looks at people and delegations at once; `OneStore` fills it."""

    async def look(self, identity: str) -> Caller:
        """What is known of a caller.

        Raises:
            StorageError: the store cannot say.
            ValueError: what it says makes no sense.
        """
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Sources:
    """Where facts come from; what is None says nothing, and then nothing is read for it.

    Attributes:
        settings: permissions by name, and who is suspended.
        callers: looks at `people` and `delegations` at once; None: they are asked one after the other.
        revisions: of the store; needed where anything is read.
        agents: the DIDs of the hosted agents by their names; the same object as long as none comes or goes.
    """

    settings: Granted
    people: People | None = None
    delegations: Delegations | None = None
    callers: Callers | None = None
    memberships: Memberships | None = None
    revisions: Revisions | None = None
    agents: Callable[[], Mapping[str, str]] = lambda: _NO_AGENTS

    @property
    def stored(self) -> bool:
        """Whether the store has to be asked about anybody."""
        return not (self.people is None and self.delegations is None and self.memberships is None)
