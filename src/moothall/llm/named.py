"""The providers of texts by name: Azure OpenAI, OpenRouter, Anthropic, OpenAI (rows META-LLM-02 to 04).

Each is built from values, or by `configured` from the settings that the specification names.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Final, Self, Unpack

from moothall.errors import InvalidInput, SettingsError
from moothall.llm.choice import Provider, ProviderName, chosen_provider, fits_header, is_web_address
from moothall.llm.texts import ProviderLLM, TextOptions
from moothall.resilience import Breaker
from moothall.settings import Settings, variable

Monotonic = Callable[[], float]

_AS_MANY: Final = 6
"""Times as long as a decision may a whole text take, where nothing is said."""


class AzureLLM(ProviderLLM):
    """A deployment on Azure OpenAI.

    Args:
        endpoint: the resource's ``https://…`` address.
        api_key: sent as ``api-key``.
        deployment: its name.
        api_version: of Azure's API, such as ``2024-10-21``.
        options: how it is asked.

    Raises:
        InvalidInput: one of them is empty, or none at all.
    """

    def __init__(
        self, endpoint: str, api_key: str, deployment: str, api_version: str, **options: Unpack[TextOptions]
    ) -> None:
        _given(api_version=api_version)
        super().__init__(_provider("azure", endpoint, api_key, deployment, api_version), **options)

    @classmethod
    def configured(cls, settings: Settings, monotonic: Monotonic = time.monotonic) -> Self:
        """From ``AZURE_OPENAI_API_KEY``, ``_ENDPOINT``, ``_DEPLOYMENT``, ``_API_VERSION`` (row META-ALICE-02).

        Raises:
            SettingsError: one is missing; names it.
        """
        provider = _settled(settings, "azure")
        name = "azure_openai_api_version"
        if name not in settings.model_fields_set:
            raise SettingsError(
                f"the model provider azure lacks {variable(name)}",
                hint=f"set {variable(name)}, for instance to {provider.api_version}",
                details={"setting": name, "variable": variable(name)},
            )
        options = text_options(settings, monotonic)
        return cls(provider.base_url, provider.key, provider.model, provider.api_version, **options)


class OpenRouterLLM(ProviderLLM):
    """A model at OpenRouter.

    Args:
        api_key: sent as a bearer token.
        model: its name there, which begins with its vendor's.
        base_url: where the API is.
        options: how it is asked.

    Raises:
        InvalidInput: one of them is empty, or none at all.
    """

    def __init__(
        self, api_key: str, model: str, base_url: str = "https://openrouter.ai/api/v1", **options: Unpack[TextOptions]
    ) -> None:
        super().__init__(_provider("openrouter", base_url, api_key, model), **options)

    @classmethod
    def configured(cls, settings: Settings, monotonic: Monotonic = time.monotonic) -> Self:
        """From ``OPENROUTER_API_KEY``, ``OPENROUTER_MODEL``, ``OPENROUTER_BASE_URL`` (row META-BOB-02).

        Raises:
            SettingsError: one is missing; names it.
        """
        provider = _settled(settings, "openrouter")
        return cls(provider.key, provider.model, provider.base_url, **text_options(settings, monotonic))


class AnthropicLLM(ProviderLLM):
    """A model at Anthropic.

    Args:
        api_key: sent as ``x-api-key``.
        model: its name there.
        base_url: where the API, or a proxy that speaks it, is.
        options: how it is asked.

    Raises:
        InvalidInput: one of them is empty, or none at all.
    """

    def __init__(
        self, api_key: str, model: str, base_url: str = "https://api.anthropic.com", **options: Unpack[TextOptions]
    ) -> None:
        super().__init__(_provider("anthropic", base_url, api_key, model), **options)

    @classmethod
    def configured(cls, settings: Settings, monotonic: Monotonic = time.monotonic) -> Self:
        """From ``ANTHROPIC_API_KEY``, ``LLM_MODEL``, ``ANTHROPIC_BASE_URL``.

        Raises:
            SettingsError: the key is missing; names it.
        """
        provider = _settled(settings, "anthropic")
        return cls(provider.key, provider.model, provider.base_url, **text_options(settings, monotonic))


class OpenAILLM(ProviderLLM):
    """A model at OpenAI, or at a server that speaks its language.

    Args:
        api_key: sent as a bearer token.
        model: its name there.
        base_url: where the API is.
        options: how it is asked.

    Raises:
        InvalidInput: one of them is empty, or none at all.
    """

    def __init__(
        self, api_key: str, model: str, base_url: str = "https://api.openai.com/v1", **options: Unpack[TextOptions]
    ) -> None:
        super().__init__(_provider("openai", base_url, api_key, model), **options)

    @classmethod
    def configured(cls, settings: Settings, monotonic: Monotonic = time.monotonic) -> Self:
        """From ``OPENAI_API_KEY``, ``LLM_MODEL``, ``OPENAI_BASE_URL``.

        Raises:
            SettingsError: the key is missing; names it.
        """
        provider = _settled(settings, "openai")
        return cls(provider.key, provider.model, provider.base_url, **text_options(settings, monotonic))


def text_options(settings: Settings, monotonic: Monotonic) -> TextOptions:
    """How the settings have a provider asked."""
    breaker = Breaker(settings.llm_failure_threshold, settings.llm_recovery_timeout, monotonic)
    seconds = settings.llm_timeout_text or _AS_MANY * settings.llm_timeout
    return TextOptions(timeout=seconds, breaker=breaker)


def text_model(provider: Provider, options: TextOptions) -> ProviderLLM:
    """The model of a provider."""
    if provider.name == "azure":
        return AzureLLM(provider.base_url, provider.key, provider.model, provider.api_version, **options)
    of = {"openrouter": OpenRouterLLM, "anthropic": AnthropicLLM, "openai": OpenAILLM}[provider.name]
    return of(provider.key, provider.model, provider.base_url, **options)


def _settled(settings: Settings, name: ProviderName) -> Provider:
    provider = chosen_provider(settings.model_copy(update={"llm_provider": name}))
    assert provider is not None  # noqa: S101 - it is named
    return provider


def _provider(name: ProviderName, base_url: str, key: str, model: str, api_version: str = "") -> Provider:
    _given(base_url=base_url, api_key=key, model=model)
    if not is_web_address(base_url.strip()):
        raise InvalidInput(f"the address of {name} is none to send requests to")
    if not fits_header(key.strip()):
        raise InvalidInput(f"the key of {name} is none: it consists of printable ASCII signs")
    return Provider(name, model.strip(), base_url.strip(), key.strip(), api_version.strip())


def _given(**values: str) -> None:
    for name, value in values.items():
        if not value.strip():
            raise InvalidInput(f"{name} is empty")
