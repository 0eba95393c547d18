"""A call path over decorated functions, a remote that does what a test wants, and a log of pauses."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import replace
from typing import Any

from moothall.calls.caller import UnifiedCaller
from moothall.calls.path import CallPath
from moothall.calls.ports import CallFacts, Outgoing
from moothall.calls.reply import Chunk, Reply
from moothall.calls.target import Target
from moothall.calls.terms import Terms
from moothall.capability.agents import Agent
from moothall.capability.registry import Registry
from moothall.identity.principal import ANONYMOUS, OWNER, Principal
from moothall.policy.engine import PolicyEngine
from tests.support.clock import ManualClock

ALICE = Principal(id="did:wba:a.example:e1_a", kind="did", binding="request")
BOB = Principal(id="did:wba:b.example:e1_b", kind="did", binding="request")
__all__ = ["ALICE", "ANONYMOUS", "BOB", "OWNER", "Hall", "Remote", "SleeplessClock", "facts"]


class SleeplessClock(ManualClock):
    """Sleeping takes no time but is remembered: the clock moves on by itself."""

    def __init__(self) -> None:
        super().__init__()
        self.pauses: list[float] = []

    async def sleep_until(self, when: Any) -> None:
        self.pauses.append((when - self.now()).total_seconds())
        self._now = max(self._now, when)


class Remote:
    """A connector whose answers a test writes: values, errors to raise, or functions of the call."""

    schemes: tuple[str, ...] = ("did", "http", "https", "mcp")

    def __init__(self, *answers: Any) -> None:
        self.answers = list(answers)
        self.seen: list[Outgoing] = []
        self.closed = 0

    async def call(self, outgoing: Outgoing) -> Any:
        self.seen.append(outgoing)
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        if isinstance(answer, BaseException):
            raise answer
        return await answer(outgoing) if callable(answer) else answer

    async def stream(self, outgoing: Outgoing) -> AsyncIterator[Any]:
        self.seen.append(outgoing)
        try:
            for answer in self.answers:
                if isinstance(answer, BaseException):
                    raise answer
                yield answer
        finally:
            self.closed += 1

    async def describe(self, target: Target, agent: str) -> dict[str, Any]:
        return {"about": str(target), "agent": agent}


def facts(principal: Principal = OWNER, door: str = "local", **more: Any) -> CallFacts:
    return CallFacts(door=door, principal=principal, **more)


class Hall:
    """A path over functions of the agent ``node`` and of others."""

    def __init__(
        self, *functions: object, remote: Remote | None = None, agents: Mapping[str, object] | None = None, **path: Any
    ) -> None:
        self.registry = Registry()
        Agent("node", *functions).join(self.registry)
        for name, included in (agents or {}).items():
            Agent(name, *(included if isinstance(included, tuple) else (included,))).join(self.registry)
        authorizer = path.pop("authorizer", None) or PolicyEngine.usual()
        connectors = [] if remote is None else [remote]
        terms = replace(path.pop("terms", Terms()), chance=path.pop("chance", lambda: 0.0))
        path = {"secret": b"s" * 32, **path}
        self.path = CallPath(self.registry, authorizer, connectors=connectors, terms=terms, **path)
        self.caller = UnifiedCaller(self.path)

    async def call(
        self, target: str, principal: Principal = OWNER, door: str = "local", /, *, params: Any = None, **given: Any
    ) -> Reply[Any]:
        """Call a target, by the name alone if it is local; ``_x`` sets the fact x."""
        more = {name[1:]: given.pop(name) for name in list(given) if name.startswith("_")}
        parsed = Target.parse(target if ":" in target else f"local:{target}")
        return await self.path.call(parsed, given if params is None else params, facts(principal, door, **more))

    async def stream(
        self, target: str, principal: Principal = OWNER, door: str = "local", /, **given: Any
    ) -> AsyncIterator[Chunk]:
        more = {name[1:]: given.pop(name) for name in list(given) if name.startswith("_")}
        admitted = await self.path.admit(Target.parse(f"local:{target}"), facts(principal, door, **more))
        async for chunk in self.path.stream(admitted, given):
            yield chunk

    def counted(self, name: str) -> dict[str, int]:
        """How often calls of a capability ended how."""
        counts: dict[str, int] = {}
        for (_, outcome), number in self.path.meter.capabilities.of(name).outcomes.items():
            counts[outcome] = counts.get(outcome, 0) + number
        return counts


def code(reply: Reply[Any]) -> str:
    """How a call ended, in one word."""
    return "ok" if reply.error is None else reply.error.envelope_code


Function = Callable[..., Any]
