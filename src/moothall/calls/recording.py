"""What the audit trail is told of calls: one record each, and one before the work of those that must be on record."""

from __future__ import annotations

import hashlib
from collections import OrderedDict
from typing import Final

from moothall.audit.record import AuditRecord, Kind, Recorder
from moothall.calls.call import Call
from moothall.calls.ports import CallFacts
from moothall.capability.entry import Entry
from moothall.capability.spec import Action
from moothall.errors import StorageError, Told, Unavailable
from moothall.policy.decision import PermissionResult
from moothall.telemetry import logger

_REMEMBERED: Final = 4096
_log = logger("calls")


class DecisionKeys:
    """The keys of the latest decisions; one that is decided once for many calls is hashed once."""

    def __init__(self) -> None:
        self._known: OrderedDict[tuple[int, str, str], tuple[PermissionResult, str]] = OrderedDict()

    def of(self, decision: PermissionResult, principal: str, action: Action, resource: str) -> str:
        """As `PermissionResult.key`."""
        place = id(decision), principal, resource
        known = self._known.get(place)
        if known is not None and known[0] is decision:
            return known[1]
        key = decision.key(principal, action, resource)
        self._known[place] = decision, key
        if len(self._known) > _REMEMBERED:
            self._known.popitem(last=False)
        return key


class Recording:
    """Makes the records and hands them in.

    What cannot be handed in is held until it can, and no call is admitted meanwhile: nothing happens unrecorded.

    Attributes:
        keys: of decisions.
    """

    def __init__(self, recorder: Recorder | None) -> None:
        self.keys = DecisionKeys()
        self._recorder = recorder
        self._held: list[AuditRecord] = []

    def ready(self) -> None:
        """Hand in what is held.

        Raises:
            Unavailable: it cannot be handed in, so that nothing more may happen now.
        """
        while self._held and self._recorder is not None:
            try:
                self._recorder.put(self._held[0])
            except (Unavailable, StorageError) as error:
                raise _unrecorded() from error
            del self._held[0]

    def denied(self, entry: Entry, facts: CallFacts, decision: PermissionResult) -> None:
        """A policy did not allow a call."""
        if self._recorder is not None:
            self._put(self._record("decision", entry, facts, facts.request_id, decision, {}))

    def ended(self, call: Call, outcome: str) -> None:
        """A call ended like that: ``ok``, ``cancelled``, or the code of an error."""
        if self._recorder is not None:
            details = {"outcome": outcome}
            self._put(self._record("call", call.entry, call.facts, call.request_id, call.decision, details, call))

    async def settle(self, call: Call) -> None:
        """Write down that a call is made, before anything of it is done.

        Raises:
            Unavailable: it cannot be written now.
        """
        if self._recorder is None:
            return
        record = self._record("decision", call.entry, call.facts, call.request_id, call.decision, {}, call)
        try:
            await self._recorder.settle(record)
        except (StorageError, Unavailable) as error:
            raise _unrecorded() from error

    def _record(
        self,
        kind: Kind,
        entry: Entry,
        facts: CallFacts,
        request_id: str,
        decision: PermissionResult,
        details: dict[str, str],
        call: Call | None = None,
    ) -> AuditRecord:
        action, who, resource = entry.spec.acts, facts.principal.id, entry.id
        details["decision"] = self.keys.of(decision, who, action, resource)
        if facts.purpose:
            said = facts.purpose.encode("utf-8", "surrogatepass")  # a caller's own words: nothing can be erased here
            details["purpose"] = f"sha-256:{hashlib.sha256(said).hexdigest()}"
        if facts.parent:
            details["parent"] = facts.parent
        if call is not None and (approval := call.execution or facts.approval):
            details["approval"] = approval
        return AuditRecord(
            kind=kind,
            action=action,
            actor=who,
            subject=decision.on_behalf_of,
            resource=resource,
            effect=decision.effect,
            reason=decision.reason,
            policies=decision.policies or ((decision.policy,) if decision.policy else ()),
            revision=decision.revision,
            door=facts.door,
            request_id=request_id,
            grants=decision.grants,
            details=details,
        )

    def _put(self, record: AuditRecord) -> None:
        if self._recorder is None:
            return
        try:
            self._recorder.put(record)
        except (Unavailable, StorageError) as error:
            _log.error("a call cannot be put on record; no other is let in until it is: %s", error)
            self._held.append(record)


def _unrecorded() -> Unavailable:
    return Unavailable("the call cannot be put on record now", told=Told("calls.unrecorded"))
