"""The system's own limits on a worker process, behind those that the runtime keeps, and the way to end one."""

from __future__ import annotations

import contextlib
import os
import resource
import signal
import sys
import time
from math import ceil
from pathlib import Path
from threading import Lock
from typing import Final

from moothall.codegen.sandbox.port import SandboxLimits

_ROOM: Final = 1 << 30
"""Bytes of addresses beyond a module's memory: the program, its threads, the type checker."""

_LEAST: Final = 10
"""Seconds of processor time beyond those of a run that are left when it begins."""

_SLACK: Final = 60
"""Seconds of processor time that are given beyond those, so that they need not be given for each run."""

_NICE: Final = 10
"""How far a process stands back whose turn is long."""

_FIXED: Final = {resource.RLIMIT_NOFILE: 64, resource.RLIMIT_FSIZE: 0, resource.RLIMIT_CORE: 0}
"""Open files; nothing is written, and no core file either."""

_HARDEST: Final = {what: resource.getrlimit(what)[1] for what in (*_FIXED, resource.RLIMIT_AS, resource.RLIMIT_CPU)}
"""Beyond which nobody goes; our children have inherited it."""


class Process:
    """A worker process, by something that never means another one which has its number by then (on Linux)."""

    def __init__(self, pid: int) -> None:
        self._pid = pid
        self._open: int | None = None
        self._closed = False
        self._lock = Lock()
        self._addresses = 0
        self._until = 0
        if sys.platform == "linux":
            with contextlib.suppress(OSError):  # an old kernel, or it has just ended
                self._open = os.pidfd_open(pid)
            for what, most in _FIXED.items():
                self._limit(what, most)

    @property
    def alive(self) -> bool:
        """Whether it is known to be there still."""
        with self._lock:
            if sys.platform == "linux" and self._open is not None:
                with contextlib.suppress(ProcessLookupError):
                    signal.pidfd_send_signal(self._open, 0)
                    return True
        return False

    def used(self) -> float | None:
        """Seconds of processor time that it has taken; None: the system does not tell."""
        if sys.platform != "linux":
            return None
        try:
            return time.clock_gettime((~self._pid << 3) | 2)  # the clock of another process, as glibc names it
        except OSError:
            return None  # it has just ended

    def confine(self, limits: SandboxLimits) -> None:
        """Bound the addresses and the processor time that it can take from now on.

        The latter ends a worker that its node left behind in the middle of one long operation. Where the system cannot
        limit another process, the runtime's own limits stand alone. A process that has just ended is nobody's concern.
        """
        if sys.platform == "linux":
            if self._addresses < limits.memory + _ROOM:
                self._addresses = limits.memory + _ROOM
                self._limit(resource.RLIMIT_AS, self._addresses)
            used = self.used()
            if used is not None and self._until < used + limits.seconds + _LEAST:
                self._until = ceil(used + limits.seconds) + _LEAST + _SLACK
                self._limit(resource.RLIMIT_CPU, self._until)

    def stand_back(self) -> None:
        """Let everybody else's work go first from now on."""
        if sys.platform == "linux":
            with contextlib.suppress(OSError):
                for thread in Path(f"/proc/{self._pid}/task").iterdir():
                    os.setpriority(os.PRIO_PROCESS, int(thread.name), _NICE)

    def kill(self) -> None:
        """End it, whatever it does; one that was let go of is left alone, since another may have its number by then."""
        with self._lock, contextlib.suppress(ProcessLookupError):
            if self._closed:
                return
            if sys.platform == "linux" and self._open is not None:
                signal.pidfd_send_signal(self._open, signal.SIGKILL)
            else:
                os.kill(self._pid, signal.SIGKILL)

    def close(self) -> None:
        """Let go of it."""
        with self._lock:
            self._closed = True
            if self._open is not None:
                os.close(self._open)
                self._open = None

    def _limit(self, what: int, most: int) -> None:
        if sys.platform == "linux":
            hardest = _HARDEST[what]
            soft = most if hardest == resource.RLIM_INFINITY else min(most, hardest)
            with contextlib.suppress(OSError, ValueError):
                resource.prlimit(self._pid, what, (soft, hardest))
