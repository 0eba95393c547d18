"""A function whose work is done elsewhere, called like any other: the call goes through the node that included it."""

from __future__ import annotations

import asyncio
import functools
import inspect
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from typing import Any, Final, Protocol

from moothall.capability.entry import Entry
from moothall.errors import UsageError

ROUTE: Final = "__capability_route__"


class Direct(Protocol):
    """How a direct call of a proxy is made; the composition root gives it to the registry."""

    def call(self, entry: Entry, params: Mapping[str, Any]) -> Awaitable[Any]:
        """Call a capability and return its value: in a running capability as its caller, else as the node's owner."""
        ...

    def stream(self, entry: Entry, params: Mapping[str, Any]) -> AsyncIterator[Any]:
        """The same, value by value."""
        ...


class Route:
    """The way of one proxy: its entry in every registry that took it in; the last one counts."""

    def __init__(self, function: Callable[..., Any]) -> None:
        self._signature = inspect.signature(function)
        self._name = getattr(function, "__qualname__", "a proxy")
        self._ways: list[tuple[object, Entry, Direct, asyncio.AbstractEventLoop]] = []

    def open(self, registry: object, entry: Entry, direct: Direct) -> None:
        """Send calls through a registry whose node runs in this loop."""
        self.close(registry)
        self._ways.append((registry, entry, direct, asyncio.get_running_loop()))

    def close(self, registry: object) -> None:
        """Send no calls there any more."""
        self._ways = [way for way in self._ways if way[0] is not registry]

    def begin(self, positional: tuple[Any, ...], named: Mapping[str, Any]) -> Any:  # noqa: ANN401
        """Something to await, or an iterator where values stream.

        Raises:
            UsageError: no running node has the proxy.
        """
        _, entry, direct, _ = self._way()
        bound = self._signature.bind(*positional, **named).arguments
        params = {name: value for name, value in bound.items() if name in entry.input_schema["properties"]}
        return direct.stream(entry, params) if entry.streams else direct.call(entry, params)

    def wait(self, positional: tuple[Any, ...], named: Mapping[str, Any]) -> Any:  # noqa: ANN401
        """The value, waited for in a thread that has no event loop; in one that has, what `begin` gives."""
        loop = self._way()[3]
        if _in_loop():
            return self.begin(positional, named)

        async def made() -> Any:  # noqa: ANN401
            begun = self.begin(positional, named)
            return await begun if inspect.isawaitable(begun) else [value async for value in begun]

        return asyncio.run_coroutine_threadsafe(made(), loop).result()

    def _way(self) -> tuple[object, Entry, Direct, asyncio.AbstractEventLoop]:
        if not self._ways:
            raise UsageError(f"{self._name} is done elsewhere: include it in a node and start that before calling it")
        return self._ways[-1]


def proxy(function: Callable[..., Any]) -> Callable[..., Any]:
    """A function that looks like ``function`` and calls what stands behind it."""
    route = Route(function)
    if inspect.iscoroutinefunction(function):

        @functools.wraps(function)
        async def called(*positional: Any, **named: Any) -> Any:  # noqa: ANN401
            begun = route.begin(positional, named)
            return await begun if inspect.isawaitable(begun) else begun

        setattr(called, ROUTE, route)
        return called

    @functools.wraps(function)
    def waited(*positional: Any, **named: Any) -> Any:  # noqa: ANN401
        return route.wait(positional, named)

    setattr(waited, ROUTE, route)
    return waited


def route_of(function: object) -> Route | None:
    """The route of a proxy; None for other functions."""
    found = getattr(function, ROUTE, None)
    return found if isinstance(found, Route) else None


def body_of(function: Callable[..., Any]) -> Callable[..., Any]:
    """What a proxy was made of, bound to the object that it is bound to; other functions are returned themselves."""
    if route_of(function) is None:
        return function
    inner: Callable[..., Any] = inspect.unwrap(function, stop=lambda item: route_of(item) is None)
    owner = getattr(function, "__self__", None)
    return inner if owner is None else inner.__get__(owner)


def _in_loop() -> bool:
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return False
    return True
