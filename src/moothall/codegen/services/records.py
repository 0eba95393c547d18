"""What is kept of a generated service, and which of its versions answers a call. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from math import floor
from typing import Final, Literal, cast, get_args

from moothall.capability.versions import precedence
from moothall.errors import IntegrityError, Told

State = Literal["waiting", "live", "disabled"]
"""``waiting``: it answers this process alone, until somebody approved that others see it; ``disabled``: it answers
nobody."""

_STATES: Final = frozenset(get_args(State))
_GRANTED: Final = "granted"


@dataclass(frozen=True, slots=True, kw_only=True)
class ServiceRecord:
    """Where a service stands.

    Attributes:
        name: ``AGENT.NAME`` of its capability.
        live: the version that answers.
        canary: a version that answers a share of the calls; empty: there is none.
        share: of the calls that the canary answers.
        state: see `State`.
        reason: why it is as it is, where something happened to it.
        published: whether the network may see it.
        revision: grows with every change.
    """

    name: str
    live: str
    canary: str = ""
    share: float = 0.0
    state: State = "waiting"
    reason: str = ""
    published: bool = False
    revision: int = 0

    def version_for(self, count: int) -> str:
        """The version that answers the ``count``-th call, from 1: the canary gets its share, evenly spread."""
        if self.canary and floor(count * self.share) > floor((count - 1) * self.share):
            return self.canary
        return self.live


@dataclass(frozen=True, slots=True, kw_only=True)
class VersionRecord:
    """One version of a service; it never changes, but for its approval.

    Attributes:
        service: ``AGENT.NAME``.
        version: semantic version.
        hash: of its module.
        requirement: ``sha256:…`` of what was asked for.
        approval: the id of the approval that was asked for; ``granted`` and the id when it was given; else empty.
        created_at: when it passed the gate.
    """

    service: str
    version: str
    hash: str
    requirement: str = ""
    approval: str = ""
    created_at: datetime | None = None

    @property
    def approved(self) -> bool:
        """Whether a person agreed that others see it."""
        return self.approval.startswith(_GRANTED)


def granted(approval: str) -> str:
    """What stands in `VersionRecord.approval` once it was given."""
    return approval if approval.startswith(_GRANTED) else f"{_GRANTED} {approval}".strip()


def state_of(text: str) -> State:
    """Read a state from the store.

    Raises:
        IntegrityError: it is none.
    """
    if text not in _STATES:
        raise IntegrityError("a service is in no state that there is", told=Told("codegen.service.tampered"))
    return cast("State", text)


def one_before(versions: Sequence[VersionRecord], version: str) -> VersionRecord | None:
    """The newest version before this one that a person approved."""
    before = [each for each in versions if each.approved and precedence(each.version) < precedence(version)]
    return max(before, key=lambda each: precedence(each.version), default=None)


def next_version(versions: Sequence[VersionRecord], *, compatible: bool) -> str:
    """The version number of what comes after these: another minor one where callers can stay as they are."""
    if not versions:
        return "1.0.0"
    newest = max((each.version for each in versions), key=precedence)
    major, minor = (int(part) for part in newest.split("-")[0].split("+")[0].split(".")[:2])
    return f"{major}.{minor + 1}.0" if compatible else f"{major + 1}.0.0"
