"""A model that says what a script says: for examples and tests; it needs no network and is the same every time.

    llm = ScriptedLLM([
        ("the protocol to judge", ["{…counter-proposal…}", "{…accepted…}"]),   # one after another, then used up
        (re.compile(r"(?i)write .*tests"), lambda system, user: tests_for(user)),
        (lambda system, user: "codec" in system, "def build(): …"),             # every time
        "whatever is asked then, once",
    ])

The first entry that fits a prompt and is not used up answers it. A prompt that nothing fits is a fault of the script,
which raises `UnexpectedPrompt`.
"""

from __future__ import annotations

import inspect
import re
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from typing import Final

from moothall.llm.base import BaseLLM

Predicate = Callable[[str, str], bool]
Speaker = Callable[[str, str], "str | Awaitable[str | None] | None"]
Said = str | Exception | Speaker
"""A text, an error that is raised, or a function of both prompts that gives the text; None: it is not for this one."""

Entry = str | Speaker | tuple["str | re.Pattern[str] | Predicate", "Said | Sequence[Said]"]
"""See the module. A text as a pattern occurs in the system or the user prompt, an expression is found in one."""

_SHOWN: Final = 600


class UnexpectedPrompt(AssertionError):
    """The script knows no answer; no `MoothallError`, so that nobody takes it for a model that fails."""


@dataclass(frozen=True, slots=True)
class Prompted:
    """One prompt that came."""

    system: str
    user: str


@dataclass(slots=True)
class _Line:
    """An entry; ``left`` are its answers where it has some for one prompt each, else it always says ``always``."""

    name: str
    fits: Predicate
    always: Said | None = None
    left: list[Said] = field(default_factory=list)
    used: bool = False

    @property
    def used_up(self) -> bool:
        return self.always is None and not self.left

    async def spoken(self, system: str, user: str) -> str | None:
        said = self.left[0] if self.always is None else self.always
        answer = await _answer(said, system, user)
        if answer is None:
            return None
        self.used = True
        if self.always is None:
            self.left.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer


class ScriptedLLM(BaseLLM):
    """A model with a script."""

    def __init__(self, script: Sequence[Entry] = ()) -> None:
        self._lines = [_line(entry) for entry in script]
        self.prompts: list[Prompted] = []

    @property
    def model(self) -> str:
        """What it is called."""
        return "scripted"

    @property
    def calls(self) -> int:
        """Prompts so far."""
        return len(self.prompts)

    @property
    def rest(self) -> list[str]:
        """The entries that were never used, or have answers left, by their patterns."""
        return [line.name for line in self._lines if line.left or not line.used]

    async def async_generate_response(self, system_prompt: str, user_prompt: str) -> str:
        """What the script says.

        Raises:
            UnexpectedPrompt: it says nothing.
            and what the script raises.
        """
        self.prompts.append(Prompted(system_prompt, user_prompt))
        for line in self._lines:
            if line.used_up or not line.fits(system_prompt, user_prompt):
                continue
            answer = await line.spoken(system_prompt, user_prompt)
            if answer is not None:
                return answer
        raise UnexpectedPrompt(self._unexpected(system_prompt, user_prompt))

    def _unexpected(self, system: str, user: str) -> str:
        known = "\n".join(f"  - {line.name}{' (used up)' if line.used_up else ''}" for line in self._lines)
        return (
            f"the script has no answer to prompt {self.calls}\n"
            f"system: {_short(system)}\n"
            f"user: {_short(user)}\n"
            f"the script answers:\n{known or '  nothing'}"
        )


def _line(entry: Entry) -> _Line:
    if isinstance(entry, str):
        return _Line("any prompt, once", _any, left=[entry])
    if not isinstance(entry, tuple):
        return _Line(getattr(entry, "__qualname__", repr(entry)), _any, always=entry)
    pattern, said = entry
    name, fits = _fitting(pattern)
    if isinstance(said, str | Exception) or callable(said):
        return _Line(name, fits, always=said)
    return _Line(name, fits, left=list(said))


def _fitting(pattern: str | re.Pattern[str] | Predicate) -> tuple[str, Predicate]:
    if isinstance(pattern, str):
        return repr(pattern), lambda system, user: pattern in system or pattern in user
    if isinstance(pattern, re.Pattern):
        return f"/{pattern.pattern}/", lambda system, user: bool(pattern.search(system) or pattern.search(user))
    return getattr(pattern, "__qualname__", repr(pattern)), pattern


def _any(_system: str, _user: str) -> bool:
    return True


async def _answer(said: Said, system: str, user: str) -> str | Exception | None:
    if isinstance(said, str | Exception):
        return said
    answer = said(system, user)
    return await answer if inspect.isawaitable(answer) else answer


def _short(text: str) -> str:
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}… ({len(text)} characters)"
