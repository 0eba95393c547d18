"""What a node says about its capabilities when it starts: what is open to whom, and what looks like a mistake."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator
from typing import Final

from moothall.capability.entry import Entry
from moothall.capability.private_fields import unknown
from moothall.capability.snapshot import Snapshot

_WORDS: Final = re.compile(r"[A-Z]?[a-z]+|[A-Z]+(?![a-z])")
_LOOKING: Final = frozenset({"read", "query"})
_TELLING: Final = ("admin", "private")


def warnings(snapshot: Snapshot, configured: Collection[str] = ()) -> tuple[str, ...]:
    """What somebody should look at; nothing is changed by it (row DEC-34).

    Args:
        snapshot: the capabilities.
        configured: the names that the configuration file has options for.
    """
    found = [text for entry in snapshot.newest for text in _of(entry)]
    names = {name for entry in snapshot.newest for name in (entry.spec.name, entry.id)}
    found += [
        f"the configuration has options for {name}, which does not exist" for name in configured if name not in names
    ]
    return tuple(found)


def exposed(entry: Entry) -> str:
    """One line about a capability that the network can reach: what it is, and who may call it (row DEC-25)."""
    if "net" not in entry.spec.exposure:
        return ""
    return f"{entry.id}@{entry.spec.version} on the network for {_whom(entry)}"


def _of(entry: Entry) -> Iterator[str]:
    spec = entry.spec
    words = [word.lower() for word in _WORDS.findall(spec.name)]
    if not spec.permissions and any(word.startswith(_TELLING) for word in words):
        yield f"{entry.id} sounds as if not everybody may call it, but needs no permissions; its name protects nothing"
    if spec.public and spec.annotations.destructive and "net" in spec.exposure:
        yield f"{entry.id} is destructive and open to anybody on the network"
    yield from (f"{entry.id} {text}" for text in _contradictions(entry))
    if spec.retry and not (spec.idempotent or spec.remote):
        yield f"{entry.id} has retry={spec.retry}, but is never repeated while it does not say idempotent=True"


def _contradictions(entry: Entry) -> Iterator[str]:
    """Options that policies read and that cannot all be meant."""
    spec = entry.spec
    if spec.public:
        closed = {
            "personal_data": spec.personal_data,
            "classification": spec.classification,
            "min_trust": spec.min_trust,
        }
        for option in [option for option, value in closed.items() if value]:
            yield f"is open to anybody, but {option} lets only those in who are known; strangers will be refused"
    effects = spec.annotations
    if effects.read_only and spec.acts not in _LOOKING:
        yield f"says read_only, and action={spec.acts!r}"
    if effects.destructive and spec.acts in _LOOKING:
        yield f"says destructive, and action={spec.acts!r}: who may only read can call it"
    if entry.output_schema is not None and (missing := unknown(entry.output_schema, spec.private)):
        yield f"has private fields that its result has not: {', '.join(missing)}"


def _whom(entry: Entry) -> str:
    spec = entry.spec
    if spec.public:
        return "anybody"
    whom = {
        "owner": "its owner",
        "personal": "the other agents of the same person",
        "team": "the agent's team",
        "department": "the agent's department",
        "enterprise": "the agent's organisation",
        "authenticated": "whoever proves an identity",
    }
    also = f", or holders of {', '.join(spec.permissions)}" if spec.permissions else ""
    return f"{whom[spec.access]}{also}"
