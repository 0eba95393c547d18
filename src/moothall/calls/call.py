"""One call under way: what its stages know of it, and how its capability calls others."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Mapping
from contextvars import ContextVar
from typing import Any, Final, Protocol

from moothall.approvals.asking import Ruling
from moothall.calls.ports import CallFacts, Gateway, Partner, Report
from moothall.calls.reply import Progress
from moothall.capability.context import CallContext
from moothall.capability.entry import Arguments, Entry
from moothall.capability.questions import Answers, LogLevel, Questions
from moothall.capability.spec import JsonObject
from moothall.errors import InputRequired, Told
from moothall.policy.decision import PermissionResult
from moothall.tracing import Traced, child, told

LOCAL: Final = "local"
"""The door of this process, where values are Python's own."""

_NOTHING: Final = Arguments()
running: Final[ContextVar[Call | None]] = ContextVar("running", default=None)
"""The call whose capability runs here; of work that it leaves behind in other tasks, too."""


Sink = Callable[[Any], Awaitable[None]]


class Onward(Protocol):
    """How a call under way makes others."""

    async def call(
        self, call: Call, target: str, params: Mapping[str, Any], *, as_agent: bool, approval: str = ""
    ) -> Any:  # noqa: ANN401
        """Call a target, with what is left of this call's time and hops, and return its value."""
        ...

    def stream(self, call: Call, target: str, params: Mapping[str, Any], *, as_agent: bool) -> AsyncIterator[Any]:
        """The same for values that come one by one."""
        ...

    @property
    def gateway(self) -> Gateway:
        """What it goes through."""
        ...


def no_rule(_capability: str, _action: str, _arguments: Callable[[], JsonObject]) -> None:
    """The rules of those who ask for no approval."""


class Call:
    """What the stages of the call path read and write; it is the `Calling` of its own context, too.

    Attributes:
        entry: what is called.
        name: its id, for log and figures.
        facts: what its door knew.
        decision: why it may be made.
        counted: counts it where its work begins, if that has to be; it raises where too many were made.
        ruling: the rules that may ask for an approval, of the moment at which it was let in.
        redact: fields that its caller is not shown.
        execution: the id of the approval that the node makes it for, once; empty: somebody else makes it.
        untouched: whether no work of it has begun that could have done anything.
        request_id: a UUID.
        started, deadline: monotonic seconds.
        remaining: calls that the caller's limits leave.
        report: takes progress, if anybody listens.
        partner: whom its capability can ask, if anybody; nobody, where several callers share the work.
        arguments: validated.
        relays: whether the progress of the calls that it makes is its own, and their questions are.
        patience: monotonic seconds from which on giving it up says that it takes too long.
        hurried: whether its caller gave it less time than it may take.
        replayed: whether the answer is that of an earlier call.
        degraded: whether a fallback did its work.
        chosen: what a request in words led to, for the metadata of the reply.
        sink: takes the values of one that yields them.
        within: what it is a part of, or the ``traceparent`` of that.
        unapproved: whether the code that runs was approved by nobody, see `CallFacts.unapproved`.
    """

    __slots__ = (
        "_begun_by",
        "_context",
        "_onward",
        "_trace",
        "arguments",
        "chosen",
        "counted",
        "deadline",
        "decision",
        "degraded",
        "entry",
        "execution",
        "facts",
        "hurried",
        "name",
        "partner",
        "patience",
        "redact",
        "relays",
        "remaining",
        "replayed",
        "report",
        "request_id",
        "ruling",
        "sink",
        "started",
        "unapproved",
        "untouched",
        "within",
    )

    def __init__(
        self,
        onward: Onward,
        entry: Entry,
        name: str,
        facts: CallFacts,
        decision: PermissionResult,
        started: float,
        deadline: float,
    ) -> None:
        self._onward = onward
        self.entry = entry
        self.name = name
        self.facts = facts
        self.decision = decision
        self.redact = decision.redact
        self.execution = ""
        self.ruling: Ruling = no_rule
        self.untouched = True
        self.counted: Callable[[], Awaitable[None]] | None = None
        self.started = started
        self.deadline = self.patience = deadline
        self.request_id = facts.request_id
        self.within: str | Traced = ""
        self._trace = ""
        self.unapproved = False
        self.remaining: int | None = None
        self.report: Report | None = facts.report
        self.partner: Partner | None = facts.partner
        self.arguments = _NOTHING
        self.relays = False
        self.hurried = False
        self.replayed = False
        self.degraded = False
        self.chosen: JsonObject | None = None
        self._begun_by: Call | None = None
        self.sink: Sink | None = None
        self._context: CallContext | None = None

    @property
    def context(self) -> CallContext:
        """What its capability may know of it."""
        context = self._context
        if context is None:
            facts, entry = self.facts, self.entry
            context = self._context = CallContext(
                principal=facts.principal,
                agent=entry.agent,
                capability=entry.spec.name,
                door=facts.door,
                request_id=self.request_id,
                deadline=self.deadline,
                hops=facts.hops,
                idempotency_key=facts.idempotency_key,
                on_behalf_of=self.decision.on_behalf_of,
                inside=facts.inside,
                calling=self,
            )
        return context

    @property
    def trace(self) -> str:
        """Its ``traceparent``, under which it calls others."""
        if not self._trace:
            self._trace = child(told(self.within), self.request_id)
        return self._trace

    @property
    def gateway(self) -> Gateway:
        """The call path that it is on."""
        return self._onward.gateway

    def degrade(self) -> None:
        """Note that a fallback does the work, of this call and of the one that began it."""
        self.degraded = True
        if self._begun_by is not None:
            self._begun_by.degraded = True

    def restore(self) -> None:
        """Take that back: the fallback had nothing to offer."""
        self.degraded = False
        if self._begun_by is not None:
            self._begun_by.degraded = False

    def release(self) -> None:
        """Let go of the context, which holds this call: a circle would stay until the garbage collector comes by."""
        self._context = None

    def lasting(self, deadline: float, report: Report | None) -> Call:
        """The same call with a deadline and a listener of its own, for work that several callers wait for.

        The deadline of the caller that began it comes before its own; when everybody has left by then, it took too
        long all the same.
        """
        other = Call(self._onward, self.entry, self.name, self.facts, self.decision, self.started, deadline)
        other.request_id, other.report, other.arguments = self.request_id, report, self.arguments
        other.partner = None
        other._begun_by = self
        other.patience = min(deadline, self.started + self.entry.spec.timeout)
        return other

    async def call(self, target: str, params: Mapping[str, Any], *, as_agent: bool, approval: str = "") -> Any:  # noqa: ANN401
        """Call a target and return its value."""
        return await self._onward.call(self, target, params, as_agent=as_agent, approval=approval)

    def stream(self, target: str, params: Mapping[str, Any], *, as_agent: bool) -> AsyncIterator[Any]:
        """Call a target and take its values one by one."""
        return self._onward.stream(self, target, params, as_agent=as_agent)

    async def progress(self, done: float, total: float | None, message: str) -> None:
        """Tell the caller how far the work is; lost where nobody listens."""
        if self.report is not None:
            await self.report(Progress(done, total, message))

    async def ask(self, questions: Questions) -> Answers:
        """Ask the client at the door.

        Raises:
            InputRequired: it cannot be asked here and now.
        """
        if self.partner is None:
            raise InputRequired("the capability asks for more", told=Told("calls.nobody_to_ask"))
        return await self.partner.ask(questions)

    async def log(self, level: LogLevel, data: Any, topic: str) -> None:  # noqa: ANN401 - JSON of any shape
        """Tell the client something; lost where nobody listens."""
        if self.partner is not None:
            await self.partner.log(level, data, topic)


def relaying(context: CallContext) -> None:
    """Let the client of a call hear the progress of the calls that it makes, and be asked what they ask."""
    if isinstance(context.calling, Call):
        context.calling.relays = True


Stage = Callable[[Call], Coroutine[Any, Any, Any]]
"""A part of the call path; it runs what is compiled into it, and returns the value."""
