"""The examples of the shortcut decorators, and the complete one, run as they are printed (rows DEC-56, DEC-57)."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

import httpx
import pytest
import pytest_asyncio

from moothall import Agent
from tests.doors import complete_examples, shortcut_examples
from tests.doors.doubles import JsonService, lead_to, mcp_server, serving
from tests.doors.house import ANNA, BEN, served
from tests.groups.street import Street

pytestmark = pytest.mark.asyncio(loop_scope="module")

HOSTS = ("translate-api.com", "api.example.com")
UNITS: list[str] = []


def get_current_weather(location: str, units: str = "") -> dict[str, str]:
    """Tell the weather."""
    UNITS.append(units)
    return {"location": location, "weather": "windy"}


def examples(module: ModuleType) -> list[Any]:
    return [value for value in vars(module).values() if hasattr(value, "__capability__")]


@dataclass
class Place:
    """A street on which anna is an admin, and what the JSON services were asked."""

    street: Street
    service: JsonService

    async def owner(self, name: str, body: dict[str, Any]) -> Any:
        """What the owner is answered over plain HTTP."""
        token = {"Authorization": f"Bearer {self.street.near.owner_token}"}
        answer = await self.street.client.post(f"/api/v1/capabilities/{name}", json=body, headers=token)
        return answer.json()["data"]


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def place(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Place]:
    ready: asyncio.Future[Place] = asyncio.get_running_loop().create_future()
    stop = asyncio.Event()
    running = asyncio.create_task(_run(tmp_path_factory.mktemp("examples"), ready, stop))
    await asyncio.wait([running, ready], return_when=asyncio.FIRST_COMPLETED)
    yield ready.result()
    stop.set()
    await running


async def _run(folder: Path, ready: asyncio.Future[Place], stop: asyncio.Event) -> None:
    """Open everything and close it in one task: the SDK's server asks for that."""
    service = JsonService(lambda host, params: {"host": host, **params})
    with pytest.MonkeyPatch.context() as patch:
        async with (
            mcp_server("weather", get_current_weather) as weather,
            serving(service) as backend,
            served(folder / "far", Agent(ANNA), Agent(BEN)) as far,
        ):
            lead_to(patch, backend, *HOSTS)
            anna = far.host.office.did(ANNA)
            settings = {
                "mcp": {"weather": {"url": weather}, "weather_server": {"url": weather}},
                "egress_allow": ", ".join(["http://localhost", *(f"http://{host}" for host in HOSTS)]),
                "permissions": {anna: ["admin"]},
            }
            agents = (
                Agent("short", *examples(shortcut_examples)),
                Agent("whole", *examples(complete_examples)),
            )
            async with (
                served(folder / "near", *agents, **settings) as near,
                httpx.AsyncClient(base_url=near.url, trust_env=False, timeout=20) as client,
            ):
                street = Street(near, far, client)
                for group, agent in (("support", "short"), ("chat", "whole")):
                    await near.call("local:groups.create", group=group, members=[street.near_did(agent), anna])
                    await street.done(ANNA, "groups.join", group=group)
                ready.set_result(Place(street, service))
                await stop.wait()


@pytest.mark.requirement("DEC-56")
async def test_the_shortcuts_run_as_printed(place: Place) -> None:
    assert len(examples(shortcut_examples)) == 8
    assert await place.owner("short.calculate", {"a": 2, "b": 3, "op": "add"}) == 5
    assert await place.owner("short.calculate", {"a": 2, "b": 3, "op": "multiply"}) == 6
    assert (await place.owner("short.get_weather", {"location": "Oslo"}))["weather"] == "windy"
    translated = await place.owner("short.translate_service", {"text": "hi", "target_lang": "zh"})
    assert translated["host"] == "api.example.com"


@pytest.mark.requirement("DEC-56")
async def test_a_message_in_the_group_gets_the_printed_reply(place: Place) -> None:
    sent = await place.street.done(ANNA, "groups.send", group="support", content="help")
    assert [reply["content"] for reply in sent["replies"]] == [
        {"status": "received", "response": "We'll help you soon"}
    ]


@pytest.mark.requirement("DEC-56")
async def test_the_admins_function_is_for_whom_holds_the_permission(place: Place) -> None:
    status, error = await place.street.post(BEN, "short.admin_function", action="restart")
    assert (status, error["code"]) == (403, "PERMISSION_DENIED")
    status, value = await place.street.post(ANNA, "short.admin_function", action="restart")
    assert (status, value) == (200, {"action": "restart", "status": "executed"})


@pytest.mark.requirement("DEC-57")
async def test_the_complete_example_runs_as_printed(place: Place) -> None:
    assert len(examples(complete_examples)) == 4
    UNITS.clear()
    assert (await place.owner("whole.get_weather", {"location": "北京"}))["location"] == "北京"
    assert UNITS == ["celsius"]
    place.service.asked.clear()
    given = {"text": "你好", "source_lang": "zh", "target_lang": "en"}
    await place.owner("whole.translate_text", given)
    ((host, call),) = place.service.asked
    assert (host, call["params"]) == ("translate-api.com", given)
    arguments = {"a": 2, "b": 3, "operation": "multiply"}
    for body in (arguments, {"params": arguments}, {"body": arguments}):
        assert await place.owner("whole.calculate", body) == 6


@pytest.mark.requirement("DEC-57")
async def test_a_group_event_gets_the_printed_reply(place: Place) -> None:
    sent = await place.street.done(ANNA, "groups.send", group="chat", content="你好")
    assert [reply["content"] for reply in sent["replies"]] == [{"response": "收到消息: 你好"}]
