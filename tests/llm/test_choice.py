"""Which model the settings choose."""

from __future__ import annotations

from typing import Any

import pytest

from moothall.errors import SettingsError
from moothall.llm.choice import chosen_provider, prompt_timeout
from moothall.settings import Settings

AZURE = {
    "azure_openai_api_key": "key-z",
    "azure_openai_endpoint": "https://our.example",
    "azure_openai_deployment": "ours",
}


@pytest.mark.parametrize(
    ("settings", "name", "model", "key"),
    [
        ({"anthropic_api_key": "key-a"}, "anthropic", "claude-sonnet-4-5-20250929", "key-a"),
        ({"openai_api_key": "key-o", "llm_model": "gpt-4o"}, "openai", "gpt-4o", "key-o"),
        (AZURE, "azure", "ours", "key-z"),
        ({"openrouter_api_key": "key-r", "openrouter_model": "a/b"}, "openrouter", "a/b", "key-r"),
        ({"openrouter_api_key": "key-r", "llm_model": "c/d"}, "openrouter", "c/d", "key-r"),
        ({"openrouter_api_key": "key-r", "openai_api_key": "key-o"}, "openai", "claude-sonnet-4-5-20250929", "key-o"),
        ({"openai_api_key": "key-o", **AZURE, "llm_provider": "azure"}, "azure", "ours", "key-z"),
    ],
)
def test_the_named_provider_or_the_first_with_a_key_is_chosen(
    settings: dict[str, Any], name: str, model: str, key: str
) -> None:
    chosen = chosen_provider(Settings(**settings))
    assert chosen is not None
    assert (chosen.name, chosen.model, chosen.key) == (name, model, key)


@pytest.mark.parametrize("settings", [{}, {"anthropic_api_key": "key-a", "llm_provider": "none"}])
def test_without_a_key_or_when_told_so_the_rules_decide(settings: dict[str, Any]) -> None:
    assert chosen_provider(Settings(**settings)) is None


@pytest.mark.parametrize(
    ("settings", "variable"),
    [
        ({"llm_provider": "anthropic"}, "ANTHROPIC_API_KEY"),
        ({"llm_provider": "openrouter", "anthropic_api_key": "key-a"}, "OPENROUTER_API_KEY"),
        ({**AZURE, "azure_openai_endpoint": ""}, "AZURE_OPENAI_ENDPOINT"),
        ({**AZURE, "azure_openai_deployment": " "}, "AZURE_OPENAI_DEPLOYMENT"),
        ({"openrouter_api_key": "key-r"}, "OPENROUTER_MODEL"),
        ({"anthropic_api_key": "key-a", "anthropic_base_url": "api.example"}, "ANTHROPIC_BASE_URL"),
        ({"anthropic_api_key": "key-a", "anthropic_base_url": "ftp://api.example"}, "ANTHROPIC_BASE_URL"),
        ({"openai_api_key": "key-o", "openai_base_url": "https://me:secret@api.example"}, "OPENAI_BASE_URL"),
    ],
)
def test_what_a_provider_lacks_is_named_and_no_secret_is(settings: dict[str, Any], variable: str) -> None:
    with pytest.raises(SettingsError) as error:
        chosen_provider(Settings(**settings))
    assert error.value.details["variable"] == variable
    assert "secret" not in str(error.value)
    assert "key-" not in str(error.value)


def test_a_prompts_own_time_limit_goes_before_the_common_one() -> None:
    settings = Settings(llm_timeout=7.0, llm_timeout_p4=30.0)
    assert [prompt_timeout(settings, number) for number in (3, 4, 5)] == [7.0, 30.0, 7.0]
    assert prompt_timeout(Settings(), 1) == 10.0
