"""What a failure means for the call path: whether to repeat it, and whether to try the next provider."""

from __future__ import annotations

from typing import Final

from moothall.errors import (
    ApprovalPending,
    CallTimeout,
    Conflict,
    Forbidden,
    InputRequired,
    InternalError,
    InvalidInput,
    ModelTimeout,
    ModelUnavailable,
    MoothallError,
    NodeUnreachable,
    Overloaded,
    RateLimited,
    StorageError,
    Unavailable,
    UpstreamError,
    UpstreamInvalid,
    UsageError,
)

FAILURES: Final = (Exception, SystemExit)
"""What a capability's code may raise; a process does not end because one of its capabilities wants to."""

_ANSWERS: Final = (ApprovalPending, Conflict, Forbidden, InputRequired, InvalidInput, UsageError)
"""Said of the caller or its arguments: asking again, or elsewhere, changes nothing."""

_PASSING: Final = (
    CallTimeout,
    ModelTimeout,
    ModelUnavailable,
    NodeUnreachable,
    Overloaded,
    RateLimited,
    StorageError,
    Unavailable,
    UpstreamError,
)
"""Said of the moment."""


_REFUSALS: Final = frozenset(range(400, 500)) - {408, 425, 429}
"""Statuses of HTTP that another attempt will not change; those taken out are said of the moment."""


def is_answer(error: BaseException) -> bool:
    """Whether it tells the caller something about its call, so that no other provider is asked."""
    return isinstance(error, _ANSWERS)


def may_pass(error: BaseException) -> bool:
    """Whether another attempt may go better: what is said of the moment, and what nobody foresaw.

    What a capability's code raises comes as the cause of an InternalError; one without a cause is a finding of ours,
    such as a result that does not fit its annotation.
    """
    if isinstance(error, UpstreamInvalid) or is_refusal(error):
        return False
    if isinstance(error, InternalError):
        return error.__cause__ is not None
    return isinstance(error, _PASSING) or not isinstance(error, MoothallError)


def is_refusal(error: BaseException) -> bool:
    """Whether the far side said, with a status of its own, that it is the call that does not fit (row TPL-28)."""
    return isinstance(error, UpstreamError) and error.status in _REFUSALS


def unsent(error: BaseException) -> bool:
    """Whether it is certain that nothing was sent (row DEC-27); of somebody who cannot be reached, by the cause."""
    if isinstance(error, Unavailable) and error.__cause__ is not None:
        return unsent(error.__cause__)
    return isinstance(error, UpstreamError) and not error.sent


def wait_told(error: BaseException) -> float:
    """Seconds after which the error says that the next attempt may come; 0.0 where it says nothing."""
    told = error.details.get("retry_after") if isinstance(error, RateLimited | Unavailable) else None
    return float(told) if isinstance(told, int | float) else 0.0
