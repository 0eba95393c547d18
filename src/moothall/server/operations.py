"""What an operator sees and resets: condition, figures, the breaker, the rate limiter (row NEG-OPS-08)."""

from __future__ import annotations

from dataclasses import asdict
from importlib.metadata import version
from typing import Any, Literal

from fastapi import APIRouter, Request
from pydantic import BaseModel, Field

from moothall.llm.meter import CallFigures
from moothall.negotiation.demand.figures import ended_since, totals
from moothall.server.access import ADMIN
from moothall.server.health import Condition, Readiness
from moothall.server.metrics import WINDOW
from moothall.server.parts import ServerParts
from moothall.server.streams import OpenStreams


class BreakerView(BaseModel):
    """The circuit breaker in front of the language model; ``closed`` where the rules decide and there is none."""

    configured: bool = Field(description="Whether a model is configured at all")
    provider: str | None = None
    model: str | None = None
    state: Literal["closed", "open", "half_open"] = "closed"
    consecutive_failures: int = 0
    threshold: int
    recovery_seconds: float
    retry_in: float = Field(0, description="Seconds until one request tries whether the model is back")
    opened: int = Field(0, description="How often it opened since the start")
    refused: int = Field(0, description="Requests that it kept from the model")


class LimiterView(BaseModel):
    """The limit on submissions of each user of a key."""

    per_minute: int = Field(description="0: no limit")
    users: int = Field(description="Users that are remembered; their names are not shown")
    allowed: int
    refused: int


class CallsView(BaseModel):
    """Requests to the language model since the start or the last reset."""

    calls: int
    successes: int
    failures: int
    outcomes: dict[str, int]
    success_rate: float
    seconds: float
    p95_seconds: float
    input_tokens: int
    output_tokens: int
    cost_usd: float
    unpriced: int = Field(description="Answers whose price is not known; the cost leaves them out")


class LlmView(CallsView):
    """All requests, and the same for each kind of prompt."""

    provider: str | None = Field(description="null: the rules decide")
    model: str | None
    by_prompt: dict[str, CallsView]


class DemandCounts(BaseModel):
    """Demands of people: neither sub-negotiations nor replays."""

    open: int
    closed: int


class EndedCounts(BaseModel):
    """Negotiations that ended within the window, and the share of them that found a plan."""

    window_seconds: float
    full: int
    partial: int
    failed: int
    success_rate: float = Field(description="1 when none ended")


class AgentCounts(BaseModel):
    """Agents of the registry."""

    active: int
    disabled: int


class StatsView(BaseModel):
    """The figures of this node; streams, model and limiter are of this process."""

    demands: DemandCounts
    ended: EndedCounts
    agents: AgentCounts
    streams: int
    llm: LlmView
    rate_limiter: LimiterView


class OperatorHealth(Readiness):
    """Readiness, and what an operator wants to know beside it."""

    version: str
    streams: int
    circuit_breaker: BreakerView


class OperationRoutes:
    """The routes of an operator; the boundary lets nobody but admins in."""

    def __init__(self, parts: ServerParts, condition: Condition, streams: OpenStreams) -> None:
        self._parts = parts
        self._condition = condition
        self._streams = streams
        self._limiter = parts.submissions.limiter

    def router(self) -> APIRouter:
        """The routes, to be included in the application."""
        router = APIRouter(prefix=ADMIN, tags=["admin"])
        add = router.add_api_route
        add("/health", self.health, methods=["GET"], summary="The condition of the node")
        add("/stats", self.stats, methods=["GET"], summary="The figures of the node")
        add("/circuit-breaker", self.breaker, methods=["GET"], summary="The breaker in front of the model")
        add("/circuit-breaker/reset", self.reset_breaker, methods=["POST"], summary="Close the breaker")
        add("/rate-limiter", self.limiter, methods=["GET"], summary="The limit on submissions")
        add(
            "/rate-limiter/reset-stats",
            self.reset_limiter,
            methods=["POST"],
            summary="Count submissions from zero again",
        )
        add("/llm/reset-stats", self.reset_llm, methods=["POST"], summary="Count model calls from zero again")
        return router

    async def health(self, request: Request) -> OperatorHealth:
        """The condition; always 200, it is the answer that says how things are."""
        found = await self._condition.readiness(request)
        return OperatorHealth(
            **found.model_dump(),
            version=version("moothall"),
            streams=len(self._streams),
            circuit_breaker=await self.breaker(),
        )

    async def stats(self) -> StatsView:
        """The figures."""
        parts = self._parts
        demands = await totals(parts.log.store)
        ended = await ended_since(parts.log.store, parts.clock.now() - WINDOW)
        active = len((await parts.registry.snapshot()).profiles)
        return StatsView(
            demands=DemandCounts(open=demands.open, closed=demands.closed),
            ended=EndedCounts(window_seconds=WINDOW.total_seconds(), **asdict(ended), success_rate=ended.success_rate),
            agents=AgentCounts(active=active, disabled=len(await parts.registry.list("disabled"))),
            streams=len(self._streams),
            llm=self._llm(),
            rate_limiter=await self.limiter(),
        )

    async def breaker(self) -> BreakerView:
        """Whether the model is left alone, and for how long."""
        llm, settings = self._parts.llm, self._parts.settings
        if llm is None:
            return BreakerView(
                configured=False,
                threshold=settings.llm_failure_threshold,
                recovery_seconds=settings.llm_recovery_timeout,
            )
        return BreakerView(configured=True, provider=llm.provider, model=llm.model, **asdict(llm.breaker.snapshot()))

    async def reset_breaker(self) -> BreakerView:
        """Let requests through again, whatever has happened."""
        if self._parts.llm is not None:
            self._parts.llm.breaker.reset()
        return await self.breaker()

    async def limiter(self) -> LimiterView:
        """The limit, and how often it was met."""
        found = self._limiter.snapshot()
        return LimiterView(per_minute=found.per_minute, users=found.keys, allowed=found.allowed, refused=found.refused)

    async def reset_limiter(self) -> LimiterView:
        """Count from zero; what users have used stays used."""
        self._limiter.reset_stats()
        return await self.limiter()

    async def reset_llm(self) -> LlmView:
        """Count from zero; the breaker is left as it is."""
        if self._parts.llm is not None:
            self._parts.llm.meter.reset()
        return self._llm()

    def _llm(self) -> LlmView:
        llm = self._parts.llm
        if llm is None:
            return LlmView(provider=None, model=None, by_prompt={}, **_calls(CallFigures()))
        found = llm.meter.snapshot()
        each = {prompt: CallsView.model_validate(_calls(figures)) for prompt, figures in found.by_prompt.items()}
        return LlmView(provider=llm.provider, model=llm.model, by_prompt=each, **_calls(found))


def _calls(figures: CallFigures) -> dict[str, Any]:
    shown = CallsView.model_fields.keys()
    return {name: getattr(figures, name) for name in shown}
