"""The port to a language model: one question, one reply, and one way to fail."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Literal, Protocol

Failure = Literal["timeout", "unavailable", "unreadable"]
"""No answer in time; no connection or a refusal; an answer that is none (filtered, empty)."""


@dataclass(frozen=True, slots=True)
class Tool:
    """How the answer is to be given: the model calls this tool, whose parameters are the answer (JSON Schema)."""

    name: str
    description: str
    parameters: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Question:
    """One request: who the model is and by which rules (``system``), what it is shown (``user``), how it answers.

    Without a tool the answer is a text.
    """

    system: str
    user: str
    tool: Tool | None = None

    def again(self, reason: str) -> Question:
        """The same question, with the reason why the last answer was refused."""
        return replace(self, user=f"{self.user}\n\n{reason}")


@dataclass(frozen=True, slots=True)
class Reply:
    """What came back: the tool's arguments, or text where the model did not call it, and what it took.

    ``model`` is the name that the provider gives, which may be more precise than the one asked for; ``cost_usd`` is
    None where no price is known.
    """

    answer: Mapping[str, Any] | str
    model: str
    input_tokens: int
    output_tokens: int
    cost_usd: float | None


class ModelFailure(Exception):
    """A request without a usable reply.

    ``outage`` says whether the provider, rather than this one question, is the reason: only that counts for the
    breaker. ``status`` is the HTTP status that it refused with, 0 where that is not what failed; ``wait`` are the
    seconds that it asks us to leave it alone. The message is fit for a log: it holds nothing that the provider or a
    caller wrote.
    """

    def __init__(self, failure: Failure, message: str, *, outage: bool, status: int = 0, wait: float = 0.0) -> None:
        super().__init__(message)
        self.failure = failure
        self.outage = outage
        self.status = status
        self.wait = wait


class Model(Protocol):
    """A model at a provider."""

    @property
    def provider(self) -> str:
        """The provider's short name."""
        ...

    @property
    def name(self) -> str:
        """The model's name there."""
        ...

    async def warm(self) -> None:
        """Load what the first question would otherwise wait for."""
        ...

    async def ask(self, question: Question) -> Reply:
        """Ask once; no retry, no time limit of its own.

        Raises:
            ModelFailure: no usable reply.
        """
        ...

    async def aclose(self) -> None:
        """Close its connections; the next question opens them again."""
        ...
