"""Resolve and authorize: which capability is meant, and whether this caller may call it through this door."""

from __future__ import annotations

from typing import Final, Protocol

from moothall.calls.audit import Audit
from moothall.calls.call import LOCAL
from moothall.calls.compiling import Compiler
from moothall.calls.deadline import timed_out
from moothall.calls.elsewhere import Elsewhere
from moothall.calls.plan import Plan
from moothall.calls.ports import CallFacts
from moothall.calls.target import Target
from moothall.calls.terms import Terms
from moothall.capability.entry import Entry
from moothall.capability.registry import Snapshot
from moothall.errors import (
    Gone,
    MoothallError,
    PermissionDeniedError,
    ServiceNotFoundError,
    Told,
    Unauthenticated,
)
from moothall.identity.principal import Principal
from moothall.policy.decision import AccessRequest, Authorizer, PermissionResult

SUSPENDED: Final = "suspended"
"""The name of the rule that refuses an identity whatever it may."""

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
        self, registry: Registry, authorizer: Authorizer, compiler: Compiler, audit: Audit, terms: Terms
    ) -> None:
        self._registry = registry
        self._authorizer = authorizer
        self._compiler = compiler
        self._audit = audit
        self._hooks = compiler.hooks
        self._elsewhere = Elsewhere(compiler, terms)
        self._seen: Snapshot | None = None
        self._hooked = -1
        self._plans: dict[Entry, Plan] = {}
        self._found: dict[Target, Plan] = {}

    def decide(self, target: Target, facts: CallFacts) -> tuple[Plan, bool, float]:
        """The plan of a call, whether somebody has to approve it, and the seconds that it may take.

        Raises:
            ServiceNotFoundError, Gone, Unauthenticated, PermissionDeniedError, CallTimeout: it may not, or cannot.
        """
        if target.scheme != LOCAL:
            if facts.door != LOCAL:  # a node is no open proxy
                raise ServiceNotFoundError("no such capability", told=Told("calls.not_found"))
            plan, approve = self._elsewhere.plan(target), False
        else:
            plan = self._plan(target, facts)
            approve = self._authorize(plan, facts)
        return plan, approve, _seconds(plan, facts)

    def decide_entry(self, entry: Entry, facts: CallFacts) -> tuple[Plan, bool, float]:
        """The same for an entry that the code of this process holds, whatever its exposure."""
        self._refresh()
        plan = self._compiled(entry)
        return plan, self._authorize(plan, facts), _seconds(plan, facts)

    def name(self, target: Target) -> str:
        """The id of what a target means, as far as it was found; empty otherwise."""
        plan = self._found.get(target)
        return plan.name if plan is not None else ""

    def visible(self, principal: Principal, door: str) -> tuple[Entry, ...]:
        """The newest versions, by id, of what a principal may call at a door."""
        self._refresh()
        return tuple(entry for entry in self._registry.snapshot.newest if self._may_see(entry, principal, door))

    def _plan(self, target: Target, facts: CallFacts) -> Plan:
        """What can be called at a door; what is not exposed there is missing, whatever its state."""
        self._refresh()
        plan = self._found.get(target)
        if plan is None:
            entry = self._registry.snapshot.find(target.address, target.version)
            if entry is None:
                raise self._missing(target, facts)
            plan = self._compiled(entry)
            if len(self._found) < _REMEMBERED:
                self._found[target] = plan
        if not plan.exposed(facts.door):
            raise self._missing(target, facts)
        if plan.entry.state == "disabled":
            raise Gone("the capability is out of service", told=Told("calls.gone"))
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

    def _authorize(self, plan: Plan, facts: CallFacts) -> bool:
        """Whether the call waits for an approval."""
        decision = self._ask(plan.entry, facts.principal, facts.door)
        if decision.allowed:
            return False
        if decision.effect == "approve":
            return True
        self._audit.denied(plan.name, facts, decision)
        raise _refusal(decision, facts.principal)

    def _ask(self, entry: Entry, principal: Principal, door: str) -> PermissionResult:
        return self._authorizer.decide(AccessRequest(principal, entry.agent, entry.spec, door))

    def _may_see(self, entry: Entry, principal: Principal, door: str) -> bool:
        exposed = self._compiled(entry).exposed(door)
        return exposed and entry.state != "disabled" and self._ask(entry, principal, door).effect != "deny"

    def _missing(self, target: Target, facts: CallFacts) -> ServiceNotFoundError:
        """The door has nothing of the name; who proved who it is hears similar ones, of those that it may call.

        What is hidden leaves no trace in the answer: it is that of a name which nobody has.
        """
        similar: list[str] = []
        if facts.principal.verified:
            may_see = self.visible(facts.principal, facts.door)
            similar = [entry.id for entry in self._registry.snapshot.similar(target.address, may_see)]
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


def _refusal(decision: PermissionResult, principal: Principal) -> MoothallError:
    """What the caller hears: never the reason, which is in the record (row ENV-08)."""
    if decision.policy == SUSPENDED:
        error = PermissionDeniedError("the identity is suspended", told=Told("calls.suspended"))
        error.reason = "forbidden_did"
        return error
    if not principal.verified:
        return Unauthenticated("the capability asks who calls", told=Told("calls.unverified"))
    return PermissionDeniedError("the caller may not call this capability", told=Told("calls.denied"))
