"""How each error looks at every door, one row for a code, and the words that errors are told in."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Final, Literal, NamedTuple


class Appearance(NamedTuple):
    """One row of the table: what one error code becomes at each door.

    `http` is a status; `jsonrpc` a reserved code of JSON-RPC 2.0, one of -32099..-32000 that neither MCP nor A2A
    defines, or one of 1600..1608, which ANP defines for negotiations; `mcp` says whether it is a tool's ``result`` with
    ``isError`` or a protocol ``error``; `a2a` is the state of the task; `exit_code` is the process's; `hint` is the key
    of the text that says what to do.
    """

    http: int
    jsonrpc: int
    mcp: str
    a2a: str
    exit_code: int
    hint: str


ERRORS: Final[Mapping[str, Appearance]] = MappingProxyType(
    {
        "E001": Appearance(400, -32602, "result", "rejected", 2, "errors.E001.hint"),
        "E002": Appearance(404, -32060, "result", "rejected", 5, "errors.E002.hint"),
        "E003": Appearance(503, -32061, "result", "failed", 8, "errors.E003.hint"),
        "E004": Appearance(504, -32062, "result", "failed", 7, "errors.E004.hint"),
        "E005": Appearance(200, -32023, "result", "failed", 6, "errors.E005.hint"),
        "E006": Appearance(200, -32024, "result", "failed", 6, "errors.E006.hint"),
        "E007": Appearance(404, -32025, "result", "rejected", 5, "errors.E007.hint"),
        "E008": Appearance(404, -32026, "result", "rejected", 5, "errors.E008.hint"),
        "E009": Appearance(500, -32027, "result", "failed", 1, "errors.E009.hint"),
        "USAGE": Appearance(400, -32600, "error", "rejected", 2, "errors.USAGE.hint"),
        "INVALID_INPUT": Appearance(400, -32602, "result", "rejected", 2, "errors.INVALID_INPUT.hint"),
        "VALIDATION_ERROR": Appearance(400, -32602, "result", "rejected", 2, "errors.VALIDATION_ERROR.hint"),
        "UNSUPPORTED_MEDIA_TYPE": Appearance(415, -32028, "error", "rejected", 2, "errors.UNSUPPORTED_MEDIA_TYPE.hint"),
        "PAYLOAD_TOO_LARGE": Appearance(413, -32029, "error", "rejected", 2, "errors.PAYLOAD_TOO_LARGE.hint"),
        "SETTINGS": Appearance(500, -32030, "error", "failed", 2, "errors.SETTINGS.hint"),
        "STORAGE": Appearance(503, -32031, "result", "failed", 1, "errors.STORAGE.hint"),
        "STORE_LOCKED": Appearance(503, -32032, "result", "failed", 1, "errors.STORE_LOCKED.hint"),
        "LEASE_LOST": Appearance(503, -32033, "result", "failed", 1, "errors.LEASE_LOST.hint"),
        "OVERLOADED": Appearance(503, -32034, "result", "rejected", 8, "errors.OVERLOADED.hint"),
        "RATE_LIMITED": Appearance(429, -32043, "result", "rejected", 8, "errors.RATE_LIMITED.hint"),
        "NODE_UNREACHABLE": Appearance(502, -32035, "result", "failed", 8, "errors.NODE_UNREACHABLE.hint"),
        "UNAUTHENTICATED": Appearance(401, -32036, "error", "auth_required", 3, "errors.UNAUTHENTICATED.hint"),
        "FORBIDDEN": Appearance(403, -32037, "result", "rejected", 3, "errors.FORBIDDEN.hint"),
        "HOST_REFUSED": Appearance(421, -32038, "error", "rejected", 3, "errors.HOST_REFUSED.hint"),
        "ORIGIN_REFUSED": Appearance(403, -32039, "error", "rejected", 3, "errors.ORIGIN_REFUSED.hint"),
        "CONFLICT": Appearance(409, -32040, "result", "rejected", 2, "errors.CONFLICT.hint"),
        "PERMISSION_DENIED": Appearance(403, -32044, "result", "rejected", 3, "errors.PERMISSION_DENIED.hint"),
        "APPROVAL_PENDING": Appearance(202, -32045, "result", "input_required", 4, "errors.APPROVAL_PENDING.hint"),
        "INPUT_REQUIRED": Appearance(422, -32052, "result", "input_required", 2, "errors.INPUT_REQUIRED.hint"),
        "AMBIGUOUS": Appearance(409, -32063, "result", "rejected", 5, "errors.AMBIGUOUS.hint"),
        "CONFIRMATION_REQUIRED": Appearance(
            428, -32064, "result", "input_required", 4, "errors.CONFIRMATION_REQUIRED.hint"
        ),
        "NOT_FOUND": Appearance(404, -32601, "error", "rejected", 5, "errors.NOT_FOUND.hint"),
        "METHOD_NOT_ALLOWED": Appearance(405, -32046, "error", "rejected", 2, "errors.METHOD_NOT_ALLOWED.hint"),
        "GONE": Appearance(410, -32047, "error", "rejected", 5, "errors.GONE.hint"),
        "UPSTREAM_ERROR": Appearance(502, -32048, "result", "failed", 8, "errors.UPSTREAM_ERROR.hint"),
        "UPSTREAM_INVALID": Appearance(502, -32049, "result", "failed", 8, "errors.UPSTREAM_INVALID.hint"),
        "UNAVAILABLE": Appearance(503, -32050, "result", "failed", 8, "errors.UNAVAILABLE.hint"),
        "TIMEOUT": Appearance(504, -32051, "result", "failed", 7, "errors.TIMEOUT.hint"),
        "DECISION_REFUSED": Appearance(502, -32041, "result", "failed", 8, "errors.DECISION_REFUSED.hint"),
        "SANDBOX": Appearance(500, -32053, "result", "failed", 1, "errors.SANDBOX.hint"),
        "CODE_REFUSED": Appearance(422, -32054, "result", "failed", 6, "errors.CODE_REFUSED.hint"),
        "BUDGET_SPENT": Appearance(429, -32058, "result", "failed", 6, "errors.BUDGET_SPENT.hint"),
        "INTEGRITY": Appearance(422, -32055, "result", "failed", 8, "errors.INTEGRITY.hint"),
        "PROTOCOL_VIOLATION": Appearance(400, -32056, "error", "rejected", 8, "errors.PROTOCOL_VIOLATION.hint"),
        "SESSION_ENDED": Appearance(503, -32057, "result", "failed", 8, "errors.SESSION_ENDED.hint"),
        "NEGOTIATION_REJECTED": Appearance(409, 1600, "result", "rejected", 6, "errors.NEGOTIATION_REJECTED.hint"),
        "NO_MATCHING_INTERFACE": Appearance(404, 1601, "result", "rejected", 6, "errors.NO_MATCHING_INTERFACE.hint"),
        "UNSUPPORTED_MODE": Appearance(422, 1602, "result", "rejected", 6, "errors.UNSUPPORTED_MODE.hint"),
        "UNSUPPORTED_PROFILE": Appearance(422, 1603, "result", "rejected", 6, "errors.UNSUPPORTED_PROFILE.hint"),
        "UNSUPPORTED_SECURITY": Appearance(422, 1604, "result", "rejected", 6, "errors.UNSUPPORTED_SECURITY.hint"),
        "UNSUPPORTED_CONTENT": Appearance(422, 1605, "result", "rejected", 6, "errors.UNSUPPORTED_CONTENT.hint"),
        "MORE_INFORMATION": Appearance(422, 1606, "result", "rejected", 6, "errors.MORE_INFORMATION.hint"),
        "AUTHORIZATION_REQUIRED": Appearance(
            403, 1607, "result", "input_required", 4, "errors.AUTHORIZATION_REQUIRED.hint"
        ),
        "NEGOTIATION_EXPIRED": Appearance(410, 1608, "result", "rejected", 6, "errors.NEGOTIATION_EXPIRED.hint"),
        "INTERNAL_ERROR": Appearance(500, -32603, "result", "failed", 1, "errors.INTERNAL_ERROR.hint"),
    }
)
"""The one table; `messages.explain` finds the texts that belong to a row."""

ENVELOPE_CODES: Final[Mapping[str, str]] = MappingProxyType(
    {
        "USAGE": "VALIDATION_ERROR",
        "INVALID_INPUT": "VALIDATION_ERROR",
        "PAYLOAD_TOO_LARGE": "TOO_LARGE",
        "FORBIDDEN": "PERMISSION_DENIED",
        "SETTINGS": "INTERNAL_ERROR",
        "STORAGE": "UNAVAILABLE",
        "STORE_LOCKED": "UNAVAILABLE",
        "LEASE_LOST": "UNAVAILABLE",
        "OVERLOADED": "UNAVAILABLE",
        "NODE_UNREACHABLE": "UPSTREAM_ERROR",
        "DECISION_REFUSED": "UPSTREAM_ERROR",
    }
)
"""What callers of a capability read instead of our finer codes (row ENV-05); every other code stays itself."""

Challenge = Literal[
    "invalid_request",
    "invalid_nonce",
    "invalid_timestamp",
    "invalid_did",
    "invalid_signature",
    "invalid_verification_method",
    "invalid_content_digest",
    "invalid_access_token",
]
"""Why a proof of identity was refused, in the words of did:wba (row WIRE-CHAL-02)."""


@dataclass(frozen=True, slots=True)
class Told:
    """A reason in the words of every language: the key of its text (``why.demand_empty``) and its values.

    `hint` is the key of the text that says what to do, where that is more precise than the text of the code.
    """

    why: str
    values: Mapping[str, object] = field(default_factory=dict)
    hint: str = ""


class Unfit(ValueError):
    """A value breaks a rule of ours, raised inside a model's validator; `told` says which, in every language."""

    def __init__(self, message: str, told: Told) -> None:
        super().__init__(message)
        self.told = told
