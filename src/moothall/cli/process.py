"""How a command's process is set up: for its start, and for a node that it goes on to serve."""

from __future__ import annotations

import gc
import sys
from typing import Final

SWITCH_SECONDS: Final = 0.0001
"""How long a thread with something to do waits for the interpreter.

Each statement of the database waits so, and with Python's 5 ms a message stands still while earlier ones are sent.
"""

_STARTING: Final = (50_000, 20, 20)
_SERVING: Final = (700, 10, 10)


def begin() -> None:
    """Let the collector look seldom: what a start makes stays, and it would be looked through dozens of times."""
    gc.set_threshold(*_STARTING)


def settle() -> None:
    """Set the process up for serving, now that all is there that stays.

    A collector that somebody else has set up, as tests and programs do, is left so.
    """
    gc.freeze()  # to look through it again and again would hold all callers up
    if gc.get_threshold() == _STARTING:
        gc.set_threshold(*_SERVING)
    sys.setswitchinterval(SWITCH_SECONDS)
