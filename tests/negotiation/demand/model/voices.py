"""A language model that says what a test tells it to, behind the real runner."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from moothall.llm.decision import Decisions
from moothall.llm.model import ModelFailure, Question, Reply
from moothall.llm.runner import ModelBrain
from moothall.negotiation.demand.model.briefs import demand_briefs
from moothall.negotiation.demand.rules.brain import rules_brain
from moothall.resilience import Breaker
from tests.negotiation.demand.rules.worlds import LEXICA

RULES = rules_brain(LEXICA.vocabulary, LEXICA.gazetteer, LEXICA.activities)
BRIEFS = demand_briefs(LEXICA, RULES)
Answer = Mapping[str, Any] | str | ModelFailure | Callable[[Question], Mapping[str, Any]]
DEAD = ModelFailure("unavailable", "refused", outage=True)
LATE = ModelFailure("timeout", "no answer in time", outage=True)


@dataclass
class Spoken:
    """Answers by the kind of prompt; of several the next each time, the last for ever."""

    answers: Mapping[str, Answer | Sequence[Answer]]
    otherwise: Answer = DEAD
    asked: list[tuple[str, Question]] = field(default_factory=list)
    provider: str = "test"
    name: str = "spoken"

    async def warm(self) -> None:
        """Nothing to load."""

    async def aclose(self) -> None:
        """Nothing to close."""

    async def ask(self, question: Question) -> Reply:
        kind = question.tool.name
        self.asked.append((kind, question))
        answer = self.answers.get(kind, self.otherwise)
        if isinstance(answer, list | tuple):
            answer = answer[min(self.count(kind), len(answer)) - 1]
        if isinstance(answer, ModelFailure):
            raise answer
        said = answer(question) if callable(answer) else answer
        assert isinstance(said, str | Mapping)
        return Reply(said, "spoken-1", input_tokens=2500, output_tokens=180, cost_usd=0.01)

    def count(self, kind: str) -> int:
        """How often one kind was asked."""
        return sum(one == kind for one, _ in self.asked)

    def shown(self, kind: str) -> str:
        """What the model was shown when it was last asked this."""
        return next(question.user for one, question in reversed(self.asked) if one == kind)


def deciding(model: Spoken) -> Decisions:
    """Decisions by this model, with the rules behind it; the breaker never opens."""
    brain = ModelBrain(
        model, BRIEFS, breaker=Breaker(1_000_000, 30, lambda: 0.0), timeout=lambda _: 10.0, concurrency=32
    )
    return Decisions(RULES, brain)
