"""One prompt made for tests, of the kind ``choose``: pick a colour among those that the input allows."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import BaseModel, Field

from moothall.clock import Clock, SystemClock
from moothall.errors import DecisionRefused
from moothall.llm.brief import Brief
from moothall.llm.choice import chosen_provider, prompt_timeout
from moothall.llm.decision import Decisions, Prompt, RulesBrain
from moothall.llm.meter import Meter
from moothall.llm.model import Model
from moothall.llm.providers import ProviderModel
from moothall.llm.runner import ModelBrain
from moothall.resilience import Breaker
from moothall.settings import Settings
from tests.support.fake_llm import FakeLLM


class Ask(BaseModel):
    text: str = "which colour?"
    allowed: tuple[str, ...] = ("red", "blue")


class Choice(BaseModel):
    colour: str
    amount: int = 1
    sure: bool = True


class ChoiceDraft(BaseModel):
    colour: Literal["red", "blue", "green"]
    amount: int = Field(1, ge=0)


def check(data: Ask, output: Choice) -> Choice:
    if output.colour not in data.allowed:
        raise DecisionRefused(f"{output.colour} is not among the allowed colours")
    return output


CHOOSE = Prompt(4, "choose", "choice", Ask, Choice, check, stand_in=lambda c: c.model_copy(update={"sure": False}))
RED, BLUE, GREEN = ({"colour": colour, "amount": 2} for colour in ("red", "blue", "green"))


async def complete(_: Ask, draft: ChoiceDraft) -> Choice:
    return Choice(colour=draft.colour, amount=draft.amount)


BRIEF: Brief[Ask, Choice, ChoiceDraft] = Brief(
    CHOOSE, ChoiceDraft, lambda _: "en", lambda data: {"question": data.text, "allowed": data.allowed}, complete
)


async def by_rules(_: Ask) -> Choice:
    return Choice(colour="red", amount=0)


OPEN: list[ModelBrain] = []
"""The brains of this test, stopped at its end."""
RULES = RulesBrain({"choose": by_rules})


def brain(
    llm: FakeLLM, provider: str = "anthropic", *, clock: Clock | None = None, model: Model | None = None, **more: Any
) -> ModelBrain:
    """A brain that asks the fake server; ``more`` are settings."""
    settings = Settings(**llm.settings(provider, **more))
    chosen = chosen_provider(settings)
    assert chosen is not None
    mind = ModelBrain(
        model or ProviderModel(chosen),
        {"choose": BRIEF},
        breaker=Breaker(
            settings.llm_failure_threshold, settings.llm_recovery_timeout, (clock or SystemClock()).monotonic
        ),
        timeout=lambda number: prompt_timeout(settings, number),
        concurrency=settings.llm_concurrency,
        meter=Meter(),
        system=lambda number, kind, _: f"Prompt {number} ({kind})",
    )
    OPEN.append(mind)
    return mind


def decisions(mind: ModelBrain, **more: Any) -> Decisions:
    return Decisions(RULES, mind, **more)
