"""The engine of tasks over a real call path and a real store; what a test's capabilities do waits for its gates."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from moothall.calls.ports import CallFacts
from moothall.clock import Clock, SystemClock
from moothall.identity.allowed import Allowed
from moothall.identity.egress import Egress
from moothall.identity.principal import Principal
from moothall.messages import Lang
from moothall.protocols.a2a.operations import Visit
from moothall.protocols.a2a.service import TaskService, Terms
from moothall.storage.store import Store
from tests.calls.hall import ALICE, Hall


def visit(
    principal: Principal = ALICE, *, agent: str = "node", tenant: str = "", lang: Lang = "en", **more: Any
) -> Visit:
    """A request of somebody."""
    facts = CallFacts(door="a2a", principal=principal, address="198.51.100.7", **more)
    return Visit(agent=agent, facts=facts, tenant=tenant, lang=lang)


def asks(skill: str = "", arguments: Any = None, /, *, parts: list[Any] | None = None, **more: Any) -> dict[str, Any]:
    """A ``SendMessageRequest``; ``taskId``, ``contextId``, ``metadata`` belong to its message, others to itself."""
    data = {"skill": skill, "arguments": {} if arguments is None else arguments}
    own = {name: more.pop(name) for name in ("taskId", "contextId", "messageId") if name in more}
    message = {"messageId": "m-1", "role": "ROLE_USER", "parts": parts or [{"data": data}], **own}
    configuration = {name: more.pop(name) for name in list(more) if name != "metadata"}
    return {"message": message, "configuration": configuration, **more}


def answers(task: str, given: Mapping[str, Any], **more: Any) -> dict[str, Any]:
    """The message that answers what a task asked."""
    return asks(parts=[{"data": {"answers": dict(given)}}], taskId=task, messageId="m-2", **more)


def state(task: Mapping[str, Any]) -> str:
    """The state of a task, in short."""
    return str(task["status"]["state"]).removeprefix("TASK_STATE_").lower()


def values(task: Mapping[str, Any]) -> list[Any]:
    """What its result holds."""
    return [part["data"] for artifact in task.get("artifacts", ()) for part in artifact["parts"]]


def kind(event: Mapping[str, Any]) -> str:
    """An event in one word: the state that it tells, or ``artifact``."""
    if "artifactUpdate" in event:
        return "artifact"
    return state(event.get("task") or event["statusUpdate"])


def error_of(task: Mapping[str, Any]) -> dict[str, Any]:
    """The error that its status tells."""
    found = [part["data"]["error"] for part in task["status"]["message"]["parts"] if "data" in part]
    return dict(found[0])


class Engine:
    """A service over functions of the agent ``node`` and others."""

    def __init__(self, store: Store, hall: Hall, clock: Clock, terms: Terms, egress: Egress) -> None:
        self.store = store
        self.hall = hall
        self.egress = egress
        self.tasks = TaskService(gateway=lambda: hall.path, store=store, egress=egress, clock=clock, terms=terms)

    async def send(self, request: dict[str, Any], principal: Principal = ALICE, **more: Any) -> dict[str, Any]:
        """Send a message and give the task."""
        return dict((await self.tasks.send_message(visit(principal, **more), request))["task"])

    def stream(self, request: dict[str, Any], principal: Principal = ALICE, **more: Any) -> AsyncIterator[Any]:
        """Send a message and take the events."""
        return self.tasks.stream_message(visit(principal, **more), request)

    async def get(self, task: str, principal: Principal = ALICE, **more: Any) -> dict[str, Any]:
        """The task as it is."""
        history = {name: more.pop(name) for name in ("historyLength",) if name in more}
        return dict(await self.tasks.get_task(visit(principal, **more), {"id": task, **history}))

    async def page(self, principal: Principal = ALICE, /, *, tenant: str = "", **wanted: Any) -> dict[str, Any]:
        """A page of the list of tasks."""
        return dict(await self.tasks.list_tasks(visit(principal, tenant=tenant), wanted))

    async def rested(self, task: str, principal: Principal = ALICE) -> dict[str, Any]:
        """The task once it has ended."""
        async for _ in self.tasks.subscribe(visit(principal), {"id": task}):
            pass
        return await self.get(task, principal)


@asynccontextmanager
async def engine(
    data: Path,
    *functions: object,
    url: str = "",
    clock: Clock | None = None,
    terms: Terms | None = None,
    egress: Egress | None = None,
    agents: Mapping[str, object] | None = None,
) -> AsyncIterator[Engine]:
    """An engine that was started; it is closed like a node that stops."""
    store = await Store.open(data, url)
    clock = clock or SystemClock()
    hall = Hall(*functions, agents=agents, store=store)
    made = Engine(store, hall, clock, terms or Terms(), egress or Egress(Allowed()))
    try:
        await made.tasks.start()
        yield made
    finally:
        await made.tasks.aclose()
        await made.egress.aclose()
        await store.close()


class Gate:
    """Holds a capability in the middle of its work."""

    def __init__(self) -> None:
        self.reached = asyncio.Event()
        self.open = asyncio.Event()

    async def wait(self) -> None:
        """Say that the work is here, and wait."""
        self.reached.set()
        await self.open.wait()
