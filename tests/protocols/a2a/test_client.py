"""The official SDK's client against our door: both bindings of 1.0, and 0.3."""

from __future__ import annotations

import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from a2a.client import Client, ClientConfig, ClientFactory
from a2a.client.card_resolver import A2ACardResolver
from a2a.helpers import get_data_parts, new_data_part
from a2a.types import (
    AgentCard,
    CancelTaskRequest,
    DeleteTaskPushNotificationConfigRequest,
    GetExtendedAgentCardRequest,
    GetTaskPushNotificationConfigRequest,
    GetTaskRequest,
    ListTaskPushNotificationConfigsRequest,
    ListTasksRequest,
    Message,
    Role,
    SendMessageConfiguration,
    SendMessageRequest,
    StreamResponse,
    SubscribeToTaskRequest,
    TaskPushNotificationConfig,
    TaskState,
)
from a2a.utils.errors import (
    InvalidParamsError,
    TaskNotCancelableError,
    TaskNotFoundError,
    UnsupportedOperationError,
)

from tests.protocols.a2a.hall import ANNA, BEN, GATES, Gates, Place

pytestmark = pytest.mark.asyncio(loop_scope="module")

WAYS = pytest.mark.parametrize("way", [("JSONRPC", "1.0"), ("HTTP+JSON", "1.0"), ("JSONRPC", "0.3")], ids="-".join)
MODERN = pytest.mark.parametrize("way", [("JSONRPC", "1.0"), ("HTTP+JSON", "1.0")], ids="-".join)

Way = tuple[str, str]


@asynccontextmanager
async def client(hall: Place, way: Way, who: str = ANNA, *, streaming: bool = False) -> AsyncIterator[Client]:
    """A client that knows no other way than this."""
    async with hall.as_(who) as http:
        card = await A2ACardResolver(http, f"{hall.url}/agents/hall").get_agent_card()
        chosen = [each for each in card.supported_interfaces if (each.protocol_binding, each.protocol_version) == way]
        del card.supported_interfaces[:]
        card.supported_interfaces.extend(chosen)
        config = ClientConfig(httpx_client=http, streaming=streaming, supported_protocol_bindings=[way[0]])
        yield ClientFactory(config).create(card)


def asking(skill: str, arguments: dict[str, Any], **configuration: Any) -> SendMessageRequest:
    part = new_data_part({"skill": skill, "arguments": arguments})
    message = Message(message_id=uuid.uuid4().hex, role=Role.ROLE_USER, parts=[part])
    return SendMessageRequest(message=message, configuration=SendMessageConfiguration(**configuration))


async def sent(asker: Client, request: SendMessageRequest) -> list[StreamResponse]:
    return [event async for event in asker.send_message(request)]


def gate() -> tuple[str, Gates]:
    name = uuid.uuid4().hex
    GATES[name] = Gates()
    return name, GATES[name]


@WAYS
async def test_unary(hall: Place, way: Way) -> None:
    async with client(hall, way) as asker:
        (event,) = await sent(asker, asking("add", {"a": 2, "b": 3}))
        assert event.task.status.state == TaskState.TASK_STATE_COMPLETED
        assert get_data_parts(event.task.artifacts[0].parts) == [5]
        assert (await asker.get_task(GetTaskRequest(id=event.task.id))).id == event.task.id
        (event,) = await sent(asker, asking("echo", {"value": {"text": "汉字", "list": [None, True]}}))
        assert get_data_parts(event.task.artifacts[0].parts) == [{"text": "汉字", "list": [None, True]}]


@WAYS
async def test_streaming(hall: Place, way: Way) -> None:
    async with client(hall, way, streaming=True) as asker:
        events = await sent(asker, asking("count", {"to": 3}))
    assert events[0].HasField("task")
    chunks = [event.artifact_update for event in events if event.HasField("artifact_update")]
    assert [value for chunk in chunks for value in get_data_parts(chunk.artifact.parts)] == [0, 1, 2]
    assert events[-1].status_update.status.state == TaskState.TASK_STATE_COMPLETED


@WAYS
async def test_a_task_that_goes_on_is_watched_and_cancelled(hall: Place, way: Way) -> None:
    name, gates = gate()
    async with client(hall, way) as asker, client(hall, way, streaming=True) as watcher:
        (event,) = await sent(asker, asking("held", {"name": name}, return_immediately=True))
        task = event.task.id
        await gates.begun.wait()
        watching = watcher.subscribe(SubscribeToTaskRequest(id=task))
        assert (await anext(watching)).task.status.state == TaskState.TASK_STATE_WORKING
        cancelled = await asker.cancel_task(CancelTaskRequest(id=task))
        assert cancelled.status.state == TaskState.TASK_STATE_CANCELED
        rest = [event async for event in watching]
        assert rest[-1].status_update.status.state == TaskState.TASK_STATE_CANCELED
        with pytest.raises(TaskNotCancelableError):
            await asker.cancel_task(CancelTaskRequest(id=task))
        with pytest.raises(UnsupportedOperationError):
            _ = [event async for event in watcher.subscribe(SubscribeToTaskRequest(id=task))]
    await gates.ended.wait()


@MODERN
async def test_tasks_are_listed_by_pages(hall: Place, way: Way) -> None:
    who = f"did:wba:caller.example:{uuid.uuid4().hex}"
    async with client(hall, way, who) as asker, client(hall, way, BEN) as other:
        made = {(await sent(asker, asking("add", {"a": each})))[0].task.id for each in range(3)}
        first = await asker.list_tasks(ListTasksRequest(page_size=2))
        second = await asker.list_tasks(ListTasksRequest(page_size=2, page_token=first.next_page_token))
        assert {task.id for page in (first, second) for task in page.tasks} == made
        assert (len(first.tasks), first.total_size, second.next_page_token) == (2, 3, "")
        assert not made & {task.id for task in (await other.list_tasks(ListTasksRequest(page_size=100))).tasks}


@WAYS
async def test_others_find_no_task(hall: Place, way: Way) -> None:
    async with client(hall, way) as asker, client(hall, way, BEN) as other:
        (event,) = await sent(asker, asking("add", {"a": 1}))
        with pytest.raises(TaskNotFoundError):
            await other.get_task(GetTaskRequest(id=event.task.id))
        with pytest.raises(TaskNotFoundError):
            await other.cancel_task(CancelTaskRequest(id=event.task.id))


@WAYS
async def test_push_configurations(hall: Place, way: Way) -> None:
    name, gates = gate()
    async with client(hall, way) as asker:
        (event,) = await sent(asker, asking("held", {"name": name}, return_immediately=True))
        task = event.task.id
        wanted = TaskPushNotificationConfig(task_id=task, id="mine", url=f"{HOOK}/hook", token="t")
        wanted.authentication.scheme = "Bearer"
        made = await asker.create_task_push_notification_config(wanted)
        assert (made.id, made.url, made.task_id) == ("mine", wanted.url, task)
        got = await asker.get_task_push_notification_config(
            GetTaskPushNotificationConfigRequest(task_id=task, id="mine")
        )
        assert got.url == wanted.url
        listed = ListTaskPushNotificationConfigsRequest(task_id=task)
        assert [each.id for each in (await asker.list_task_push_notification_configs(listed)).configs] == ["mine"]
        await asker.delete_task_push_notification_config(
            DeleteTaskPushNotificationConfigRequest(task_id=task, id="mine")
        )
        assert not (await asker.list_task_push_notification_configs(listed)).configs
        await asker.cancel_task(CancelTaskRequest(id=task))
    await gates.ended.wait()


@WAYS
async def test_the_extended_card(hall: Place, way: Way) -> None:
    async with client(hall, way) as asker:
        card: AgentCard = await asker.get_extended_agent_card(GetExtendedAgentCardRequest())
    assert {"echo", "add"} <= {skill.id for skill in card.skills}


@WAYS
async def test_errors_are_the_protocols_own(hall: Place, way: Way) -> None:
    async with client(hall, way) as asker:
        with pytest.raises(TaskNotFoundError):
            await asker.get_task(GetTaskRequest(id="none"))
        with pytest.raises(InvalidParamsError):
            await sent(asker, SendMessageRequest(message=Message(message_id="m", role=Role.ROLE_USER)))


HOOK = "http://localhost:1"
