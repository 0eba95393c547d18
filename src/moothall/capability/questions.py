"""What a running capability may ask the client at its door: a person's input, a model's text, the client's folders.

The forms are those of the Model Context Protocol (elicitation, sampling, roots); doors of other protocols translate
what they can and refuse the rest. Pure.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from moothall.capability.spec import JsonObject

LogLevel = Literal["debug", "info", "notice", "warning", "error", "critical", "alert", "emergency"]
"""The levels of a message for the client (RFC 5424 §6.2.1)."""


@dataclass(frozen=True, slots=True)
class Form:
    """Ask a person to fill in a form.

    Attributes:
        message: what they read.
        schema: JSON Schema of a flat object: texts, numbers, switches, choices. Never ask for secrets.
    """

    message: str
    schema: JsonObject


@dataclass(frozen=True, slots=True, kw_only=True)
class Sampling:
    """Ask the client's language model for a text.

    Attributes:
        messages: ``{"role": …, "content": …}``, in their order.
        max_tokens: how long the text may be.
        system: a system prompt that the client may use.
    """

    messages: Sequence[JsonObject]
    max_tokens: int
    system: str = ""


@dataclass(frozen=True, slots=True)
class Roots:
    """Ask which folders the client works in."""


Question = Form | Sampling | Roots
Questions = Mapping[str, Question]
"""Questions by names that the capability chooses; a name means the same question however often it is asked."""

Answers = Mapping[str, JsonObject]
"""Answers by the same names: of a form ``{"action": "accept" | "decline" | "cancel", "content": {…}}``, of sampling
``{"role", "content", "model", …}``, of roots ``{"roots": […]}``."""
