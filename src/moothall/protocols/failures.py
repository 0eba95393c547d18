"""What a failure on the far side is here: our class of error for the code it sent (rows ENV-05, WIRE-RPC-03). Pure.

Its own words stay on the far side: whoever reads the error reads ours (row ENV-04). Of its details only what a program
may need is taken, and only in the form it must have.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from moothall.error_classes import classes
from moothall.error_table import ENVELOPE_CODES
from moothall.errors import (
    ApprovalPending,
    MoothallError,
    NegotiationRejected,
    PermissionDeniedError,
    Told,
    UpstreamError,
    UpstreamInvalid,
    ValidationError,
)
from moothall.protocols.approving import decision_of, pending_details

_MOST: Final = 50
_LONGEST: Final = 200
_LONGEST_WAIT: Final = 1e9
_HTTP: Final[Mapping[int, str]] = {
    400: "VALIDATION_ERROR",
    401: "UNAUTHENTICATED",
    403: "PERMISSION_DENIED",
    404: "NOT_FOUND",
    405: "METHOD_NOT_ALLOWED",
    409: "CONFLICT",
    410: "GONE",
    413: "TOO_LARGE",
    415: "UNSUPPORTED_MEDIA_TYPE",
    422: "VALIDATION_ERROR",
    429: "RATE_LIMITED",
    503: "UNAVAILABLE",
    504: "TIMEOUT",
}
_WORDED: Final = frozenset(
    "APPROVAL_PENDING CONFLICT GONE INPUT_REQUIRED NOT_FOUND PERMISSION_DENIED RATE_LIMITED TIMEOUT TOO_LARGE"
    " UNAUTHENTICATED UNAVAILABLE VALIDATION_ERROR".split()
)
"""Codes for which there is a sentence of their own."""

_THEIRS: Final = frozenset({"INTERNAL_ERROR", "UPSTREAM_ERROR", "SETTINGS", "UPSTREAM_INVALID"})
"""Codes of faults on the far side: whatever failed there, to us it is that side that failed."""


def _classes() -> dict[str, type[MoothallError]]:
    found = classes()
    shown = {envelope: found[code] for code, envelope in ENVELOPE_CODES.items() if envelope not in found}
    return {code: kind for code, kind in (dict(found) | shown).items() if code not in _THEIRS}


_CLASSES: Final = _classes()


def remote_error(code: object, details: object = None) -> MoothallError:
    """The error for a code that the far side sent; one that nobody knows is an `UpstreamError`."""
    kind = _CLASSES.get(code) if isinstance(code, str) else None
    if kind is None:
        return UpstreamError("the far side failed", told=Told("remote.failed"))
    safe = _safe(kind, details)
    return kind("the far side refused the call", told=_told(kind, safe), details=safe)


def error_of_status(status: int, retry_after: str = "") -> MoothallError:
    """The error for an HTTP status without anything more precise."""
    wait = {"retry_after": retry_after}
    if status in _HTTP:
        return remote_error(_HTTP[status], wait)
    if status < 500 and not 300 <= status < 400:  # noqa: PLR2004 - classes of statuses (RFC 9110 §15)
        return UpstreamInvalid("an unexpected status", told=Told("remote.status", {"status": status}))
    return UpstreamError("the far side failed", told=Told("remote.status", {"status": status}))


def _told(kind: type[MoothallError], safe: Mapping[str, object]) -> Told:
    """Our words for a code of theirs; of a fault in the arguments, where it is."""
    envelope = ENVELOPE_CODES.get(kind.code, kind.code)
    faults = safe.get("errors")
    places = [".".join(map(str, fault["loc"])) for fault in faults] if isinstance(faults, list) else []
    if named := ", ".join(filter(None, places)):
        return Told("remote.arguments", {"places": named})
    return Told(f"remote.refused_{envelope}" if envelope in _WORDED else "remote.refused")


def _safe(kind: type[MoothallError], details: object) -> dict[str, object]:
    if not isinstance(details, Mapping):
        return {}
    safe: dict[str, object] = {}
    wait = _seconds(details.get("retry_after"))
    if wait is not None:
        safe["retry_after"] = wait
    if issubclass(kind, ValidationError) and isinstance(faults := details.get("errors"), list):
        safe["errors"] = [_fault(fault) for fault in faults[:_MOST] if isinstance(fault, Mapping)]
    if issubclass(kind, ApprovalPending):
        safe |= pending_details(details)
    if issubclass(kind, PermissionDeniedError):
        safe |= decision_of(details)
    if issubclass(kind, NegotiationRejected):
        safe |= _negotiation(details)
    return safe


def _negotiation(details: Mapping[str, object]) -> dict[str, object]:
    """What a requester can act on: the approval that is awaited, what is missing, what is to be had."""
    safe: dict[str, object] = {}
    if isinstance(approval := details.get("approval_id"), str):
        safe["approval_id"] = approval[:_LONGEST]
    for name in ("missing", "supported", "unsupportedConstraints"):
        if isinstance(listed := details.get(name), list):
            safe[name] = [item[:_LONGEST] for item in listed[:_MOST] if isinstance(item, str)]
    return safe


def _seconds(value: object) -> float | None:
    if isinstance(value, str) and value.isdecimal() and len(value) < len(str(_LONGEST_WAIT)):
        value = int(value)
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= _LONGEST_WAIT:
        return None
    return float(value)


def _fault(fault: Mapping[Any, Any]) -> dict[str, object]:
    """Where and of which kind a fault in the arguments is; its text is the far side's."""
    place = fault.get("loc")
    steps = place[:_MOST] if isinstance(place, list) else []
    kind = fault.get("type")
    return {
        "loc": [step[:_LONGEST] if isinstance(step, str) else step for step in steps if isinstance(step, str | int)],
        "type": kind[:_LONGEST] if isinstance(kind, str) else "",
    }
