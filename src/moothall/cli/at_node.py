"""Commands that ask a node: the running one, else one that starts in this process for as long as the command runs."""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final

from moothall.cli.calling import Calls, calls_of
from moothall.cli.desk import JsonObject
from moothall.cli.invocation import Invocation
from moothall.cli.signals import run
from moothall.errors import UsageError
from moothall.identity.keystore import DEFAULT_AGENT

if TYPE_CHECKING:
    from moothall.node import Node

_SECONDS: Final = 60.0
"""For what the node itself does."""

_PAGE: Final = 50


def at_node(call: Invocation, code: str | None, work: Callable[[Calls], Coroutine[Any, Any, int]]) -> int:
    """Do something with the capabilities that the owner can call; ``code`` is a file with a node of one's own."""
    node = _loaded(call, code)
    settings = node.settings if node is not None else call.settings()

    async def working() -> int:
        async with calls_of(settings, call.lang, node) as calls:
            return await work(calls)

    return run(working())


def asked(call: Invocation, name: str, /, **given: object) -> Any:  # noqa: ANN401 - JSON of any shape
    """The value of a capability of the node itself; arguments that are None are left out."""
    return asked_with(call, None, name, **given)


def asked_with(call: Invocation, code: str | None, name: str, /, **given: object) -> Any:  # noqa: ANN401 - as above
    """The same at a node of one's own, when none runs."""
    found: list[Any] = []

    async def work(calls: Calls) -> int:
        found.append(await _own(calls, name, given))
        return 0

    at_node(call, code, work)
    return found[0]


def asked_each(call: Invocation, steps: Sequence[tuple[str, Mapping[str, object]]]) -> list[Any]:
    """The values of several capabilities, one after the other; the first that fails is the last."""
    found: list[Any] = []

    async def work(calls: Calls) -> int:
        for name, given in steps:
            found.append(await _own(calls, name, given))
        return 0

    at_node(call, None, work)
    return found


def pages(
    call: Invocation, name: str, following: Callable[[Any], Mapping[str, object] | None], /, **given: object
) -> list[Any]:
    """All pages of a capability; ``following`` says what asks for the page after one, None: it was the last."""
    found: list[Any] = []

    async def work(calls: Calls) -> int:
        more: Mapping[str, object] | None = {}
        while more is not None:
            found.append(await _own(calls, name, {**given, **more}))
            more = following(found[-1])
        return 0

    at_node(call, None, work)
    return found


def listed(call: Invocation, name: str, member: str, most: int, /, **given: object) -> list[JsonObject]:
    """The rows of a capability that gives them by pages, so many at the most."""
    left = most

    def following(page: JsonObject) -> Mapping[str, object] | None:
        nonlocal left
        left -= len(page[member])
        return {"cursor": page["next_cursor"], "limit": min(_PAGE, left)} if page["next_cursor"] and left > 0 else None

    found = pages(call, name, following, limit=min(_PAGE, most), **given)
    return [row for page in found for row in page[member]]


async def _own(calls: Calls, name: str, given: Mapping[str, object]) -> Any:  # noqa: ANN401 - as above
    params = {argument: value for argument, value in given.items() if value is not None}
    return await calls.call(f"local:{DEFAULT_AGENT}.{name}", params, _SECONDS)


def _loaded(call: Invocation, code: str | None) -> Node | None:
    if code is None:
        return None
    from moothall.cli.loading import load_node  # noqa: PLC0415 - only code of one's own needs the whole node here

    if not code.endswith(".py") and "/" in code:
        raise UsageError(call.text("serve.no_file", path=code))
    return load_node(call, code, {"data": call.data})
