"""The hub of the current context: where code that names no node makes its calls, and as whom (rows CAL-01, CAL-09).

::

    with using(node):                                   # as the owner of a node
        await unified_caller("auto:获取股票数据", symbol="600519")

Inside a capability the hub is the call under way: whatever is called is called for that capability's caller, however
the process began. A hub that was opened outside does not reach into it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Final, TypeVar, cast

from moothall.calls.call import Call, running
from moothall.calls.ports import Gateway
from moothall.errors import UsageError
from moothall.identity.principal import OWNER, Principal

PartT = TypeVar("PartT")

_WAY_IN: Final = ("host", "path")
"""Where nodes and hosts have their call path."""


@dataclass(frozen=True, slots=True)
class Hub:
    """Where calls are made, and as whom.

    Attributes:
        gateway: the call path.
        principal: who calls.
        agent: the agent in whose name calls leave the node; empty: the default agent.
        confirmed: targets whose effects are agreed to beforehand (`CallFacts.confirmed`).
        sdk: the node, where `using` was given one; None inside a capability.
    """

    gateway: Gateway
    principal: Principal
    agent: str = ""
    confirmed: tuple[str, ...] = ()
    sdk: object = None


_opened: Final[ContextVar[tuple[Hub, Call | None] | None]] = ContextVar("hub", default=None)


def gateway_of(sdk: object) -> Gateway:
    """The call path of a node, of a host, or what is one itself.

    Raises:
        UsageError: it is none of these.
        InternalError: the node has not been started.
    """
    found = sdk
    for name in _WAY_IN:
        found = getattr(found, name, found)
    if not callable(getattr(found, "admit", None)):
        raise UsageError(f"{type(sdk).__name__} is no node and has no call path")
    return cast("Gateway", found)


@contextmanager
def using(
    sdk: object, principal: Principal = OWNER, *, agent: str = "", confirmed: Iterable[str] = ()
) -> Iterator[Hub]:
    """Make a node the current hub, for this task and those that it starts.

    Raises:
        UsageError: ``sdk`` is no node.
    """
    agreed = (confirmed,) if isinstance(confirmed, str) else tuple(confirmed)  # a text is no list of its letters
    hub = Hub(gateway_of(sdk), principal, agent, agreed, sdk)
    token = _opened.set((hub, running.get()))
    try:
        yield hub
    finally:
        _opened.reset(token)


def current_hub() -> Hub:
    """The hub of this context.

    Raises:
        UsageError: there is none: no capability runs here, and nothing was opened by `using`.
    """
    opened, call = _opened.get(), running.get()
    if opened is not None and opened[1] is call:
        return opened[0]
    if call is not None:
        return Hub(call.gateway, call.facts.principal, call.entry.agent)
    raise UsageError(
        "there is no current hub", hint="run this inside a capability, or within `with moothall.using(node):`"
    )


def get_current_sdk() -> object:
    """The name that spec B §10.1 uses: the node of `using`, inside a capability the hub; the callers take either."""
    hub = current_hub()
    return hub if hub.sdk is None else hub.sdk


def part_of(gateway: Gateway, kind: type[PartT]) -> PartT | None:
    """A part of the node that stands above its calls, for those who only know the hub; None where it has none."""
    parts: dict[type, object] = getattr(gateway, "parts", {})
    found = parts.get(kind)
    return found if isinstance(found, kind) else None
