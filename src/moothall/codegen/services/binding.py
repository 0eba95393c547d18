"""``call`` inside the sandbox: what generated code reaches, with the rights of its caller and no more than it may."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Collection, Mapping
from typing import Any, Final

from pydantic_core import PydanticSerializationError, to_jsonable_python

from moothall.codegen.sandbox.port import Departure, HostCall, Refusal
from moothall.errors import ApprovalPending, CallTimeout, InputRequired, MoothallError, StorageError, Unavailable

Own = Mapping[str, Callable[[Mapping[str, Any]], Awaitable[Any]]]
"""Targets that are functions of the host."""

Caller = Callable[[str, Mapping[str, Any]], Awaitable[Any]]
"""Calls a target as whoever called the generated code; `CallContext.call` is one."""

NOT_ALLOWED: Final = "this target may not be called"
_LEAVES: Final = (ApprovalPending, InputRequired, CallTimeout, StorageError)
"""What the code cannot go on after: its caller hears of it, and calls again."""


def host_call(
    call: Caller,
    may_call: Collection[str],
    aliases: Mapping[str, Callable[[Mapping[str, Any]], Awaitable[Any]]] | None = None,
    failed: Callable[[MoothallError], None] | None = None,
) -> HostCall:
    """What ``call(target, parameters)`` does.

    A target that is not named exactly as in ``may_call`` is refused; what a call raises becomes a fixed text with the
    error's code, so that nothing of other rooms leaks into the sandbox.

    Args:
        call: makes calls, with the rights of whoever called.
        may_call: the targets of the manifest.
        aliases: targets that are functions of the host.
        failed: is told of every error that the code is told of.
    """
    allowed, own = frozenset(may_call), dict(aliases or {})

    def refusal(error: MoothallError) -> Refusal:
        if failed is not None:
            failed(error)
        return Refusal(f"the call failed: {error.code}")

    async def made(target: str, parameters: Mapping[str, Any]) -> Any:  # noqa: ANN401 - JSON
        if target not in allowed:
            raise Refusal(NOT_ALLOWED)
        try:
            value = await (own[target](parameters) if target in own else call(target, parameters))
        except _LEAVES as error:
            raise Departure(error) from error
        except Unavailable as error:
            if isinstance(error.__cause__, ApprovalPending):
                raise Departure(error) from error
            raise refusal(error) from None
        except MoothallError as error:
            raise refusal(error) from None
        try:
            return to_jsonable_python(value)
        except (PydanticSerializationError, ValueError):
            raise Refusal("the value has no JSON form") from None

    return made
