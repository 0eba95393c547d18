"""How often one caller may submit (row NEG-API-01)."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from math import ceil
from typing import Final

from moothall.errors import RateLimited, Told
from moothall.identity.principal import Principal
from moothall.negotiation.demand.callers import requester_of, sees_all
from moothall.resilience import RateLimiter

_counted: Final[ContextVar[list[Principal] | None]] = ContextVar("counted", default=None)
"""The caller whose submission was counted at a route, until it is submitted: a list, so that it is taken out once."""


class SubmitLimit:
    """Counts the submissions of each caller with a name; the owner, admins and a node that asks nobody are not counted.

    Attributes:
        limiter: the buckets, by the name of the requester.
    """

    def __init__(self, limiter: RateLimiter) -> None:
        self.limiter = limiter

    @contextmanager
    def counted(self, caller: Principal) -> Iterator[None]:
        """The one submission that this caller makes in here was counted by `check` before its body was read."""
        token = _counted.set([caller])
        try:
            yield
        finally:
            _counted.reset(token)

    def submit(self, caller: Principal) -> None:
        """Let one submission pass, and count it unless a route has. Raises as `check`."""
        waiting = _counted.get()
        if waiting and waiting[0] is caller:
            waiting.clear()
        else:
            self.check(caller)

    def check(self, caller: Principal) -> None:
        """Count one submission and let it pass.

        Raises:
            RateLimited: the caller has submitted as often as the setting allows; `details` says when to try again.
        """
        name = None if sees_all(caller) else requester_of(caller)
        if name is None:
            return
        wait = ceil(self.limiter.allow(name))
        if wait:
            told = Told("why.rate", {"seconds": wait})
            raise RateLimited(f"the next demand may be submitted in {wait} s", told=told, details={"retry_after": wait})
