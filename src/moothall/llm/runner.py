"""The brain that is a language model: asks once, lets it repair once, within a time limit and behind a breaker.

A decision takes one request, or two when the first answer is of no use: the reason of the refusal then goes back to
the model. The time limit (``LLM_TIMEOUT``, ``LLM_TIMEOUT_P<n>``) is for the decision: the wait for one of the
``llm_concurrency`` places takes at most half of it, the first request what that left, the repair what the first
request left, so that a caller knows how long it waits at the most and no request is sent that has no time. Our own
work in between is not counted.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any, Final

from moothall.errors import DecisionRefused, ModelUnavailable
from moothall.llm.brief import Brief, DraftT
from moothall.llm.decision import Answered, InT, OutT, Prompt, Unanswered, Usage
from moothall.llm.failing import loaded, told
from moothall.llm.fencing import fenced
from moothall.llm.meter import CallOutcome, Meter
from moothall.llm.model import Model, ModelFailure, Question, Reply, Tool
from moothall.llm.prompt_files import refused_text, system_text, tool_text
from moothall.llm.reading import read_answer
from moothall.llm.trail import trail
from moothall.messages import Lang
from moothall.resilience import Breaker, Outcome
from moothall.telemetry import logger

_log = logger("llm")
_FAIR: Final = 0.4
"""The part of the time limit that a request must have had before its timeout speaks against the provider."""

SystemText = Callable[[int, str, Lang], str]


@dataclass(slots=True)
class _Spending:
    """What one decision has taken so far."""

    limit: float
    left: float
    model: str
    requests: int = 0
    replies: list[Reply] = field(default_factory=list)
    seconds: float = 0.0

    def usage(self) -> Usage | None:
        """None when nothing was asked."""
        if not self.requests:
            return None
        costs = [reply.cost_usd for reply in self.replies if reply.cost_usd is not None]
        return Usage(
            model=(self.replies[-1].model if self.replies else "") or self.model,
            requests=self.requests,
            input_tokens=sum(reply.input_tokens for reply in self.replies),
            output_tokens=sum(reply.output_tokens for reply in self.replies),
            cost_usd=sum(costs) if costs else None,
            seconds=round(self.seconds, 3),
        )


class ModelBrain:
    """Answers the prompts that it has a brief for.

    Args:
        model: whom to ask.
        briefs: how, by the kind of prompt.
        breaker: of this provider and model; a decision refused by it is answered at once.
        timeout: the seconds for a prompt, by its number.
        concurrency: decisions that may be at the model at once; whoever else asks it takes one of these `places`.
        meter: where calls are counted.
        system: the system text by number, kind and language.
    """

    def __init__(
        self,
        model: Model,
        briefs: Mapping[str, Brief[Any, Any, Any]],
        *,
        breaker: Breaker,
        timeout: Callable[[int], float],
        concurrency: int,
        meter: Meter | None = None,
        system: SystemText = system_text,
    ) -> None:
        self._model = model
        self.breaker = breaker
        self.meter = meter or Meter()
        self._briefs = briefs
        self._parameters = {kind: brief.draft.model_json_schema() for kind, brief in briefs.items()}
        self._timeout = timeout
        self._system = system
        self.places = asyncio.Semaphore(concurrency)
        self._warming: asyncio.Task[None] | None = None

    @property
    def provider(self) -> str:
        """The provider's short name."""
        return self._model.provider

    @property
    def model(self) -> str:
        """The model's name there."""
        return self._model.name

    def start(self) -> None:
        """Begin to load the client, so that the first question need not wait for it."""
        self._warming = asyncio.create_task(self._model.warm(), name="llm: warming up")

    async def stop(self) -> None:
        """Close what is open; it may be used, or started, again."""
        warming, self._warming = self._warming, None
        if warming is not None:
            warming.cancel()
            await asyncio.gather(warming, return_exceptions=True)
        await self._model.aclose()

    def limit(self, prompt: Prompt[InT, OutT]) -> float:
        """The seconds for a decision of this kind."""
        return self._timeout(prompt.number)

    def takes(self, prompt: Prompt[InT, OutT], _: InT) -> bool:
        """Whether there is a brief for this kind."""
        return prompt.kind in self._briefs

    async def answer(
        self, prompt: Prompt[InT, OutT], data: InT, seconds: float | None = None
    ) -> Answered[OutT] | Unanswered:
        """Ask the model; a failure is returned together with what was spent on it."""
        permit = self.breaker.allow()
        if permit is None:
            return Unanswered(ModelUnavailable("the model is left alone after failures in a row"))
        limit = self.limit(prompt)
        spending = _Spending(limit, limit if seconds is None else min(limit, seconds), self._model.name)
        outcome: Outcome = "neutral"
        try:
            await loaded(self._model)
            async with self._place(spending):
                if not self.breaker.stands(permit):
                    return Unanswered(ModelUnavailable("the model failed while this question waited for its turn"))
                value = await self._decide(prompt, data, spending)
            outcome = "ok"
            return Answered(value, spending.usage())
        except ModelFailure as failure:
            outcome = "failed" if failure.outage else "neutral"
            return Unanswered(told(failure), spending.usage())
        except DecisionRefused as refusal:
            return Unanswered(refusal, spending.usage())
        except Exception as error:  # noqa: BLE001 - the last place where the rules can still stand in for whatever it was
            _log.error("prompt %d (%s): asking the model failed: %s", prompt.number, prompt.kind, trail(error))
            return Unanswered(ModelUnavailable("the language model cannot be asked"), spending.usage())
        finally:
            self.breaker.done(permit, outcome)

    async def _decide(self, prompt: Prompt[InT, OutT], data: InT, spending: _Spending) -> OutT:
        brief: Brief[InT, OutT, Any] = self._briefs[prompt.kind]
        lang = brief.lang(data)
        if brief.prepare is not None:
            await brief.prepare(data)
        question = Question(
            system=self._system(prompt.number, prompt.kind, lang),
            user=fenced(brief.data(data)),
            tool=Tool(prompt.kind, tool_text(prompt.kind, lang), self._parameters[prompt.kind]),
        )
        try:
            return await self._attempt(brief, data, question, spending)
        except DecisionRefused as refusal:
            # The reason may repeat what people wrote, which belongs into no log.
            _log.info(
                "prompt %d (%s): the answer is of no use, the model is asked once more", prompt.number, prompt.kind
            )
            question = question.again(f"{refused_text(lang)}\n\n{fenced({'reason': str(refusal)})}")
        return await self._attempt(brief, data, question, spending)

    async def _attempt(
        self, brief: Brief[InT, OutT, DraftT], data: InT, question: Question, spending: _Spending
    ) -> OutT:
        """One request and the reading of its reply."""
        reply, seconds = await self._ask(brief.prompt.kind, question, spending)
        outcome: CallOutcome = "cancelled"
        try:
            value = await read_answer(brief, data, reply.answer)
            outcome = "ok"
        except Exception:
            outcome = "invalid"
            raise
        finally:
            self.meter.record(brief.prompt.kind, outcome, seconds, reply)
        return value

    async def _ask(self, kind: str, question: Question, spending: _Spending) -> tuple[Reply, float]:
        """One request within the time that is left; a call without a reply is counted here."""
        started = asyncio.get_running_loop().time()
        outcome: CallOutcome | None = "cancelled"
        spending.requests += 1
        # A repair says nothing, since the provider has just answered; nor does a request that came late.
        fair = spending.requests == 1 and spending.left >= _FAIR * spending.limit
        try:
            async with asyncio.timeout(spending.left):
                reply = await self._model.ask(question)
            outcome = None
        except TimeoutError:
            outcome = "timeout"
            raise ModelFailure("timeout", "no answer in time", outage=fair) from None
        except ModelFailure as failure:
            outcome = "invalid" if failure.failure == "unreadable" else failure.failure
            raise
        except Exception:
            outcome = "unavailable"
            raise
        finally:
            seconds = asyncio.get_running_loop().time() - started
            spending.seconds += seconds
            spending.left = max(0.0, spending.left - seconds)
            if outcome is not None:
                self.meter.record(kind, outcome, seconds)
        spending.replies.append(reply)
        _log.debug(
            "%s: %s answered in %.2f s, %d in, %d out",
            kind,
            reply.model,
            seconds,
            reply.input_tokens,
            reply.output_tokens,
        )
        return reply, seconds

    @asynccontextmanager
    async def _place(self, spending: _Spending) -> AsyncIterator[None]:
        """Wait for one of the places, for half of the time at the most, and leave it again."""
        started = asyncio.get_running_loop().time()
        try:
            async with asyncio.timeout(spending.left / 2):
                await self.places.acquire()
        except TimeoutError:
            # The queue is ours, not the provider's.
            raise ModelFailure("timeout", "too many decisions wait for the model", outage=False) from None
        spending.left -= asyncio.get_running_loop().time() - started
        try:
            yield
        finally:
            self.places.release()
