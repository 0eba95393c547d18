"""An agent of a person, and which of them stands for it (rows UID-05, UID-07). Pure."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final, Literal

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from moothall.people.facts import AgentStatus
from moothall.people.roles import PERSONAL, PRIMARY, environment_of

MOST_CLEARANCE: Final = 3


class UserAgent(BaseModel):
    """An agent, as `register_user_agent` stored it.

    Attributes:
        did: who it is.
        user_id: whose it is.
        role: among the agents of its person.
        environment: as its person said; empty: its host name tells (`where`).
        clearance: 0 public to 3 restricted; the operator gives it.
        origin: ``file``: it stands in the operator's file.
    """

    model_config = ConfigDict(frozen=True)

    did: str
    user_id: str
    role: str
    environment: str = ""
    clearance: int = Field(0, ge=0, le=MOST_CLEARANCE)
    status: AgentStatus = "active"
    origin: Literal["api", "file"] = "api"
    created_at: AwareDatetime

    @property
    def where(self) -> str:
        """Its environment: as it was said, else the first label of its host name if that is one (row UID-02)."""
        return self.environment or environment_of(self.did)


def primary(agents: Iterable[UserAgent]) -> UserAgent | None:
    """Who stands for a person: role ``primary``, else ``personal``, else the oldest; only of those that are active."""
    active = sorted((agent for agent in agents if agent.status == "active"), key=lambda a: (a.created_at, a.did))
    by_role = {agent.role: agent for agent in reversed(active)}
    return by_role.get(PRIMARY) or by_role.get(PERSONAL) or (active[0] if active else None)
