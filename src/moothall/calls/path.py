"""The call path: what every call goes through, whichever door it came from.

::

    request id · deadline · hop limit · limits of address and caller → resolve → authorize → validate
      → capability limit → approval → quota → record → idempotency → cache → retry{ breaker → invoke }
      → validate result → redact → audit → Reply

The stages up to *authorize* are `admit`, the others `run`; those that depend on a capability's options are compiled
for it once (`compiling`).
"""

from __future__ import annotations

import os
from collections.abc import AsyncIterator, Coroutine, Iterable, Mapping
from dataclasses import replace
from functools import partial
from types import MappingProxyType
from typing import Any

from moothall.approvals.asking import Approvals, Ask
from moothall.audit.record import Recorder
from moothall.calls.admission import Admission, Registry
from moothall.calls.approving import UNREAD, Approving
from moothall.calls.audit import Audit, concealed
from moothall.calls.cache import Cache
from moothall.calls.compiling import Compiler
from moothall.calls.direct import DirectCalls
from moothall.calls.entrance import Entrance, Verifies
from moothall.calls.executing import Executing, Renewed, as_it_is
from moothall.calls.failures import FAILURES
from moothall.calls.governing import Governing
from moothall.calls.hooks import Before, Hooks
from moothall.calls.keyed import Keyed
from moothall.calls.ledger import Ledger
from moothall.calls.meter import CallMeter
from moothall.calls.nested import Nested
from moothall.calls.outcome import Outcome
from moothall.calls.performance import Performance
from moothall.calls.plan import Ready
from moothall.calls.ports import Admitted, CallFacts, Connector, Params, Stops
from moothall.calls.providing import Providing
from moothall.calls.rationing import CountedHere, Quotas
from moothall.calls.recording import Recording
from moothall.calls.remotes import Remotes
from moothall.calls.repetition import Repetition
from moothall.calls.reply import Chunk, Reply
from moothall.calls.request_ids import fresh
from moothall.calls.seal import SECRET, Seal
from moothall.calls.target import Target
from moothall.calls.terms import Terms
from moothall.calls.understanding import Understanding
from moothall.capability.entry import Entry
from moothall.capability.registry import Snapshot
from moothall.capability.spec import JsonObject
from moothall.clock import Clock, SystemClock
from moothall.errors import MoothallError, UsageError
from moothall.identity.principal import Principal
from moothall.identity.request import HttpRequest
from moothall.policy.decision import Authorizer
from moothall.resilience import BreakerState
from moothall.storage.store import Store


class CallPath:
    """The `Gateway` of a node.

    Attributes:
        hooks: what users put around calls.
        meter: the figures, for a registry of prometheus-client.
        understanding: understands arguments in words, once something that can is put in.
        parts: what stands above the calls, by its type, for code that knows no more than the current hub.

    `secret` seals the answers that the store keeps (32 bytes); without it only this very path can read them. `recorder`
    is told of every call; `approvals` takes the calls that somebody has to approve: without it nobody can be asked;
    `quotas` counts in the store what is counted in memory otherwise; `renewed` gives the requester of an approved call
    as it is by now, or refuses it; `guards` stand before the capabilities of a template, whoever calls them.
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
        recorder: Recorder | None = None,
        approvals: Approvals | None = None,
        quotas: Quotas | None = None,
        renewed: Renewed = as_it_is,
        guards: Mapping[str, Before] = MappingProxyType({}),
    ) -> None:
        clock, terms = clock or SystemClock(), terms or Terms()
        monotonic = self._monotonic = clock.monotonic
        self.hooks = hooks or Hooks()
        self.meter = CallMeter()
        self.parts: dict[type, object] = {}
        self.understanding = Understanding()
        self._registry = registry
        self._remotes = Remotes(connectors, terms, self.meter.remotes, monotonic)
        self._entrance = Entrance(verifier, terms, monotonic)
        self._recording = Recording(recorder)
        self._audit = Audit(self.meter, self._recording)
        seal = Seal(secret or os.urandom(SECRET))
        self._keyed = Keyed(None if store is None else Ledger(store, clock), seal, monotonic)
        compiler = Compiler(
            Providing(self._remotes, Repetition(clock, terms.chance), monotonic),
            self.hooks,
            Cache(terms.cache_entries, terms.cache_bytes, monotonic),
            self._keyed,
            monotonic,
            guards,
        )
        self._approving = Approving(approvals, seal)
        governing = Governing(self._approving, quotas or CountedHere(monotonic), self._recording, monotonic)
        self._admission = Admission(registry, authorizer, compiler, self._audit, self._recording, terms, monotonic)
        own = partial(_ids, registry, terms)
        nested = Nested(self, terms, monotonic)
        self._performance = Performance(nested, self._audit, governing, clock, self.understanding)
        self._executing = Executing(self._admission, self._performance, seal, monotonic, own, renewed)

    @property
    def snapshot(self) -> Snapshot:
        """The capabilities as they are now."""
        return self._registry.snapshot

    def state_of(self, remote: str) -> BreakerState:
        """Whether calls to a remote are made, or it is left alone; remotes have the names of the figures."""
        return self._remotes.state(remote)

    def connect(self, connector: Connector) -> None:
        """Use a connector for the schemes that it knows."""
        self._remotes.add(connector)

    def heed(self, stops: Stops) -> None:
        """Ask somebody, from now on, what elsewhere may not be called."""
        self._remotes.stops = stops

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

    async def visible(self, principal: Principal, door: str) -> tuple[Entry, ...]:
        """The newest versions, by id, of what a principal may call at a door; counts for no limit.

        Raises:
            StorageError: the store cannot say what it may.
        """
        return await self._admission.visible(await self._admission.subject(principal), door)

    def may(self, principal: Principal, entry: Entry, door: str) -> bool | None:
        """Whether somebody may call a capability at a door now; None: that needs a look into the store."""
        return self._admission.may(principal, entry, door)

    async def admit(self, target: Target, facts: CallFacts) -> Admitted:
        """Resolve the target and decide whether the caller may call it.

        Raises:
            ServiceNotFoundError, Gone, Unauthenticated, PermissionDeniedError, RateLimited, Conflict, CallTimeout:
                it may not, or cannot.
            StorageError: the store cannot say whether it may.
        """
        return await self._admit(target, facts)

    @property
    def direct(self) -> DirectCalls:
        """How proxies that are called as functions make their calls; for `Registry.start`."""
        return DirectCalls(self, self._admit)

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
            ready = await self._admit(target, facts)
        except MoothallError as error:
            return self._performance.refused(facts, error)
        return await self._performance.run(ready, params)

    async def execute(self, approval: str, ask: Ask) -> str:
        """Make a call that was approved, once, however often this is asked for; its sealed outcome (`Execute`).

        Raises:
            StorageError, Unavailable, CallTimeout: nothing was done, or the node stops in the middle; ask again.
        """
        return await self._executing.execute(approval, ask)

    async def approved(self, approval: str, until: float) -> Reply[Any]:
        """What a call gave that was made once it was approved, at ``until`` (monotonic seconds) at the latest.

        The reply is that of the call, as JSON; or why there is none: rejected, not decided yet, unknown. Whose call it
        is was looked at by whoever asks.

        Raises:
            StorageError, Unavailable, Overloaded: it cannot be read now; the same in a reply is how the call ended.
        """
        try:
            outcome = await self._approving.ended(approval, until)
        except UNREAD:
            raise
        except MoothallError as error:
            outcome = Outcome(error=error)
        return self._performance.told(outcome)

    async def _admit(self, what: Target | Entry, facts: CallFacts) -> Ready:
        """Waits for the store alone, and only where the authorizer does not know the caller."""
        started, admission = self._monotonic(), self._admission
        try:
            remaining = self._entrance.pass_in(facts)
            self._recording.ready()
            subject = admission.known(facts.principal) or await admission.subject(facts.principal)
            plan, decision, seconds = admission.decide(what, facts, subject)
            ruling = self._approving.ruling
        except MoothallError as error:
            self._audit.refused(admission.name(what), facts, error, self._monotonic() - started)
            raise
        except FAILURES as error:  # of the authorizer: whatever it is, nobody gets in by it
            hidden = concealed(error, admission.name(what), facts.request_id)
            self._audit.refused(admission.name(what), facts, hidden, self._monotonic() - started)
            raise hidden from error
        until = started + seconds
        return Ready(plan.entry, facts, until, started, remaining, plan=plan, decision=decision, ruling=ruling)


def _ids(registry: Registry, terms: Terms) -> frozenset[str]:
    """The agents of this node as callers."""
    return frozenset(terms.agents(name).id for name in registry.snapshot.agents)


def _ready(admitted: Admitted) -> Ready:
    if not isinstance(admitted, Ready):
        raise UsageError("only `admit` admits a call")
    return admitted
