"""Rows of the table `agent` and what they hold."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any, Literal

import sqlalchemy as sa
from pydantic import ValidationError

from moothall.clock import rfc3339
from moothall.directory.profiles import STORED, AgentProfile
from moothall.errors import StorageError
from moothall.storage.schema import agent

if TYPE_CHECKING:
    from sqlalchemy.engine import Connection, RowMapping

Status = Literal["active", "disabled"]
Origin = Literal["demo", "user", "remote"]
"""``remote``: it lives elsewhere, and answers for itself there."""
State = tuple[int, int, datetime | None]
"""Row count, sum of revisions and latest edit: another value after an edit."""


@dataclass(frozen=True, slots=True)
class AgentRecord:
    """A registered agent. Its repr and `public` leave the reservation out, as those of the profile do."""

    profile: AgentProfile
    status: Status
    origin: Origin
    revision: int
    updated_at: datetime

    def public(self) -> dict[str, Any]:
        """What anybody may see of the registration, as JSON values."""
        return self.profile.public() | {
            "status": self.status,
            "origin": self.origin,
            "revision": self.revision,
            "updated_at": rfc3339(self.updated_at),
        }


def to_text(profile: AgentProfile) -> str:
    """The profile with its reservation, as the column `profile` holds it."""
    return json.dumps(profile.private(), ensure_ascii=False)


def select(connection: Connection, *conditions: sa.ColumnElement[bool]) -> list[AgentRecord]:
    """The records that meet all conditions, in order of id; `StorageError` for a profile that is no longer valid."""
    rows = connection.execute(sa.select(agent).where(*conditions).order_by(agent.c.agent_id)).mappings()
    return [_record(row) for row in rows]


def state(connection: Connection) -> State:
    """The state of the whole table."""
    total, revisions, latest = sa.func.count(), sa.func.sum(agent.c.revision), sa.func.max(agent.c.updated_at)
    row = connection.execute(sa.select(total, revisions, latest).select_from(agent)).one()
    return row[0], row[1] or 0, row[2]


def state_of(records: Sequence[AgentRecord]) -> State:
    """The state of a table that holds just these records."""
    latest = max((record.updated_at for record in records), default=None)
    return len(records), sum(record.revision for record in records), latest


def _record(row: RowMapping) -> AgentRecord:
    try:
        profile = AgentProfile.model_validate_json(row["profile"], context=STORED)
    except ValidationError as error:
        field = ".".join(str(part) for part in error.errors(include_input=False, include_context=False)[0]["loc"])
        raise StorageError(
            f"the stored profile of {row['agent_id']} is not valid",
            why=f"field {field}",
            hint="register the agent again",
        ) from None
    return AgentRecord(profile, row["status"], row["origin"], row["revision"], row["updated_at"])
