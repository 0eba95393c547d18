"""Calls that somebody has to approve: they are asked for once, and their outcome is handed to whoever asked."""

from __future__ import annotations

from typing import Final

from moothall.approvals.asking import Approvals, Ask, Ruling, Standing, digest_of
from moothall.approvals.rules import manages
from moothall.calls.call import Call, no_rule
from moothall.calls.elsewhere import ALLOWED
from moothall.calls.fingerprint import fingerprint
from moothall.calls.outcome import Outcome, unseal
from moothall.calls.seal import Seal
from moothall.errors import (
    ApprovalPending,
    Conflict,
    MoothallError,
    Overloaded,
    PermissionDeniedError,
    ServiceNotFoundError,
    StorageError,
    Told,
    Unavailable,
    ValidationError,
)

PLACE: Final = "/api/v1/approvals/"
"""Where a workflow can be read."""

UNREAD: Final = (StorageError, Unavailable, Overloaded)
"""Raised where the approvals cannot say now how far one is."""

_REFUSED: Final = {
    "rejected": "calls.approval_rejected",
    "expired": "calls.approval_expired",
    "cancelled": "calls.approval_cancelled",
}
_WITHOUT_REASON: Final = {
    "calls.approval_rejected": "calls.approval_rejected_silently",
    "calls.approval_cancelled": "calls.approval_cancelled_silently",
}
_GIVEN_UP: Final = {
    "not_made": "calls.approval_not_made",
    "outdated": "calls.approval_outdated",
    "unknown": "calls.approval_lost",
}


class Approving:
    """Decides whether a call has to be approved, and what becomes of it then.

    Args:
        approvals: where one asks; None: nobody can be asked.
        seal: opens outcomes.
    """

    def __init__(self, approvals: Approvals | None, seal: Seal) -> None:
        self._approvals = approvals
        self._seal = seal

    @property
    def ruling(self) -> Ruling:
        """The rules as they hold now."""
        return no_rule if self._approvals is None else self._approvals.ruling

    def workflow(self, call: Call) -> str | None:
        """By which steps it has to be approved (empty: the usual ones); None: it need not be.

        What the node makes because it was approved need not be approved again, and what is no capability of this node
        cannot be. Rules of the operator's file speak of everybody, also of those whom a capability's own option does
        not concern; but they do not keep the operator itself from looking after its node.
        """
        if call.execution or call.decision is ALLOWED:
            return None
        entry = call.entry
        if call.ruling is not no_rule and not manages(call.facts.principal, call.name):
            named = call.ruling(call.name, entry.spec.acts, lambda: entry.wire(call.arguments))
            if named is not None:
                return named
        return call.decision.workflow if call.decision.effect == "approve" else None

    async def standing(self, call: Call, workflow: str | None) -> Standing | None:
        """How far the approval is that the call was given; None: it needs none, and was given none that is for it.

        A call that was approved and made is not made again, even if it would need no approval any more.

        Raises:
            ApprovalPending: it was given none; one has been asked for now, or was before.
            Conflict: what it was given is for another call, or for nothing that this node knows.
            ValidationError: an argument has no JSON form that could be approved and then called with.
            MoothallError: as `Approvals.ask`.
        """
        facts = call.facts
        given = facts.approval or facts.lent
        known = await self._approvals.standing(given) if given and self._approvals is not None else None
        if workflow is None and (known is None or known.requester != facts.principal.id):
            return None  # what it was given is for somebody else, who is asked next
        digest = _digest(call)
        if known is not None and known.digest == digest and known.requester == facts.principal.id:
            return known
        if workflow is None:
            return None
        if not digest:
            raise ValidationError("an argument has no JSON form", told=Told("calls.no_json"))
        if self._approvals is None:
            raise ApprovalPending(
                "the call waits for an approval", told=Told("calls.approval"), details={"digest": digest}
            )
        if facts.approval:
            raise Conflict("the approval is for another call", told=Told("calls.approval_other"))
        ask = Ask(
            principal=facts.principal,
            target=call.entry.key,
            action=call.entry.spec.acts,
            arguments=call.entry.wire(call.arguments),
            digest=digest,
            door=facts.door,
            request_id=call.request_id,
            policy=call.decision.policy if call.decision.effect == "approve" else "",
            workflow=workflow,
            purpose=facts.purpose,
            inside=facts.inside,
            on_behalf_of=call.decision.on_behalf_of,
            lenders=call.decision.lenders,
        )
        raise _waits(await self._approvals.ask(ask))

    async def outcome(self, standing: Standing, until: float) -> Outcome:
        """How the approved call went, as soon as it has ended, or at ``until`` (monotonic seconds) at the latest.

        Raises:
            ApprovalPending: it is not decided, or not made yet.
            PermissionDeniedError: it was rejected, taken back, or nobody decided in time.
            Conflict: it was made, and its answer was not kept; or the node could not make it, and gave it up.
        """
        if self._approvals is not None and standing.status == "approved" and not standing.executed:
            standing = await self._approvals.ended(standing.id, until)
        return self._read(standing)

    async def ended(self, approval: str, until: float) -> Outcome:
        """The same for an approval by its id, once it is decided.

        Raises:
            ServiceNotFoundError: there is none of that id.
            MoothallError: as `outcome`.
        """
        if self._approvals is None:
            raise ServiceNotFoundError("no such approval", told=Told("calls.approval_unknown"))
        return self._read(await self._approvals.ended(approval, until))

    def _read(self, standing: Standing) -> Outcome:
        if standing.status in _REFUSED:
            raise _refused(standing)
        if standing.failed:
            raise _given_up(standing)
        if not standing.executed:
            raise _waits(standing)
        return unseal(self._seal, standing.id, standing.outcome)


def _digest(call: Call) -> str:
    """What the approval of this very call is bound to; empty where its arguments cannot be kept.

    The node makes the call later, from the JSON that is kept of its arguments: they must mean the same then.
    """
    entry = call.entry
    try:
        told = fingerprint(entry, call.arguments)
        same = fingerprint(entry, entry.bind(entry.wire(call.arguments))) == told
    except MoothallError:
        return ""
    return digest_of(call.facts.principal.id, entry.key, told) if same else ""


def _waits(standing: Standing) -> ApprovalPending:
    details = {
        "approval_id": standing.id,
        "digest": standing.digest,
        "expires": standing.expires,
        "location": f"{PLACE}{standing.id}",
        "requester": standing.requester,
    }
    told = Told("calls.approval_waits", {"id": standing.id})
    return ApprovalPending("the call waits for an approval", told=told, details=details)


def _refused(standing: Standing) -> PermissionDeniedError:
    key = _REFUSED[standing.status]
    told = Told(key, {"reason": standing.reason}) if standing.reason else Told(_WITHOUT_REASON.get(key, key))
    details = {"approval_id": standing.id, "status": standing.status, "reason": standing.reason}
    return PermissionDeniedError("the call was not approved", told=told, details=details)


def _given_up(standing: Standing) -> Conflict:
    """It is final: who wants the call still asks for it anew."""
    details = {"approval_id": standing.id, "status": standing.status, "failed": standing.failed}
    told = Told(_GIVEN_UP[standing.failed])
    return Conflict("the approved call was given up", told=told, details=details)
