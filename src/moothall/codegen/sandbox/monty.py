"""The sandbox: pydantic-monty, an interpreter of its own in processes of its own, without anything of the host's.

What stands around it here: cells ready before they are needed, turns that are fair between modules, a watchdog outside
of the processes, the system's own limits on them, authenticated states, and errors with names (row META-GEN-04).
"""

from __future__ import annotations

import asyncio
import re
import time
from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, Final, Self, TypeVar

from pydantic_monty import Monty

from moothall.canonical import sha256
from moothall.codegen.report import Problem
from moothall.codegen.sandbox.cell import Cell
from moothall.codegen.sandbox.checking import LIMITS as CHECKING
from moothall.codegen.sandbox.checking import Checker
from moothall.codegen.sandbox.crew import Crew
from moothall.codegen.sandbox.desk import Desk
from moothall.codegen.sandbox.fairness import Ticket, Turns
from moothall.codegen.sandbox.port import DEFAULT_LIMITS, HostCall, Image, JsonValue, Ran, SandboxLimits, fault
from moothall.codegen.sandbox.running import Run
from moothall.codegen.sandbox.seal import Seal
from moothall.codegen.sandbox.stock import Stock, Wanted
from moothall.codegen.sandbox.threads import Outcome, Threads
from moothall.codegen.sandbox.values import NotJson, TooLarge, plain
from moothall.codegen.sandbox.worker import Worker

T = TypeVar("T")

LARGEST_STATE: Final = 4 * 1024 * 1024
"""Bytes of a loaded module: every run loads all of them."""

_IMAGES: Final = 256
_HEAVIEST_IMAGES: Final = 32 * 1024 * 1024
"""Loaded modules that are kept, and the bytes of their states together."""

_FUNCTION: Final = re.compile(r"[a-z][a-z0-9_]{0,63}", re.ASCII)

_RUNS: Final = 10_000
"""Uses of one process, after which another takes its place."""

_LONGEST_TURN: Final = 60.0
"""Seconds after which the runtime itself ends a process that nobody else has ended."""


@dataclass(frozen=True, slots=True)
class _Parts:
    """What there is between start and end."""

    crew: Crew
    threads: Threads
    desk: Desk
    stock: Stock


class MontySandbox:
    """Runs generated code; fills `port.Sandbox`.

    It starts with its first use, or with `start`, and belongs to the event loop in which that was. Its processes have
    no environment, and end with `aclose` or with this process.

    Args:
        workers: runs that work at the same time; those that wait for a host call do not count.
        processes: runs that have begun and not ended.
        waiting: runs of one module that may wait for their beginning.
        monotonic: tells how long runs take.
    """

    def __init__(
        self,
        *,
        workers: int = 4,
        processes: int = 32,
        waiting: int = 256,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._workers = workers
        self._turns = Turns(workers=workers, processes=processes, waiting=waiting)
        self._most = processes
        self._monotonic = monotonic
        self._seal = Seal()
        self._images: OrderedDict[tuple[str, SandboxLimits], Image] = OrderedDict()
        self._image_bytes = 0
        self._starting = asyncio.Lock()
        self._parts: _Parts | None = None
        self._closed = False

    async def __aenter__(self) -> Self:
        """Start."""
        await self.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        """End."""
        await self.aclose()

    async def start(self) -> None:
        """Start the processes; once is enough.

        Raises:
            SandboxFault: it has been closed (``busy``).
        """
        await self._started()

    async def aclose(self) -> None:
        """End every process; runs that are under way fail (``busy``), and no other begins."""
        self._closed = True
        async with self._starting:
            parts, self._parts = self._parts, None
        if parts is None:
            return
        parts.desk.shut()
        parts.stock.close()
        parts.crew.dismiss()
        await parts.threads.aclose()
        await asyncio.to_thread(parts.crew.end)

    async def check(self, source: str, stubs: str = "") -> Sequence[Problem]:
        """What a module's syntax and types are found guilty of; ``stubs`` declare the names that it is given.

        Nothing of the code runs.

        Raises:
            SandboxFault: it could not be looked at.
        """
        parts = await self._started()
        checker = Checker(parts.crew)
        module = f"check {_digest(source)}"
        return await self._once(parts, module, checker, partial(checker.check, source, stubs), CHECKING.seconds)

    async def load(self, source: str, limits: SandboxLimits = DEFAULT_LIMITS) -> Image:
        """Run the top of a module, in which nothing can be called; a module that was loaded is kept.

        Raises:
            SandboxFault: it cannot be, or is too large then (``memory``).
        """
        parts = await self._started()
        key = (_digest(source), limits)
        if (image := self._images.get(key)) is not None:
            self._images.move_to_end(key)
            return image
        cell = Cell(parts.crew, limits)
        state = await self._once(parts, f"load {key[0]}", cell, partial(cell.load, source), limits.seconds)
        if len(state) > LARGEST_STATE:
            raise fault("memory")
        return self._kept(key, self._seal.image(source, limits, state))

    async def run(
        self,
        image: Image,
        function: str,
        arguments: Mapping[str, JsonValue],
        *,
        call: HostCall | None = None,
        limits: SandboxLimits = DEFAULT_LIMITS,
        patience: float | None = None,
    ) -> Ran:
        """Call a function of a loaded module with arguments by name, all JSON, from the state that it was loaded in.

        Args:
            image: the module; loaded under other limits, it is loaded anew.
            function: its name.
            arguments: JSON.
            call: what ``call`` does; None: there is no such name.
            limits: of this run.
            patience: seconds after which nobody waits for it, host calls included.

        Raises:
            SandboxFault: it gave no value; ``kind`` says why.
            MoothallError: what a host call said with `Departure`.
            IntegrityError: the image is not of this sandbox.
        """
        if _FUNCTION.fullmatch(function) is None:
            raise fault("unsupported", "this cannot be the name of a function")
        given = _given(arguments, limits)
        parts = self._parts or await self._started()
        run = Run(parts.desk, parts.stock, call)
        if patience is None:
            return await self._run(run, image, function, given, limits)
        waiting = asyncio.timeout(patience)
        try:
            async with waiting:
                return await self._run(run, image, function, given, limits)
        except TimeoutError:
            if not waiting.expired():
                raise
            raise fault("busy" if run.cell is None else "time") from None

    async def _run(self, run: Run, image: Image, function: str, given: Mapping[str, Any], limits: SandboxLimits) -> Ran:
        fitting = image if image.limits == limits else await self.load(image.source, limits)
        return await run.go(Wanted(fitting, function), given, self._monotonic)

    async def _once(self, parts: _Parts, module: str, worker: Worker, step: Callable[[], T], seconds: float) -> T:
        """One step with a process of its own."""
        ticket = Ticket(module, begins=True)
        await parts.desk.enter(ticket)
        try:
            return await parts.desk.work(ticket, worker, step, seconds)
        finally:
            parts.threads.hand(worker.close, partial(_returned, parts.desk, ticket))

    def _kept(self, key: tuple[str, SandboxLimits], image: Image) -> Image:
        """The image that stands for a module from now on: the first one, since cells are made ready for that."""
        if (known := self._images.get(key)) is not None:
            return known
        self._images[key] = image
        self._image_bytes += len(image.state)
        while len(self._images) > _IMAGES or self._image_bytes > _HEAVIEST_IMAGES:
            _, old = self._images.popitem(last=False)
            self._image_bytes -= len(old.state)
        return image

    async def _started(self) -> _Parts:
        if self._parts is not None:
            return self._parts
        async with self._starting:
            if self._closed:
                raise fault("busy")
            if self._parts is None:
                self._parts = await self._start()
        return self._parts

    async def _start(self) -> _Parts:
        most = self._most + 3 * self._workers
        pool = Monty(
            min_processes=self._workers,
            max_processes=most,
            checkout_timeout=_LONGEST_TURN,
            request_timeout=_LONGEST_TURN,
            max_checkouts_per_worker=_RUNS,
        )
        await asyncio.to_thread(pool.__enter__)
        loop = asyncio.get_running_loop()
        threads = Threads(self._workers + 1, loop)
        crew = Crew(pool)
        stock = Stock(crew, threads, self._seal, most=2 * self._workers, loop=loop)
        return _Parts(crew, threads, Desk(threads, self._turns, loop), stock)


def _digest(source: str) -> str:
    """The digest of a source.

    Raises:
        SandboxFault: it is no text that can be written (``syntax``).
    """
    try:
        return sha256(source.encode())
    except UnicodeEncodeError:
        raise fault("syntax", "a character of it is none") from None


def _returned(desk: Desk, ticket: Ticket, outcome: Outcome[None]) -> None:
    desk.give_back(ticket)
    outcome.get()


def _given(arguments: Mapping[str, JsonValue], limits: SandboxLimits) -> Any:  # noqa: ANN401 - JSON
    """A copy of the arguments, of at most a quarter of the memory that the run may use.

    Raises:
        SandboxFault: they are no JSON (``result``), or there is more (``memory``).
    """
    try:
        return plain(arguments, limits.memory // 4)
    except TooLarge:
        raise fault("memory", "the arguments are too large") from None
    except NotJson as error:
        raise fault("result", f"the arguments: {error}") from None
