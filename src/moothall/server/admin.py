"""What the node's owner may do from outside the process: the agents of the registry, and which runs there are."""

from __future__ import annotations

import asyncio
from http import HTTPStatus
from typing import Annotated, Any, Literal

from fastapi import APIRouter, HTTPException, Query, Request
from pydantic import BaseModel

from moothall.canonical import loads
from moothall.clock import rfc3339
from moothall.directory.capabilities import AgentList, AgentView, Loaded
from moothall.directory.loading import parse_profiles
from moothall.directory.profiles import AgentProfile
from moothall.directory.rows import Origin, Status
from moothall.errors import InvalidInput, Told
from moothall.events.model import RunRecord
from moothall.server.access import ADMIN
from moothall.server.calls import RouteCalls
from moothall.server.parts import ServerParts

MAX_RUNS = 200
_PROFILES: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "content": {
            "application/json": {
                "schema": {"type": "array", "items": {"$ref": f"#/components/schemas/{AgentProfile.__name__}"}}
            }
        },
    }
}
"""The body of a load for the description; the route reads it itself, see `AdminRoutes.load_agents`."""


class RunView(BaseModel):
    """A run of this node: a demand, or a sub-demand with its parent."""

    run: str
    kind: str
    status: Literal["open", "closed"]
    created_at: str
    closed_at: str | None
    parent: str | None


class RunList(BaseModel):
    """Runs, the newest first."""

    runs: list[RunView]


class AdminRoutes:
    """The routes under ``/api/v1/admin``; the boundary lets nobody but admins in."""

    def __init__(self, parts: ServerParts) -> None:
        self._call = RouteCalls(parts.gateway)
        self._log = parts.log

    def router(self) -> APIRouter:
        """The routes, to be included in the application."""
        router = APIRouter(prefix=ADMIN, tags=["admin"])
        add = router.add_api_route
        add("/agents", self.list_agents, methods=["GET"], summary="List the agents")
        add("/agents", self.create_agent, methods=["POST"], summary="Register an agent", status_code=201)
        add(
            "/agents",
            self.load_agents,
            methods=["PUT"],
            summary="Add or replace many agents, all or none",
            openapi_extra=_PROFILES,
        )
        add("/agents/{agent_id}", self.read_agent, methods=["GET"], summary="Read an agent")
        add("/agents/{agent_id}", self.edit_agent, methods=["PUT"], summary="Replace an agent's profile")
        add("/agents/{agent_id}", self.delete_agent, methods=["DELETE"], summary="Remove an agent", status_code=204)
        add("/agents/{agent_id}/disable", self.disable_agent, methods=["POST"], summary="Leave an agent out")
        add("/agents/{agent_id}/enable", self.enable_agent, methods=["POST"], summary="Take an agent in again")
        add("/runs", self.list_runs, methods=["GET"], summary="List the runs")
        return router

    async def list_agents(self, request: Request, status: Status | None = None, text: str = "") -> AgentList:
        """The agents, with ``text`` those whose profile, tags or city match it."""
        agents: AgentList = await self._call(request, "agents.list", status=status, text=text)
        return agents

    async def create_agent(self, profile: AgentProfile, request: Request) -> AgentView:
        """Register an agent; a conflict when its id is taken."""
        return await self._agent(request, "agents.new", profile=profile)

    async def load_agents(self, request: Request, origin: Origin = "user") -> Loaded:
        """Add the agents or replace those with the same ids, each of which occurs once."""
        # Thousands of profiles take seconds to check: in a thread, so that the streams of others go on.
        profiles = await asyncio.to_thread(_profiles, await request.body())
        loaded: Loaded = await self._call(request, "agents.load", profiles=profiles, origin=origin)
        return loaded

    async def read_agent(self, agent_id: str, request: Request) -> AgentView:
        """One agent, active or disabled."""
        return await self._agent(request, "agents.show", agent_id=agent_id)

    async def edit_agent(
        self, agent_id: str, profile: AgentProfile, request: Request, revision: int | None = None
    ) -> AgentView:
        """Replace a profile; with ``revision`` only if that is still the current one."""
        return await self._agent(request, "agents.edit", agent_id=agent_id, profile=profile, revision=revision)

    async def delete_agent(self, agent_id: str, request: Request) -> None:
        """Forget an agent; negotiations under way keep their own copy of it."""
        await self._call(request, "agents.remove", agent_id=agent_id)

    async def disable_agent(self, agent_id: str, request: Request) -> AgentView:
        """Leave an agent out of later demands."""
        return await self._agent(request, "agents.disable", agent_id=agent_id)

    async def enable_agent(self, agent_id: str, request: Request) -> AgentView:
        """Take a disabled agent in again."""
        return await self._agent(request, "agents.enable", agent_id=agent_id)

    async def _agent(self, request: Request, name: str, **arguments: object) -> AgentView:
        agent: AgentView = await self._call(request, name, **arguments)
        return agent

    async def list_runs(
        self,
        kind: str | None = None,
        status: Literal["open", "closed"] | None = None,
        limit: Annotated[int, Query(ge=1, le=MAX_RUNS)] = 20,
    ) -> RunList:
        """The newest runs."""
        return RunList(runs=[_run(record) for record in await self._log.runs(kind=kind, status=status, limit=limit)])


def _profiles(body: bytes) -> list[AgentProfile]:
    try:
        rows = loads(body)
    except ValueError as error:
        raise HTTPException(HTTPStatus.BAD_REQUEST) from error
    if not isinstance(rows, list):
        told = Told("why.no_list", hint="why.rule.no_list")
        raise InvalidInput("the body is no JSON list of profiles", told=told)
    return parse_profiles(rows)


def _run(record: RunRecord) -> RunView:
    return RunView(
        run=record.id,
        kind=record.kind,
        status=record.status,
        created_at=rfc3339(record.created_at),
        closed_at=rfc3339(record.closed_at) if record.closed_at else None,
        parent=record.parent,
    )
