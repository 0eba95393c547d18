"""The port of the sandbox: what the house asks of whatever runs generated code, and how that can fail.

One runtime stands behind it (`monty`); a manifest names its runtime, so that a second one can be added beside it.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, Literal, Protocol

from moothall.codegen.report import Problem
from moothall.errors import MoothallError, SandboxFault, Told

JsonValue = Any

FaultKind = Literal[
    "syntax",
    "unsupported",
    "types",
    "raised",
    "result",
    "time",
    "memory",
    "recursion",
    "calls",
    "output",
    "crashed",
    "busy",
]
"""How a run ended that gave no value: it cannot be parsed; it needs what the runtime has not; its types do not fit; it
raised; its value is no JSON; it went beyond a limit; its process died; no process was free in time."""

HostCall = Callable[[str, Mapping[str, JsonValue]], Awaitable[JsonValue]]
"""What ``call(target, parameters)`` does on the host, with the rights of whoever makes the call.

A `Refusal` becomes a ``RuntimeError`` inside, with its fixed text and nothing else of it; a `Departure` ends the run.
"""


class Refusal(Exception):
    """A host call that fails inside the sandbox, where generated code may catch it; ``text`` is all that it is told."""

    def __init__(self, text: str) -> None:
        super().__init__(text)
        self.text = text


class Departure(Exception):
    """A host call after which the run cannot go on; `Sandbox.run` raises ``error`` to whoever started it."""

    def __init__(self, error: MoothallError) -> None:
        super().__init__(error.code)
        self.error = error


@dataclass(frozen=True, slots=True, kw_only=True)
class SandboxLimits:
    """What one run may use.

    Attributes:
        seconds: of its own time; waiting for host calls is not counted, but bounded by the caller's deadline.
        memory: bytes.
        calls: host calls.
        output: bytes that it prints, and bytes of JSON that it gives back, each.
        depth: of recursion.
    """

    seconds: float = 2.0
    memory: int = 64 * 1024 * 1024
    calls: int = 50
    output: int = 1024 * 1024
    depth: int = 200


DEFAULT_LIMITS: Final = SandboxLimits()


@dataclass(frozen=True, slots=True, eq=False)
class Image:
    """A module that was loaded once; every run starts from this very state.

    Attributes:
        digest: ``sha256:…`` of the source.
        source: as it was loaded.
        state: opaque, authenticated by the runtime that made it.
        limits: under which it was loaded.
    """

    digest: str
    source: str = field(repr=False)
    state: bytes = field(repr=False)
    limits: SandboxLimits = DEFAULT_LIMITS


@dataclass(frozen=True, slots=True)
class Ran:
    """A run that gave a value.

    Attributes:
        value: JSON.
        printed: by the code.
        calls: to the host, that were made.
        seconds: from its beginning to its end, its waiting for a turn and for host calls included.
        work: seconds of processor time that it took, where the system tells them; they do not depend on what else the
            machine does.
    """

    value: JsonValue
    printed: str = field(default="", repr=False)
    calls: int = 0
    seconds: float = 0.0
    work: float = 0.0


class Sandbox(Protocol):
    """Runs generated code. Nothing of one run is left for the next."""

    async def check(self, source: str, stubs: str = "") -> Sequence[Problem]:
        """What a module's syntax and types are found guilty of; ``stubs`` declare the names that it is given.

        Raises:
            SandboxFault: it could not be looked at (``crashed``, ``busy``).
        """
        ...

    async def load(self, source: str, limits: SandboxLimits = DEFAULT_LIMITS) -> Image:
        """Run the top of a module, in which nothing can be called.

        Raises:
            SandboxFault: it cannot be.
        """
        ...

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
        """Call a function of a loaded module with arguments by name, all JSON.

        Args:
            image: the module.
            function: its name.
            arguments: JSON.
            call: what ``call`` does; None: there is no such name.
            limits: of this run.
            patience: seconds after which nobody waits for it, host calls included.

        Raises:
            SandboxFault: it gave no value; ``kind`` says why.
            MoothallError: what a host call said with `Departure`.
        """
        ...


def fault(kind: FaultKind, message: str = "", *, line: int | None = None, raised: str = "") -> SandboxFault:
    """The error of a run; ``raised`` is the name of the exception where the code raised one, ``message`` its text.

    Both come from generated code: they are shortened here, and belong to whoever wrote or tests the code.
    """
    details: dict[str, object] = {"kind": kind}
    if line is not None:
        details["line"] = line
    if raised:
        details["raised"] = raised[:100]
    if message:
        details["text"] = message[:500]
    error = SandboxFault("the generated code gave no value", told=Told(f"codegen.{kind}"), details=details)
    error.kind = kind
    return error
