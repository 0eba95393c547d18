"""What the event log is made of. Pure."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from datetime import datetime

JsonValue = Any
JsonObject = dict[str, Any]
Status = Literal["open", "closed"]

PUBLIC = ("moot.", "towow.")
"""Types that begin so leave the store; every other event is internal to its run."""

CONSUMED = "in."
"""An event with the key ``in.<posting key>`` says that the posting was dealt with."""

UNDELIVERABLE = "undeliverable"
"""Kind of the posting, and type of the event, that tell a run what could not be sent; key ``<key>.undeliverable``."""

_EVENT_ID = re.compile(r"evt-([0-9a-f]{8})-(0|[1-9][0-9]{0,8})")


@dataclass(frozen=True, slots=True)
class Draft:
    """An event to be: its key says what it means, once per run."""

    key: str
    type: str
    payload: JsonObject


@dataclass(frozen=True, slots=True)
class Event:
    """A committed event. `seq` is dense per run from 0; `ts` is RFC 3339 in UTC; treat `payload` as read-only."""

    run: str
    seq: int
    key: str
    type: str
    ts: str
    payload: JsonObject

    @property
    def event_id(self) -> str:
        """The id that clients see and resume by."""
        return event_id(self.run, self.seq)

    @property
    def public(self) -> bool:
        """Whether the event may leave the store."""
        return is_public(self.type)


@dataclass(frozen=True, slots=True)
class Posting:
    """Something that arrived from outside, kept before it was acknowledged."""

    key: str
    kind: str
    sender: str
    payload: JsonObject
    received_at: datetime


@dataclass(frozen=True, slots=True)
class OutboxDraft:
    """Something to send without awaiting an answer; written together with its event. `key` is unique per run."""

    key: str
    target: str
    payload: JsonObject


@dataclass(frozen=True, slots=True)
class OutboxRow:
    """Something to deliver now; `attempts` counts this one."""

    run: str
    key: str
    target: str
    payload: JsonObject
    attempts: int

    @property
    def idempotency_key(self) -> str:
        """The same on every attempt and from every process; send it as the header ``Idempotency-Key``."""
        return f"{self.run}/{self.key}"


@dataclass(frozen=True, slots=True)
class RunRecord:
    """One row of the table of runs.

    `wake_at` None means not parked; `epoch` counts its owners so far; `subject` is whose run it is. A run with an
    `erased_at` has its events still, but nothing is left in them, in `meta` or in `subject`.
    """

    id: str
    kind: str
    status: Status
    owner: str | None
    epoch: int
    wake_at: datetime | None
    created_at: datetime
    closed_at: datetime | None
    parent: str | None = None
    meta: JsonObject = field(default_factory=dict)
    subject: str | None = None
    erased_at: datetime | None = None


def is_public(event_type: str) -> bool:
    """Whether events of this type may leave the store."""
    return event_type.startswith(PUBLIC)


def event_id(run: str, seq: int) -> str:
    """Return ``evt-<last 8 hex digits of the run id>-<seq>``."""
    return f"evt-{run[-8:]}-{seq}"


def parse_event_id(run: str, text: str) -> int | None:
    """Return the seq that `text` names in `run`; None for an id that is malformed or belongs to another run."""
    match = _EVENT_ID.fullmatch(text)
    return int(match[2]) if match and match[1] == run[-8:] else None
