"""Whether a function does anything: the body of a proxy is a docstring, ``pass`` or ``...`` (row DEC-50)."""

from __future__ import annotations

import dis
from collections.abc import Callable
from functools import cache
from types import CodeType
from typing import Any

_NOISE = frozenset({"NOP", "RESUME", "CACHE", "EXTENDED_ARG"})


def is_empty(function: Callable[..., Any]) -> bool:
    """Whether the body has no effect and returns nothing; of what is no Python function, nobody knows: False.

    It reads the byte code, since the source is not always at hand, and compares it with what this interpreter makes
    of ``pass``.
    """
    code = getattr(function, "__code__", None)
    return isinstance(code, CodeType) and _steps(code) in _nothing()


def _steps(code: CodeType) -> tuple[tuple[str, bool], ...]:
    return tuple(
        (step.opname, step.opname in {"LOAD_CONST", "RETURN_CONST"} and step.argval is None)
        for step in dis.get_instructions(code)
        if step.opname not in _NOISE
    )


@cache
def _nothing() -> frozenset[tuple[tuple[str, bool], ...]]:
    def sync() -> None: ...

    async def later() -> None: ...

    return frozenset({_steps(sync.__code__), _steps(later.__code__)})
