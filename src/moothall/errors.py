"""Every error that moothall raises on purpose, and how each looks at every door.

::

    MoothallError
    ├── BadDemand            E001    the demand is empty, too long or not text
    ├── DemandNotFound       E002
    ├── ModelUnavailable     E003    the language model cannot be reached or refuses
    ├── ModelTimeout         E004
    ├── NoCandidates         E005    nobody in the registry fits
    ├── NegotiationTimeout   E006    nobody answered in time
    ├── ChannelNotFound      E007
    ├── AgentNotFound        E008
    ├── EventPushFailed      E009    an event could not be stored or delivered
    ├── UsageError           USAGE
    ├── InvalidInput         INVALID_INPUT
    │   ├── ValidationError        VALIDATION_ERROR    arguments do not fit a capability's schema
    │   ├── UnsupportedMediaType   UNSUPPORTED_MEDIA_TYPE
    │   └── PayloadTooLarge        PAYLOAD_TOO_LARGE
    ├── SettingsError        SETTINGS
    ├── StorageError         STORAGE
    │   ├── StoreLocked      STORE_LOCKED    another process holds the store
    │   └── LeaseLost        LEASE_LOST      another worker took the run over
    ├── Overloaded           OVERLOADED
    ├── RateLimited          RATE_LIMITED    this caller asks too often
    ├── NodeUnreachable      NODE_UNREACHABLE
    ├── Unauthenticated      UNAUTHENTICATED
    ├── Forbidden            FORBIDDEN
    │   ├── PermissionDeniedError  PERMISSION_DENIED    a policy does not allow the call
    │   ├── HostRefused      HOST_REFUSED
    │   └── OriginRefused    ORIGIN_REFUSED
    ├── Conflict             CONFLICT
    ├── ApprovalPending      APPROVAL_PENDING    somebody must approve the call first
    ├── InputRequired        INPUT_REQUIRED    the capability asks something that this door cannot carry
    ├── ServiceNotFoundError  NOT_FOUND    no such capability, or none for this caller
    ├── MethodNotAllowed     METHOD_NOT_ALLOWED
    ├── Gone                 GONE    the capability was taken out of service
    ├── UpstreamError        UPSTREAM_ERROR    what was called elsewhere failed
    │   └── UpstreamInvalid  UPSTREAM_INVALID    its answer does not fit
    ├── Unavailable          UNAVAILABLE    it cannot be called for now
    ├── CallTimeout          TIMEOUT
    ├── DecisionRefused      DECISION_REFUSED    a brain's answer does not fit the world
    └── InternalError        INTERNAL_ERROR

An error carries what a stranger may read. What must stay inside (a driver's message, a stack) belongs in ``__cause__``
and in the log.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from types import MappingProxyType
from typing import ClassVar, Final, Literal, NamedTuple, Self


class Appearance(NamedTuple):
    """One row of the table: what one error code becomes at each door.

    `http` is a status; `jsonrpc` a reserved code of JSON-RPC 2.0, or one of -32099..-32000 that neither MCP nor A2A
    defines; `mcp` says whether it is a tool's ``result`` with ``isError`` or a protocol ``error``; `a2a` is the state
    of the task; `exit_code` is the process's; `hint` is the key of the text that says what to do.
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
        "NOT_FOUND": Appearance(404, -32601, "error", "rejected", 5, "errors.NOT_FOUND.hint"),
        "METHOD_NOT_ALLOWED": Appearance(405, -32046, "error", "rejected", 2, "errors.METHOD_NOT_ALLOWED.hint"),
        "GONE": Appearance(410, -32047, "error", "rejected", 5, "errors.GONE.hint"),
        "UPSTREAM_ERROR": Appearance(502, -32048, "result", "failed", 8, "errors.UPSTREAM_ERROR.hint"),
        "UPSTREAM_INVALID": Appearance(502, -32049, "result", "failed", 8, "errors.UPSTREAM_INVALID.hint"),
        "UNAVAILABLE": Appearance(503, -32050, "result", "failed", 8, "errors.UNAVAILABLE.hint"),
        "TIMEOUT": Appearance(504, -32051, "result", "failed", 7, "errors.TIMEOUT.hint"),
        "DECISION_REFUSED": Appearance(502, -32041, "result", "failed", 8, "errors.DECISION_REFUSED.hint"),
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


class MoothallError(Exception):
    """The root of the tree; raise a leaf, or a class of your own below one: it may have a code of its own.

    `message` says what happened and `why` names the cause, both fit for the eyes of a caller; `hint` says what to do,
    where that is more precise than the text of the code; `told` says all of it to people in their language;
    `details` holds values for programs (JSON); `lang` is the language of what the error is about, in which a caller
    is told who asks for none; `inner` is the id of the call that got it from a call of its own.
    """

    code: ClassVar[str] = "INTERNAL_ERROR"
    lang: str = ""
    inner: str = ""

    def __init__(
        self,
        message: str,
        *,
        why: str = "",
        hint: str = "",
        told: Told | None = None,
        details: Mapping[str, object] | None = None,
    ) -> None:
        super().__init__(message)
        self.message = message
        self.why = why
        self.hint = hint
        self.told = told
        self.details: Mapping[str, object] = dict(details or {})

    def __str__(self) -> str:
        """Return the message and, where known, the cause."""
        return f"{self.message}: {self.why}" if self.why else self.message

    @property
    def row(self) -> str:
        """The code whose row this error has: its own, or of a class that somebody else derived that of its base."""
        if self.code in ERRORS:
            return self.code
        codes = (str(vars(base).get("code", "")) for base in type(self).__mro__)
        return next(code for code in codes if code in ERRORS)

    @property
    def appearance(self) -> Appearance:
        """How this error looks at every door."""
        return ERRORS[self.row]

    @property
    def envelope_code(self) -> str:
        """The code that a caller of a capability reads."""
        return ENVELOPE_CODES.get(self.code, self.code)

    @property
    def http_status(self) -> int:
        """The HTTP status of this error's code."""
        return self.appearance.http

    @property
    def exit_code(self) -> int:
        """The exit code of a command that ends with this error."""
        return self.appearance.exit_code


class BadDemand(MoothallError):
    """The text is no demand."""

    code = "E001"


class DemandNotFound(MoothallError):
    """No demand has this id."""

    code = "E002"


class ModelUnavailable(MoothallError):
    """The language model cannot be reached or refuses to answer."""

    code = "E003"


class ModelTimeout(MoothallError):
    """The language model did not answer in time."""

    code = "E004"


class NoCandidates(MoothallError):
    """Nobody in the registry fits the demand."""

    code = "E005"


class NegotiationTimeout(MoothallError):
    """Nobody answered before the deadline."""

    code = "E006"


class ChannelNotFound(MoothallError):
    """No channel has this id."""

    code = "E007"


class AgentNotFound(MoothallError):
    """No agent has this id."""

    code = "E008"


class EventPushFailed(MoothallError):
    """An event could not be stored or delivered."""

    code = "E009"


class UsageError(MoothallError):
    """A command or call was put together wrongly."""

    code = "USAGE"


class InvalidInput(MoothallError):
    """A value does not have the required form."""

    code = "INVALID_INPUT"


class ValidationError(InvalidInput, ValueError):
    """Arguments do not fit a capability's schema; `details` has ``errors``: ``loc``, ``type`` and ``msg`` of each."""

    code = "VALIDATION_ERROR"


class UnsupportedMediaType(InvalidInput):
    """A body is of another type than the door accepts."""

    code = "UNSUPPORTED_MEDIA_TYPE"


class PayloadTooLarge(InvalidInput):
    """A body is longer than the door accepts."""

    code = "PAYLOAD_TOO_LARGE"


class SettingsError(MoothallError):
    """A setting cannot be read or makes no sense."""

    code = "SETTINGS"


class StorageError(MoothallError):
    """The store failed."""

    code = "STORAGE"


class StoreLocked(StorageError):
    """Another process holds the store."""

    code = "STORE_LOCKED"


class LeaseLost(StorageError):
    """Another worker took the run over; nothing of this one may be written any more."""

    code = "LEASE_LOST"


class Overloaded(MoothallError):
    """The node has as much work as it accepts."""

    code = "OVERLOADED"


class RateLimited(MoothallError):
    """This caller asks more often than it may; `details` has ``retry_after`` in seconds."""

    code = "RATE_LIMITED"


class NodeUnreachable(MoothallError):
    """No node answers at the address."""

    code = "NODE_UNREACHABLE"


class Unauthenticated(MoothallError):
    """The caller did not prove who it is; `reason` says what was wrong with the proof, for the door's challenge."""

    code = "UNAUTHENTICATED"
    reason: Challenge = "invalid_request"

    @classmethod
    def challenged(cls, reason: Challenge, message: str) -> Self:
        """An error with a reason of its own; ``message`` is for the caller and repeats nothing of its request."""
        error = cls(message)
        error.reason = reason
        return error


AuthenticationError = Unauthenticated
"""The name that the specification of the framework uses (row ENV-06)."""


class Forbidden(MoothallError):
    """The caller may not do this."""

    code = "FORBIDDEN"


class PermissionDeniedError(Forbidden, PermissionError):
    """A policy does not allow the call; `reason` is ``forbidden_did`` for an identity that is suspended."""

    code = "PERMISSION_DENIED"
    reason: str = ""


class HostRefused(Forbidden):
    """The request names a host that this node is not."""

    code = "HOST_REFUSED"


class OriginRefused(Forbidden):
    """The request comes from a page of a foreign origin."""

    code = "ORIGIN_REFUSED"


class Conflict(MoothallError):
    """The request contradicts what is already there."""

    code = "CONFLICT"


class ApprovalPending(MoothallError):
    """The call waits for somebody's approval.

    `details` has ``approval_id``, ``digest`` (of caller, capability and arguments), ``expires`` (Unix seconds) and
    ``location`` (the path under which the node tells how far it is).
    """

    code = "APPROVAL_PENDING"

    @property
    def approval_id(self) -> str:
        """What the call is repeated with once it was approved; empty where the far side names none."""
        return str(self.details.get("approval_id", ""))


class InputRequired(MoothallError):
    """The capability asks its client something before it can go on, and its door cannot carry that."""

    code = "INPUT_REQUIRED"


class ServiceNotFoundError(MoothallError, LookupError):
    """There is no such capability, or none that this caller may know of."""

    code = "NOT_FOUND"


class MethodNotAllowed(MoothallError):
    """The capability answers other HTTP verbs; `details` has ``allowed``."""

    code = "METHOD_NOT_ALLOWED"


class Gone(MoothallError):
    """The capability was taken out of service."""

    code = "GONE"


class UpstreamError(MoothallError):
    """What was called elsewhere failed.

    `sent` says whether any byte of the call may have reached it; `status` is the HTTP status that it answered with,
    0 where that is not what failed.
    """

    code = "UPSTREAM_ERROR"
    sent: bool = True
    status: int = 0


A2AServiceError = UpstreamError
"""The name that the specification of the framework uses (row ENV-06)."""


class UpstreamInvalid(UpstreamError):
    """The answer from elsewhere does not have the agreed form."""

    code = "UPSTREAM_INVALID"


class Unavailable(MoothallError):
    """It cannot be called for now; `details` may have ``retry_after`` in seconds."""

    code = "UNAVAILABLE"


class CallTimeout(MoothallError, TimeoutError):
    """The call did not end before its deadline."""

    code = "TIMEOUT"


class DecisionRefused(MoothallError):
    """A brain's answer does not fit the question or the world."""

    code = "DECISION_REFUSED"


class InternalError(MoothallError):
    """A fault of moothall itself."""

    code = "INTERNAL_ERROR"


@cache
def classes() -> Mapping[str, type[MoothallError]]:
    """The class of each code; of the classes of this tree only, whatever others derived from them."""
    found: dict[str, type[MoothallError]] = {}
    waiting: list[type[MoothallError]] = [MoothallError]
    for kind in waiting:
        waiting += [narrower for narrower in kind.__subclasses__() if narrower.__module__ == __name__]
        if "code" in vars(kind) and kind is not MoothallError:
            found.setdefault(kind.code, kind)
    return MappingProxyType(found)
