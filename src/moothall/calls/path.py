"""The call path: what every call goes through, whichever door it came from.

::

    request id · deadline · hop limit · limits of address and caller → resolve → authorize → validate
      → capability limit → approval → idempotency → cache → retry{ breaker → invoke } → validate result → audit → Reply

The stages up to *authorize* are `admit`, the others `run`; those that depend on a capability's options are compiled
for it once (`compiling`).
"""

from __future__ import annotations

import os
from collections.abc import AsyncIterator, Coroutine, Iterable
from dataclasses import replace
from typing import Any

from moothall.calls.admission import Admission, Registry
from moothall.calls.audit import Audit
from moothall.calls.cache import Cache
from moothall.calls.compiling import Compiler
from moothall.calls.direct import DirectCalls
from moothall.calls.entrance import Entrance, Verifies
from moothall.calls.hooks import Hooks
from moothall.calls.keyed import Keyed
from moothall.calls.ledger import Ledger
from moothall.calls.meter import CallMeter
from moothall.calls.nested import Nested
from moothall.calls.performance import Performance
from moothall.calls.plan import Ready
from moothall.calls.ports import Admitted, CallFacts, Connector, Params
from moothall.calls.providing import Providing
from moothall.calls.remotes import Remotes
from moothall.calls.repetition import Repetition
from moothall.calls.reply import Chunk, Reply
from moothall.calls.request_ids import fresh
from moothall.calls.seal import SECRET, Seal
from moothall.calls.target import Target
from moothall.calls.terms import Terms
from moothall.capability.entry import Entry
from moothall.capability.registry import Snapshot
from moothall.capability.spec import JsonObject
from moothall.clock import Clock, SystemClock
from moothall.errors import MoothallError, UsageError
from moothall.identity.principal import Principal
from moothall.identity.request import HttpRequest
from moothall.policy.decision import Authorizer
from moothall.storage.store import Store


class CallPath:
    """The `Gateway` of a node.

    Attributes:
        hooks: what users put around calls.
        meter: the figures, for a registry of prometheus-client.

    `secret` seals the answers that the store keeps (32 bytes); without it only this very path can read them.
    """

    def __init__(  # noqa: PLR0913 - all but two have a default, and are given by their names
        self,
        registry: Registry,
        authorizer: Authorizer,
        *,
        verifier: Verifies | None = None,
        connectors: Iterable[Connector] = (),
        store: Store | None = None,
        secret: bytes = b"",
        clock: Clock | None = None,
        terms: Terms | None = None,
        hooks: Hooks | None = None,
    ) -> None:
        clock, terms = clock or SystemClock(), terms or Terms()
        monotonic = self._monotonic = clock.monotonic
        self.hooks = hooks or Hooks()
        self.meter = CallMeter()
        self._registry = registry
        self._remotes = Remotes(connectors, terms, self.meter.remotes, monotonic)
        self._entrance = Entrance(verifier, terms, monotonic)
        self._audit = Audit(self.meter)
        self._keyed = Keyed(
            None if store is None else Ledger(store, clock), Seal(secret or os.urandom(SECRET)), monotonic
        )
        compiler = Compiler(
            Providing(self._remotes, Repetition(clock, terms.chance), monotonic),
            self.hooks,
            Cache(terms.cache_entries, terms.cache_bytes, monotonic),
            self._keyed,
            monotonic,
        )
        self._admission = Admission(registry, authorizer, compiler, self._audit, terms)
        self._performance = Performance(Nested(self, terms, monotonic), self._audit, clock)

    @property
    def snapshot(self) -> Snapshot:
        """The capabilities as they are now."""
        return self._registry.snapshot

    def connect(self, connector: Connector) -> None:
        """Use a connector for the schemes that it knows."""
        self._remotes.add(connector)

    async def aclose(self) -> None:
        """End the keyed calls that are under way, with callers or without; how they would have ended stays unknown."""
        await self._keyed.aclose()

    async def describe(self, target: Target, agent: str) -> JsonObject:
        """What there is at a target elsewhere, whatever operation it names; ``agent`` asks.

        Raises:
            Unavailable: this node has no connector for it; and what the methods of `Connector` raise.
        """
        return await self._remotes.connector(target.scheme, target.scheme).describe(target, agent)

    async def authenticate(self, request: HttpRequest) -> Principal:
        """Who sent a request; `ANONYMOUS` where it carries no proof.

        Raises:
            Unauthenticated: it carries a proof that does not hold.
            PermissionDeniedError: the identity is suspended (``forbidden_did``).
            RateLimited: too many such proofs that did not hold came from its address.
        """
        return await self._entrance.authenticate(request)

    def visible(self, principal: Principal, door: str) -> tuple[Entry, ...]:
        """The newest versions, by id, of what a principal may call at a door; counts for no limit."""
        return self._admission.visible(principal, door)

    async def admit(self, target: Target, facts: CallFacts) -> Admitted:
        """Resolve the target and decide whether the caller may call it.

        Raises:
            ServiceNotFoundError, Gone, Unauthenticated, PermissionDeniedError, RateLimited, Conflict, CallTimeout:
                it may not, or cannot.
        """
        return self._admit(target, facts)

    @property
    def direct(self) -> DirectCalls:
        """How proxies that are called as functions make their calls; for `Registry.start`."""
        return DirectCalls(self, self._admit_entry)

    def run(self, admitted: Admitted, params: Params) -> Coroutine[Any, Any, Reply[Any]]:
        """Validate the arguments and make the call; failures are in the reply. Cancelling it cancels the work."""
        return self._performance.run(_ready(admitted), params)

    def stream(self, admitted: Admitted, params: Params) -> AsyncIterator[Chunk]:
        """The same, value by value: `Item` and `Progress` as they come, one `Reply` at the end.

        The reply carries no data, unless the capability yields no values: then it has the value.
        """
        return self._performance.stream(_ready(admitted), params)

    async def call(self, target: Target, params: Params, facts: CallFacts) -> Reply[Any]:
        """Admit and run; every failure is in the reply."""
        if not facts.request_id:
            facts = replace(facts, request_id=fresh())
        try:
            ready = self._admit(target, facts)
        except MoothallError as error:
            return self._performance.refused(facts, error)
        return await self._performance.run(ready, params)

    def _admit(self, target: Target, facts: CallFacts) -> Ready:
        started = self._monotonic()
        try:
            remaining = self._entrance.pass_in(facts)
            plan, approve, seconds = self._admission.decide(target, facts)
        except MoothallError as error:
            self._audit.refused(self._admission.name(target), facts, error, self._monotonic() - started)
            raise
        return Ready(plan.entry, facts, started + seconds, started, remaining, plan=plan, approve=approve)

    def _admit_entry(self, entry: Entry, facts: CallFacts) -> Ready:
        started = self._monotonic()
        try:
            remaining = self._entrance.pass_in(facts)
            plan, approve, seconds = self._admission.decide_entry(entry, facts)
        except MoothallError as error:
            self._audit.refused(entry.id, facts, error, self._monotonic() - started)
            raise
        return Ready(entry, facts, started + seconds, started, remaining, plan=plan, approve=approve)


def _ready(admitted: Admitted) -> Ready:
    if not isinstance(admitted, Ready):
        raise UsageError("only `admit` admits a call")
    return admitted
