"""The tokens that calls of a model take, told to whoever counts them, however many layers lie between the two.

A model that is asked for a text gives a text (row META-LLM-01) and no figures beside it. They go to the counters that
are open around the call, so that a wrapper that somebody writes loses none of them.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Final

_BYTES_OF_A_TOKEN: Final = 3
"""English has four, Chinese about three: rather too many tokens than too few."""


@dataclass(slots=True, eq=False)
class Tally:
    """What was told since it was opened; ``told`` is False as long as nobody told anything."""

    tokens: int = 0
    told: bool = False
    outer: Tally | None = None


_open: ContextVar[Tally | None] = ContextVar("moothall_llm_tokens", default=None)


@contextmanager
def counting() -> Iterator[Tally]:
    """Count what is told inside, in tasks that are started there, too."""
    tally = Tally(outer=_open.get())
    token = _open.set(tally)
    try:
        yield tally
    finally:
        _open.reset(token)


def tell(tokens: int) -> None:
    """Tell every open counter of the tokens of one answer."""
    tally = _open.get()
    while tally is not None:
        tally.tokens += tokens
        tally.told = True
        tally = tally.outer


def estimated(*texts: str) -> int:
    """About how many tokens texts have together."""
    return sum(len(text.encode("utf-8", "surrogatepass")) // _BYTES_OF_A_TOKEN + 1 for text in texts)
