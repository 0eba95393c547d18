"""Whole texts from a provider: asked within one time limit, tried again where that can help, behind a breaker.

The time limit (``LLM_TIMEOUT``) is for a call with all its attempts and the pauses between them (row META-LLM-06).
Only what passes by itself is tried again, HTTP 429 and 5xx, and only as long as the breaker is closed; every attempt
hands its outcome to the breaker, so that failures in a row count alike, whether they belong to one call or to many.
"""

from __future__ import annotations

import asyncio
import secrets
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Final, TypedDict

from moothall.llm.base import BaseLLM
from moothall.llm.choice import Provider
from moothall.llm.failing import loaded, told
from moothall.llm.meter import CallOutcome, Meter
from moothall.llm.model import ModelFailure, Question, Reply
from moothall.llm.providers import ProviderModel
from moothall.llm.tokens import tell
from moothall.llm.trail import trail
from moothall.resilience import Breaker, Outcome, Permit
from moothall.telemetry import logger

KIND: Final = "text"
"""What these calls are counted as, beside the kinds of prompts."""

_TIMEOUT: Final = 10.0
_ATTEMPTS: Final = 3
_THRESHOLD: Final = 3
_RECOVERY: Final = 30.0
_FIRST: Final = 0.5
_LONGEST: Final = 8.0
_TOO_MANY: Final = 429
_SERVER_ERROR: Final = 500
_chance = secrets.SystemRandom()
_log = logger("llm")


def jitter(failures: int) -> float:
    """Seconds of the pause after so many failed attempts: at random below a bound that doubles ("full jitter")."""
    return _chance.uniform(0.0, min(_LONGEST, _FIRST * 2 ** (failures - 1)))


class TextOptions(TypedDict, total=False):
    """How a provider is asked for texts.

    Attributes:
        timeout: seconds for a call, all its attempts included; 10 where nothing is said.
        breaker: of this provider and model; share it between all who ask them.
        meter: where the attempts are counted, as ``text``.
        places: of which an attempt takes one while it waits for its answer; without it there is no limit.
        attempts: that a call makes at the most.
        pause: the seconds after so many failed attempts.
    """

    timeout: float
    breaker: Breaker
    meter: Meter
    places: asyncio.Semaphore
    attempts: int
    pause: Callable[[int], float]


class ProviderLLM(BaseLLM):
    """A model at a provider."""

    def __init__(
        self,
        provider: Provider,
        *,
        timeout: float = _TIMEOUT,
        breaker: Breaker | None = None,
        meter: Meter | None = None,
        places: asyncio.Semaphore | None = None,
        attempts: int = _ATTEMPTS,
        pause: Callable[[int], float] = jitter,
    ) -> None:
        self._model = ProviderModel(provider)
        self._timeout = timeout
        self.breaker = breaker or Breaker(_THRESHOLD, _RECOVERY, time.monotonic)
        self.meter = meter or Meter()
        self._places = places
        self._attempts = attempts
        self._pause = pause

    @property
    def model(self) -> str:
        """The model's name at the provider."""
        return self._model.name

    @property
    def provider(self) -> str:
        """The provider's short name."""
        return self._model.provider

    async def async_generate_response(self, system_prompt: str, user_prompt: str) -> str:
        """The model's answer: as it came, which may be cut off at the longest that is asked for.

        Raises:
            as :meth:`~moothall.llm.base.BaseLLM.async_generate_response`.
        """
        question = Question(system_prompt, user_prompt)
        try:
            await loaded(self._model)
            return await self._text(question, self._now() + self._timeout)
        except ModelFailure as failure:
            raise told(failure) from None

    async def aclose(self) -> None:
        """Close its connections; the next question opens them again."""
        await self._model.aclose()

    async def _text(self, question: Question, end: float) -> str:
        failures = 0
        while True:
            try:
                return await self._attempt(question, end)
            except ModelFailure as failure:
                failures += 1
                if not await self._again(failure, failures, end):
                    raise

    async def _again(self, failure: ModelFailure, failures: int, end: float) -> bool:
        """Whether to try again, after the pause before that; what would begin too late is not begun."""
        pause = max(failure.wait, self._pause(failures))
        passes = failure.status == _TOO_MANY or failure.status >= _SERVER_ERROR
        if not passes or failures >= self._attempts or self._now() + pause >= end or self.breaker.state != "closed":
            return False
        _log.info("the model is asked once more: %s", failure)
        await asyncio.sleep(pause)
        return self.breaker.state == "closed"

    async def _attempt(self, question: Question, end: float) -> str:
        """One request, and what it says about the provider."""
        permit = self.breaker.allow()
        if permit is None:
            raise ModelFailure("unavailable", "the model is left alone after failures in a row", outage=False)
        outcome: Outcome = "neutral"
        try:
            async with self._place(end):
                text = await self._ask(question, end, permit)
            outcome = "ok"
        except ModelFailure as failure:
            outcome = "failed" if failure.outage else "neutral"
            raise
        finally:
            self.breaker.done(permit, outcome)
        return text

    async def _ask(self, question: Question, end: float, permit: Permit) -> str:
        if not self.breaker.stands(permit):
            message = "the model failed while this question waited for its turn"
            raise ModelFailure("unavailable", message, outage=False)
        started = self._now()
        outcome: CallOutcome = "cancelled"
        reply: Reply | None = None
        try:
            async with asyncio.timeout(max(0.0, end - started)):
                reply = await self._model.ask(question)
            text = _written(reply)
            outcome = "ok"
        except TimeoutError:
            outcome = "timeout"
            raise ModelFailure("timeout", "no answer in time", outage=True) from None
        except ModelFailure as failure:
            outcome = "invalid" if failure.failure == "unreadable" else failure.failure
            raise
        except Exception as error:  # noqa: BLE001 - whatever trips inside the client: whoever asks knows how it can fail
            outcome = "unavailable"
            _log.error("asking the model failed: %s", trail(error))
            raise ModelFailure("unavailable", "the client failed", outage=False) from None
        finally:
            self.meter.record(KIND, outcome, self._now() - started, reply)
            if reply is not None and reply.input_tokens and reply.output_tokens:
                tell(reply.input_tokens + reply.output_tokens)
        return text

    @asynccontextmanager
    async def _place(self, end: float) -> AsyncIterator[None]:
        """Wait for a place, for half of the time that is left at the most, and leave it again."""
        if self._places is None:
            yield
            return
        try:
            async with asyncio.timeout(max(0.0, (end - self._now()) / 2)):
                await self._places.acquire()
        except TimeoutError:
            # The queue is ours, not the provider's.
            raise ModelFailure("timeout", "too many questions wait for the model", outage=False) from None
        try:
            yield
        finally:
            self._places.release()

    @staticmethod
    def _now() -> float:
        return asyncio.get_running_loop().time()


def _written(reply: Reply) -> str:
    """The text of a reply.

    Raises:
        ModelFailure: there is none.
    """
    if isinstance(reply.answer, str) and reply.answer.strip():
        return reply.answer
    raise ModelFailure("unreadable", "the reply holds no text", outage=False)
