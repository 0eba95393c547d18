"""Calls of the tools from this process, as models make them: through the call path, at the door of models."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Final

from moothall.calls.call import LOCAL, running
from moothall.calls.hub import Hub
from moothall.calls.inner import facts_within
from moothall.calls.plan import FOR_MODELS
from moothall.calls.ports import CallFacts
from moothall.calls.reply import Reply
from moothall.calls.request_ids import fresh
from moothall.calls.target import Target
from moothall.capability.entry import Entry
from moothall.capability.spec import FACADE
from moothall.toolkit.decorator import TOOL

_TAGS: Final = frozenset({FACADE, TOOL})


def is_tool(entry: Entry) -> bool:
    """Whether a capability is one of the node's tools, or one that a user added to them."""
    return bool(_TAGS.intersection(entry.spec.tags))


async def use(hub: Hub, tool: str, arguments: Mapping[str, Any]) -> Reply[Any]:
    """Call a tool, ``AGENT.NAME`` or one of the node's own, as whom the hub says; every failure is in the reply."""
    outer = running.get()
    if outer is None:
        facts = CallFacts(door=FOR_MODELS, principal=hub.principal, request_id=fresh(), agent=hub.agent)
    else:
        facts = replace(facts_within(outer, hub.principal), door=FOR_MODELS)
    return await hub.gateway.call(Target(LOCAL, tool), arguments, facts)
