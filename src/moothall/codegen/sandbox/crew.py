"""All workers that are out of the runtime's pool: at the end, none of them may stay behind."""

from __future__ import annotations

from threading import Lock
from typing import Protocol

from pydantic_monty import Monty

from moothall.codegen.sandbox.confinement import Process
from moothall.codegen.sandbox.port import FaultKind, fault


class Member(Protocol):
    """A worker, as its crew knows it."""

    def stop(self, kind: FaultKind) -> None:
        """End its process."""
        ...

    def close(self) -> None:
        """Give its process back."""
        ...


class Crew:
    """The pool of processes, and who has one of them. Thread-safe.

    Args:
        pool: of the runtime, entered.
    """

    def __init__(self, pool: Monty) -> None:
        self.pool = pool
        self._lock = Lock()
        self._members: set[Member] = set()
        self._processes: dict[int, Process] = {}
        self._open = True

    def enlist(self, member: Member) -> None:
        """Take in a worker that is about to get its process.

        Raises:
            SandboxFault: the crew is dismissed (``busy``).
        """
        with self._lock:
            if not self._open:
                raise fault("busy")
            self._members.add(member)

    def process(self, pid: int) -> Process:
        """The process with this number, which a member has just got from the pool."""
        with self._lock:
            known = self._processes.get(pid)
            if known is not None and known.alive:
                return known
            for number in [number for number, each in self._processes.items() if not each.alive]:
                self._processes.pop(number).close()
            process = self._processes[pid] = Process(pid)
            return process

    def leave(self, member: Member) -> None:
        """Forget one that has given its process back."""
        with self._lock:
            self._members.discard(member)

    def dismiss(self) -> None:
        """End the process of each, whatever it does; nobody gets one any more."""
        for member in self._shut():
            member.stop("busy")

    def end(self) -> None:
        """Give back what is left, and end the pool; blocks."""
        for member in self._shut():
            member.close()
        self.pool.__exit__(None, None, None)
        for process in self._processes.values():
            process.close()

    def _shut(self) -> list[Member]:
        with self._lock:
            self._open = False
            return list(self._members)
