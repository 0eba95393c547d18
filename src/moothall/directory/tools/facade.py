"""The four tools of a node (spec B §3.1): capabilities of its own agent, for models and for code in this process.

Every call that a tool makes is made as the tool's caller, and counts as a call inside: what only a person may do with
its rights (deciding approvals, giving them away) no tool does.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Annotated, Any, Final, Literal, Protocol

from pydantic import Field

from moothall.calls.inner import own
from moothall.calls.target import MOST, Target
from moothall.capability.context import CallContext
from moothall.capability.decorators import CapabilityDecorator
from moothall.capability.spec import FACADE, JsonObject
from moothall.capability.tools import CALLER, CRAWLER, MANAGER, ORCHESTRATION
from moothall.directory.searching import LONGEST
from moothall.directory.tools.reach import Reach, at_home, check
from moothall.directory.tools.resources import Resources
from moothall.errors import MoothallError, Told, ValidationError

SECONDS: Final = 3600.0
"""That a tool may take; the capability that does the work sets its own limit."""

_EMPTY: Final[dict[str, Any]] = {}
_NO_STEPS: Final[list[JsonObject]] = []

Named = Annotated[str, Field(min_length=1, max_length=MOST)]
Words = Annotated[str, Field(max_length=LONGEST)]
Crawling = Literal["discover", "search", "describe", "call", "intelligent_call"]
Managing = Literal["list", "describe", "enable", "disable", "publish"]
Planning = Literal["submit", "confirm", "status", "cancel"]


class Crawler(Protocol):
    """Looks around; made within a call, for its caller."""

    async def execute(self, action: str, query: str = "", **params: Any) -> Any:  # noqa: ANN401
        """Do what an action says."""
        ...


def _tool(name: str, *, open_world: bool = True) -> CapabilityDecorator:
    """`capability` as all four are: for models and this process, and whoever proves who it is."""
    return CapabilityDecorator(
        name=name,
        expose_to=("local", "llm"),
        access="authenticated",
        timeout=SECONDS,
        open_world=open_world,
        ai_optimized=False,
        tags=(FACADE,),
    )


class FacadeTools:
    """The tools ``unified_caller``, ``unified_crawler``, ``resource_manager`` and ``orchestration``.

    Args:
        reach: makes their calls.
        resources: what this node has.
        crawlers: makes what looks around, for the call under way.
    """

    def __init__(self, reach: Reach, resources: Resources, crawlers: Callable[[], Crawler]) -> None:
        self._reach = reach
        self._resources = resources
        self._crawlers = crawlers

    @_tool(CALLER)
    async def caller(
        self, ctx: CallContext, target: Named, method: str = "", parameters: dict[str, Any] = _EMPTY
    ) -> Any:  # noqa: ANN401 - what the target gives
        """Call anything in the network: a capability here, an agent or tool elsewhere, or what fits a request in words.

        Args:
            ctx: the call, made by the call path
            target: local:AGENT.NAME, did:wba:…#OPERATION, mcp:SERVER.TOOL, a2a:ALIAS#SKILL, or auto:REQUEST IN WORDS
            method: the operation, where the target does not name it
            parameters: the arguments by name
        """
        return await self._reach.call(ctx, Target.parse(target, method), parameters)

    @_tool(CRAWLER)
    async def crawler(
        self, ctx: CallContext, action: Crawling, query: Words = "", parameters: dict[str, Any] = _EMPTY
    ) -> Any:  # noqa: ANN401 - depends on the action
        """Find out what there is in the network, by meaning, and call what fits.

        Args:
            ctx: the call, made by the call path
            action: discover lists what there is, search finds by words, describe tells all about a target, call calls
                one, intelligent_call finds and calls what fits the words
            query: words, or for describe and call a target
            parameters: the arguments of the call, or how to search
        """
        if action == "call":
            target = Target.parse(_target(query, parameters), _text(parameters, "method"))
            return {"target": str(target), "result": await self._reach.call(ctx, target, _arguments(parameters))}
        if action == "describe":
            named = _target(query, parameters)
            check(ctx, Target.parse(named))
            return await self._crawlers().execute(action, named)
        if twice := sorted({"action", "query"} & parameters.keys()):
            told = Told("calls.parameters_twice", {"names": ", ".join(twice)})
            raise ValidationError("an argument is given twice", told=told)
        if parameters.get("confirmed") == "*" and not at_home(ctx):  # nobody agrees through a model to whatever it is
            parameters = {**parameters, "confirmed": ""}
        try:
            return await self._crawlers().execute(action, query, **parameters)
        except MoothallError as error:  # who says what is wanted hears why nothing came of it, as who names a target
            raise own(error)  # noqa: B904 - it is the same error

    @_tool(MANAGER, open_world=False)
    async def manager(
        self, ctx: CallContext, action: Managing, resource: str = "", parameters: dict[str, Any] = _EMPTY
    ) -> JsonObject:
        """List and describe the capabilities of this node; put one out of service, back, or on the network.

        Args:
            ctx: the call, made by the call path
            action: list and describe show what you may call; enable, disable and publish need the permission admin
            resource: AGENT.NAME; for list, words that must occur
            parameters: of publish, what the publication of a generated service takes
        """
        return await self._resources.manage(ctx, action, resource, parameters)

    @_tool(ORCHESTRATION)
    async def orchestration(
        self,
        ctx: CallContext,
        action: Planning,
        request: Words = "",
        steps: Sequence[JsonObject] = _NO_STEPS,
        run: Literal["read_only", "ask"] = "read_only",
        id: str = "",  # noqa: A002 - what models call it
        digest: str = "",
    ) -> Any:  # noqa: ANN401 - depends on the action
        """Do several calls one after another as a task that lasts: you get its id at once, and ask how it goes.

        Args:
            ctx: the call, made by the call path
            action: submit a request in words or the steps of a plan; confirm a plan that waits; status; cancel
            request: of submit, what is wanted
            steps: of submit, the plan, each step with its target and arguments
            run: of submit, whether what only reads runs at once or everything waits for confirm
            id: of the task, for the other actions
            digest: of confirm, of the plan that is meant
        """
        given: JsonObject = {"id": id}
        if action == "submit":
            given = {"request": request, "steps": list(steps) or None, "run": run}
            for step in steps:
                check(ctx, Target.parse(str(step.get("target", ""))))
        elif action == "confirm":
            given["digest"] = digest
        return await self._reach.inward(ctx, f"{ORCHESTRATION}.{action}", given)


def _target(query: str, parameters: Mapping[str, Any]) -> str:
    """The target that an action names; a bare name is one of this node."""
    found = _text(parameters, "target") or query
    return found if ":" in found else f"local:{found}"


def _arguments(parameters: Mapping[str, Any]) -> Mapping[str, Any]:
    """The arguments for a target: under ``parameters``, or all that is there beside its name."""
    inner = parameters.get("parameters")
    if isinstance(inner, Mapping):
        return inner
    return {name: value for name, value in parameters.items() if name not in {"target", "method"}}


def _text(parameters: Mapping[str, Any], name: str) -> str:
    value = parameters.get(name, "")
    if not isinstance(value, str):
        raise ValidationError("a target is a text", told=Told("calls.request"))
    return value
