"""Which provider and model the settings name, without loading anything of it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal
from urllib.parse import urlsplit

from moothall.errors import SettingsError
from moothall.settings import Settings, variable

ProviderName = Literal["anthropic", "openai", "azure", "openrouter"]

_KEYS: dict[ProviderName, str] = {
    "anthropic": "anthropic_api_key",
    "openai": "openai_api_key",
    "azure": "azure_openai_api_key",
    "openrouter": "openrouter_api_key",
}
_ADDRESSES: dict[ProviderName, str] = {
    "anthropic": "anthropic_base_url",
    "openai": "openai_base_url",
    "azure": "azure_openai_endpoint",
    "openrouter": "openrouter_base_url",
}


@dataclass(frozen=True, slots=True)
class Provider:
    """A provider as configured; ``model`` is the deployment's name on Azure, the only one with an ``api_version``."""

    name: ProviderName
    model: str
    base_url: str
    key: str = field(repr=False)
    api_version: str = ""


def chosen_provider(settings: Settings) -> Provider | None:
    """The provider that ``LLM_PROVIDER`` names, else the first that has a key; None: the rules decide.

    Raises:
        SettingsError: the provider lacks its key, its address, on Azure its deployment, on OpenRouter a model.
    """
    with_key = [name for name, setting in _KEYS.items() if getattr(settings, setting)]
    name = settings.llm_provider or (with_key[0] if with_key else "none")
    if name == "none":
        return None
    _required(settings, _KEYS[name], name)
    key = header_key(settings, _KEYS[name])
    _required(settings, _ADDRESSES[name], name)
    base_url = web_address(settings, _ADDRESSES[name])
    if name == "azure":
        deployment = _required(settings, "azure_openai_deployment", name)
        return Provider(name, deployment, base_url, key, settings.azure_openai_api_version)
    if name == "openrouter":
        return Provider(name, _at_openrouter(settings), base_url, key)
    return Provider(name, settings.llm_model, base_url, key)


def prompt_timeout(settings: Settings, number: int) -> float:
    """The seconds that a model may take for this prompt."""
    own: float | None = getattr(settings, f"llm_timeout_p{number}")
    return settings.llm_timeout if own is None else own


def is_web_address(value: str) -> bool:
    """Whether requests can be sent there."""
    try:
        parts = urlsplit(value)
        return (
            parts.scheme in {"http", "https"} and bool(parts.hostname) and parts.port != 0 and "@" not in parts.netloc
        )
    except ValueError:  # a port that is no number, a bracket that is not closed
        return False


def _required(settings: Settings, setting: str, provider: ProviderName) -> str:
    value: str = getattr(settings, setting)
    if not value.strip():
        raise SettingsError(
            f"the model provider {provider} lacks {variable(setting)}",
            hint=f"set {variable(setting)}, or LLM_PROVIDER=none to let the rules decide",
            details={"setting": setting, "variable": variable(setting)},
        )
    return value.strip()


def _at_openrouter(settings: Settings) -> str:
    """The model's name there, which begins with its vendor's."""
    model = settings.openrouter_model or settings.llm_model
    if "/" not in model:
        raise SettingsError(
            f"{variable('openrouter_model')} is no model of OpenRouter",
            why=f"{model} does not name its vendor",
            hint=f"set {variable('openrouter_model')} to a name such as anthropic/claude-sonnet-4.5",
            details={"setting": "openrouter_model", "variable": variable("openrouter_model")},
        )
    return model


def web_address(settings: Settings, setting: str) -> str:
    """The address in a setting.

    Raises:
        SettingsError: it is none that requests could be sent to.
    """
    value: str = getattr(settings, setting).strip()
    if not is_web_address(value):
        raise SettingsError(
            f"{variable(setting)} is no address to send requests to",
            why="it must be http:// or https:// with a host, and without a user or password",
            details={"setting": setting, "variable": variable(setting)},
        )
    return value


def fits_header(value: str) -> bool:
    """Whether a header can carry it."""
    return value.isascii() and value.isprintable()


def header_key(settings: Settings, setting: str) -> str:
    """The key in a setting, as a header can carry it; may be empty.

    Raises:
        SettingsError: it holds other signs than printable ASCII, such as a line end that came with a copy.
    """
    value: str = getattr(settings, setting).strip()
    if not fits_header(value):
        raise SettingsError(
            f"{variable(setting)} is no key",
            why="a key consists of printable ASCII signs",
            details={"setting": setting, "variable": variable(setting)},
        )
    return value
