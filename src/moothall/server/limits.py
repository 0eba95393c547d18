"""How often the user of a key may submit (row NEG-API-01)."""

from __future__ import annotations

from math import ceil

from moothall.errors import RateLimited, Told
from moothall.resilience import RateLimiter
from moothall.server.access import Caller


class SubmitLimit:
    """Counts each user's submissions, whatever becomes of them; admins and a node without keys are not counted."""

    def __init__(self, limiter: RateLimiter) -> None:
        self.limiter = limiter

    def check(self, caller: Caller) -> None:
        """Let one submission pass.

        Raises:
            RateLimited: the user has submitted as often as the setting allows; `details` says when to try again.
        """
        if caller.user is None or caller.admin:
            return
        wait = ceil(self.limiter.allow(caller.user))
        if wait:
            told = Told("why.rate", {"seconds": wait})
            raise RateLimited(f"the next demand may be submitted in {wait} s", told=told, details={"retry_after": wait})
