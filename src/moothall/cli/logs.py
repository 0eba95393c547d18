"""How much of the log a command shows on stderr.

A command tells its result and its errors itself, so the node it opens in its own process stays silent: only a fault of
the command is logged. ``--verbose`` or ``MOOTHALL_LOG_LEVEL`` shows the log; ``serve`` shows it by the settings.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Mapping

from moothall.telemetry import configure

QUIET = "CRITICAL"
VERBOSE = "INFO"


def asked_level(environment: Mapping[str, str] = os.environ) -> str:
    """The level that the environment names; the settings complain about one that is none."""
    wanted = environment.get("MOOTHALL_LOG_LEVEL", "")
    return wanted if wanted in logging.getLevelNamesMapping() else QUIET


def show_log(level: str, *, verbose: bool = False) -> None:
    """Log from ``level`` upwards, with ``verbose`` at least from INFO."""
    levels = logging.getLevelNamesMapping()
    configure(VERBOSE if verbose and levels[level] > levels[VERBOSE] else level)
