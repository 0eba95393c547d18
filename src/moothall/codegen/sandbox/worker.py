"""One worker process, taken from the runtime's pool, used for one thing, and given back.

All but `stop` and `stopped` blocks, and belongs into a thread of `threads`; one step at a time.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cache
from threading import Lock
from time import perf_counter
from typing import Final, TypeVar

from pydantic_monty import MontyError, MontySession, OSPolicy, ResourceLimits, TypeCheckFormat

from moothall.codegen.sandbox.confinement import Process
from moothall.codegen.sandbox.crew import Crew
from moothall.codegen.sandbox.faults import fault_of
from moothall.codegen.sandbox.port import FaultKind, SandboxLimits, fault
from moothall.errors import SandboxFault

T = TypeVar("T")

_POLICY: Final[OSPolicy] = {"sleep": "zero"}
"""Nothing sleeps in a worker: others wait for it."""


_SPOILT: Final[Mapping[str, FaultKind]] = {"time": "time", "memory": "memory", "crashed": "crashed"}
"""Ends that come in the middle of something: such a process is never used again."""


_ATTEMPTS: Final = 4


class Worker:
    """A process.

    Args:
        crew: that it belongs to.
        limits: of what it does; those in a state that is loaded have to be the same.

    Attributes:
        limits: as given.
        seconds: that its steps took.
        work: seconds of processor time of these; as long as they took where the system does not tell.
    """

    def __init__(self, crew: Crew, limits: SandboxLimits) -> None:
        self.limits = limits
        self.seconds = 0.0
        self.work = 0.0
        self._crew = crew
        self._state = Lock()
        self._step = Lock()
        self._session: MontySession | None = None
        self._process: Process | None = None
        self._worn = False
        self._stopped: FaultKind | None = None

    @property
    def stopped(self) -> FaultKind | None:
        """Why it was stopped, if it was."""
        return self._stopped

    def stop(self, kind: FaultKind) -> None:
        """End the process; what it does fails with this kind. From any thread, at any time."""
        with self._state:
            self._stopped = self._stopped or kind
            if self._process is not None:
                self._process.kill()

    def stand_back(self) -> None:
        """Let everybody else's work go first; a process that had to is not used again. From any thread."""
        with self._state:
            if self._process is not None:
                self._worn = True
                self._process.stand_back()

    def close(self) -> None:
        """Give the process back, which forgets all; a dead one is replaced. A step that still ends is awaited."""
        with self._step:
            with self._state:
                process, self._process = self._process, None
                if process is not None and self._worn:
                    process.kill()
            session, self._session = self._session, None
            if session is not None:
                session.__exit__(None, None, None)
            self._crew.leave(self)

    def step(self, work: Callable[[], T]) -> T:
        """Do something with the process.

        Raises:
            SandboxFault: for every error of the runtime, and if the process has been stopped; ``busy``: there is none.
        """
        began = perf_counter()
        with self._step:
            used = self._used()
            try:
                self._refuse_if_stopped()
                return work()
            except MontyError as error:
                raise self._fault(error) from None
            except TimeoutError:
                raise fault("busy") from None
            finally:
                took, now = perf_counter() - began, self._used()
                self.seconds += took
                self.work += took if used is None or now is None else now - used

    def afresh(self, work: Callable[[], T]) -> T:
        """A first step that may be taken again: a process that had died before, in the pool, is left for another.

        Raises:
            SandboxFault: as `step`.
        """
        for _ in range(_ATTEMPTS - 1):
            try:
                return self.step(work)
            except SandboxFault as error:
                if error.kind != "crashed":
                    raise
            self.close()
            with self._state:
                self._stopped = None if self._stopped == "crashed" else self._stopped
        return self.step(work)

    def checkout(self, *, stubs: str | None = None, type_check_format: TypeCheckFormat | None = None) -> MontySession:
        """Take a process; with ``stubs``, one that checks the types of what it is fed before it runs it.

        Raises:
            SandboxFault: it has been stopped before.
            MontyError: there is none.
        """
        self._crew.enlist(self)
        limits = _runtime_limits(self.limits)
        checked = stubs is not None
        session = self._crew.pool.checkout(
            limits=limits,
            os_policy=_POLICY,
            type_check=checked,
            type_check_stubs=stubs,
            type_check_format=type_check_format,
        )
        self._session = session
        session.__enter__()
        pid = session.worker_pid
        if pid is not None:
            process = self._crew.process(pid)
            process.confine(self.limits)
            with self._state:
                self._process = process
        self._refuse_if_stopped()
        return session

    def _used(self) -> float | None:
        """Seconds of processor time of the process so far."""
        process = self._process
        return None if process is None else process.used()

    def _fault(self, error: MontyError) -> SandboxFault:
        if self._stopped is not None:
            return fault(self._stopped)
        found = fault_of(error)
        if (kind := _SPOILT.get(found.kind)) is not None:
            self.stop(kind)
        return found

    def _refuse_if_stopped(self) -> None:
        if self._stopped is not None:
            raise fault(self._stopped)


@cache
def _runtime_limits(limits: SandboxLimits) -> ResourceLimits:
    """A run's limits in the runtime's words; the question for the arguments is one more suspension."""
    return {
        "max_feed_duration_secs": limits.seconds,
        "max_memory": limits.memory,
        "max_recursion_depth": limits.depth,
        "max_suspensions": limits.calls + 1,
    }
