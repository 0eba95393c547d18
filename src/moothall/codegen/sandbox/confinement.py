"""The system's own limits on a worker process, behind those that the runtime keeps, and the way to end one."""

from __future__ import annotations

import contextlib
import os
import resource
import signal
import sys
import time
from math import ceil
from typing import Final

from moothall.codegen.sandbox.port import SandboxLimits

_ROOM: Final = 1 << 30
"""Bytes of addresses beyond a module's memory: the program, its threads, the type checker."""

_SLACK: Final = 10
"""Seconds of processor time beyond those of a run: for loading and checking types."""

_FILES: Final = 64

_HARDEST: Final = {
    what: resource.getrlimit(what)[1]
    for what in (
        resource.RLIMIT_AS,
        resource.RLIMIT_CPU,
        resource.RLIMIT_NOFILE,
        resource.RLIMIT_FSIZE,
        resource.RLIMIT_CORE,
    )
}
"""Beyond which nobody goes; our children have inherited it."""


def confine(pid: int, limits: SandboxLimits) -> None:
    """Bound what a worker can take: addresses, files, processor time from now on; no core file, nothing written.

    The last one ends a worker that its node left behind in the middle of one long operation. Where the system cannot
    limit another process, the runtime's own limits stand alone. A process that has just ended is nobody's concern.
    """
    if sys.platform == "linux":
        with contextlib.suppress(ProcessLookupError):
            used = time.clock_gettime((~pid << 3) | 2)  # CPUCLOCK_SCHED of another process, as glibc makes it
            for what, most in (
                (resource.RLIMIT_AS, limits.memory + _ROOM),
                (resource.RLIMIT_CPU, ceil(used + limits.seconds) + _SLACK),
                (resource.RLIMIT_NOFILE, _FILES),
                (resource.RLIMIT_FSIZE, 0),
                (resource.RLIMIT_CORE, 0),
            ):
                hardest = _HARDEST[what]
                soft = most if hardest == resource.RLIM_INFINITY else min(most, hardest)
                resource.prlimit(pid, what, (soft, hardest))


class Handle:
    """A process that can be ended, and never another one which has its number by then (where the system can tell)."""

    def __init__(self, pid: int) -> None:
        self._pid: int | None = pid
        self._open: int | None = None
        if sys.platform == "linux":
            with contextlib.suppress(OSError):  # an old kernel, or it has just ended
                self._open = os.pidfd_open(pid)

    def kill(self) -> None:
        """End it, whatever it does."""
        with contextlib.suppress(ProcessLookupError):
            if sys.platform == "linux" and self._open is not None:
                signal.pidfd_send_signal(self._open, signal.SIGKILL)
            elif self._pid is not None:
                os.kill(self._pid, signal.SIGKILL)

    def close(self) -> None:
        """Let go of it."""
        self._pid = None
        if self._open is not None:
            os.close(self._open)
            self._open = None
