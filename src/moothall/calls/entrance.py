"""Who gets in: who sent a request, and the limits of callers and addresses (the first stages of the call path)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, Protocol

from moothall.calls.call import LOCAL
from moothall.calls.limits import Window, limited, partition
from moothall.calls.ports import CallFacts
from moothall.calls.terms import Terms
from moothall.errors import Conflict, Told, Unauthenticated
from moothall.identity.principal import ANONYMOUS, Principal
from moothall.identity.request import HttpRequest
from moothall.telemetry import logger

_MINUTE: Final = 60.0
_log = logger("calls")


class Verifies(Protocol):
    """What finds out who sent a request."""

    async def verify(self, request: HttpRequest) -> Principal:
        """Who sent it; `ANONYMOUS` without proof; raises Unauthenticated for a proof that does not hold."""
        ...


class Entrance:
    """The stages before anything is looked up.

    Proofs that do not hold are counted by address: beyond the limit an address is refused before anything of its
    requests is verified, since that is what costs. Calls without proof are counted by address, too, but apart, and
    all others by caller, so that nobody is refused for a neighbour's calls (row TPL-39).
    """

    def __init__(self, verifier: Verifies | None, terms: Terms, monotonic: Callable[[], float]) -> None:
        self._verifier = verifier
        self._hops = terms.max_hops
        self._failed = _window(terms.address_limit, monotonic)
        self._unproved = _window(terms.address_limit, monotonic)
        self._callers = _window(terms.caller_limit, monotonic)

    async def authenticate(self, request: HttpRequest) -> Principal:
        """Who sent a request.

        Raises:
            Unauthenticated: it carries a proof that does not hold.
            PermissionDeniedError: the identity is suspended.
            RateLimited: its address sent too many proofs that do not hold.
        """
        if self._verifier is None:
            return ANONYMOUS
        failed = self._failed
        if failed is not None and (wait := failed.spent(request.address)):
            raise limited(wait)
        try:
            return await self._verifier.verify(request)
        except Unauthenticated as error:
            if failed is not None:
                failed.take(request.address)
            _log.info("a proof of identity from %s was refused: %s: %s", request.address or "-", error.reason, error)
            raise

    def pass_in(self, facts: CallFacts) -> int | None:
        """Count a call; what the limit of its caller leaves, None where it has none.

        Raises:
            Conflict: it has passed through too many capabilities and nodes.
            RateLimited: its caller or address calls too often.
        """
        if facts.hops > self._hops:
            raise Conflict(
                f"the call has passed through more than {self._hops} capabilities and nodes",
                told=Told("calls.hops", {"most": self._hops}),
            )
        principal = facts.principal
        if facts.door == LOCAL or principal.kind == "local":
            return None
        window = self._callers if principal.verified else self._unproved
        return None if window is None else window.take(partition(principal, facts.address))


def _window(calls: int, monotonic: Callable[[], float]) -> Window | None:
    return Window(calls, _MINUTE, monotonic) if calls else None
