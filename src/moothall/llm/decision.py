"""The decision port: a typed question in, a checked and marked answer out.

Every choice that the specification gives to a language model passes through :meth:`Decisions.decide`.
Behind the port stands the deterministic engine and, where one is configured, a model; whichever answered, its
output is checked against the world before anybody may act on it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any, Generic, Literal, Protocol, TypeVar

from pydantic import BaseModel

from moothall.errors import DecisionRefused, ModelTimeout, ModelUnavailable
from moothall.telemetry import logger

Source = Literal["rules", "llm", "personal_agent", "fallback", "requester"]
"""Who decided: the rules, a model, the requester's own agent, the rules in place of a failing model, the requester."""

InT = TypeVar("InT", bound=BaseModel)
OutT = TypeVar("OutT", bound=BaseModel)

_log = logger("llm")


@dataclass(frozen=True, slots=True)
class Prompt(Generic[InT, OutT]):
    """One kind of decision: its place in the specification, its input and output, and what must hold between them.

    ``check(input, output)`` returns the output, possibly narrowed to what the input allows, or raises
    :class:`~moothall.errors.DecisionRefused` where it cannot be trusted. ``stand_in`` is what the engine's answer
    becomes where it stands in for a model that failed.
    """

    number: int
    kind: str
    fallback_key: str
    input: type[InT]
    output: type[OutT]
    check: Callable[[InT, OutT], OutT]
    stand_in: Callable[[OutT], OutT] = lambda output: output


@dataclass(frozen=True, slots=True)
class Usage:
    """What one decision cost: requests (a repair is a second one), tokens, US dollars where the price is known."""

    model: str
    requests: int = 0
    input_tokens: int = 0
    output_tokens: int = 0
    cost_usd: float | None = None
    seconds: float = 0.0


@dataclass(frozen=True, slots=True)
class Decided(Generic[OutT]):
    """A checked answer and who gave it.

    ``degraded`` is true only when a configured model failed, ``error`` is then the code of that failure (``E003``,
    ``E004``, ``DECISION_REFUSED``); ``usage`` is what the model took, also in vain.
    """

    value: OutT
    source: Source
    degraded: bool = False
    error: str = ""
    usage: Usage | None = None


Failure = ModelUnavailable | ModelTimeout | DecisionRefused
"""The provider cannot be reached or refuses; no answer in time; an answer, but not a usable one."""


@dataclass(frozen=True, slots=True)
class Answered(Generic[OutT]):
    """An answer that has passed the prompt's check, and what it took."""

    value: OutT
    usage: Usage | None = None


@dataclass(frozen=True, slots=True)
class Unanswered:
    """Why there is no answer, and what was spent on it all the same; without usage nothing was asked."""

    failure: Failure
    usage: Usage | None = None


class Adviser(Protocol):
    """Who is asked before the rules: a model, or the requester's own agent."""

    def limit(self, prompt: Prompt[InT, OutT]) -> float:
        """The seconds that a decision may take which it is the only one to be asked for."""
        ...

    def takes(self, prompt: Prompt[InT, OutT], data: InT) -> bool:
        """Whether this question is one for it."""
        ...

    async def answer(
        self, prompt: Prompt[InT, OutT], data: InT, seconds: float | None = None
    ) -> Answered[OutT] | Unanswered:
        """Answer, checked against the world, or say why not; whatever goes wrong, it raises nothing.

        ``seconds`` is how long it may take at the most; None: as long as it thinks right.
        """
        ...

    async def stop(self) -> None:
        """Close what is open; it may be used again."""
        ...


class Brain(Protocol):
    """Anything that can answer every prompt."""

    async def answer(self, prompt: Prompt[InT, OutT], data: InT) -> OutT:
        """Answer one prompt."""
        ...


Rule = Callable[[Any], Awaitable[BaseModel]]


class RulesBrain:
    """The deterministic engine: one function per kind of prompt."""

    def __init__(self, rules: Mapping[str, Rule]) -> None:
        self._rules = dict(rules)

    @property
    def kinds(self) -> frozenset[str]:
        """The kinds of prompts it has a rule for."""
        return frozenset(self._rules)

    async def answer(self, prompt: Prompt[InT, OutT], data: InT) -> OutT:
        """Run the rule of this kind; its output type is the prompt's."""
        output = await self._rules[prompt.kind](data)
        if not isinstance(output, prompt.output):
            message = f"the rule for {prompt.kind} gave {type(output).__name__}, not {prompt.output.__name__}"
            raise TypeError(message)
        return output


TIMED_OUT = "LLM 调用超时，使用降级响应"
"""The log line of row NEG-OPS-07, word for word."""


class Decisions:
    """The port: the requester's own agent, then the model, then the engine, which stands in whenever they fail.

    Who is asked shares one time limit, the longest of theirs: each gets an equal part of what is left, so that there
    is time for the next one when the first hangs, and the decision takes no longer than with one of them.

    Args:
        rules: the deterministic engine; without the others it decides alone.
        model: the language model.
        personal: the requester's own agent, for the questions it takes.
        strict: the kinds of prompts that are refused rather than left to the rules when the others fail.
    """

    def __init__(
        self,
        rules: Brain,
        model: Adviser | None = None,
        *,
        personal: Adviser | None = None,
        strict: frozenset[str] = frozenset(),
    ) -> None:
        self._rules = rules
        advisers: list[tuple[Source, Adviser | None]] = [("personal_agent", personal), ("llm", model)]
        self._advisers = [(source, adviser) for source, adviser in advisers if adviser is not None]
        self._strict = strict

    async def decide(self, prompt: Prompt[InT, OutT], data: InT) -> Decided[OutT]:
        """Decide, check against the world, and say who decided.

        Raises:
            DecisionRefused: even the deterministic engine's answer does not fit the world.
            ModelUnavailable, ModelTimeout: the model failed, and this kind of prompt is strict.
        """
        failed: Unanswered | None = None
        asked = [(source, adviser) for source, adviser in self._advisers if adviser.takes(prompt, data)]
        clock = asyncio.get_running_loop().time
        end = clock() + max((adviser.limit(prompt) for _, adviser in asked), default=0.0)
        for position, (source, adviser) in enumerate(asked):
            part = max(0.0, end - clock()) / (len(asked) - position)
            answer = await adviser.answer(prompt, data, part)
            if isinstance(answer, Answered):
                return Decided(answer.value, source, usage=answer.usage)
            _tell(prompt, source, answer)
            failed = answer
        if failed is not None and prompt.kind in self._strict:
            raise _refusal(failed.failure)
        decided = await self.by_rules(prompt, data)
        if failed is None:
            return decided
        value = prompt.stand_in(decided.value)
        return Decided(value, "fallback", degraded=True, error=failed.failure.code, usage=failed.usage)

    async def stop(self) -> None:
        """Close what those who are asked hold open; they may be asked again."""
        for _, adviser in self._advisers:
            await adviser.stop()

    async def by_rules(self, prompt: Prompt[InT, OutT], data: InT) -> Decided[OutT]:
        """Decide without a model: for what is not worth a call, because somebody else decides about it again.

        Raises:
            DecisionRefused: the deterministic engine's answer does not fit the world.
        """
        return Decided(prompt.check(data, await self._rules.answer(prompt, data)), "rules")


LLMServiceWithFallback = Decisions
"""The specification's name of the port (spec C §6.2.1, §8.1)."""


def _tell(prompt: Prompt[InT, OutT], source: Source, answer: Unanswered) -> None:
    failure = answer.failure
    if not isinstance(failure, ModelTimeout) or source != "llm":
        _log.warning("prompt %d (%s): %s gives no answer: %s", prompt.number, prompt.kind, source, failure.code)
    elif answer.usage is None:  # nothing was asked: the provider is not to blame
        _log.warning("prompt %d (%s): no place at the model in time, degraded answer", prompt.number, prompt.kind)
    else:
        _log.warning(TIMED_OUT, extra={"prompt": prompt.kind})


def _refusal(failure: Failure) -> Failure:
    """The error of a strict prompt: an answer of no use is as good as no model."""
    if isinstance(failure, DecisionRefused):
        return ModelUnavailable("the language model's answer is of no use", why=str(failure))
    return failure
