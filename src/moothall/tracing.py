"""One trace over all hops of a request: W3C Trace Context (row TPL-02).

A request that comes with a ``traceparent`` is part of that trace, any other begins one of its own. Each call is a span
of it; its id, and that of a new trace, are made from the id under which the call is logged. What runs here finds its
own ``traceparent`` in `current`, and every request that leaves the node bears it.
"""

from __future__ import annotations

import os
import re
import time
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar, Token
from typing import Final, Protocol

from moothall.telemetry import logger

HEADER: Final = "traceparent"
"""Of requests over HTTP, and the key in the ``_meta`` of those of MCP."""

LOGGED: Final = "trace"
"""Under this key the id of the trace stands in a record of the log."""


class Traced(Protocol):
    """Work that has a ``traceparent``, which is made when somebody asks for it: most calls need none."""

    @property
    def trace(self) -> str:
        """Its ``traceparent``."""
        ...


here: Final[ContextVar[str | Traced]] = ContextVar("moothall_traceparent", default="")
"""What runs here, or its ``traceparent``; empty: it belongs to no trace."""


class Current:
    """The ``traceparent`` of what runs here, as a `ContextVar` would hold it."""

    @staticmethod
    def get() -> str:
        """What it is; empty: what runs here belongs to no trace."""
        return told(here.get())

    @staticmethod
    def set(value: str) -> Token[str | Traced]:
        """Let something run under it."""
        return here.set(value)

    @staticmethod
    def reset(token: Token[str | Traced]) -> None:
        """As it was before."""
        here.reset(token)


current: Final = Current()

_FORM: Final = re.compile(r"(?!ff)[0-9a-f]{2}-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}(?![^-])")
_LONGEST: Final = 256
_SAMPLED: Final = "01"
_log = logger("tracing")


def received(value: object) -> str:
    """The ``traceparent`` that a request came with, in version 00; empty where it has none, or none that is valid.

    Of a later version the part is read that this one knows, as it is meant to be.
    """
    if not isinstance(value, str) or len(value) > _LONGEST or (found := _FORM.match(value)) is None:
        return ""
    if value.startswith("00") and found.end() != len(value):
        return ""
    return f"00{found[0][2:]}"


def told(within: str | Traced) -> str:
    """The ``traceparent`` of work, or one that is known."""
    return within if isinstance(within, str) else within.trace


def child(parent: str, request_id: str) -> str:
    """The ``traceparent`` of a call within another, or of one that begins a trace; ``request_id`` is a UUID."""
    digits = request_id.replace("-", "")
    if parent:
        return f"{parent[:36]}{digits[16:]}-{parent[-2:]}"
    return f"00-{digits}-{digits[16:]}-{_SAMPLED}"


def trace_id() -> str:
    """The id of the trace that this runs in; empty: in none."""
    return current.get()[3:35]


@contextmanager
def span(name: str) -> Iterator[str]:
    """A part of the work as a span of its own, or the begin of a trace; its ``traceparent``."""
    digits, parent, begun = os.urandom(16).hex(), current.get(), time.monotonic()
    within = child(parent, digits)
    token = current.set(within)
    try:
        yield within
    finally:
        current.reset(token)
        _log.debug("%s took %.6f s", name, time.monotonic() - begun, extra={LOGGED: within[3:35]})
