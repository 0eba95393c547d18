"""A served MCP door with the tools of a node, over the real call path; what looks around answers what it was asked."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any

from moothall.calls.call import LOCAL
from moothall.calls.caller import UnifiedCaller
from moothall.calls.ports import CallFacts, Outgoing
from moothall.calls.reply import Reply
from moothall.calls.target import Target
from moothall.capability.context import CallContext
from moothall.capability.decorators import capability
from moothall.capability.members import members_of
from moothall.capability.registry import Registry
from moothall.directory.tools.facade import FacadeTools
from moothall.directory.tools.reach import Reach
from moothall.directory.tools.resources import Resources
from moothall.errors import ConfirmationRequired
from moothall.identity.principal import Principal
from tests.protocols.mcp.hall import Hall, hall

TOOLS = ("unified_caller", "unified_crawler", "resource_manager", "orchestration")


@capability(access="authenticated")
async def weather(city: str) -> dict[str, str]:
    """Tell the weather of a city."""
    return {"city": city, "weather": "sunny"}


@capability(access="authenticated", expose_to="llm")
async def shown(ctx: CallContext) -> str:
    """Say who calls, and whether for itself."""
    return f"{ctx.principal.id} {ctx.inside}"


@capability(access="authenticated", expose_to="local")
async def inner_only() -> str:
    """For code of this process."""
    return "inner"


@capability(access="authenticated")
async def helper(target: str, tools: dict) -> Any:  # type: ignore[type-arg]
    """Do what its caller names."""
    return await tools["unified_caller"](target=target)


@capability(access="owner")
async def owners() -> str:
    """For the owner."""
    return "owner's"


@capability(access="authenticated")
async def leaky() -> str:
    """Fail."""
    raise RuntimeError("SECRET")


class Looking:
    """Answers what it was asked, as whom; made within a call."""

    async def execute(self, action: str, query: str = "", **params: Any) -> Any:
        if action == "intelligent_call":
            if params.get("confirmed"):
                return {"confirmed": params["confirmed"]}
            raise ConfirmationRequired("it changes something", details={"target": "local:node.weather"})
        who = await UnifiedCaller().call("local:node.whoami")
        return {"action": action, "query": query, "who": who, **params}


@capability(access="authenticated", expose_to="local")
async def whoami(ctx: CallContext) -> str:
    """Say who calls."""
    return ctx.principal.id


class Planned:
    """Tasks of one step, under the names that plans have at a node."""

    def __init__(self) -> None:
        self.states: dict[str, str] = {}

    @capability(name="orchestration.submit", access="authenticated")
    async def submit(
        self, request: str = "", steps: list[dict[str, Any]] | None = None, run: str = ""
    ) -> dict[str, Any]:
        """Take a plan."""
        self.states["t1"] = "running"
        return {"id": "t1", "request": request, "steps": steps, "run": run}

    @capability(name="orchestration.status", access="authenticated")
    async def status(self, id: str) -> str:  # noqa: A002 - as tasks have it
        """Say how it goes."""
        return self.states[id]

    @capability(name="orchestration.cancel", access="authenticated")
    async def cancel(self, id: str) -> str:  # noqa: A002 - as tasks have it
        """Stop it."""
        self.states[id] = "cancelled"
        return "cancelled"


class Echo:
    """What is elsewhere: says what it was asked, and as whom."""

    schemes = ("mcp", "auto")

    async def call(self, outgoing: Outgoing) -> Any:
        who = outgoing.principal.id if outgoing.principal else ""
        return {"target": str(outgoing.target), "params": outgoing.params, "who": who}

    async def stream(self, outgoing: Outgoing) -> AsyncIterator[Any]:
        yield await self.call(outgoing)

    async def describe(self, target: Target, agent: str) -> dict[str, Any]:
        return {"target": str(target)}


@asynccontextmanager
async def tower() -> AsyncIterator[Hall]:
    async with hall(weather, shown, inner_only, helper, owners, leaky, whoami, connectors=[Echo()]) as door:
        resources = Resources(door.registry, lambda: door.path)
        tools = FacadeTools(Reach(door.path._monotonic), resources, Looking)
        door.registry.add("node", [*members_of(tools), *members_of(Planned())])
        yield door


def registry_of(door: Hall) -> Registry:
    return door.registry


async def local(door: Hall, name: str, arguments: Mapping[str, Any], principal: Principal) -> Reply[Any]:
    """Call a tool as code of this process does."""
    return await door.path.call(Target(LOCAL, name), arguments, CallFacts(door=LOCAL, principal=principal))
