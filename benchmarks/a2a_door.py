"""A2A unary calls at our door beside the SDK's reference server: over sockets, same client, same run, both bindings.

Our side is a served node: identity, policy, call path, and tasks that outlive the process. The SDK's server keeps its
tasks in memory and does nothing but add two numbers.

    python -m benchmarks.a2a_door [--seconds S] [--turns N] [--connections N]
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from collections.abc import Callable
from itertools import count
from pathlib import Path
from typing import Any

import uvloop
from a2a.helpers import get_data_parts, new_data_part, new_task_from_user_message
from a2a.server.agent_execution import AgentExecutor, RequestContext
from a2a.server.events import EventQueue
from a2a.server.request_handlers import DefaultRequestHandler
from a2a.server.routes import create_jsonrpc_routes, create_rest_routes
from a2a.server.tasks import InMemoryTaskStore, TaskUpdater
from a2a.types import AgentCapabilities, AgentCard, AgentInterface
from starlette.applications import Starlette
from starlette.types import ASGIApp

from benchmarks.beside import Begin, Lane, Link, Server, Write, compare, post, ratio, serve, tell
from moothall import Node, capability
from moothall.server.run import bind, serve_on
from moothall.settings import Settings

GOAL = 1.0
OURS, THEIRS = "moothall", "the SDK's reference server"
RPC = {OURS: "/agents/node/a2a", THEIRS: "/a2a"}
REST = {OURS: "/agents/node/a2a/message:send", THEIRS: "/rest/message:send"}
_MESSAGES = count(1)


@capability(access="public")
async def add(a: int, b: int) -> int:
    """Add two numbers."""
    return a + b


class Adding(AgentExecutor):
    """Does what our capability does."""

    async def execute(self, context: RequestContext, event_queue: EventQueue) -> None:
        assert context.message is not None
        task = new_task_from_user_message(context.message)
        task.id, task.context_id = context.task_id, context.context_id
        await event_queue.enqueue_event(task)
        told = TaskUpdater(event_queue, task.id, task.context_id)
        [given] = get_data_parts(context.message.parts)
        await told.start_work()
        value = given["arguments"]["a"] + given["arguments"]["b"]
        await told.add_artifact([new_data_part(value, media_type="application/json")], name="result")
        await told.complete()

    async def cancel(self, context: RequestContext, event_queue: EventQueue) -> None:
        await TaskUpdater(event_queue, context.task_id or "", context.context_id or "").cancel()


def reference() -> ASGIApp:
    card = AgentCard(
        name="peer",
        description="adds",
        version="1",
        supported_interfaces=[
            AgentInterface(url="http://127.0.0.1/a2a", protocol_binding="JSONRPC", protocol_version="1.0"),
            AgentInterface(url="http://127.0.0.1/rest", protocol_binding="HTTP+JSON", protocol_version="1.0"),
        ],
        capabilities=AgentCapabilities(streaming=True),
        default_input_modes=["application/json"],
        default_output_modes=["application/json"],
    )
    handler = DefaultRequestHandler(agent_executor=Adding(), task_store=InMemoryTaskStore(), agent_card=card)
    rpc = create_jsonrpc_routes(handler, rpc_url="/a2a")
    return Starlette(routes=[*rpc, *create_rest_routes(handler, path_prefix="/rest")])


async def serve_node() -> None:
    """Serve a node with one capability, as `moot serve` does."""
    with tempfile.TemporaryDirectory() as folder, bind("127.0.0.1", 0) as listener:
        port = listener.getsockname()[1]
        node = Node(Settings(data=Path(folder), demo_agents=False, address_limit=0, caller_limit=0))
        node.listen_on(port)
        node.include(add)
        async with node:
            await serve_on(listener, node.app(), host="127.0.0.1", on_ready=lambda _: tell(port))


def message() -> dict[str, Any]:
    data = {"skill": "add", "arguments": {"a": 2, "b": 3}}
    part = {"data": data, "mediaType": "application/json"}
    return {"message": {"messageId": f"m{next(_MESSAGES)}", "role": "ROLE_USER", "parts": [part]}}


def rpc(name: str) -> Begin:
    async def begin(link: Link) -> Write:
        def write(number: int) -> bytes:
            body = {"jsonrpc": "2.0", "id": number, "method": "SendMessage", "params": message()}
            return post(link.port, RPC[name], json.dumps(body).encode(), A2A_Version="1.0")

        return write

    return begin


def rest(name: str) -> Begin:
    async def begin(link: Link) -> Write:
        return lambda _: post(link.port, REST[name], json.dumps(message()).encode(), A2A_Version="1.0")

    return begin


def fits(body: bytes) -> bool:
    """Whether the task is done and its artifact holds 5."""
    answer = json.loads(body)
    task = answer.get("result", answer)["task"]
    done: bool = task["status"]["state"] == "TASK_STATE_COMPLETED"
    return done and task["artifacts"][0]["parts"][0]["data"] == 5


BINDINGS: dict[str, Callable[[str], Begin]] = {"JSON-RPC": rpc, "HTTP+JSON": rest}


def main() -> None:
    """Print both bindings and their ratios; fail when we are slower."""
    asked = argparse.ArgumentParser(description="the A2A door beside the SDK's reference server")
    asked.add_argument("--seconds", type=float, default=1.5, help="of each measurement")
    asked.add_argument("--turns", type=int, default=5)
    asked.add_argument("--connections", type=int, default=8)
    asked.add_argument("--serve", choices=["node", "sdk"], help=argparse.SUPPRESS)
    given = asked.parse_args()
    if given.serve == "sdk":
        serve(reference)
        return
    if given.serve:
        uvloop.run(serve_node())
        return
    servers = {
        name: Server(sys.executable, "-m", "benchmarks.a2a_door", "--serve", each)
        for name, each in ((OURS, "node"), (THEIRS, "sdk"))
    }
    missed = False
    try:
        for binding, begin in BINDINGS.items():
            print(binding)
            lanes = [Lane(name, server, begin(name), fits) for name, server in servers.items()]
            rows = compare(lanes, given.seconds, given.turns, given.connections)
            rate, cpu = ratio(rows, OURS, THEIRS)
            print(f"  to the SDK: {rate:.2f} of its rate (goal {GOAL:.1f}), {cpu:.2f} of its CPU")
            missed |= rate < GOAL
    finally:
        for server in servers.values():
            server.close()
    sys.exit(1 if missed else 0)


if __name__ == "__main__":
    main()
