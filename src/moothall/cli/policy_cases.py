"""Cases that policies are tried with: who, what, and what is to come of it; made up, so that no node is needed.

::

    [[case]]
    name = "finance reads the ledger"         # optional
    caller = { id = "did:wba:acme.example:anna:e1_x", departments = ["finance"] }
    capability = { name = "ledger", agent = "hall", access = "department", action = "read" }
    provider = { departments = ["finance"] }  # what is known of the agent hall
    action = "read"                           # optional: what the capability does
    purpose = "audit"                         # optional: what the caller says that the call is for
    arguments = { amount = 20 }               # optional: for rules of [approvals] that look at one
    at = 2026-01-05T10:00:00Z                 # optional: the time; now
    expect = "allow"                          # deny; approve: allowed once somebody has approved it
    policy = "department-read"                # optional: one that has to be among those that decide

``caller`` may be an id alone (a DID, ``user:NAME``, ``owner``, ``anonymous``); a caller and ``provider`` take the facts
of `Facts`, ``capability`` the options of ``@capability`` that policies look at. Units above others are written out
(``above``). Delegations and agreements of teams have no place here: nobody signed any.
"""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any, Final, Literal

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, ValidationError, field_validator

from moothall.capability.spec import Access, Action, Annotations, CapabilitySpec
from moothall.errors import SettingsError
from moothall.identity.keystore import DEFAULT_AGENT
from moothall.people.facts import LEAST_TRUST, AgentStatus, PartyFacts
from moothall.people.team_rules import InternalPolicies
from moothall.policy.decision import Effect

PROVIDER: Final = "did:wba:provider.example"
"""The agent of a case that names none."""


class _Table(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Facts(_Table):
    """What is known of somebody, as `PartyFacts`.

    A duty counts in all of its ``organisations``, unless ``duties_in`` says in which; members of a team may do to each
    other's agents what they usually may, unless ``inside`` says what.
    """

    person: str = ""
    role: str = ""
    environment: str = ""
    status: AgentStatus = "active"
    trust: int = Field(LEAST_TRUST, ge=1, le=10)
    clearance: int = Field(0, ge=0, le=3)
    duties: frozenset[str] = frozenset()
    duties_in: dict[str, frozenset[str]] = Field(default_factory=dict)
    teams: frozenset[str] = frozenset()
    departments: frozenset[str] = frozenset()
    organisations: frozenset[str] = frozenset()
    above: frozenset[str] = frozenset()
    inside: dict[str, frozenset[str]] = Field(default_factory=dict)
    blocked: frozenset[str] = frozenset()
    consented: frozenset[str] = frozenset()
    trusted: dict[str, int] = Field(default_factory=dict)
    cross_agent_calls: bool = False

    def known(self, name: str) -> PartyFacts:
        """The same of somebody."""
        stated = {field: getattr(self, field) for field in Facts.model_fields}
        if not self.duties_in:
            stated["duties_in"] = dict.fromkeys(self.organisations, self.duties)
        usual = InternalPolicies().actions
        stated["inside"] = {team: self.inside.get(team, usual) for team in self.teams}
        if name.startswith("user:") and not self.person:
            stated["person"] = name.removeprefix("user:")
        return PartyFacts(id=name, **stated)


class Caller(Facts):
    """Who calls.

    Attributes:
        permissions: what it was granted by name.
        suspended: whether the settings refuse it.
        binding: what its proof covers: the whole request, or nothing but that it holds a token.
        hosted: whether it is an agent of the node itself.
    """

    id: str = Field(min_length=1)
    permissions: tuple[str, ...] = ()
    suspended: bool = False
    binding: Literal["request", "token"] = "request"
    hosted: bool = False


class Provider(Facts):
    """The agent whose capability it is."""

    id: str = PROVIDER


class Called(_Table):
    """A capability; as the options of ``@capability`` of the same names."""

    name: str = Field(min_length=1)
    agent: str = DEFAULT_AGENT
    access: Access = "owner"
    auth: bool = True
    action: Action | Literal[""] = ""
    read_only: bool = False
    permissions: tuple[str, ...] = ()
    binding: Literal["any", "request"] = "any"
    approval: bool = False
    classification: int = Field(0, ge=0, le=3)
    personal_data: bool = False
    private: tuple[str, ...] = ()
    min_trust: int = Field(0, ge=0, le=10)
    region: str = ""
    tags: tuple[str, ...] = ()

    def spec(self) -> CapabilitySpec:
        """The same as its declaration makes it."""
        stated = self.model_dump(exclude={"agent", "read_only"})
        return CapabilitySpec(annotations=Annotations(read_only=self.read_only), **stated)


class Case(_Table):
    """One case."""

    name: str = ""
    caller: Caller
    capability: Called
    provider: Provider = Provider()
    action: Action | None = None
    purpose: str = ""
    arguments: dict[str, Any] = Field(default_factory=dict)
    at: AwareDatetime | None = None
    expect: Effect
    policy: str = ""

    @field_validator("caller", mode="before")
    @classmethod
    def _named(cls, value: object) -> object:
        return {"id": value} if isinstance(value, str) else value

    @property
    def label(self) -> str:
        """What it is called."""
        return self.name or f"{self.caller.id} → {self.capability.agent}.{self.capability.name}"


class _Cases(_Table):
    case: list[Case] = Field(min_length=1)


def read(path: Path) -> list[Case]:
    """The cases of a file.

    Raises:
        SettingsError: it cannot be read, or does not have this form.
    """
    try:
        return _Cases.model_validate(tomllib.loads(path.read_text(encoding="utf-8"))).case
    except ValidationError as error:
        first = error.errors(include_url=False, include_context=False, include_input=False)[0]
        place = ".".join(map(str, first["loc"]))
        raise SettingsError(f"{path}: {place}", why=first["msg"]) from error
    except (OSError, ValueError, RecursionError) as error:  # no such file, no UTF-8, no TOML, or nested without end
        raise SettingsError(f"{path}", why=str(error)) from error
