"""The demonstration: sample agents, sample demands, and replays of recorded negotiations (row NEG-DATA-11)."""

from __future__ import annotations

from typing import Annotated, Literal

from fastapi import APIRouter, Query
from pydantic import BaseModel, Field

from moothall.clock import rfc3339
from moothall.directory.loading import load_profiles_from_file, mock_profiles_file
from moothall.directory.registry import AgentRegistry, init_mock_agents
from moothall.directory.rows import Status
from moothall.errors import InvalidInput, Told
from moothall.messages import Lang
from moothall.negotiation.demand.channel import channel_id_of
from moothall.negotiation.demand.models import ChannelId, DemandId
from moothall.negotiation.demand.recording import scenarios
from moothall.negotiation.demand.replay import Replay, Replays, token_of
from moothall.server.access import ADMIN
from moothall.server.parts import ServerParts
from moothall.server.streams import STREAM_PATH

MAX_SPEED = 1000.0


class DemoMode(BaseModel):
    """Whether the sample agents take part in demands."""

    enabled: bool = Field(description="Whether any sample agent is active")
    active: int = Field(description="Sample agents that are active")
    agents: int = Field(description="Sample agents of the registry")
    shipped: int = Field(description="Sample agents that travel with the package")
    scenarios: int = Field(description="Recorded negotiations that can be replayed")


class DemoModeChange(BaseModel):
    """Switch the sample agents on (loading them where there are none) or off; ``reset`` puts them back as shipped."""

    enabled: bool = True
    reset: bool = False


class AgentsReset(BaseModel):
    """What a reset did: sample agents put back as shipped, and others of theirs that are no longer shipped removed."""

    loaded: int
    removed: int


class SampleDemand(BaseModel):
    """A demand to try."""

    raw_input: str
    lang: Lang
    scenario_id: str


class SampleDemands(BaseModel):
    """Demands to try."""

    demands: list[SampleDemand]


class ScenarioView(BaseModel):
    """A recorded negotiation."""

    scenario_id: str
    title: dict[Lang, str]
    lang: Lang
    raw_input: str
    outcome: Literal["full", "partial", "failed"]
    events: int
    seconds: float = Field(description="How long it takes at speed 1")


class ScenarioList(BaseModel):
    """The recorded negotiations of the package."""

    scenarios: list[ScenarioView]


class SessionBody(BaseModel):
    """What to replay: a scenario of the package, else an ended negotiation of this node, else the first scenario."""

    scenario_id: str | None = None
    demand_id: str | None = None
    speed: float = Field(1.0, gt=0, le=MAX_SPEED, allow_inf_nan=False)


class SessionView(BaseModel):
    """A replay; ``demand_id`` is what its stream and events are read by, and the id of the session as well."""

    session_id: DemandId
    demand_id: DemandId
    channel_id: ChannelId
    mark: Literal["DEMO"] = "DEMO"
    state: Literal["waiting", "running", "ended"]
    scenario_id: str | None
    source_demand_id: DemandId | None
    speed: float
    stream: str = Field(description="Where its events are")
    created_at: str


class SessionReply(SessionView):
    """A session as its maker gets it: with the token that opens its stream where keys are asked for."""

    stream_token: str


class SessionList(BaseModel):
    """Sessions, the newest first."""

    sessions: list[SessionView]


class DemoRoutes:
    """The routes of the demonstration; the boundary lets nobody but admins in."""

    def __init__(self, parts: ServerParts) -> None:
        self._registry = parts.registry
        self._replays = Replays(parts.log)

    def router(self) -> APIRouter:
        """The routes, to be included in the application."""
        router = APIRouter(prefix=ADMIN, tags=["admin"])
        add = router.add_api_route
        add("/demo-mode", self.mode, methods=["GET"], summary="Do sample agents take part?")
        add("/demo-mode", self.change, methods=["POST"], summary="Switch the sample agents on or off")
        add("/demo-mode/demands", self.demands, methods=["GET"], summary="Demands to try")
        add("/agents/reset", self.reset, methods=["POST"], summary="Put the sample agents back as shipped")
        add("/scenarios", self.scenarios, methods=["GET"], summary="Recorded negotiations")
        add("/session", self.create, methods=["POST"], summary="Prepare a replay", status_code=201)
        add("/session", self.list_sessions, methods=["GET"], summary="List the replays")
        add("/session/{session_id}/run", self.run, methods=["POST"], summary="Start a replay")
        return router

    async def mode(self) -> DemoMode:
        """How many sample agents there are, and how many of them take part."""
        status = [record.status for record in await self._registry.list(origin="demo")]
        active = status.count("active")
        return DemoMode(
            enabled=active > 0,
            active=active,
            agents=len(status),
            shipped=len(load_profiles_from_file(mock_profiles_file())),
            scenarios=len(scenarios()),
        )

    async def change(self, body: DemoModeChange) -> DemoMode:
        """Agents of people are left alone; negotiations under way keep the agents they have."""
        if body.reset:
            await reset_agents(self._registry)
        elif body.enabled:
            await init_mock_agents(self._registry)
        wanted: Status = "active" if body.enabled else "disabled"
        for record in await self._registry.list(origin="demo"):
            if record.status != wanted:
                await self._registry.set_status(record.profile.agent_id, wanted)
        return await self.mode()

    async def demands(self) -> SampleDemands:
        """The demands that the scenarios were recorded from."""
        return SampleDemands(
            demands=[
                SampleDemand(raw_input=one.raw_input, lang=one.lang, scenario_id=one.scenario_id)
                for one in scenarios().values()
            ]
        )

    async def reset(self) -> AgentsReset:
        """Undo every edit, removal and switching-off of sample agents."""
        return await reset_agents(self._registry)

    async def scenarios(self) -> ScenarioList:
        """What can be replayed on any node."""
        found = [
            ScenarioView(
                **one.model_dump(exclude={"moments"}),
                events=len(one.moments),
                seconds=round(sum(moment.after_seconds for moment in one.moments), 2),
            )
            for one in scenarios().values()
        ]
        return ScenarioList(scenarios=found)

    async def create(self, body: SessionBody) -> SessionReply:
        """Prepare a replay; it shows nothing until it is started, and is closed when nobody does for a day."""
        if body.scenario_id is not None and body.demand_id is not None:
            raise InvalidInput("scenario_id and demand_id: name one of them", told=Told("why.one_source"))
        if body.demand_id is not None:
            return _reply(await self._replays.create_from(body.demand_id, speed=body.speed))
        chosen = next(iter(scenarios())) if body.scenario_id is None else body.scenario_id
        return _reply(await self._replays.create(scenario_id=chosen, speed=body.speed))

    async def list_sessions(self, limit: Annotated[int, Query(ge=1, le=200)] = 20) -> SessionList:
        """The newest replays."""
        return SessionList(sessions=[_view(replay) for replay in await self._replays.listed(limit)])

    async def run(self, session_id: str) -> SessionReply:
        """Start a prepared replay; a conflict when it was started before."""
        return _reply(await self._replays.start(session_id))


async def reset_agents(registry: AgentRegistry) -> AgentsReset:
    """Put every sample agent back as shipped, and take away those that are no longer shipped."""
    shipped = {profile.agent_id for profile in load_profiles_from_file(mock_profiles_file())}
    old = [record.profile.agent_id for record in await registry.list(origin="demo")]
    surplus = [agent_id for agent_id in old if agent_id not in shipped]
    for agent_id in surplus:
        await registry.remove(agent_id)
    return AgentsReset(loaded=await init_mock_agents(registry, reset=True), removed=len(surplus))


def _reply(replay: Replay) -> SessionReply:
    return SessionReply(**_view(replay).model_dump(), stream_token=token_of(replay))


def _view(replay: Replay) -> SessionView:
    record = replay.record
    return SessionView(
        session_id=record.id,
        demand_id=record.id,
        channel_id=channel_id_of(record.id),
        state=replay.state,
        scenario_id=record.meta.get("scenario_id"),
        source_demand_id=record.parent,
        speed=record.meta["speed"],
        stream=STREAM_PATH.format(demand_id=record.id),
        created_at=rfc3339(record.created_at),
    )
