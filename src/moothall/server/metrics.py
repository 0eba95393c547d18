"""``GET /metrics``: the six figures of the specification and OpenTelemetry's names, as Prometheus text (NEG-OPS-06).

Nothing is counted for its sake: a scrape reads what is there. No label names a person or repeats a text.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta

from fastapi import APIRouter, Response
from fastapi.responses import PlainTextResponse
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, SummaryMetricFamily
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector

from moothall.llm import semconv
from moothall.llm.meter import MeterSnapshot
from moothall.negotiation.demand.figures import Ended, ended_since
from moothall.server.access import METRICS
from moothall.server.parts import LlmStatus, ServerParts
from moothall.server.streams import OpenStreams

WINDOW = timedelta(minutes=15)
"""What the success rate of negotiations is taken over."""


@dataclass(frozen=True, slots=True)
class Scrape(Collector):
    """The figures at one moment."""

    llm: LlmStatus | None
    ended: Ended
    streams: int

    def collect(self) -> Iterable[Metric]:
        """Every metric family."""
        calls = self.llm.meter.snapshot() if self.llm is not None else MeterSnapshot()
        yield CounterMetricFamily("llm_call", "Requests to the language model", value=calls.calls)
        yield GaugeMetricFamily(
            "llm_call_success_rate",
            "Share of requests to the language model that were of use, 0 to 1; 1 before the first",
            value=calls.success_rate,
        )
        yield GaugeMetricFamily(
            "llm_call_latency_p95",
            "Seconds that 95 % of the latest 1024 requests to the language model stayed below",
            value=calls.p95_seconds,
        )
        yield GaugeMetricFamily(
            "circuit_breaker_open",
            "1 while the language model is left alone or being tried again after failures",
            value=float(self.llm is not None and self.llm.breaker.state != "closed"),
        )
        yield from _negotiations(self.ended)
        yield GaugeMetricFamily(
            "sse_active_connections", "Event streams that are open on this process", value=self.streams
        )
        if self.llm is not None:
            yield from _generative(self.llm, calls)


def _negotiations(ended: Ended) -> Iterable[Metric]:
    yield GaugeMetricFamily(
        "negotiation_success_rate",
        "Finalized (full or partial) / ended negotiations of the last 15 minutes, 0 to 1; 1 when none ended",
        value=ended.success_rate,
    )
    parts = GaugeMetricFamily(
        "negotiation_ended", "Negotiations that ended in the last 15 minutes, by how", labels=["outcome"]
    )
    for outcome, count in (("full", ended.full), ("partial", ended.partial), ("failed", ended.failed)):
        parts.add_metric([outcome], count)
    yield parts


def _generative(llm: LlmStatus, calls: MeterSnapshot) -> Iterable[Metric]:
    """OpenTelemetry's metrics of a client of generative AI, with the kind of prompt as a label of ours."""
    names = [semconv.OPERATION_NAME, semconv.PROVIDER_NAME, semconv.REQUEST_MODEL, "prompt"]
    labels = [name.replace(".", "_") for name in names]
    provider = semconv.PROVIDERS.get(llm.provider, llm.provider)
    tokens = SummaryMetricFamily(
        semconv.TOKEN_USAGE.replace(".", "_"),
        "Tokens read and written by the language model",
        labels=[*labels, semconv.TOKEN_TYPE.replace(".", "_")],
    )
    duration = SummaryMetricFamily(
        f"{semconv.OPERATION_DURATION.replace('.', '_')}_seconds",
        "Seconds that requests to the language model took",
        labels=labels,
    )
    for prompt, figures in calls.by_prompt.items():
        own = [semconv.CHAT, provider, llm.model, prompt]
        duration.add_metric(own, figures.calls, figures.seconds)
        tokens.add_metric([*own, semconv.INPUT], figures.calls, figures.input_tokens)
        tokens.add_metric([*own, semconv.OUTPUT], figures.calls, figures.output_tokens)
    yield tokens
    yield duration


class MetricRoutes:
    """The scrape; with API keys configured it asks for one, or for an admin."""

    def __init__(self, parts: ServerParts, streams: OpenStreams) -> None:
        self._parts = parts
        self._streams = streams

    def router(self) -> APIRouter:
        """The route, to be included in the application."""
        router = APIRouter(tags=["health"])
        router.add_api_route(
            METRICS, self.scrape, methods=["GET"], summary="Metrics for Prometheus", response_class=PlainTextResponse
        )
        return router

    async def scrape(self) -> Response:
        """The figures as Prometheus reads them."""
        ended = await ended_since(self._parts.log.store, self._parts.clock.now() - WINDOW)
        registry = CollectorRegistry(auto_describe=False)
        registry.register(Scrape(self._parts.llm, ended, len(self._streams)))
        for meter in self._parts.meters:
            registry.register(meter)
        return Response(generate_latest(registry), media_type=CONTENT_TYPE_LATEST)
