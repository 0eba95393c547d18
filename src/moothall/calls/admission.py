"""Resolve and authorize: which capability is meant, and whether this caller may call it through this door."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, Protocol

from moothall.calls.audit import Audit
from moothall.calls.call import LOCAL
from moothall.calls.compiling import Compiler
from moothall.calls.deadline import timed_out
from moothall.calls.elsewhere import ALLOWED, Elsewhere
from moothall.calls.failures import FAILURES
from moothall.calls.plan import Plan
from moothall.calls.ports import CallFacts
from moothall.calls.recording import Recording
from moothall.calls.showing import Showing
from moothall.calls.target import Target
from moothall.calls.terms import Terms
from moothall.capability.entry import Entry
from moothall.capability.registry import Snapshot
from moothall.errors import (
    Conflict,
    Gone,
    MoothallError,
    PermissionDeniedError,
    ServiceNotFoundError,
    Told,
    Unauthenticated,
)
from moothall.identity.principal import Principal
from moothall.policy.decision import AccessRequest, Authorizer, PermissionResult, Subject
from moothall.telemetry import logger

SUSPENDED: Final = "suspended"
"""The name of the rule that refuses an identity whatever it may."""

UNAPPROVED: Final = Told("codegen.service.not_approved")
"""Why something that needs an approval is not called by code that has none (`CallFacts.unapproved`)."""

_FAILED: Final = PermissionResult.DENIED("the policy failed", "policy-failed")
_log = logger("calls")

_REMEMBERED: Final = 4096
"""Targets whose plan is looked up directly."""


class Registry(Protocol):
    """Where the capabilities come from."""

    @property
    def snapshot(self) -> Snapshot:
        """As they are now."""
        ...


class Admission:
    """Finds plans, which are made when they are first asked for, and asks the policy."""

    def __init__(
        self,
        registry: Registry,
        authorizer: Authorizer,
        compiler: Compiler,
        audit: Audit,
        recording: Recording,
        terms: Terms,
        monotonic: Callable[[], float],
    ) -> None:
        self._registry = registry
        self._authorizer = authorizer
        self._compiler = compiler
        self._audit = audit
        self._keys = recording.keys
        self._conceals = terms.conceal
        self._hooks = compiler.hooks
        self._elsewhere = Elsewhere(compiler, terms)
        self._showing = Showing(self._ask, self._exposed, monotonic)
        self._seen: Snapshot | None = None
        self._hooked = -1
        self._plans: dict[Entry, Plan] = {}
        self._found: dict[Target, Plan] = {}

    def known(self, principal: Principal) -> Subject | None:
        """The caller as it is now, where that needs no look into the store."""
        return self._authorizer.known(principal)

    async def subject(self, principal: Principal) -> Subject:
        """The caller as it is now.

        Raises:
            StorageError: the store cannot say.
        """
        known = self._authorizer.known
        if (found := known(principal)) is not None:
            return found
        found = await self._authorizer.subject(principal)
        return known(principal) or found  # what has changed meanwhile counts

    def decide(self, what: Target | Entry, facts: CallFacts, subject: Subject) -> tuple[Plan, PermissionResult, float]:
        """The plan of a call, why it may be made, and the seconds that it may take.

        An entry is one that the code of this process holds: it can be called whatever its exposure.

        Raises:
            ServiceNotFoundError, Gone, Unauthenticated, PermissionDeniedError, CallTimeout: it may not, or cannot.
            Conflict: it needs an approval, and code that nobody approved asks for it.
        """
        if isinstance(what, Entry):
            self._refresh()
            plan = self._compiled(what)
        elif what.scheme == LOCAL:
            return self._local(what, facts, subject)
        elif facts.door == LOCAL:
            plan = self._elsewhere.plan(what)
            return plan, ALLOWED, _seconds(plan, facts)
        else:  # a node is no open proxy
            raise _not_found()
        return plan, self._authorize(plan, facts, subject), _seconds(plan, facts)

    def _local(self, target: Target, facts: CallFacts, subject: Subject) -> tuple[Plan, PermissionResult, float]:
        """Where denials are concealed, one hears of what one may not call what one would hear of a name nobody has."""
        plan = self._plan(target, facts, subject)
        gone = plan.entry.state == "disabled"
        if gone and not self._conceals:
            raise _gone()
        try:
            decision = self._authorize(plan, facts, subject)
        except PermissionDeniedError:
            if self._conceals:
                raise self._missing(target, facts, subject) from None
            raise
        if gone:
            raise _gone()
        return plan, decision, _seconds(plan, facts)

    def name(self, what: Target | Entry) -> str:
        """The id of what is called, as far as it was found; empty otherwise."""
        if isinstance(what, Entry):
            return what.id
        plan = self._found.get(what)
        return plan.name if plan is not None else ""

    def may(self, principal: Principal, entry: Entry, door: str) -> bool | None:
        """Whether somebody may call a capability at a door now; None: that needs a look into the store."""
        subject = self.known(principal)
        if subject is None or not self._exposed(entry, door):
            return None if subject is None else False
        return self._ask(AccessRequest(subject, entry, door)).effect != "deny"

    def holds(self, target: Target) -> bool:
        """Whether anything of that name is registered, in whatever version, and whoever may call it.

        What is out of service is not: it may be back later.
        """
        snapshot = self._registry.snapshot
        meant = snapshot.find(target.address, target.version) or snapshot.find(target.address)
        return meant is not None and meant.state != "disabled"

    def turn_away(self, target: Target, facts: CallFacts, decision: PermissionResult) -> MoothallError:
        """The denial of a call for a reason that no policy knows of; it is on record like any other."""
        entry = self._registry.snapshot.find(target.address, target.version)
        return _not_found() if entry is None else self._denied(entry, facts, decision)

    async def visible(self, subject: Subject, door: str) -> tuple[Entry, ...]:
        """The newest versions, by id, of what somebody may call at a door."""
        self._refresh()
        return await self._showing.visible(self._registry.snapshot, subject, door)

    def _plan(self, target: Target, facts: CallFacts, subject: Subject) -> Plan:
        """What can be called at a door; what is not exposed there is missing, whatever its state."""
        self._refresh()
        plan = self._found.get(target)
        if plan is None:
            entry = self._registry.snapshot.find(target.address, target.version)
            if entry is None:
                raise self._missing(target, facts, subject)
            plan = self._compiled(entry)
            if len(self._found) < _REMEMBERED:
                self._found[target] = plan
        if not plan.exposed(facts.door):
            raise self._missing(target, facts, subject)
        return plan

    def _compiled(self, entry: Entry) -> Plan:
        plan = self._plans.get(entry)
        if plan is None:
            plan = self._plans[entry] = self._compiler.plan(entry)
        return plan

    def _refresh(self) -> None:
        """Forget plans of what is no longer there, and all of them when hooks have changed."""
        snapshot, hooked = self._registry.snapshot, self._hooks.version
        if snapshot is self._seen and hooked == self._hooked:
            return
        if hooked != self._hooked:
            self._plans.clear()
            self._elsewhere.forget()
        present = set(snapshot.entries.values())
        self._plans = {entry: plan for entry, plan in self._plans.items() if entry in present}
        self._found.clear()
        self._seen, self._hooked = snapshot, hooked

    def _authorize(self, plan: Plan, facts: CallFacts, subject: Subject) -> PermissionResult:
        decision = self._ask(AccessRequest(subject, plan.entry, facts.door, facts.purpose))
        if decision.effect == "allow" and facts.unapproved and plan.entry.spec.approval:
            raise Conflict("nobody has approved the code that calls this", told=UNAPPROVED)
        if decision.effect != "deny":
            return decision
        raise self._denied(plan.entry, facts, decision)

    def _denied(self, entry: Entry, facts: CallFacts, decision: PermissionResult) -> MoothallError:
        """Put a denial on record; what the caller hears of it."""
        self._audit.denied(entry, facts, decision)
        principal = facts.principal
        return _refusal(decision, principal, self._keys.of(decision, principal.id, entry.spec.acts, entry.id))

    def _ask(self, request: AccessRequest) -> PermissionResult:
        try:
            return self._authorizer.decide(request)
        except FAILURES:  # whatever it is, nobody gets in by it
            _log.exception("the policy failed over %s", request.entry.id)
            return _FAILED

    def _exposed(self, entry: Entry, door: str) -> bool:
        return self._compiled(entry).exposed(door)

    def _missing(self, target: Target, facts: CallFacts, subject: Subject) -> MoothallError:
        """The door has nothing of the name; who proved who it is hears similar ones, of those that it may call.

        What is hidden leaves no trace in the answer: it is that of a name which nobody has. Where denials are
        concealed, who proves nothing is asked for a proof whatever the name: else names could be tried out.
        """
        if self._conceals and not facts.principal.verified:
            return _unproved()
        similar: list[str] = []
        if facts.principal.verified:
            similar = self._showing.similar(self._registry.snapshot, target.address, subject, facts.door)
        told = Told("calls.not_found_similar", {"names": ", ".join(similar)}) if similar else Told("calls.not_found")
        details = {"similar": similar} if similar else None
        return ServiceNotFoundError("no such capability", told=told, details=details)


def _seconds(plan: Plan, facts: CallFacts) -> float:
    """How long the call may take: what its caller grants, and not longer than the capability does."""
    wanted = facts.timeout
    if wanted is None:
        return plan.timeout
    if not wanted > 0:
        raise timed_out()
    return wanted if plan.patient else min(wanted, plan.timeout)


def _not_found() -> ServiceNotFoundError:
    return ServiceNotFoundError("no such capability", told=Told("calls.not_found"))


def _gone() -> Gone:
    return Gone("the capability is out of service", told=Told("calls.gone"))


def _unproved() -> Unauthenticated:
    return Unauthenticated("the capability asks who calls", told=Told("calls.unverified"))


def _refusal(decision: PermissionResult, principal: Principal, key: str) -> MoothallError:
    """What the caller hears: never the reason, which is in the record (row ENV-08), where ``key`` finds it."""
    details = {"decision": key}
    if decision.policy == SUSPENDED:
        error = PermissionDeniedError("the identity is suspended", told=Told("calls.suspended"), details=details)
        error.reason = "forbidden_did"
        return error
    if not principal.verified:
        return _unproved()
    return PermissionDeniedError("the caller may not call this capability", told=Told("calls.denied"), details=details)
