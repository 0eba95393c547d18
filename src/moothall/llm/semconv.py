"""The OpenTelemetry names for generative AI that we use.

The conventions are still in development; when they change, this file does.
"""

from __future__ import annotations

from typing import Final

OPERATION_DURATION: Final = "gen_ai.client.operation.duration"
"""Histogram or summary of seconds per request."""
TOKEN_USAGE: Final = "gen_ai.client.token.usage"  # noqa: S105 - a metric
"""Tokens, by :data:`TOKEN_TYPE`."""

OPERATION_NAME: Final = "gen_ai.operation.name"
CHAT: Final = "chat"
PROVIDER_NAME: Final = "gen_ai.provider.name"
REQUEST_MODEL: Final = "gen_ai.request.model"
TOKEN_TYPE: Final = "gen_ai.token.type"  # noqa: S105 - an attribute
INPUT, OUTPUT = "input", "output"

PROVIDERS: Final = {
    "anthropic": "anthropic",
    "openai": "openai",
    "azure": "azure.ai.openai",
    "openrouter": "openrouter",
}
"""The conventions' names of our providers."""
