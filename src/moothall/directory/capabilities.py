"""The agents of the registry, for the node's owner and whoever was granted ``agents``, the same through every door.

Reservation values go in and never come out; an edit that leaves them out keeps the stored ones.
"""

from __future__ import annotations

from typing import Final, Literal

from pydantic import BaseModel

from moothall.capability.decorators import capability
from moothall.directory.loading import each_once
from moothall.directory.profiles import STORED, AgentProfile
from moothall.directory.registry import AgentRegistry
from moothall.directory.rows import AgentRecord, Origin, Status
from moothall.errors import InvalidInput, Told

PERMISSION: Final = ("agents",)
LOADING_SECONDS: Final = 600.0
"""For thousands of profiles at once, on a slow disk."""


class AgentView(AgentProfile):
    """A registered agent as its owner sees it: without its reservation."""

    status: Status
    origin: Origin
    revision: int
    updated_at: str


class AgentList(BaseModel):
    """Agents in order of id."""

    agents: list[AgentView]


class Loaded(BaseModel):
    """How many agents were added or replaced."""

    loaded: int


class AgentCapabilities:
    """The capabilities ``agents.*`` of a node."""

    def __init__(self, registry: AgentRegistry) -> None:
        self._registry = registry

    @capability(name="agents.list", expose_to="both", permissions=PERMISSION, idempotent=True, read_only=True)
    async def list(self, status: Status | None = None, text: str = "") -> AgentList:
        """List the agents.

        Args:
            status: active or disabled ones only.
            text: only those whose public profile, tags or city match it.
        """
        return AgentList(agents=[_view(record) for record in await self._registry.list(status, text)])

    @capability(name="agents.show", expose_to="both", permissions=PERMISSION, idempotent=True, read_only=True)
    async def show(self, agent_id: str) -> AgentView:
        """One agent, active or disabled."""
        return _view(await self._registry.get(agent_id))

    @capability(name="agents.new", expose_to="both", permissions=PERMISSION, binding="request")
    async def new(self, profile: AgentProfile) -> AgentView:
        """Register an agent; a conflict when its id is taken."""
        return _view(await self._registry.register(profile))

    @capability(
        name="agents.load", expose_to="both", permissions=PERMISSION, binding="request", timeout=LOADING_SECONDS
    )
    async def load(self, profiles: tuple[AgentProfile, ...], origin: Literal["demo", "user"] = "user") -> Loaded:
        """Add the agents or replace those with the same ids, each of which occurs once; all or none."""
        return Loaded(loaded=await self._registry.load(each_once(profiles), origin=origin))

    @capability(name="agents.edit", expose_to="both", permissions=PERMISSION, binding="request")
    async def edit(self, agent_id: str, profile: AgentProfile, revision: int | None = None) -> AgentView:
        """Replace a profile.

        Args:
            agent_id: whose.
            profile: all of it; the stored reservation stays where it has none.
            revision: only if that is still the current one.
        """
        if profile.agent_id != agent_id:
            raise InvalidInput("the address and the profile name different agents", told=Told("why.other_agent"))
        if "reservation" not in profile.model_fields_set:
            current = await self._registry.get(agent_id)
            profile = AgentProfile.model_validate({**profile.public(), "reservation": current.profile.reservation})
            revision = current.revision if revision is None else revision
        return _view(await self._registry.update(profile, revision=revision))

    @capability(name="agents.disable", expose_to="both", permissions=PERMISSION, binding="request", idempotent=True)
    async def disable(self, agent_id: str) -> AgentView:
        """Leave an agent out of later demands."""
        return _view(await self._registry.disable(agent_id))

    @capability(name="agents.enable", expose_to="both", permissions=PERMISSION, binding="request", idempotent=True)
    async def enable(self, agent_id: str) -> AgentView:
        """Take a disabled agent in again."""
        return _view(await self._registry.enable(agent_id))

    @capability(name="agents.remove", expose_to="both", permissions=PERMISSION, binding="request", destructive=True)
    async def remove(self, agent_id: str) -> None:
        """Forget an agent; negotiations under way keep their own copy of it."""
        await self._registry.remove(agent_id)


def _view(record: AgentRecord) -> AgentView:
    return AgentView.model_validate(record.public(), context=STORED)
