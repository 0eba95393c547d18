"""``people.toml``: people, their agents and units as the operator writes them down. Pure.

::

    [[person]]
    id = "zhang_san"
    trust = 7

    [[person.agent]]
    agent = "diary"          # of this node, by its name; or did = "did:wba:…", also of this node
    role = "personal"

    [[unit]]
    id = "acme"
    kind = "organisation"
    members = ["user:zhang_san"]
    duties = { hr = ["user:zhang_san"] }

    [[unit]]
    id = "search"
    kind = "team"
    parent = "acme"
    owners = ["user:zhang_san"]
    rules.internal.actions = ["read", "query"]
"""

from __future__ import annotations

import tomllib
from collections import Counter
from collections.abc import Iterator
from typing import Annotated, Any, Final

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError, model_validator

from moothall.errors import InvalidInput, MoothallError, SettingsError, Told
from moothall.people.agents import MOST_CLEARANCE
from moothall.people.facts import LEAST_TRUST, MOST_TRUST, USUAL_TRUST, UnitKind
from moothall.people.parties import checked_did, checked_id, checked_party
from moothall.people.profile import Verification
from moothall.people.roles import DEFAULT
from moothall.people.team_rules import TeamRules
from moothall.people.texts import Text
from moothall.people.units import DEEPEST, MEMBER, OWNER, TEAM, check_parent, check_role, upwards

NAME: Final = "people.toml"

_FAULTS: Final = 10


def _plain(check: Any) -> Any:  # noqa: ANN401 - a validator, as pydantic takes it
    """A check of ours as one of pydantic's: the fault with its place in the file, instead of the first one alone."""

    def checked(text: str) -> str:
        try:
            result: str = check(text)
        except InvalidInput as error:
            raise ValueError(error.message) from error
        return result

    return AfterValidator(checked)


Id = Annotated[str, _plain(checked_id)]
Party = Annotated[str, _plain(checked_party)]
DidText = Annotated[str, _plain(checked_did)]
Word = Annotated[str, Field(pattern=r"^[A-Za-z][A-Za-z0-9_-]{0,63}$")]


class _Table(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class FileAgent(_Table):
    """An agent of this node, by its name or DID."""

    agent: str = ""
    did: DidText | None = None
    role: Word = DEFAULT
    environment: Word | None = None
    clearance: int = Field(0, ge=0, le=MOST_CLEARANCE)

    @model_validator(mode="after")
    def _one(self) -> FileAgent:
        if bool(self.agent) == (self.did is not None):
            message = "name the agent by `agent` or by `did`"
            raise ValueError(message)
        return self


class FilePerson(_Table):
    """A person; what is not said is as it is for a new one."""

    id: Id
    display_name: Text = Field("", max_length=200)
    email: Text = Field("", max_length=320)
    phone: Text = Field("", max_length=64)
    trust: int = Field(USUAL_TRUST, ge=LEAST_TRUST, le=MOST_TRUST)
    verification: Verification = "unverified"
    agent: tuple[FileAgent, ...] = ()


class FileUnit(_Table):
    """A unit with its members."""

    id: Id
    kind: UnitKind
    parent: Id | None = None
    name: Text = Field("", max_length=200)
    members: tuple[Party, ...] = ()
    owners: tuple[Party, ...] = ()
    duties: dict[str, tuple[Party, ...]] = Field(default_factory=dict)
    rules: TeamRules | None = None

    def roles(self) -> Iterator[tuple[str, str]]:
        """Each member with a role."""
        given = [(MEMBER, self.members), (OWNER, self.owners), *self.duties.items()]
        yield from ((member, role) for role, members in given for member in members)


class PeopleFile(_Table):
    """The whole file."""

    person: tuple[FilePerson, ...] = ()
    unit: tuple[FileUnit, ...] = ()

    @model_validator(mode="after")
    def _fits(self) -> PeopleFile:
        _once("person", [person.id for person in self.person])
        _once("unit", [unit.id for unit in self.unit])
        units = {unit.id: unit for unit in self.unit}
        parents = {unit.id: unit.parent for unit in self.unit}
        for unit in self.unit:
            _check(unit, units, parents)
        return self


def read(text: str, place: str = NAME) -> PeopleFile:
    """Read the file; `place` is its name in errors.

    Raises:
        SettingsError: it is no TOML, or something in it does not fit; it names the faults, and where they are.
    """
    try:
        return PeopleFile.model_validate(tomllib.loads(text))
    except ValidationError as error:
        faults = error.errors(include_url=False, include_context=False, include_input=False)[:_FAULTS]
        said = (f"{'.'.join(str(part) for part in fault['loc'])}: {fault['msg']}" for fault in faults)
        raise broken(place, "; ".join(said)) from error
    except (ValueError, RecursionError) as error:  # brackets in brackets, without end
        raise broken(place, str(error)) from error


def broken(place: str, fault: str) -> SettingsError:
    """The error for a file that cannot be used."""
    told = Told("people.file", {"place": place, "fault": fault}, hint="people.file_hint")
    return SettingsError("the file of people cannot be used", why=f"{place}: {fault}", told=told)


def _check(unit: FileUnit, units: dict[str, FileUnit], parents: dict[str, str | None]) -> None:
    if unit.rules is not None and unit.kind != TEAM:
        message = f"{unit.id}: only teams have rules"
        raise ValueError(message)
    try:
        for role in unit.duties:
            check_role(unit.kind, role)
        if unit.parent is not None:
            if unit.parent not in units:
                message = f"{unit.id}: there is no unit {unit.parent} in this file"
                raise ValueError(message)
            check_parent(unit.kind, units[unit.parent].kind)
    except MoothallError as error:
        message = f"{unit.id}: {error}"
        raise ValueError(message) from error
    line = list(upwards(parents, [unit.id]))
    if parents.get(line[-1]) or len(line) > DEEPEST:
        message = f"{unit.id}: it contains itself, or more than {DEEPEST} units contain each other"
        raise ValueError(message)


def _once(what: str, ids: list[str]) -> None:
    twice = [one for one, number in Counter(ids).items() if number > 1]
    if twice:
        message = f"{what} {twice[0]} stands there twice"
        raise ValueError(message)
