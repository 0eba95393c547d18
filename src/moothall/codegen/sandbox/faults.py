"""What the runtime's errors are called here. Pure, but for the runtime's own types."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

from pydantic_monty import (
    Frame,
    MontyConversionError,
    MontyCrashedError,
    MontyError,
    MontyRuntimeError,
    MontySyntaxError,
    MontyTypingError,
)

from moothall.codegen.sandbox.port import FaultKind, fault
from moothall.errors import SandboxFault

MODULE_FILE: Final = "<python-input-0>"
"""What the runtime calls a module's source, which it is fed first."""

_WRITING: Final = ("<python-input-1>", 3)
"""Where the cell's driver, which comes after, writes the function's value as JSON."""

_LIMITS: Final[Sequence[tuple[str, re.Pattern[str], FaultKind]]] = (
    ("TimeoutError", re.compile(r"(feed|turn) time limit exceeded|maximum cumulative sleep"), "time"),
    ("MemoryError", re.compile(r"memory limit"), "memory"),
    ("RecursionError", re.compile(r""), "recursion"),
    ("RuntimeError", re.compile(r"suspension limit \d+ exceeded"), "calls"),
    ("NotImplementedError", re.compile(r"[Mm]onty"), "unsupported"),
    ("ModuleNotFoundError", re.compile(r""), "unsupported"),
    ("ImportError", re.compile(r""), "unsupported"),
    ("SyntaxError", re.compile(r""), "syntax"),
)
"""How the runtime words what it ends a run with. Code can word its own errors so: it fails by either name."""


def fault_of(error: MontyError) -> SandboxFault:
    """The fault that an error of the runtime is."""
    if isinstance(error, MontyCrashedError):
        return fault("time" if error.timed_out else "crashed")
    if isinstance(error, MontyTypingError):
        return fault("types", error.display())
    if isinstance(error, MontySyntaxError | MontyRuntimeError):
        return _raised(error)
    if isinstance(error, MontyConversionError):
        return fault("result", "a value cannot cross")
    return fault("crashed")


def _raised(error: MontySyntaxError | MontyRuntimeError) -> SandboxFault:
    message = error.display("msg")
    name = error.display("type-msg").removesuffix(message).rstrip(": ") or "Exception"
    name = name.rpartition(".")[2]
    frames = error.traceback()
    line = _line(frames)
    for limit, wording, kind in _LIMITS:
        if name == limit and wording.search(message):
            return fault(kind, message, line=line)
    if frames and (frames[-1].filename, frames[-1].line) == _WRITING:
        return fault("result", message)
    return fault("raised", message, line=line, raised=name)


def _line(frames: Sequence[Frame]) -> int | None:
    """The line of the module where it happened: the innermost of its frames, which come last."""
    return next((frame.line for frame in reversed(frames) if frame.filename == MODULE_FILE), None)
