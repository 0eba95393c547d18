"""What is called, as policies see it: a capability with the operator's rules, an agent, a log. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, Final

import cedarpy

from moothall.capability.entry import Entry
from moothall.capability.spec import CapabilitySpec
from moothall.people.facts import PartyFacts
from moothall.people.roles import tier
from moothall.policy.entities import Entity, entity, refer, refer_all, uid
from moothall.policy.heads import Uid
from moothall.policy.parties import party_entity, target
from moothall.policy.sources import ResourceRule

RESTRICTED: Final = 3
_LOG: Final = "audit-log"
"""The trait of what gives to read the audit log."""
_NOTHING: Final[Mapping[str, Any]] = MappingProxyType({})


@dataclass(frozen=True, slots=True, kw_only=True)
class AgentResource:
    """An agent as what is called, whatever capability of it (rows PRM-02 to PRM-07); ``id`` is its DID."""

    id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class LogResource:
    """Books of the node as what is read (row UID-03)."""

    id: str


AUDIT_LOG: Final = LogResource(id="audit")
Resource = Entry | AgentResource | LogResource


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """The options of a capability that decisions follow from: its own and those of all rules that fit it.

    Of two that differ the stricter one holds; of regions and workflows the last rule's.
    """

    classification: int
    personal_data: bool
    private: frozenset[str]
    min_trust: int
    region: str
    quota: int
    approval: bool
    workflow: str
    traits: frozenset[str]
    redact: frozenset[str]
    shared: bool


def options(entry: Entry, rules: Iterable[ResourceRule]) -> Options:
    """The options of a capability."""
    spec = entry.spec
    fitting = [rule for rule in rules if rule.fits(entry.id)]
    stated = [_stated(spec), *(rule.set for rule in fitting)]
    classification = max(said.get("classification", 0) for said in stated)
    approval = any(said.get("approval", False) for said in stated)
    traits = frozenset[str]().union(*(rule.traits for rule in fitting))
    traits |= ({"approval"} if approval else set()) | ({"restricted"} if classification >= RESTRICTED else set())
    quotas = [said["quota"] for said in stated if said.get("quota")]
    return Options(
        classification=classification,
        personal_data=any(said.get("personal_data", False) for said in stated),
        private=frozenset().union(*(said.get("private", ()) for said in stated)),
        min_trust=max(said.get("min_trust", 0) for said in stated),
        region=_last(stated, "region"),
        quota=min(quotas, default=0),
        approval=approval,
        workflow=_last(stated, "workflow"),
        traits=traits,
        redact=frozenset(name for rule in fitting for name in rule.redact),
        shared=any(rule.shared for rule in fitting),
    )


def _stated(spec: CapabilitySpec) -> Mapping[str, Any]:
    return {
        "classification": spec.classification,
        "personal_data": spec.personal_data,
        "private": spec.private,
        "min_trust": spec.min_trust,
        "region": spec.region,
        "quota": spec.quota,
        "approval": spec.approval,
        "workflow": spec.workflow,
    }


def _last(stated: list[Mapping[str, Any]], name: str) -> str:
    return next((str(said[name]) for said in reversed(stated) if said.get(name)), "")


@dataclass(slots=True, kw_only=True)
class Called:
    """What is called, ready to be asked about.

    Attributes:
        uid, inside: as an entity, and the entities that it is in.
        facts: of its agent; of a log nothing.
        own: whether its agent is the node's own: of no person.
        capability: its id; empty where it is none.
        shown: whether members of its agent's teams are offered it (levels team and wider).
        options: of a capability.
        body: as an entity.
        beside: its agent as an entity, for policies that read ``resource.provider``.
        log: what gives to read a log is that log: who may read it may call this, unless something refuses the call.
        parsed: body and agent, parsed, once a slice was made of them; slices of all its callers share it.
        fits: actions of which a request was compared with the schema: all others have the same form, and comparing
            takes a quarter of the time. They may do without ``call`` where no policy reads it.
    """

    uid: Uid
    inside: frozenset[Uid] = frozenset()
    facts: PartyFacts
    own: bool
    capability: str = ""
    shown: bool = False
    options: Options | None = None
    body: Entity
    beside: Entity | None = None
    log: Called | None = None
    parsed: cedarpy.Entities | None = None
    fits: set[str] = field(default_factory=set)

    @property
    def is_agent(self) -> bool:
        """Whether it is an agent as a whole."""
        return self.uid == uid("Agent", self.facts.id)

    @property
    def text(self) -> str:
        """Its entities, for a digest of them."""
        return self.body.text + (self.beside.text if self.beside is not None else "")

    def slice(self, party: Entity, schema: cedarpy.Schema) -> cedarpy.Entities:
        """It and a caller, parsed with the schema; an agent that calls itself is one entity, as a caller.

        Raises:
            ValueError: the facts do not fit the schema.
        """
        if party.uid == self.uid:
            return cedarpy.Entities.from_json_str(f"[{party.text}]", schema)
        if self.beside is not None and party.uid == self.beside.uid:
            return cedarpy.Entities.from_json_str(f"[{self.body.text},{party.text}]", schema)
        if self.parsed is None:
            entities = [one.text for one in (self.body, self.beside) if one is not None]
            self.parsed = cedarpy.Entities.from_json_str(f"[{','.join(entities)}]", schema)
        return self.parsed.with_added_json_str(f"[{party.text}]", schema)


_SHOWN: Final = frozenset({"team", "department", "enterprise"})


def called_capability(
    entry: Entry,
    provider: PartyFacts,
    groups: frozenset[str],
    rules: Iterable[ResourceRule],
    inherits: Mapping[str, frozenset[str]] = _NOTHING,
    *,
    suspended: bool = False,
    log: LogResource | None = None,
) -> Called:
    """A capability of an agent that belongs to these groups; ``log``: what it gives to read."""
    chosen, spec = options(entry, rules), entry.spec
    units = provider.teams | provider.departments | provider.organisations | provider.above
    parents = [("Trait", name) for name in sorted(chosen.traits | ({_LOG} if log is not None else set()))]
    parents += [("Unit", name) for name in sorted(units)]
    attributes = {
        "id": entry.id,
        "name": spec.name,
        "agent": entry.agent,
        "provider": refer("Agent", provider.id),
        **({"person": refer("Person", provider.person)} if provider.person else {}),
        "role": provider.role,
        "environment": provider.environment,
        "tier": tier(provider.role),
        "status": "suspended" if suspended else provider.status,
        "teams": refer_all("Unit", provider.teams),
        "departments": refer_all("Unit", provider.departments),
        "organisations": refer_all("Unit", provider.organisations),
        "above": refer_all("Unit", provider.above),
        "access": spec.access,
        "public": spec.public,
        "permissions": sorted(spec.permissions),
        "binding": spec.binding,
        "approval": chosen.approval,
        "read_only": spec.annotations.read_only,
        "classification": chosen.classification,
        "personal_data": chosen.personal_data,
        "min_trust": chosen.min_trust,
        "region": chosen.region,
        "tags": sorted(spec.tags),
        "template": spec.template,
        "shared": chosen.shared,
        "redactable": bool(chosen.redact),
        "inbound": refer_all("Group", groups),
    }
    body = entity("Capability", entry.id, attributes, parents)
    return Called(
        uid=body.uid,
        inside=body.inside,
        facts=provider,
        own=not provider.person,
        capability=entry.id,
        shown=spec.access in _SHOWN,
        options=chosen,
        body=body,
        beside=party_entity(target(provider, groups, suspended=suspended), inherits),
        log=called_log(log) if log is not None else None,
    )


def called_log(log: LogResource) -> Called:
    """A log."""
    body = entity("Log", log.id, {}, ())
    return Called(uid=body.uid, facts=PartyFacts(id=""), own=False, body=body)


def called_agent(
    facts: PartyFacts, *, hosted: bool, inherits: Mapping[str, frozenset[str]], suspended: bool = False
) -> Called:
    """An agent, whatever of it is called; of one that is hosted elsewhere nothing is the node's own."""
    body = party_entity(target(facts, suspended=suspended), inherits)
    return Called(uid=body.uid, inside=body.inside, facts=facts, own=hosted and not facts.person, body=body)
