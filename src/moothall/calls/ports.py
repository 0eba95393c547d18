"""The two ports of the call path: `Gateway` is what a door needs of a node, `Connector` what a node needs of a door."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol, runtime_checkable

from moothall.calls.reply import Chunk, Progress, Reply
from moothall.calls.target import Target
from moothall.capability.questions import Answers, LogLevel, Questions
from moothall.capability.spec import JsonObject
from moothall.identity.principal import Principal
from moothall.identity.request import HttpRequest

if TYPE_CHECKING:
    from moothall.capability.entry import Entry
    from moothall.capability.registry import Snapshot

Params = Mapping[str, Any] | Sequence[Any]
"""Arguments by name, or by position."""

Report = Callable[[Progress], Awaitable[None]]


class Partner(Protocol):
    """The client at a door, as far as a call that is under way can ask it and tell it something."""

    async def ask(self, questions: Questions) -> Answers:
        """Ask it, and wait for the answers.

        Raises:
            InputRequired: the answers have to come with another request; the door keeps what was asked.
            ValidationError: an answer has no such form.
        """
        ...

    async def log(self, level: LogLevel, data: Any, topic: str) -> None:  # noqa: ANN401 - JSON of any shape
        """Tell it something; lost where it does not listen."""
        ...


@dataclass(slots=True, kw_only=True)
class CallFacts:  # not frozen: made for every call, and a frozen one takes three times as long; nobody changes it
    """What a door knows of a call before it looks at the arguments.

    Attributes:
        door: ``local``, ``http``, ``anp``, ….
        principal: who calls, from `Gateway.authenticate`.
        request_id: a UUID; empty: the call path makes one.
        timeout: seconds that the caller will wait; None: as long as the capability may take.
        hops: nodes and capabilities that it has passed through (header ``X-Moothall-Hops``).
        idempotency_key: the ``Idempotency-Key`` of the request.
        address: the client's network address, for limits of those who prove nothing.
        report: takes progress, where the door can carry it.
        partner: whom the capability can ask while it runs, where the door can carry that.
        agent: the agent in whose name calls leave this node; empty: the default agent.
        parent: the request id of the call that makes this one, for the log.
        inside: whether a capability makes it in the name of somebody else, who does not see what it calls.
        approval: the id of the approval that this call was given, where its caller says so.
        lent: the id of one that the call was given which makes this one; it counts where it is for this very call.
        purpose: what its caller says that it is for (header ``X-Moothall-Purpose``).
        confirmed: targets whose effects its caller agrees to, where a request in words leads to one of them; ``*``: to
            whatever it leads. It counts for this very call, not for those that it makes.
        unapproved: whether code that nobody approved asks for it in the name of the node's owner, who needs no approval
            itself: what needs one refuses such a call, however it is led there.
        trace: the ``traceparent`` that it came with, where its door does not run in the context of the request; None:
            that of what runs here.
    """

    door: str
    principal: Principal
    request_id: str = ""
    timeout: float | None = None
    hops: int = 0
    idempotency_key: str | None = None
    address: str = ""
    report: Report | None = None
    partner: Partner | None = None
    agent: str = ""
    parent: str = ""
    inside: bool = False
    approval: str = ""
    lent: str = ""
    purpose: str = ""
    confirmed: tuple[str, ...] = ()
    unapproved: bool = False
    trace: str | None = None


@dataclass(slots=True)
class Admitted:  # not frozen: one is made for every call
    """A call that was resolved and allowed; its arguments have not been looked at."""

    entry: Entry
    facts: CallFacts
    deadline: float
    started: float
    remaining: int | None = field(default=None)
    """Calls that the caller's rate limit leaves."""


class Gateway(Protocol):
    """What a door needs of a node. `call` is `admit` and `run` in one."""

    @property
    def snapshot(self) -> Snapshot:
        """The capabilities as they are now."""
        ...

    async def authenticate(self, request: HttpRequest) -> Principal:
        """Who sent a request; `ANONYMOUS` where it carries no proof.

        Raises:
            Unauthenticated: it carries a proof that does not hold.
            PermissionDeniedError: the identity is suspended (``forbidden_did``).
        """
        ...

    async def visible(self, principal: Principal, door: str) -> tuple[Entry, ...]:
        """The newest versions, by id, of what a principal may call at a door; counts for no limit.

        Raises:
            StorageError: the store cannot say what it may.
        """
        ...

    async def admit(self, target: Target, facts: CallFacts) -> Admitted:
        """Resolve the target and decide whether the caller may call it.

        Raises:
            ServiceNotFoundError, Gone, Unauthenticated, PermissionDeniedError, RateLimited: it may not, or cannot.
        """
        ...

    async def run(self, admitted: Admitted, params: Params) -> Reply[Any]:
        """Validate the arguments and make the call; failures are in the reply. Cancelling it cancels the work."""
        ...

    def stream(self, admitted: Admitted, params: Params) -> AsyncIterator[Chunk]:
        """The same, value by value: `Item` and `Progress` as they come, one `Reply` at the end.

        The reply carries no data, unless the capability yields no values: then it has the value.
        """
        ...

    async def call(self, target: Target, params: Params, facts: CallFacts) -> Reply[Any]:
        """Admit and run; every failure is in the reply."""
        ...

    async def approved(self, approval: str, until: float) -> Reply[Any]:
        """What a call gave that was made once it was approved, at ``until`` (monotonic seconds) at the latest.

        The reply is that of the call, as JSON; or why there is none: rejected, not decided yet, unknown. Whose call it
        is was looked at by whoever asks.

        Raises:
            StorageError, Unavailable, Overloaded: it cannot be read now; the same in a reply is how the call ended.
        """
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Outgoing:
    """A call to somewhere else.

    Attributes:
        target: where to.
        params: arguments as JSON, already in their wire form.
        agent: the name of the agent that signs it.
        timeout: seconds left.
        hops: to be sent along, one more than the call had when it came in.
        idempotency_key: to be sent along.
        call_id: a UUID of the call; its repetitions have the same one.
        version: of the capability, where it wants its calls to tell of themselves (``include_metadata``).
        remote: the options of the capability whose source this is, if it is one (`CapabilitySpec.remote`).
        report: takes the progress that the other side tells.
        principal: who makes the call, for what turns out to be of this node; None: the agent, whose own doing it is.
        address: the network address of a caller that proves nothing.
        partner: whom the other side's questions can be passed on to.
        approval: the approval at the far side that its caller says it was given.
        purpose: what its caller says that it is for.
        returns: the JSON Schema of what the capability whose source this is gives, where it says so.
    """

    target: Target
    params: JsonObject
    agent: str
    timeout: float
    hops: int = 0
    idempotency_key: str | None = None
    call_id: str = ""
    version: str = ""
    remote: Mapping[str, str] = field(default_factory=dict)
    report: Report | None = None
    principal: Principal | None = None
    address: str = ""
    partner: Partner | None = None
    approval: str = ""
    purpose: str = ""
    returns: JsonObject | None = None


@runtime_checkable
class Connector(Protocol):
    """A way to call what is elsewhere, by the scheme of its targets.

    Every method raises UpstreamError (``sent`` says whether it may be repeated), UpstreamInvalid, CallTimeout,
    Unauthenticated, PermissionDeniedError, ServiceNotFoundError, ValidationError and others as the far side answered.
    """

    @property
    def schemes(self) -> tuple[str, ...]:
        """The schemes of the targets it can call, which are also names of sources."""
        ...

    async def call(self, outgoing: Outgoing) -> Any:  # noqa: ANN401 - JSON of any shape
        """Make the call and return its value, as JSON."""
        ...

    def stream(self, outgoing: Outgoing) -> AsyncIterator[Any]:
        """Make the call and yield its values."""
        ...

    async def describe(self, target: Target, agent: str) -> JsonObject:
        """What there is at a target without an operation."""
        ...


class Stops(Protocol):
    """Knows what is elsewhere and may not be called as it is now; `directory.finding.stops` is one."""

    async def check(self, target: Target) -> None:
        """Let a call pass, or not; asked before each call, it looks nothing up where nothing has changed.

        Raises:
            PermissionDeniedError: nothing may be sent there.
            StorageError: it cannot be told now.
        """
        ...
