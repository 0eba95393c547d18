"""People who take part in one demand: invited by the requester, known by a token, slower than any agent.

They belong to no registry. Each has an id of its own kind, which no agent can register, and a token of which the run
keeps the hash only (row NEG-API-28).
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
from collections.abc import Iterable, Sequence
from typing import Annotated, Final, Literal

from pydantic import Field, StringConstraints

from moothall.directory.profiles import STORED, AgentProfile, Name, Tag
from moothall.errors import Told
from moothall.events.model import JsonObject, RunRecord
from moothall.messages import Lang, text
from moothall.negotiation.demand.models import Candidate, Model
from moothall.negotiation.demand.participants import LATER, Later, Participant, ParticipantFactory
from moothall.negotiation.demand.wire import DemandOffer, ProposalReview

MOST_PEOPLE: Final = 10
"""People that one demand may bring along; the limit of invitations holds for them and the agents together."""

NO_TOKEN: Final = "no valid token in X-Participant-Token"  # noqa: S105 - what is said of a token
"""What is said to whoever shows no token of a channel."""

WHOSE: Final = Told("why.no_person_token", hint="why.rule.person_token")
"""The same to people, in their language."""

MOST_TAGS: Final = 10
TOKEN_BYTES = 32
_PREFIX = "person_"

PersonId = Annotated[str, StringConstraints(pattern=r"^person_[0-9a-f]{8}$")]


class Invited(Model):
    """A person whom the requester wants to ask, and what that person can do."""

    display_name: Name
    capability_tags: Annotated[tuple[Tag, ...], Field(min_length=1, max_length=MOST_TAGS)]


class Person(Invited):
    """A person as the run remembers them."""

    agent_id: PersonId
    token_sha256: str


class PersonProfile(AgentProfile):
    """A person in the place of an agent: a name and capabilities, no prices, no place, nothing to decide from."""

    agent_id: PersonId
    profile_summary: Annotated[str, StringConstraints(max_length=500)] = ""
    location: str = ""


class AnsweringLater:
    """The participant behind a person: whatever is asked, the answer comes through the run's inbox."""

    async def offer(self, invitation: DemandOffer, *, key: str) -> Literal[Later.LATER]:  # noqa: ARG002 - the person reads it at the node
        """Say that the answer comes later."""
        return LATER

    async def review(self, request: ProposalReview, *, key: str) -> Literal[Later.LATER]:  # noqa: ARG002 - as above
        """Say that the answer comes later."""
        return LATER


def with_people(factory: ParticipantFactory) -> ParticipantFactory:
    """A factory that lets people answer for themselves and leaves everybody else to ``factory``."""

    def speaker(profile: AgentProfile) -> Participant:
        return AnsweringLater() if isinstance(profile, PersonProfile) else factory(profile)

    return speaker


def admit_people(invited: Iterable[Invited]) -> tuple[list[Person], dict[str, str]]:
    """Give each person an id and a token; the people to remember, and the tokens by id, which nobody keeps."""
    people: dict[str, Person] = {}
    tokens: dict[str, str] = {}
    for one in invited:
        while (agent_id := f"{_PREFIX}{secrets.token_hex(4)}") in people:
            continue
        tokens[agent_id] = secrets.token_urlsafe(TOKEN_BYTES)
        people[agent_id] = Person(**one.model_dump(), agent_id=agent_id, token_sha256=_hash(tokens[agent_id]))
    return list(people.values()), tokens


def people_of(record: RunRecord) -> tuple[Person, ...]:
    """The people of a run, in the order of their invitation."""
    return tuple(Person.model_validate(one, context=STORED) for one in record.meta.get("people", ()))


def who_holds(token: str, people: Sequence[Person]) -> Person | None:
    """The person whose token this is; it takes as long for a wrong token as for a right one."""
    given, found = _hash(token), None
    for person in people:
        if hmac.compare_digest(given, person.token_sha256):
            found = person
    return found


def is_person(agent_id: str) -> bool:
    """Whether an id is a person's."""
    return agent_id.startswith(_PREFIX)


def profile_of(person: Person) -> PersonProfile:
    """What the channel knows of a person; every capability may become a role."""
    return PersonProfile.model_validate(
        {
            "agent_id": person.agent_id,
            "user_name": person.display_name,
            "tags": person.capability_tags,
            "capabilities": {"max_roles": len(person.capability_tags)},
        },
        context=STORED,
    )


def read_profile(copy: JsonObject) -> AgentProfile:
    """A profile as the run copied it, an agent's or a person's."""
    kind = PersonProfile if is_person(str(copy["agent_id"])) else AgentProfile
    return kind.model_validate(copy, context=STORED)


def as_candidates(people: Iterable[Person], lang: Lang) -> tuple[Candidate, ...]:
    """People among the candidates: wanted by name, so nothing has to be inferred."""
    reason = text("channel.people.invited", lang)
    return tuple(
        Candidate(
            agent_id=person.agent_id,
            display_name=person.display_name,
            reason=reason,
            match_type="explicit",
            confidence=1.0,
        )
        for person in people
    )


def _hash(token: str) -> str:
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).hexdigest()
