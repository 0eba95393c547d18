"""Calls that somebody has to approve: the error names the digest of the very arguments that are to be approved."""

from __future__ import annotations

from moothall.calls.call import Call
from moothall.canonical import digest
from moothall.errors import ApprovalPending, Told


def pending(call: Call) -> ApprovalPending:
    """The error of a call that waits for an approval; nobody can decide on one yet, which it says."""
    arguments = digest({"capability": call.name, "arguments": call.entry.wire(call.arguments)})
    return ApprovalPending("the call waits for an approval", told=Told("calls.approval"), details={"digest": arguments})
