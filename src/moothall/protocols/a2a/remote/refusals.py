"""What the errors of an A2A agent are here, by the codes that programs read; its own words go to the log. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from moothall.errors import MoothallError
from moothall.protocols.a2a.remote.way import Said
from moothall.protocols.failures import error_of_status, remote_error

DOMAIN: Final = "moothall"
"""The domain of reasons that are codes of ours."""

_SHOWN: Final = 200
_REASONS: Final[Mapping[str, str]] = {
    "INVALID_PARAMS": "VALIDATION_ERROR",
    "METHOD_NOT_FOUND": "NOT_FOUND",
    "UNAUTHENTICATED": "UNAUTHENTICATED",
    "PERMISSION_DENIED": "PERMISSION_DENIED",
}
_NUMBERS: Final[Mapping[int, str]] = {-32601: "NOT_FOUND", -32602: "VALIDATION_ERROR"}
"""What the codes of JSON-RPC itself say of a call; the others say that the far side is at fault, or we."""


def refusal(error: Mapping[str, Any], status: int = 0, retry_after: str = "") -> MoothallError:
    """The error for an error object of JSON-RPC (``data``) or HTTP+JSON (``details``)."""
    found = _refusal(error, status, retry_after)
    found.__cause__ = Said(f"{error.get('code')!r} {str(error.get('message', ''))[:_SHOWN]!a}")
    return found


def _refusal(error: Mapping[str, Any], status: int, retry_after: str) -> MoothallError:
    for code, details in _codes(error):
        return remote_error(code, {"retry_after": retry_after, **details})
    number = error.get("code")
    if status:
        return error_of_status(status, retry_after)
    return remote_error(_NUMBERS.get(number) if isinstance(number, int) else None)


def _codes(error: Mapping[str, Any]) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """The codes of ours in an error, the most precise first."""
    data = error.get("data", error.get("details"))
    rows = [row for row in (data if isinstance(data, list) else [data]) if isinstance(row, dict)]
    for row in rows:
        value = row["value"] if isinstance(row.get("value"), dict) else row
        if isinstance(value.get("code"), str):
            details = value.get("details")
            yield value["code"], details if isinstance(details, dict) else {}
    for row in rows:
        reason = row.get("reason")
        if isinstance(reason, str) and row.get("domain") == DOMAIN:
            yield reason, {}
        elif isinstance(reason, str) and reason in _REASONS:
            yield _REASONS[reason], {}


def told(message: object) -> MoothallError | None:
    """The error in the message of a task's status: a data part ``{"error": {"code": …}}``; None without one."""
    parts = message.get("parts") if isinstance(message, dict) else None
    for part in parts if isinstance(parts, list) else []:
        data = part.get("data") if isinstance(part, dict) else None
        error = data.get("error") if isinstance(data, dict) else None
        if isinstance(error, dict) and isinstance(error.get("code"), str):
            return remote_error(error["code"], error.get("details"))
    return None
