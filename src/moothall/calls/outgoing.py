"""Calls that leave this node: through a connector, under the breaker of the remote they go to."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http import HTTPStatus
from math import ceil
from typing import Any, Final

from moothall.calls.call import Call
from moothall.calls.failures import is_refusal
from moothall.calls.limits import partition
from moothall.calls.meter import OK
from moothall.calls.ports import Connector, Outgoing
from moothall.calls.remotes import Remote, Remotes, remote_name
from moothall.calls.streaming import closing
from moothall.calls.target import Target
from moothall.canonical import dumps
from moothall.capability.entry import Entry, Provider
from moothall.errors import (
    CallTimeout,
    InternalError,
    InvalidInput,
    MoothallError,
    Overloaded,
    Told,
    Unavailable,
    UpstreamError,
    UpstreamInvalid,
    UsageError,
)
from moothall.resilience import Outcome

_HARMLESS: Final = frozenset({"GET", "HEAD", "OPTIONS", "PUT", "DELETE"})
"""Verbs that may be repeated (RFC 9110 §9.2.2)."""
_DESCRIBED: Final = frozenset({"did", "mcp"})
"""Schemes whose targets name somebody, who is described where no operation is named (row CAL-04).

At the end of an A2A target there may be a plain JSON service, which needs none: its connector knows.
"""
_INWARD: Final = frozenset({"auto"})
"""Schemes whose connector only makes other calls of this node, each under the breaker of where it goes to."""
_ILL: Final = (CallTimeout, Overloaded, Unavailable, UpstreamError)
_LEAST: Final = 0.001


class Way:
    """How the calls of one capability, or of one target, get to where the work is done.

    Attributes:
        asks: whether the caller may name the agent that calls.
        harmless: whether a call may be repeated even when something of it was sent.
        remote: what is known of where they go.
        inward: whether they only lead to other calls, which are repeated and left alone by themselves.
    """

    def __init__(
        self, remotes: Remotes, provider: Provider, target: Target, monotonic: Callable[[], float], agent: str
    ) -> None:
        self.target = target
        self.asks = False
        self._default_agent = agent
        self.harmless = provider.remote.get("http_method", "POST").upper() in _HARMLESS
        self._remotes = remotes
        self._provider = provider
        self._monotonic = monotonic
        self._name = remote_name(target)
        self.inward = target.scheme in _INWARD
        self._describes = target.scheme in _DESCRIBED and not target.operation

    @property
    def remote(self) -> Remote:
        """What is known of where they go."""
        return self._remotes.of(self._name)

    def connector(self) -> Connector:
        """What calls there.

        Raises:
            ValidationError: it is a profile, which is never called.
            Unavailable: this node has no connector for it.
        """
        return self._remotes.connector(self._provider.source, self.target.scheme)

    async def attempt(self, call: Call) -> Any:  # noqa: ANN401 - JSON of any shape
        """Call once and return what came back, as the annotated type."""
        connector = self.connector()
        await self._let_pass()
        with self._guarded(call):
            if self._describes:
                return await connector.describe(self.target, self._agent(call))
            value = await connector.call(self._outgoing(call))
        return call.entry.decode(value)

    async def pour(self, call: Call, take: Callable[[Any], Any]) -> None:
        """Call, and hand over value by value."""
        connector = self.connector()
        await self._let_pass()
        with self._guarded(call):
            async with closing(connector.stream(self._outgoing(call))) as values:
                async for value in values:
                    await take(call.entry.decode(value))

    async def _let_pass(self) -> None:
        """Ask whether anything may be sent there; to look at a description does nobody any harm."""
        stops = self._remotes.stops
        if stops is not None and not self._describes:
            await stops.check(self.target)

    def _outgoing(self, call: Call) -> Outgoing:
        facts = call.facts
        return Outgoing(
            target=self.target,
            params=call.entry.wire(call.arguments),
            agent=self._agent(call),
            timeout=max(_LEAST, call.deadline - self._monotonic()),
            hops=facts.hops + 1,
            idempotency_key=_key(call),
            call_id=call.request_id,
            version=call.entry.spec.version if call.entry.spec.include_metadata else "",
            remote=self._provider.remote,
            report=call.report,
            principal=facts.principal if self.asks else None,
            address=facts.address,
            partner=call.partner,
            approval=facts.approval,
            purpose=facts.purpose,
            returns=call.entry.output_schema,
        )

    def _agent(self, call: Call) -> str:
        return (self.asks and call.facts.agent) or self._default_agent

    @contextmanager
    def _guarded(self, call: Call) -> Iterator[None]:
        """Ask the breaker for leave, and tell it how the call went."""
        if self.inward:
            yield
            return
        remote = self.remote
        permit = remote.breaker.allow()
        if permit is None:
            raise _left_alone(remote)
        begun = self._monotonic()
        ended: tuple[Outcome, str] = ("neutral", "cancelled")
        try:
            yield
            ended = ("ok", OK)
        except BaseException as error:
            ended = self._judged(error, call)
            raise
        finally:
            remote.breaker.done(permit, ended[0])
            remote.tally.add("", ended[1], self._monotonic() - begun)

    def _judged(self, error: BaseException, call: Call) -> tuple[Outcome, str]:
        """What a failure says of the remote; a caller without patience says nothing."""
        if isinstance(error, MoothallError):
            return _said(error, hurried=call.hurried), error.code
        late = isinstance(error, asyncio.CancelledError) and self._monotonic() >= call.patience
        how = "cancelled" if isinstance(error, asyncio.CancelledError | GeneratorExit) else InternalError.code
        return ("failed" if late and not call.hurried else "neutral"), how


def _said(error: MoothallError, *, hurried: bool) -> Outcome:
    if isinstance(error, UpstreamError) and (is_refusal(error) or error.status == HTTPStatus.TOO_MANY_REQUESTS):
        return "ok"  # it works: it refused this call, or has had enough of this caller, as with a `RateLimited`
    if isinstance(error, UpstreamInvalid | InvalidInput | UsageError) or (hurried and isinstance(error, CallTimeout)):
        return "neutral"  # of arguments nobody knows whether they were refused here, before anything was sent, or there
    return "failed" if isinstance(error, _ILL) else "ok"


def target_of(entry: Entry, provider: Provider) -> Target:
    """Where the calls of a provider go, from its options.

    Raises:
        ValidationError: the options name no target.
    """
    remote, source = provider.remote, provider.source
    operation = remote.get("method") or entry.spec.name
    if source == "did":
        return Target.parse(remote.get("did", ""), "" if "#" in remote.get("did", "") else operation)
    endpoint = remote.get("endpoint", "")
    if source in {"http", "https"} or (source not in {"mcp", "a2a"} and endpoint.startswith(("http://", "https://"))):
        return Target.parse(endpoint)
    return Target(source, remote.get("server") or endpoint or entry.spec.name, operation)


def keyed(call: Call) -> bool:
    """Whether its caller made repetitions harmless, by a key that is sent along."""
    return call.facts.idempotency_key is not None


def _key(call: Call) -> str | None:
    """The key that is sent along: to the other side all our callers are one, so it must tell them apart itself."""
    facts = call.facts
    if facts.idempotency_key is None:
        return None
    parts = [partition(facts.principal, facts.address), call.entry.key, facts.idempotency_key]
    return hashlib.sha256(dumps(parts)).hexdigest()


def _left_alone(remote: Remote) -> Unavailable:
    wait = max(1, ceil(remote.breaker.snapshot().retry_in))
    return Unavailable(
        "what is called elsewhere failed several times and is left alone for a while",
        told=Told("calls.left_alone", {"seconds": wait}),
        details={"retry_after": wait},
    )
