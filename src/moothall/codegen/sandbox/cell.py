"""A cell: a worker process with one module in it, halted just before a function of the module is called."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final, Literal, NoReturn, TypeVar

from pydantic_monty import FunctionSnapshot, FutureSnapshot, MontyComplete, NameLookupSnapshot

from moothall.codegen.sandbox.crew import Crew
from moothall.codegen.sandbox.port import SandboxLimits, fault
from moothall.codegen.sandbox.values import NotJson, plain
from moothall.codegen.sandbox.worker import Worker

T = TypeVar("T")

CALL: Final = "call"
"""The one name that is lent to code."""

ARGUMENTS: Final = "_moot_arguments"
"""What the driver asks the host for."""

_DRIVER: Final = """import json as _moot_json
_moot_value = {function}(**_moot_arguments())
_moot_json.dumps(_moot_value, allow_nan=False, ensure_ascii=False)
"""
"""What runs in a cell. It halts where it asks for the arguments; the answer is what starts the run.

The value is written as JSON inside, within the limits of the run, and is read by the host like anybody's JSON: an
object in itself, or one that stands for gigabytes, does not get as far as that.
"""

Snapshot = FunctionSnapshot | NameLookupSnapshot | FutureSnapshot | MontyComplete


@dataclass(frozen=True, slots=True)
class Asked:
    """The code waits for ``call(target, parameters)``."""

    target: str
    parameters: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Gave:
    """The function returned this."""

    value: Any


@dataclass(frozen=True, slots=True)
class Failed:
    """What the code is told of a call that failed: an error of this type with this text."""

    text: str
    error: Literal["RuntimeError", "TypeError"] = "RuntimeError"


@dataclass(slots=True)
class Printed:
    """What a run prints, up to a limit; beyond it the worker is stopped."""

    worker: Worker
    pieces: list[str] = field(default_factory=list)
    size: int = 0

    def __call__(self, _stream: str, text: str) -> None:
        """Take a piece of it."""
        self.size += len(text.encode())
        if self.size > self.worker.limits.output:
            self.worker.stop("output")
        else:
            self.pieces.append(text)

    def __str__(self) -> str:
        """All of it."""
        return "".join(self.pieces)


class Cell(Worker):
    """A worker for one run of one function; its methods block."""

    def __init__(self, crew: Crew, limits: SandboxLimits) -> None:
        super().__init__(crew, limits)
        self._snapshot: Snapshot | None = None
        self.printed = Printed(self)

    def load(self, source: str) -> bytes:
        """The state after the top of a module has run, in which nothing can be called.

        Raises:
            SandboxFault: it cannot be run.
        """

        def load() -> bytes:
            session = self.checkout()
            session.feed_run(source, print_callback=self.printed)
            return session.dump()

        return self.afresh(load)

    def prepare(self, state: bytes, function: str) -> bytes:
        """Load a module's state and halt before a function of it; returns the state in which it then is.

        Raises:
            SandboxFault: the worker died of it, or it does not halt there.
        """

        def prepare() -> bytes:
            session = self.checkout()
            session.load_session(state)
            driver = _DRIVER.format(function=function)
            halted = self._snapshot = session.feed_start(driver, print_callback=self.printed)
            if not isinstance(halted, FunctionSnapshot) or halted.function_name != ARGUMENTS:
                raise fault("unsupported", f"{ARGUMENTS} is a name of the host's")
            return halted.dump()

        return self._unhurried(prepare)

    def restore(self, halted: bytes) -> None:
        """Be in a state that `prepare` gave.

        Raises:
            SandboxFault: the worker died of it.
        """

        def restore() -> None:
            self._snapshot = self.checkout().load_snapshot(halted, print_callback=self.printed)

        self._unhurried(restore)

    def _unhurried(self, work: Callable[[], T]) -> T:
        """A step that no run is charged for."""
        done = self.afresh(work)
        self.seconds = self.work = 0.0
        return done

    def begin(self, arguments: Mapping[str, Any], *, lent: bool) -> Asked | Gave:
        """Call the function; ``lent``: whether there is ``call``.

        Raises:
            SandboxFault: the run failed.
        """
        return self.step(lambda: self._through(self._halted().resume({"return_value": arguments}), lent=lent))

    def answer(self, answer: Any | Failed) -> Asked | Gave:  # noqa: ANN401 - JSON, or that it failed
        """Go on after a call.

        Raises:
            SandboxFault: the run failed.
        """

        def go_on() -> Asked | Gave:
            if isinstance(answer, Failed):
                return self._through(_fail(self._halted(), answer), lent=True)
            return self._through(self._halted().resume({"return_value": answer}), lent=True)

        return self.step(go_on)

    def _halted(self) -> FunctionSnapshot:
        if not isinstance(self._snapshot, FunctionSnapshot):
            raise fault("crashed")
        return self._snapshot

    def _through(self, snapshot: Snapshot, *, lent: bool) -> Asked | Gave:
        """Go on until the code asks for a call, or returns."""
        while not isinstance(snapshot, MontyComplete):
            if isinstance(snapshot, FunctionSnapshot) and lent and _is_call(snapshot):
                asked = self._asked(snapshot)
                if isinstance(asked, Asked):
                    self._snapshot = snapshot
                    return asked
                snapshot = _fail(snapshot, asked)
            else:
                snapshot = _refused(snapshot, lent=lent)
        return Gave(self._value(snapshot.output))

    def _asked(self, snapshot: FunctionSnapshot) -> Asked | Failed:
        """The call that code makes, as ``call(target, parameters)`` has it."""
        names = ("target", "parameters")
        given = dict(zip(names, snapshot.args, strict=False)) | snapshot.kwargs
        target, parameters = given.get("target"), given.get("parameters", {})
        fits = len(given) == len(snapshot.args) + len(snapshot.kwargs) and given.keys() <= set(names)
        if not fits or not isinstance(target, str) or not isinstance(parameters, dict):
            return Failed("call(target, parameters) takes a text and an object", "TypeError")
        try:
            return Asked(plain(target, self.limits.output), plain(parameters, self.limits.output))
        except NotJson as error:
            return Failed(f"the parameters of a call cannot be sent: {error}", "TypeError")

    def _value(self, text: object) -> Any:  # noqa: ANN401 - JSON
        if not isinstance(text, str):
            raise fault("result")
        if len(text.encode()) > self.limits.output:
            raise fault("output")
        try:
            return plain(_read(text), self.limits.memory)
        except (ValueError, RecursionError):
            raise fault("result") from None


def _no_number(name: str) -> NoReturn:
    raise ValueError(name)


_read: Final = json.JSONDecoder(parse_constant=_no_number).decode


def _is_call(snapshot: FunctionSnapshot) -> bool:
    return not snapshot.is_os_function and snapshot.object_id is None and snapshot.function_name == CALL


def _fail(snapshot: FunctionSnapshot, failed: Failed) -> Snapshot:
    return snapshot.resume({"exc_type": failed.error, "message": failed.text})


def _refused(snapshot: FunctionSnapshot | NameLookupSnapshot | FutureSnapshot, *, lent: bool) -> Snapshot:
    """Go on after the code asked for something else: files, names, modules, none of which is there."""
    if isinstance(snapshot, FunctionSnapshot):
        if snapshot.is_os_function:
            return snapshot.resume_not_handled()
        text = f"name '{str(snapshot.function_name)[:64]}' is not defined"
        return snapshot.resume({"exc_type": "NameError", "message": text})
    if isinstance(snapshot, NameLookupSnapshot):
        if lent and snapshot.object_id is None and snapshot.variable_name == CALL:
            return snapshot.resume(value=call)
        return snapshot.resume()
    raise fault("unsupported", "nothing can be awaited here")


def call() -> None:
    """Stand for the lent function where code mentions it without calling it; it never runs."""
