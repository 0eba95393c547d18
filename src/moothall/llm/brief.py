"""How a model is asked one kind of prompt, and how its answer becomes the prompt's output."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Generic, TypeVar

from pydantic import BaseModel

from moothall.llm.decision import InT, OutT, Prompt
from moothall.messages import Lang

DraftT = TypeVar("DraftT", bound=BaseModel)


@dataclass(frozen=True, slots=True)
class Brief(Generic[InT, OutT, DraftT]):
    """One prompt as a model sees it.

    ``draft`` is the shape that the model fills in: the specification's output and no more, since prices, concepts and
    days are nothing a model may make up. ``data`` gives what it is shown, each part under its name and fenced as data;
    ``prepare`` is awaited before it, for work that would keep the event loop waiting.
    ``complete`` turns a draft into the full output from what the input says.

    Raises:
        DecisionRefused: by ``complete``, for a draft that cannot be trusted; its message goes back to the model once.
    """

    prompt: Prompt[InT, OutT]
    draft: type[DraftT]
    lang: Callable[[InT], Lang]
    data: Callable[[InT], Mapping[str, object]]
    complete: Callable[[InT, DraftT], Awaitable[OutT]]
    prepare: Callable[[InT], Awaitable[None]] | None = None
