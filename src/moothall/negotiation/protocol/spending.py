"""What a negotiation has taken of a language model, kept in its run: a restart gives no new budget."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final, Self

from moothall.events.model import Draft
from moothall.events.run import Run
from moothall.llm.budget import BudgetedLLM

SPENT: Final = "protocol.spent"


@dataclass(slots=True)
class Spending:
    """Calls and tokens so far.

    Attributes:
        calls: of the model.
        tokens: that those took.
    """

    calls: int = 0
    tokens: int = 0
    _llm: BudgetedLLM | None = field(default=None, repr=False)

    @classmethod
    def of(cls, run: Run) -> Self:
        """What earlier lives of a run have spent."""
        last = next((event.payload for event in reversed(run.history) if event.type == SPENT), {})
        return cls(calls=last.get("calls", 0), tokens=last.get("tokens", 0))

    def follow(self, llm: BudgetedLLM | None) -> None:
        """Count what this one takes from now on; it begins with what was spent before."""
        self._llm = llm

    def news(self, key: str) -> tuple[Draft, ...]:
        """The event, for the step with this key, that says what was spent since the last one; none: nothing was."""
        llm = self._llm
        if llm is None or (llm.calls, llm.tokens) == (self.calls, self.tokens):
            return ()
        self.calls, self.tokens = llm.calls, llm.tokens
        return (Draft(f"spent.{key}", SPENT, {"calls": self.calls, "tokens": self.tokens}),)
