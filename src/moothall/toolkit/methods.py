"""The tools as functions of this process, whose results have the form of the specification (rows LLM-02, ENV-07).

::

    with using(node):
        await unified_caller_method(target="mcp:weather.get_current", parameters={"location": "北京"})

They are called as whom the current hub says, and reach what that caller's model reaches; without one they refuse.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from moothall.calls.hub import current_hub
from moothall.calls.reply import Reply
from moothall.calls.requests import joined
from moothall.capability.narration import public
from moothall.capability.spec import JsonObject
from moothall.capability.tools import CALLER, CRAWLER, MANAGER, ORCHESTRATION
from moothall.errors import MoothallError, Told, Unauthenticated, UsageError, ValidationError
from moothall.messages import Lang
from moothall.toolkit.decorator import PARAMETERS
from moothall.toolkit.using import use

LANG: Final[Lang] = "zh"
"""The language of the specification, in which errors are told."""


async def unified_caller_method(target: str, method: str = "", **parameters: Any) -> JsonObject:  # noqa: ANN401
    """Call anything in the network: ``{"success", "result" or "error", "target", "method"}``.

    Args:
        target: local:, did:, mcp:, a2a: or auto:
        method: the operation, where the target does not name it.
        parameters: the arguments, or all of them as the one called ``parameters``.
    """
    named = {"target": target, "method": method}
    return form(await _tool(CALLER, named, parameters), named)


async def unified_crawler_method(action: str, query: str = "", **parameters: Any) -> JsonObject:  # noqa: ANN401
    """Look around in the network: ``{"success", "result" or "error", "action", "query"}``."""
    named = {"action": action, "query": query}
    return form(await _tool(CRAWLER, named, parameters), named)


async def resource_manager_method(action: str, resource: str = "", **parameters: Any) -> JsonObject:  # noqa: ANN401
    """Look at and manage what the node offers: ``{"success", "result" or "error", "action", "resource"}``."""
    named = {"action": action, "resource": resource}
    return form(await _tool(MANAGER, named, parameters), named)


async def orchestration_method(action: str, **arguments: Any) -> JsonObject:  # noqa: ANN401
    """Plan several calls, and follow them: ``{"success", "result" or "error", "action"}``."""
    named = {"action": action}
    try:
        reply = await use(current_hub(), ORCHESTRATION, {**arguments, **named})
    except UsageError:
        return form(_nobody(), named)
    return form(reply, named)


async def mcp_unified_caller(target: str, method: str = "", **params: Any) -> Any:  # noqa: ANN401 - what the target gives
    """What the tool ``unified_caller`` gives, for code of this process; ``params`` as `unified_caller_method` has them.

    Raises:
        Unauthenticated: nothing says who calls.
        MoothallError: why the call failed.
    """
    return _given(await _tool(CALLER, {"target": target, "method": method}, params))


async def mcp_unified_crawler(action: str, query: str = "", **params: Any) -> Any:  # noqa: ANN401 - depends on the action
    """What the tool ``unified_crawler`` gives; raises as `mcp_unified_caller`."""
    return _given(await _tool(CRAWLER, {"action": action, "query": query}, params))


def form(reply: Reply[Any] | MoothallError, named: Mapping[str, str], lang: Lang = LANG) -> JsonObject:
    """A reply as the specification writes it for tools of this process; of an error, what a stranger may read."""
    error = reply if isinstance(reply, MoothallError) else reply.error
    if error is not None:
        return {"success": False, "error": public(error, lang), **named}
    return {"success": True, "result": reply.data if isinstance(reply, Reply) else None, **named}


def _given(reply: Reply[Any] | MoothallError) -> Any:  # noqa: ANN401
    error = reply if isinstance(reply, MoothallError) else reply.error
    if error is not None:
        raise error
    return reply.data if isinstance(reply, Reply) else None


async def _tool(name: str, named: Mapping[str, str], parameters: Mapping[str, Any]) -> Reply[Any] | MoothallError:
    try:
        return await use(current_hub(), name, {**named, PARAMETERS: _arguments(parameters)})
    except UsageError:
        return _nobody()
    except MoothallError as error:
        return error


def _arguments(parameters: Mapping[str, Any]) -> dict[str, Any]:
    """The arguments as keywords, as one object, or both.

    Raises:
        ValidationError: one is given twice, or ``parameters`` is no object.
    """
    inner = parameters.get(PARAMETERS, {})
    if not isinstance(inner, Mapping):
        raise ValidationError("parameters is no mapping", told=Told("calls.parameters_mapping"))
    rest = {name: value for name, value in parameters.items() if name != PARAMETERS}
    return dict(joined(inner, rest))


def _nobody() -> Unauthenticated:
    return Unauthenticated("nothing says who calls", told=Told("tools.nobody"))
