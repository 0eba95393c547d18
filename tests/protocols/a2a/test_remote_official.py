"""The client against the official server: both bindings of 1.0, and 0.3."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from a2a.helpers import new_data_part, new_task_from_user_message, new_text_part
from a2a.helpers.proto_helpers import get_data_parts
from a2a.server.agent_execution import AgentExecutor, RequestContext
from a2a.server.events import EventQueue
from a2a.server.request_handlers import DefaultRequestHandler
from a2a.server.routes import create_agent_card_routes, create_jsonrpc_routes, create_rest_routes
from a2a.server.tasks import InMemoryTaskStore, TaskUpdater
from a2a.types import AgentCapabilities, AgentCard, AgentInterface, AgentSkill
from starlette.applications import Starlette

from moothall.calls.reply import Progress
from moothall.errors import CallTimeout, InputRequired, MoothallError, Unauthenticated, UpstreamError
from moothall.protocols.a2a.remote.connector import A2aConnector
from tests.protocols.a2a.remote_town import connecting, listening, outgoing

FORMS = [("JSONRPC", "1.0"), ("HTTP+JSON", "1.0"), ("JSONRPC", "0.3")]
NAMES = [f"{binding}-{version}" for binding, version in FORMS]


class Weather(AgentExecutor):
    """Does what its arguments say."""

    def __init__(self) -> None:
        self.cancelled = asyncio.Event()
        self.began = asyncio.Event()

    async def execute(self, context: RequestContext, event_queue: EventQueue) -> None:
        assert context.message is not None
        task = context.current_task or new_task_from_user_message(context.message)
        task.id, task.context_id = str(context.task_id), str(context.context_id)
        await event_queue.enqueue_event(task)
        told = TaskUpdater(event_queue, task.id, task.context_id)
        data = (get_data_parts(context.message.parts) or [{}])[0]
        await told.start_work(told.new_agent_message([new_text_part("begun")]))
        self.began.set()
        await self._does(str(data.get("skill", "echo")), data.get("arguments", {}), context, told)

    async def _does(self, skill: str, arguments: Any, context: RequestContext, told: TaskUpdater) -> None:
        if skill == "wait":
            await asyncio.Event().wait()
        if skill in {"failed", "reject", "requires_input", "requires_auth"}:
            await getattr(told, skill)(told.new_agent_message([new_text_part("SECRET")]))
            return
        if skill == "count":
            for number in range(3):
                await told.add_artifact([new_data_part(number)], artifact_id="a", append=number > 0)
        elif skill == "echo":
            await told.add_artifact([new_text_part(context.get_user_input())])
        else:
            await told.add_artifact([new_data_part(arguments)])
        await told.complete()

    async def cancel(self, context: RequestContext, event_queue: EventQueue) -> None:
        await TaskUpdater(event_queue, str(context.task_id), str(context.context_id)).cancel()
        self.cancelled.set()


@asynccontextmanager
async def official(binding: str, version: str, weather: Weather, *, streaming: bool) -> AsyncIterator[str]:
    card = AgentCard(
        name="Weather",
        description="Tells the weather.",
        version="1.0.0",
        capabilities=AgentCapabilities(streaming=streaming),
        default_input_modes=["application/json"],
        default_output_modes=["application/json"],
        skills=[AgentSkill(id="forecast", name="Forecast", description="of a city", tags=["weather"])],
    )
    handler = DefaultRequestHandler(agent_executor=weather, task_store=InMemoryTaskStore(), agent_card=card)
    routes = [
        *create_agent_card_routes(card),
        *create_jsonrpc_routes(handler, rpc_url="/rpc", enable_v0_3_compat=True),
        *create_rest_routes(handler, path_prefix="/rest"),
    ]
    async with listening(Starlette(routes=routes)) as url:
        path = "/rpc" if binding == "JSONRPC" else "/rest"
        card.supported_interfaces.append(
            AgentInterface(url=url + path, protocol_binding=binding, protocol_version=version)
        )
        yield url
    await handler.aclose()


@pytest.fixture
def weather() -> Weather:
    return Weather()


@pytest.fixture(params=FORMS, ids=NAMES)
async def url(request: pytest.FixtureRequest, weather: Weather) -> AsyncIterator[str]:
    async with official(*request.param, weather, streaming=True) as address:
        yield address


@pytest.fixture(params=FORMS, ids=NAMES)
async def still(request: pytest.FixtureRequest, weather: Weather) -> AsyncIterator[str]:
    async with official(*request.param, weather, streaming=False) as address:
        yield address


@pytest.fixture
async def near() -> AsyncIterator[A2aConnector]:
    async with connecting() as made:
        yield made


@pytest.mark.requirement("CAL-06", "TPL-30")
async def test_a_skill_gives_its_value(url: str, near: A2aConnector) -> None:
    given = {"city": "oslo", "days": [1, 2.5, None]}
    assert await near.call(outgoing(f"a2a:{url}#forecast", given)) == given
    assert await near.call(outgoing(f"a2a:{url}", {"text": "hello"})) == "hello"
    assert [value async for value in near.stream(outgoing(f"a2a:{url}#count"))] == [0, 1, 2]
    assert await near.call(outgoing(f"a2a:{url}#count")) == [0, 1, 2]


async def test_an_agent_that_does_not_stream_gives_its_value(still: str, near: A2aConnector) -> None:
    assert await near.call(outgoing(f"a2a:{still}#forecast", {"n": 1})) == {"n": 1}
    assert [value async for value in near.stream(outgoing(f"a2a:{still}#count"))] == [0, 1, 2]


async def test_progress_arrives(url: str, near: A2aConnector) -> None:
    seen: list[Progress] = []

    async def report(progress: Progress) -> None:
        seen.append(progress)

    await near.call(outgoing(f"a2a:{url}#forecast", report=report))
    assert Progress(0.0, None, "begun") in seen


@pytest.mark.parametrize(
    ("skill", "kind"),
    [
        ("failed", UpstreamError),
        ("reject", UpstreamError),
        ("requires_input", InputRequired),
        ("requires_auth", Unauthenticated),
    ],
)
async def test_what_goes_wrong_there_is_an_error_here(
    url: str, near: A2aConnector, skill: str, kind: type[MoothallError]
) -> None:
    with pytest.raises(kind) as raised:
        await near.call(outgoing(f"a2a:{url}#{skill}"))
    assert "SECRET" not in str(raised.value)


@pytest.mark.parametrize("how", ["timeout", "cancel"])
async def test_the_task_of_a_call_that_ends_here_ends_there(url: str, weather: Weather, how: str) -> None:
    async with connecting() as near:
        calling = asyncio.ensure_future(
            near.call(outgoing(f"a2a:{url}#wait", timeout=0.5 if how == "timeout" else 60.0))
        )
        await weather.began.wait()
        if how == "cancel":
            await asyncio.sleep(0)
            calling.cancel()
        with pytest.raises(CallTimeout if how == "timeout" else asyncio.CancelledError):
            await calling
        if how == "timeout":
            await asyncio.wait_for(weather.cancelled.wait(), 10)
