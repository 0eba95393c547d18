"""Who gets in: who sent a request, and the limits of callers and addresses (the first stages of the call path)."""

from __future__ import annotations

import hashlib
import re
from collections import OrderedDict
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
_REMEMBERED: Final = 4096
_LONGEST: Final = 512
_INPUT: Final = b"signature-input"
_SIGNED: Final = frozenset({_INPUT, b"signature"})
_SHOWN: Final = frozenset({b"authorization", b"x-admin-key"})
_NO_KEY: Final = b"?"
_KEYID: Final = re.compile(rb';\s*keyid\s*=\s*"([^"]+)"', re.IGNORECASE)
_LEGACY: Final = re.compile(rb'DIDWba\b[^\n]*?\bdid\s*=\s*"([^"]+)"', re.IGNORECASE)
_log = logger("calls")


class Verifies(Protocol):
    """What finds out who sent a request."""

    async def verify(self, request: HttpRequest) -> Principal:
        """Who sent it; `ANONYMOUS` without proof; raises Unauthenticated for a proof that does not hold."""
        ...


class Entrance:
    """The stages before anything is looked up.

    Proofs that do not hold are counted by address and by whose they claim to be: beyond the limit that claim is refused
    at that address before anything of it is verified, since that is what costs (a DID that nobody knows is asked for).
    A claim that was proved before goes on, and so does what comes without proof: behind a proxy all share an address.
    Calls without proof are counted by address, but apart, and all others by caller, so that nobody is refused for a
    neighbour's calls (row TPL-39).
    """

    def __init__(self, verifier: Verifies | None, terms: Terms, monotonic: Callable[[], float]) -> None:
        self._verifier = verifier
        self._hops = terms.max_hops
        self._failed = _window(terms.address_limit, monotonic)
        self._unproved = _window(terms.address_limit, monotonic)
        self._callers = _window(terms.caller_limit, monotonic)
        self._proved: OrderedDict[str, None] = OrderedDict()

    async def authenticate(self, request: HttpRequest) -> Principal:
        """Who sent a request.

        Raises:
            Unauthenticated: it carries a proof that does not hold.
            PermissionDeniedError: the identity is suspended.
            RateLimited: too many such proofs that did not hold came from its address.
        """
        if self._verifier is None:
            return ANONYMOUS
        claim, failed = claimed(request), self._failed
        if not claim or failed is None:
            return await self._verified(self._verifier, request)
        key = f"{request.address} {claim}"
        if claim not in self._proved and (wait := failed.spent(key)):
            raise limited(wait)
        try:
            principal = await self._verified(self._verifier, request)
        except Unauthenticated:
            if not failed.spent(key):
                failed.take(key)
            raise
        if principal.verified:
            self._proved[claim] = None
            self._proved.move_to_end(claim)
            if len(self._proved) > _REMEMBERED:
                self._proved.popitem(last=False)
        return principal

    async def _verified(self, verifier: Verifies, request: HttpRequest) -> Principal:
        try:
            return await verifier.verify(request)
        except Unauthenticated as error:
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


def claimed(request: HttpRequest) -> str:
    """Whose proof a request claims to carry: the keys that it names, else a hash of what it shows; empty for none."""
    signed, shown = b"", b""
    for name, value in request.headers:
        if name in _SIGNED:
            signed += _NO_KEY if name != _INPUT else b" ".join(_KEYID.findall(value)) or _NO_KEY
        elif name in _SHOWN:
            shown += value + b"\n"
    if not signed and not shown:
        return ""
    legacy = None if signed else _LEGACY.search(shown)
    named = signed or (legacy[1] if legacy else b"")
    return named.decode("latin-1") if 0 < len(named) <= _LONGEST else hashlib.sha256(named or shown).hexdigest()


def _window(calls: int, monotonic: Callable[[], float]) -> Window | None:
    return Window(calls, _MINUTE, monotonic) if calls else None
