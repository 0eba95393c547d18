"""The decision port: a typed question in, a checked and marked answer out.

Every choice that the specification gives to a language model passes through :meth:`Decisions.decide`.
Behind the port stands the deterministic engine and, where one is configured, a model; whichever answered, its
output is checked against the world before anybody may act on it.
"""

from __future__ import annotations

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


class Brain(Protocol):
    """Anything that can answer a prompt.

    Raises:
        ModelUnavailable: the provider cannot be reached or refuses.
        ModelTimeout: no answer in time.
        DecisionRefused: there is an answer, but not a usable one.
    """

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


class Decisions:
    """The port. Without a model the engine decides; with one, the engine stands in whenever the model fails."""

    def __init__(self, rules: Brain, model: Brain | None = None) -> None:
        self._rules = rules
        self._model = model

    async def decide(self, prompt: Prompt[InT, OutT], data: InT) -> Decided[OutT]:
        """Decide, check against the world, and say who decided.

        Raises:
            DecisionRefused: even the deterministic engine's answer does not fit the world.
        """
        if self._model is None:
            return await self.by_rules(prompt, data)
        try:
            return Decided(prompt.check(data, await self._model.answer(prompt, data)), "llm")
        except (ModelUnavailable, ModelTimeout, DecisionRefused) as failure:
            _log.warning("prompt %d (%s) falls back to rules: %s", prompt.number, prompt.kind, failure.code)
        answer = prompt.check(data, await self._rules.answer(prompt, data))
        return Decided(prompt.stand_in(answer), "fallback", degraded=True)

    async def by_rules(self, prompt: Prompt[InT, OutT], data: InT) -> Decided[OutT]:
        """Decide without a model: for what is not worth a call, because somebody else decides about it again.

        Raises:
            DecisionRefused: the deterministic engine's answer does not fit the world.
        """
        return Decided(prompt.check(data, await self._rules.answer(prompt, data)), "rules")
