"""An unexpected error for a log, without its text: that may repeat what people, a model or a provider wrote."""

from __future__ import annotations

import traceback
from pathlib import PurePath
from typing import Final

_STEPS: Final = 12
"""Calls that are shown of each error, the innermost."""


def trail(error: BaseException) -> str:
    """The kind of an error and of what caused it, each with the places it went through, the innermost first."""
    told: list[str] = []
    seen: set[int] = set()
    cause: BaseException | None = error
    while cause is not None and id(cause) not in seen:
        seen.add(id(cause))
        steps = reversed(traceback.extract_tb(cause.__traceback__)[-_STEPS:])
        places = " < ".join(f"{PurePath(step.filename).name}:{step.lineno} {step.name}" for step in steps)
        told.append(f"{type(cause).__name__} at {places or 'an unknown place'}")
        cause = cause.__cause__ or (None if cause.__suppress_context__ else cause.__context__)
    return "; caused by ".join(told)
