"""A look at syntax and types inside a worker: nothing of the code is run."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from typing import Any, Final

from pydantic_monty import MontyError, MontyRuntimeError, MontySyntaxError, MontyTypingError

from moothall.codegen.report import Problem
from moothall.codegen.sandbox.crew import Crew
from moothall.codegen.sandbox.faults import fault_of
from moothall.codegen.sandbox.port import SandboxLimits
from moothall.codegen.sandbox.worker import Worker
from moothall.errors import SandboxFault

LIMITS: Final = SandboxLimits(seconds=10.0, memory=256 * 1024 * 1024, calls=0)

_STOP: Final = '_moot_never_run: int = ""\n'
"""What is put before a module, with a type that cannot be: the checker always objects, so nothing runs."""

_FUTURE: Final = re.compile(r"^from __future__ import annotations$", re.MULTILINE)
"""What would have to stand first; here, annotations are never evaluated."""

_LENT: Final = "def call(target: str, parameters: dict[str, Any]) -> Any: ..."

_MOST: Final = 50
_LONGEST: Final = 1_000


def declared(stubs: str) -> str:
    """Stubs with ``call`` declared, where they do not say themselves what it is."""
    if re.search(r"^def call\(", stubs, re.MULTILINE):
        return stubs
    return f"from typing import Any\n{stubs}\n{_LENT}\n"


class Checker(Worker):
    """A worker that looks at code in place of running it."""

    def __init__(self, crew: Crew) -> None:
        super().__init__(crew, LIMITS)

    def check(self, source: str, stubs: str) -> Sequence[Problem]:
        """What is wrong with a module; blocks.

        Raises:
            SandboxFault: it could not be looked at.
        """
        return self.afresh(lambda: self._look(source, stubs))

    def _look(self, source: str, stubs: str) -> Sequence[Problem]:
        session = self.checkout(stubs=declared(stubs), type_check_format="json")
        try:
            session.feed_run(_STOP + _FUTURE.sub("", source))
        except MontyTypingError as error:
            return _found(error.display())
        except (MontySyntaxError, MontyRuntimeError) as error:
            return [_unreadable(error)]
        return []


def _found(text: str) -> Sequence[Problem]:
    """The problems in the checker's JSON; that of the first line is our own."""
    return [_problem(each) for each in json.loads(text) if each["location"]["row"] > 1][:_MOST]


def _problem(found: dict[str, Any]) -> Problem:
    name = str(found["name"])
    return Problem(
        stage="parse" if name == "invalid-syntax" else "types",
        code=name,
        message=str(found["message"])[:_LONGEST],
        line=found["location"]["row"] - 1,
    )


def _unreadable(error: MontyError) -> Problem:
    """What the runtime says of code that it does not get as far as the checker with.

    Raises:
        SandboxFault: it says nothing of the code: a limit was reached.
    """
    fault: SandboxFault = fault_of(error)
    if fault.kind not in {"syntax", "unsupported"}:
        raise fault
    line = fault.details.get("line")
    return Problem(
        stage="parse",
        code=fault.kind,
        message=str(fault.details.get("text", ""))[:_LONGEST],
        line=line - 1 if isinstance(line, int) else 0,
    )
