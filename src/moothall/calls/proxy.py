"""A typed client made from a Protocol class: what type checkers see of a target, and what runs (row CAL-07)."""

from __future__ import annotations

import inspect
from collections.abc import AsyncGenerator, AsyncIterable, AsyncIterator, Callable, Mapping
from typing import Any, Final, Protocol, TypeVar, get_args, get_origin, get_type_hints

from moothall.errors import UsageError

P = TypeVar("P")
_STREAMS: Final = frozenset({AsyncIterator, AsyncIterable, AsyncGenerator})


class Calls(Protocol):
    """What a client calls through."""

    async def call(
        self,
        target: Mapping[str, Any],
        params: Mapping[str, Any],
        /,
        *,
        returns: Any,  # noqa: ANN401
    ) -> Any:  # noqa: ANN401
        """Call an operation and return its value as a type."""
        ...

    def stream(
        self,
        target: Mapping[str, Any],
        params: Mapping[str, Any],
        /,
        *,
        returns: Any,  # noqa: ANN401
    ) -> AsyncIterator[Any]:
        """The same for values one by one."""
        ...


def client(calls: Calls, protocol: type[P], target: str) -> P:
    """An object with the methods of ``protocol``; each calls the operation of its name at ``target``.

    Raises:
        UsageError: a method is not asynchronous.
    """
    methods = {
        name: _method(calls, target, name, method)
        for name, method in inspect.getmembers(protocol, inspect.isfunction)
        if not name.startswith("_")
    }
    made: P = type(protocol.__name__, (), {"__slots__": (), "__doc__": protocol.__doc__, **methods})()
    return made


def _method(calls: Calls, target: str, name: str, method: Callable[..., Any]) -> Callable[..., Any]:
    signature = inspect.signature(method)
    returns = get_type_hints(method, include_extras=True).get("return", None)
    where = {"target": target, "method": name}

    def given(positional: tuple[Any, ...], named: Mapping[str, Any]) -> dict[str, Any]:
        arguments = dict(signature.bind(*positional, **named).arguments)
        del arguments[next(iter(signature.parameters))]
        return arguments

    if get_origin(returns) in _STREAMS:
        item = get_args(returns)[0]

        def stream(*positional: Any, **named: Any) -> AsyncIterator[Any]:  # noqa: ANN401
            return calls.stream(where, given(positional, named), returns=item)

        return stream
    if not inspect.iscoroutinefunction(method):
        raise UsageError(f"{name} has to be `async def`, or to return an AsyncIterator: a call takes time")

    async def call(*positional: Any, **named: Any) -> Any:  # noqa: ANN401
        return await calls.call(where, given(positional, named), returns=returns)

    return call
