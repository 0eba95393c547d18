"""What this node offers, as listings: capabilities of its agents, the agents themselves, known profiles. Pure."""

from __future__ import annotations

from collections.abc import Container, Iterable, Mapping
from typing import Final

from moothall.calls.remotes import SHOWN
from moothall.capability.entry import Entry
from moothall.capability.snapshot import Snapshot
from moothall.capability.spec import FACADE, UNLISTED
from moothall.directory.listing import Listing
from moothall.directory.profiles import AgentProfile

PROFILE: Final = f"{SHOWN}:"
"""What the targets of profiles begin with; they are shown, never called."""

_READS: Final = frozenset({"read", "query", "audit"})
_OPEN: Final = frozenset({"net", "llm"})
_HIDDEN: Final = frozenset({FACADE, UNLISTED})


def target_of(entry: Entry) -> str:
    """The target of a capability of this node: its newest version, whichever that is."""
    return f"local:{entry.id}"


def capabilities(snapshot: Snapshot, own: Container[str]) -> Iterable[Listing]:
    """What the agents offer others, or models; ``own`` are the ids of what the node itself is made of."""
    for entry in snapshot.newest:
        if entry.id not in own and _found(entry):
            yield _capability(entry)


def agents(snapshot: Snapshot, own: Container[str], dids: Mapping[str, str]) -> Iterable[Listing]:
    """The agents that offer something."""
    offering: dict[str, list[Entry]] = {}
    for entry in snapshot.newest:
        if entry.id not in own and _found(entry):
            offering.setdefault(entry.agent, []).append(entry)
    for name, among in offering.items():
        record = snapshot.agents.get(name)
        if did := dids.get(name):
            yield Listing(
                target=did,
                kind="agent",
                name=name,
                description=record.description if record is not None else "",
                tags=tuple(dict.fromkeys(tag for entry in among if entry.spec.public for tag in entry.spec.tags)),
                agent=name,
                public=any(entry.spec.public for entry in among),
            )


def house(snapshot: Snapshot, own: Container[str]) -> frozenset[str]:
    """Names under which every node offers what it is made of, such as ``people.list``: not looked for abroad."""
    entries = (entry for entry in snapshot.newest if entry.id in own and not entry.spec.exposure.isdisjoint(_OPEN))
    return frozenset(entry.spec.name for entry in entries if "." in entry.spec.name)


def profile(of: AgentProfile) -> Listing:
    """A profile, without anything that is its owner's secret."""
    offers = of.capabilities.offers
    return Listing(
        target=f"{PROFILE}{of.agent_id}",
        kind="agent",
        name=of.user_name,
        description=" ".join((of.profile_summary, *(offer.title for offer in offers), of.availability)).strip(),
        tags=tuple(dict.fromkeys((*of.tags, *of.interests))),
        agent=of.agent_id,
        place=of.location,
        languages=of.capabilities.languages,
    )


def _found(entry: Entry) -> bool:
    spec = entry.spec
    return entry.state != "disabled" and not spec.exposure.isdisjoint(_OPEN) and _HIDDEN.isdisjoint(spec.tags)


def _capability(entry: Entry) -> Listing:
    spec, says = entry.spec, entry.spec.annotations
    return Listing(
        target=target_of(entry),
        kind="resource" if spec.kind == "resource" else "capability",
        name=entry.id,
        description=spec.description,
        tags=spec.tags,
        agent=entry.agent,
        version=spec.version,
        input_schema=entry.input_schema,
        output_schema=entry.output_schema or {},
        read_only=says.read_only or spec.acts in _READS,
        idempotent=spec.idempotent,
        destructive=says.destructive or spec.acts == "delete",
        streams=entry.streams,
        public=spec.public,
    )
