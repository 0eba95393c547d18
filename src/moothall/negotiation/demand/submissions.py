"""How often one caller may submit (row NEG-API-01)."""

from __future__ import annotations

from math import ceil

from moothall.errors import RateLimited, Told
from moothall.identity.principal import Principal
from moothall.negotiation.demand.callers import requester_of, sees_all
from moothall.resilience import RateLimiter


class SubmitLimit:
    """Counts the submissions of each caller with a name; the owner, admins and a node that asks nobody are not counted.

    Attributes:
        limiter: the buckets, by the name of the requester.
    """

    def __init__(self, limiter: RateLimiter) -> None:
        self.limiter = limiter

    def check(self, caller: Principal) -> None:
        """Let one submission pass.

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
