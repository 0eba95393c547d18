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
    ├── Ambiguous            AMBIGUOUS    a request in words fits several capabilities
    ├── ConfirmationRequired  CONFIRMATION_REQUIRED    what was chosen by words changes something
    ├── ServiceNotFoundError  NOT_FOUND    no such capability, or none for this caller
    ├── MethodNotAllowed     METHOD_NOT_ALLOWED
    ├── Gone                 GONE    the capability was taken out of service
    ├── UpstreamError        UPSTREAM_ERROR    what was called elsewhere failed
    │   └── UpstreamInvalid  UPSTREAM_INVALID    its answer does not fit
    ├── Unavailable          UNAVAILABLE    it cannot be called for now
    ├── CallTimeout          TIMEOUT
    ├── DecisionRefused      DECISION_REFUSED    a brain's answer does not fit the world
    ├── SandboxFault         SANDBOX    generated code failed or went beyond its limits
    ├── CodeRefused          CODE_REFUSED    generated code did not pass its gate
    ├── BudgetSpent          BUDGET_SPENT    the calls or tokens of a language model are used up
    ├── IntegrityError       INTEGRITY    something is not what its hash or signature says
    ├── ProtocolViolation    PROTOCOL_VIOLATION    the other side broke the rules of the conversation
    ├── SessionEnded         SESSION_ENDED    the session that this was part of is over
    ├── NegotiationRejected  NEGOTIATION_REJECTED    the two sides agree on no protocol
    │   ├── NoMatchingInterface    NO_MATCHING_INTERFACE
    │   ├── UnsupportedMode        UNSUPPORTED_MODE
    │   ├── UnsupportedProfile     UNSUPPORTED_PROFILE
    │   ├── UnsupportedSecurity    UNSUPPORTED_SECURITY
    │   ├── UnsupportedContent     UNSUPPORTED_CONTENT
    │   ├── MoreInformation        MORE_INFORMATION
    │   ├── AuthorizationRequired  AUTHORIZATION_REQUIRED
    │   └── NegotiationExpired     NEGOTIATION_EXPIRED
    └── InternalError        INTERNAL_ERROR

An error carries what a stranger may read. What must stay inside (a driver's message, a stack) belongs in ``__cause__``
and in the log.
"""

from __future__ import annotations

from typing import ClassVar, Self

from moothall.error_root import MoothallError as MoothallError
from moothall.error_table import Challenge
from moothall.error_table import Told as Told
from moothall.error_table import Unfit as Unfit


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


class Ambiguous(MoothallError):
    """A request in words fits several capabilities, and nothing was called; ``details["candidates"]`` lists them."""

    code = "AMBIGUOUS"


class ConfirmationRequired(MoothallError):
    """What was chosen by words changes something, and nothing was called; ``details["target"]`` is what it is."""

    code = "CONFIRMATION_REQUIRED"


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


class SandboxFault(MoothallError):
    """Generated code failed or went beyond its limits; `kind` says how, `details` has it, too."""

    code = "SANDBOX"
    kind: str = ""


class CodeRefused(MoothallError):
    """Generated code did not pass its gate; `details` has the ``report``."""

    code = "CODE_REFUSED"


class BudgetSpent(MoothallError):
    """The calls or tokens of a language model that a piece of work may take are used up."""

    code = "BUDGET_SPENT"


class IntegrityError(MoothallError):
    """Something is not what its hash or signature says."""

    code = "INTEGRITY"


class ProtocolViolation(MoothallError):
    """The other side broke the rules of the conversation."""

    code = "PROTOCOL_VIOLATION"


class SessionEnded(MoothallError):
    """The session that this was part of is over."""

    code = "SESSION_ENDED"


class NegotiationRejected(MoothallError):
    """The two sides agree on no protocol; `anp_code` is how ANP names the reason (row WIRE-NEGO-07)."""

    code = "NEGOTIATION_REJECTED"
    anp_code: ClassVar[str] = "meta.negotiation_rejected"


class NoMatchingInterface(NegotiationRejected):
    """Nothing here does what is wanted."""

    code = "NO_MATCHING_INTERFACE"
    anp_code = "meta.no_matching_interface"


class UnsupportedMode(NegotiationRejected):
    """This side does not negotiate in this mode."""

    code = "UNSUPPORTED_MODE"
    anp_code = "meta.unsupported_negotiation_mode"


class UnsupportedProfile(NegotiationRejected):
    """None of the offered profiles is spoken here."""

    code = "UNSUPPORTED_PROFILE"
    anp_code = "meta.unsupported_candidate_profile"


class UnsupportedSecurity(NegotiationRejected):
    """The security that is asked for cannot be had; nothing weaker is chosen in its place."""

    code = "UNSUPPORTED_SECURITY"
    anp_code = "meta.unsupported_security_profile"


class UnsupportedContent(NegotiationRejected):
    """None of the offered content types is spoken here."""

    code = "UNSUPPORTED_CONTENT"
    anp_code = "meta.unsupported_content_type"


class MoreInformation(NegotiationRejected):
    """What is wanted is not clear enough; `details` has what to add."""

    code = "MORE_INFORMATION"
    anp_code = "meta.more_information_required"


class AuthorizationRequired(NegotiationRejected):
    """A person has to approve it first; `details` has the ``approval_id``."""

    code = "AUTHORIZATION_REQUIRED"
    anp_code = "meta.authorization_required"


class NegotiationExpired(NegotiationRejected):
    """What was agreed does not hold any more."""

    code = "NEGOTIATION_EXPIRED"
    anp_code = "meta.negotiation_expired"


class InternalError(MoothallError):
    """A fault of moothall itself."""

    code = "INTERNAL_ERROR"
