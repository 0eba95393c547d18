"""Calls that are made inside a capability: what they know, and whose their errors are.

A capability that lets such an error pass did not refuse its own caller: who proved well who it is must not hear that it
did not, and who asked for something that exists not that it is missing.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any, Final

from moothall.calls.audit import hidden
from moothall.calls.call import LOCAL, Call, Stage
from moothall.calls.ports import Admitted, CallFacts, Gateway, Params
from moothall.calls.reply import Item, Progress, Reply
from moothall.calls.request_ids import fresh
from moothall.calls.streaming import closing
from moothall.errors import (
    ApprovalPending,
    Forbidden,
    Gone,
    InvalidInput,
    MoothallError,
    ServiceNotFoundError,
    Told,
    Unauthenticated,
    Unavailable,
    UpstreamError,
    UsageError,
)
from moothall.identity.principal import Principal
from moothall.telemetry import logger

REFUSALS: Final = (Unauthenticated, Forbidden, ServiceNotFoundError, Gone)
"""Said of whoever calls, and of what it may know."""

_MISUSES: Final = (InvalidInput, UsageError)
_log = logger("calls")


def facts_within(  # noqa: PLR0913 - most have a default, and are given by their names
    outer: Call,
    principal: Principal,
    *,
    timeout: float | None = None,
    agent: str = "",
    key: str | None = None,
    approval: str = "",
    purpose: str = "",
    as_agent: bool = False,
    confirmed: tuple[str, ...] = (),
) -> CallFacts:
    """What is known of a call that ``outer`` makes; ``agent`` signs it, unless that is the capability's own.

    It is for the same purpose, unless another is said. One that is only passed on has the approval of ``outer``. What
    an agent does ``as_agent`` it does for itself; everything else that is not just passed on is `CallFacts.inside`.
    """
    facts = outer.facts
    return CallFacts(
        door=LOCAL,
        principal=principal,
        request_id=fresh(),
        timeout=timeout,
        hops=facts.hops + 1,
        idempotency_key=key,
        address=facts.address,
        report=outer.report if outer.relays else None,
        partner=outer.partner if outer.relays else None,
        agent=agent or outer.entry.agent,
        parent=outer.request_id,
        inside=not as_agent and (facts.inside or not outer.relays),
        approval=approval or (facts.approval if outer.relays else ""),
        lent=facts.approval or facts.lent,
        purpose=purpose or facts.purpose,
        confirmed=confirmed,
        unapproved=facts.unapproved or outer.unapproved,
    )


def value_of(reply: Reply[Any], outer: Call | None) -> Any:  # noqa: ANN401
    """The value of a reply.

    Raises:
        MoothallError: the error of the reply.
    """
    if reply.error is not None:
        raise got(reply.error, outer)
    return reply.data


async def values_of(gateway: Gateway, admitted: Admitted, params: Params, outer: Call | None) -> AsyncIterator[Any]:
    """The values of a call one by one; of one that gives a single value that one.

    Raises:
        MoothallError: the error of the call, after the values that came before.
    """
    async with closing(gateway.stream(admitted, params)) as chunks:
        async for chunk in chunks:
            if isinstance(chunk, Item):
                yield chunk.value
            elif isinstance(chunk, Progress):
                if outer is not None and outer.relays and outer.report is not None:
                    await outer.report(chunk)
            elif chunk.error is not None:
                raise got(chunk.error, outer)
            elif not admitted.entry.streams:
                yield chunk.data


def got(error: MoothallError, outer: Call | None) -> MoothallError:
    """The error of a call that was made inside another: it is marked as not that one's own."""
    if outer is not None:
        error.inner = outer.request_id
    return error


def own(error: MoothallError) -> MoothallError:
    """An error that a capability passes on as its own, on purpose."""
    error.inner = ""
    return error


def unmark(error: MoothallError, call: Call) -> None:
    """Forget the mark of an earlier call: functions may raise one object several times."""
    if error.inner != call.request_id:
        error.inner = ""


def outward(error: MoothallError, call: Call) -> MoothallError:
    """What the caller of ``call`` hears of its error: an inner refusal is no refusal of this caller.

    Of an inner call that waits for an approval it hears where that is its own call, which it can make again.
    """
    if not error.inner or not isinstance(error, (*REFUSALS, *_MISUSES, ApprovalPending)):
        return error
    if isinstance(error, ApprovalPending):
        own_call = error.details.get("requester") == call.facts.principal.id and "remote" not in error.details
        return error if own_call else _waits(error)
    if not isinstance(error, REFUSALS):
        return hidden(error)  # the capability called it wrongly: that is its own fault, which is logged as one
    _log.warning("%s %s: what it called answered %s: %s", call.request_id, call.name, error.code, error)
    return disowned(error)


def outwardly(stage: Stage) -> Stage:
    """A stage whose errors are those for callers outside, for answers that are kept and may be read at any door."""

    async def work(call: Call) -> Any:  # noqa: ANN401
        try:
            return await stage(call)
        except MoothallError as error:
            told = outward(error, call)
            if told is error:
                raise
            raise told  # noqa: B904 - it has its cause

    return work


def _waits(error: ApprovalPending) -> Unavailable:
    unavailable = Unavailable("something that it needs waits for an approval", told=Told("calls.approval_inside"))
    unavailable.__cause__ = error
    return unavailable


def disowned(error: MoothallError) -> UpstreamError:
    """The error of a capability when what it called refused it: its own caller may call it, and proved who it is."""
    upstream = UpstreamError("what was called elsewhere refuses the call", told=Told("calls.disowned"))
    upstream.__cause__ = error
    return upstream
