"""The node makes a call that was approved: once, as its requester, with the rights that this one has by then."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import replace
from typing import Final

from moothall.approvals.asking import Ask, digest_of
from moothall.calls.admission import Admission
from moothall.calls.call import LOCAL
from moothall.calls.fingerprint import fingerprint
from moothall.calls.flight import Stopped
from moothall.calls.outcome import Outcome, seal
from moothall.calls.performance import Performance
from moothall.calls.plan import Ready
from moothall.calls.ports import CallFacts
from moothall.calls.request_ids import fresh
from moothall.calls.seal import Seal
from moothall.calls.target import Target
from moothall.errors import (
    CallTimeout,
    Conflict,
    MoothallError,
    Overloaded,
    StorageError,
    Told,
    Unavailable,
)
from moothall.identity.principal import Principal
from moothall.policy.decision import PermissionResult

_NOT_YET = (CallTimeout, Overloaded, StorageError, Unavailable)
"""Said of the moment: where nothing of the work had begun, it is tried again."""

Renewed = Callable[[Principal], Principal | None]
"""A requester as it would be verified now, given without its old rights; None: nobody would be let in as this one."""

_GONE: Final = PermissionResult.DENIED("nobody would be let in as the requester by now", "requester-gone")


def as_it_is(principal: Principal) -> Principal:
    """A requester of whom nothing is known but what it asked with."""
    return principal


class Executing:
    """`Execute` of the approvals."""

    def __init__(
        self,
        admission: Admission,
        performance: Performance,
        sealing: Seal,
        monotonic: Callable[[], float],
        own: Callable[[], Collection[str]],
        renewed: Renewed,
    ) -> None:
        """``own`` are the ids of the agents of this node; ``renewed`` finds what else a requester has by now."""
        self._admission = admission
        self._performance = performance
        self._seal = sealing
        self._monotonic = monotonic
        self._own = own
        self._renewed = renewed

    async def execute(self, approval: str, ask: Ask) -> str:
        """Make the call, or find out how it went; its sealed outcome, which may be an error.

        Whether it may be made is decided anew, for its requester as it is now, by its own right or that of whom it
        asked for it; its arguments are read anew, and its capability is of the very version that was approved. A node
        that was started without the code that has the capability, or has it out of service, leaves the call to one that
        has it. A crash in mid-call: what is harmless is made again, of anything else the outcome is unknown.

        Raises:
            StorageError, Unavailable, Overloaded, CallTimeout: nothing was done, or the node stops in the middle; ask
                again.
        """
        renewed = self._renewed(_without_old_rights(ask.principal, self._own()))
        principal = renewed or ask.principal
        facts = CallFacts(
            door=ask.door or LOCAL, principal=principal, request_id=fresh(), purpose=ask.purpose, inside=ask.inside
        )
        subject = await self._admission.subject(principal)
        started = self._monotonic()
        target = _target(ask)
        if not self._admission.holds(target):
            raise Unavailable("the capability is not here now")
        if renewed is None:
            return seal(self._seal, approval, Outcome(error=self._admission.turn_away(target, facts, _GONE)))
        try:
            plan, decision, seconds = self._admission.decide(target, facts, subject)
            entry = plan.entry
            arguments = entry.bind(ask.arguments)
            same = digest_of(ask.principal.id, entry.key, fingerprint(entry, arguments)) == ask.digest
            if not same or not set(decision.lenders) <= set(ask.lenders):  # another lender might be who approved
                raise Conflict("the approved call means something else by now", told=Told("calls.approval_changed"))
        except MoothallError as error:
            return seal(self._seal, approval, Outcome(error=error))
        ready = Ready(entry, facts, started + seconds, started, plan=plan, decision=decision, execution=approval)
        reply, call = await self._performance.execute(ready, ask.arguments)
        if reply.error is not None:
            if isinstance(reply.error, Stopped) or (call.untouched and isinstance(reply.error, _NOT_YET)):
                raise reply.error
            return seal(self._seal, approval, Outcome(error=reply.error))
        data = plan.form.encode(reply.data) if facts.door == LOCAL else reply.data
        return seal(self._seal, approval, Outcome(data, redact=decision.redact))


def _without_old_rights(principal: Principal, own: Collection[str]) -> Principal:
    """A caller without what it had on the day on which it asked; what it is granted by name is looked up anew."""
    if principal.operator:
        return principal
    return replace(principal, permissions=frozenset(), owner=principal.id in own)


def _target(ask: Ask) -> Target:
    address, _, version = ask.target.rpartition("@")
    return Target("local", address, version=version)
