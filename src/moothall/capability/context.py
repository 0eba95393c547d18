"""What a running capability may know of its call; injected wherever a parameter has this type (row TPL-38)."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from moothall.capability.forms import M, filled, form_of
from moothall.capability.questions import Answers, LogLevel, Questions
from moothall.errors import Forbidden, Told
from moothall.identity.principal import Principal
from moothall.tracing import trace_id


class Calling(Protocol):
    """How a capability calls others; the call path fills it in, with the caller, deadline and hops of this call."""

    async def call(self, target: str, params: Mapping[str, Any], *, as_agent: bool, approval: str = "") -> Any:  # noqa: ANN401
        """Call a target and return its value."""
        ...

    def stream(self, target: str, params: Mapping[str, Any], *, as_agent: bool) -> AsyncIterator[Any]:
        """Call a target and take its values one by one."""
        ...

    async def progress(self, done: float, total: float | None, message: str) -> None:
        """Tell the caller how far the work is; lost where nobody listens."""
        ...

    async def ask(self, questions: Questions) -> Answers:
        """Ask the client at the door.

        Raises:
            InputRequired: the door cannot carry the questions while the call is under way.
        """
        ...

    async def log(self, level: LogLevel, data: Any, topic: str) -> None:  # noqa: ANN401 - JSON of any shape
        """Tell the client something; lost where nobody listens."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class CallContext:
    """One call, as its capability sees it.

    Attributes:
        principal: who calls, as the verifier found.
        on_behalf_of: whose right it uses, where the right was delegated to it: the DID at the root of the delegation;
            empty: the caller's own. It is for those who want to tell apart whose data is meant; calls that are made
            from here are made as `principal`, with whatever rights that has.
        agent: the name of the agent whose capability runs.
        capability: its name.
        door: the way the call came: ``local``, ``http``, ``anp``, ….
        request_id: the id under which it is logged.
        deadline: monotonic seconds after which nobody waits for the answer.
        inside: whether another capability makes the call in its caller's name (or the process's), and does not just
            pass on what that one asked for; see `firsthand`.
        hops: how many nodes and capabilities it has passed through.
        idempotency_key: what the caller sent to make a repetition harmless, if it did.
    """

    principal: Principal
    agent: str
    capability: str
    door: str
    request_id: str
    deadline: float
    hops: int = 0
    idempotency_key: str | None = None
    on_behalf_of: str = ""
    inside: bool = False
    calling: Calling

    @property
    def trace_id(self) -> str:
        """The id of the trace that the call belongs to (W3C), for the author's own log."""
        return trace_id()

    def firsthand(self) -> None:
        """Refuse a call that its caller has not asked for itself, for what nobody else may do with its rights.

        Whoever calls a capability lends it all its rights for the time: it must not decide approvals with them, or
        give them away.

        Raises:
            Forbidden: another capability makes it.
        """
        if self.inside:
            raise Forbidden("no capability may do this for its caller", told=Told("capability.firsthand"))

    async def call(
        self,
        target: str,
        params: Mapping[str, Any] | None = None,
        /,
        *,
        as_agent: bool = False,
        approval: str = "",
        **named: Any,  # noqa: ANN401
    ) -> Any:  # noqa: ANN401
        """Call another capability, as the caller of this one; with ``as_agent`` as the agent that runs it.

        Where that call waits for somebody's approval, `ApprovalPending` is raised. Let it pass, and the caller of this
        capability hears of it, calls again once it is approved, and this capability runs again from its beginning; the
        approved call itself is made once. A call that was made ``as_agent`` is no business of the caller, who hears
        that the capability cannot be called for now: keep ``details["approval_id"]`` and give it as ``approval``.

        Raises:
            ApprovalPending: somebody has to approve it.
            MoothallError: as `UnifiedCaller.call`.
        """
        given = {**(params or {}), **named}
        return await self.calling.call(target, given, as_agent=as_agent, approval=approval)

    def stream(
        self,
        target: str,
        params: Mapping[str, Any] | None = None,
        /,
        *,
        as_agent: bool = False,
        **named: Any,  # noqa: ANN401
    ) -> AsyncIterator[Any]:
        """The same for a capability that yields one value after another."""
        return self.calling.stream(target, {**(params or {}), **named}, as_agent=as_agent)

    async def progress(self, done: float, total: float | None = None, message: str = "") -> None:
        """Tell the caller how far the work is, where its door can carry that."""
        await self.calling.progress(done, total, message)

    async def ask(self, questions: Questions) -> Answers:
        """Ask the client that makes this call, and wait for its answers.

        Doors without a connection to the client end the call with the questions, and run the capability again, from
        its beginning, when the answers are there: ask before you do what must happen only once.

        Raises:
            InputRequired: it cannot be asked while the call is under way; the door that carries the error knows what
                to do with it, so let it pass.
            ValidationError: its answer has no such form.
        """
        return await self.calling.ask(questions)

    async def elicit(self, message: str, model: type[M]) -> M | None:
        """Ask a person to fill in the fields of a model; None when they would not.

        The same message with the same model is the same question: asked again, it has the same answer.

        Raises:
            InternalError: a field of the model is no text, number, switch or choice.
            InputRequired, ValidationError: as `ask`.
        """
        name, form = form_of(message, model)
        return filled(model, (await self.calling.ask({name: form}))[name])

    async def log(self, level: LogLevel, data: Any, topic: str = "") -> None:  # noqa: ANN401 - JSON of any shape
        """Tell the client something on the way, where its door can carry that; ``topic`` names the part that speaks."""
        await self.calling.log(level, data, topic)
