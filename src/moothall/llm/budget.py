"""What a piece of work may take of a language model: so many calls, so many tokens (row META-LIMIT-04)."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from moothall.errors import BudgetSpent
from moothall.llm.base import BaseLLM
from moothall.llm.tokens import counting, estimated


class BudgetedLLM(BaseLLM):
    """A model that answers as long as the budget lasts.

    A call counts as one when it begins, however often the provider is tried, and whether or not an answer comes. Its
    tokens are those that the provider tells, else about those of the texts. No call is made whose prompt alone would
    be too much, so only the last answer may go beyond ``max_tokens``.

    Args:
        inner: the model; it stays whoever's it is, `aclose` does not close it.
        max_calls: calls.
        max_tokens: tokens of prompts and answers; 0: not counted.
        calls: that were made before, by a run that goes on.
        tokens: that those took.
    """

    def __init__(self, inner: BaseLLM, max_calls: int, max_tokens: int = 0, *, calls: int = 0, tokens: int = 0) -> None:
        self._inner = inner
        self._max_calls = max_calls
        self._max_tokens = max_tokens
        self._calls = calls
        self._tokens = tokens
        self._under_way = 0

    @property
    def model(self) -> str:
        """The model's name."""
        return self._inner.model

    @property
    def calls(self) -> int:
        """Calls so far."""
        return self._calls

    @property
    def tokens(self) -> int:
        """Tokens so far, of calls that have ended."""
        return self._tokens

    @property
    def spent(self) -> bool:
        """Whether no further call can be made."""
        return not self._allows(1)

    async def async_generate_response(self, system_prompt: str, user_prompt: str) -> str:
        """The model's answer.

        Raises:
            BudgetSpent: the budget is used up.
            and as `inner`.
        """
        prompt = estimated(system_prompt, user_prompt)
        return await self._within(prompt, lambda: self._inner.async_generate_response(system_prompt, user_prompt))

    async def generate_code(self, requirement: str) -> str:
        """Python code for a requirement.

        Raises:
            as `async_generate_response`.
        """
        return await self._within(estimated(requirement), lambda: self._inner.generate_code(requirement))

    def _allows(self, prompt: int) -> bool:
        room = not self._max_tokens or self._tokens + self._under_way + prompt <= self._max_tokens
        return room and self._calls < self._max_calls

    async def _within(self, prompt: int, ask: Callable[[], Awaitable[str]]) -> str:
        if not self._allows(prompt):
            raise BudgetSpent(
                "what this piece of work may take of a language model is used up",
                details={
                    "calls": self._calls,
                    "max_calls": self._max_calls,
                    "tokens": self._tokens,
                    "max_tokens": self._max_tokens,
                },
            )
        self._calls += 1
        self._under_way += prompt
        text = ""
        with counting() as tally:
            try:
                text = await ask()
            finally:
                self._under_way -= prompt
                self._tokens += tally.tokens if tally.told else prompt + (estimated(text) if text else 0)
        return text
