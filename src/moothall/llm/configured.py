"""What the settings ask for: the model behind the decisions, and the requesters' own agents."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from typing import Any

from moothall.llm.brief import Brief
from moothall.llm.choice import chosen_provider, header_key, prompt_timeout, web_address
from moothall.llm.decision import Brain, Decisions
from moothall.llm.named import text_model, text_options
from moothall.llm.personal_agent import PersonalAgent
from moothall.llm.providers import ProviderModel
from moothall.llm.runner import ModelBrain
from moothall.llm.texts import ProviderLLM
from moothall.resilience import Breaker
from moothall.settings import Settings

UNDERSTAND = "understand"
"""The kind of prompt that a personal agent answers, and that ``LLM_STRICT`` is about."""

Briefs = Mapping[str, Brief[Any, Any, Any]]


def configured_model(settings: Settings, briefs: Briefs, monotonic: Callable[[], float]) -> ModelBrain | None:
    """The model, or None where the rules decide; nothing is loaded or sent yet.

    Raises:
        SettingsError: as :func:`~moothall.llm.choice.chosen_provider`.
    """
    provider = chosen_provider(settings)
    if provider is None:
        return None
    return ModelBrain(
        ProviderModel(provider),
        briefs,
        breaker=Breaker(settings.llm_failure_threshold, settings.llm_recovery_timeout, monotonic),
        timeout=lambda number: prompt_timeout(settings, number),
        concurrency=settings.llm_concurrency,
    )


def configured_llm(
    settings: Settings, monotonic: Callable[[], float], brain: ModelBrain | None = None
) -> ProviderLLM | None:
    """The same model for whole texts, or None where none is configured; nothing is loaded or sent yet.

    Args:
        settings: with ``LLM_PROVIDER``, the provider's own, ``LLM_TIMEOUT`` and the breaker's.
        monotonic: seconds.
        brain: that asks the same model for decisions; it shares its breaker, its meter and its places with this one.

    Raises:
        SettingsError: as :func:`~moothall.llm.choice.chosen_provider`.
    """
    provider = chosen_provider(settings)
    if provider is None:
        return None
    options = text_options(settings, monotonic)
    options["places"] = asyncio.Semaphore(settings.llm_concurrency) if brain is None else brain.places
    if brain is not None:
        options["breaker"], options["meter"] = brain.breaker, brain.meter
    return text_model(provider, options)


def configured_decisions(
    settings: Settings, rules: Brain, model: ModelBrain | None, briefs: Briefs, monotonic: Callable[[], float]
) -> Decisions:
    """The decision port over the rules, the model and the personal agents.

    Raises:
        SettingsError: the personal agent's address or key is none.
    """
    strict = frozenset({UNDERSTAND}) if settings.llm_strict else frozenset[str]()
    return Decisions(rules, model, personal=_personal_agent(settings, briefs, monotonic), strict=strict)


def _personal_agent(settings: Settings, briefs: Briefs, monotonic: Callable[[], float]) -> PersonalAgent | None:
    if not settings.personal_agent_url:
        return None
    users = frozenset(user.strip() for user in settings.personal_agent_users.split(",") if user.strip())
    return PersonalAgent(
        briefs[UNDERSTAND],
        web_address(settings, "personal_agent_url"),
        key=header_key(settings, "personal_agent_key"),
        users=users,
        seconds=prompt_timeout(settings, briefs[UNDERSTAND].prompt.number),
        breaker=Breaker(settings.llm_failure_threshold, settings.llm_recovery_timeout, monotonic),
    )
