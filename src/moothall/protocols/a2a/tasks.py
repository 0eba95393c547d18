"""A task: the states it goes through, and how it and its events look as JSON (A2A 1.0 §4.1, §4.2). Pure.

::

    submitted → working → completed · failed · rejected · canceled
                working ⇄ input_required · auth_required → canceled
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from moothall.capability.spec import JsonObject
from moothall.clock import rfc3339
from moothall.errors import InternalError
from moothall.messages import Lang
from moothall.protocols.approving import APPROVAL, INSIDE

SUBMITTED: Final = "TASK_STATE_SUBMITTED"
WORKING: Final = "TASK_STATE_WORKING"
COMPLETED: Final = "TASK_STATE_COMPLETED"
FAILED: Final = "TASK_STATE_FAILED"
CANCELED: Final = "TASK_STATE_CANCELED"
REJECTED: Final = "TASK_STATE_REJECTED"
INPUT_REQUIRED: Final = "TASK_STATE_INPUT_REQUIRED"
AUTH_REQUIRED: Final = "TASK_STATE_AUTH_REQUIRED"

TERMINAL: Final = frozenset({COMPLETED, FAILED, CANCELED, REJECTED})
"""Nothing comes after these."""

INTERRUPTED: Final = frozenset({INPUT_REQUIRED, AUTH_REQUIRED})
"""The task waits for a message."""

RESULT: Final = "result"
"""The id and name of the artifact that holds what the skill gave."""

STREAMED: Final = "moothall/streamed"
"""Says in the metadata of an artifact that its parts are the values of a skill that gives one after another."""

MOST_HISTORY: Final = 100
"""Messages of a task that are kept; the oldest go first."""

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_ENDS: Final = frozenset({COMPLETED, FAILED, REJECTED, CANCELED, *INTERRUPTED})
_FROM: Final = {
    SUBMITTED: frozenset({WORKING, *_ENDS}),
    WORKING: frozenset({WORKING, *_ENDS}),
    INPUT_REQUIRED: frozenset({WORKING, CANCELED}),
    AUTH_REQUIRED: frozenset({WORKING, CANCELED}),
}


@dataclass(frozen=True, slots=True)
class Whose:
    """Who may know of a task: the agent that was asked, its caller, and the tenant."""

    agent: str
    owner: str
    tenant: str


@dataclass(slots=True, kw_only=True)
class Task:
    """A task as it is now.

    Attributes:
        whose: who may know of it.
        skill: the name of the capability at its agent.
        lang: the language in which its client is told what went wrong.
        updated: when its status last changed, in milliseconds since 1970; it moves on whenever the task
            stops waiting, so that of two who take it up one is late.
        message: what its status says.
        parts: what the skill gave so far.
        streamed: whether it gives value after value.
        arguments: of the skill, for the next run of a task that waits for a message.
        answers: to what it asked, by the names of the questions.
        rounds: how often it was run before.
        as_text: whether its client takes text only.
    """

    id: str
    context: str
    whose: Whose
    skill: str
    lang: Lang
    updated: int
    state: str = SUBMITTED
    message: JsonObject | None = None
    history: list[JsonObject] = field(default_factory=list)
    parts: list[JsonObject] = field(default_factory=list)
    streamed: bool = False
    arguments: JsonObject = field(default_factory=dict)
    answers: JsonObject = field(default_factory=dict)
    rounds: int = 0
    as_text: bool = False

    def move(self, state: str, now: int, message: JsonObject | None = None) -> None:
        """Change the status.

        Raises:
            InternalError: no such step is possible.
        """
        if state not in _FROM.get(self.state, ()):
            raise InternalError(f"a task goes from {self.state} to {state}")
        waited = self.state in INTERRUPTED
        self.state, self.message = state, message
        self.updated = max(now, self.updated + waited)

    def take(self, message: JsonObject, now: int) -> None:
        """Go on with a message of the client; what the agent said before becomes history.

        Raises:
            InternalError: the task waits for none.
        """
        self.go_on(now)
        self.history.append(self.own(message))
        del self.history[:-MOST_HISTORY]
        self.rounds += 1

    def go_on(self, now: int) -> None:
        """Go on without a message: what it waited for has been decided by others.

        Raises:
            InternalError: the task waits for nothing.
        """
        said = self.message
        self.move(WORKING, now)
        if said is not None:
            self.history.append(said)
        del self.history[:-MOST_HISTORY]

    def own(self, message: JsonObject) -> JsonObject:
        """A message of this task."""
        return {**message, "contextId": self.context, "taskId": self.id}

    def artifact(self, parts: Sequence[JsonObject]) -> JsonObject:
        """The artifact with some of its parts."""
        shown: JsonObject = {"artifactId": RESULT, "name": RESULT, "parts": list(parts)}
        if self.streamed:
            shown["metadata"] = {STREAMED: True}
        return shown

    @property
    def approval(self) -> str:
        """The approval that it waits for; empty: none."""
        return str(self._pending.get("approval_id", ""))

    @property
    def decided_here(self) -> bool:
        """Whether the task ends with what is approved here: not where another node decides, and tells nobody.

        Nor where its capability waits for a call of its own: the answer of that one is not the task's, and the
        capability runs again only for its client.
        """
        return bool(self.approval) and not (self._pending.get("remote") or self._pending.get(INSIDE))

    @property
    def _pending(self) -> Mapping[str, Any]:
        told = (self.message or {}).get("metadata", {}).get(APPROVAL) if self.state == INPUT_REQUIRED else None
        return told if isinstance(told, dict) else {}

    @property
    def status(self) -> JsonObject:
        """``TaskStatus``."""
        shown: JsonObject = {"state": self.state, "timestamp": written(self.updated)}
        if self.message is not None:
            shown["message"] = self.message
        return shown

    def shown(self, history: int | None = None, *, artifacts: bool = True) -> JsonObject:
        """``Task``, with so many of its latest messages."""
        shown: JsonObject = {"id": self.id, "contextId": self.context, "status": self.status}
        if artifacts and self.parts:
            shown["artifacts"] = [self.artifact(self.parts)]
        kept = self.history if history is None else self.history[-history:] if history else []
        if kept:
            shown["history"] = list(kept)
        if self.streamed:
            shown["metadata"] = {STREAMED: True}
        return shown

    def status_update(self) -> JsonObject:
        """``StreamResponse`` with the status as it is."""
        return {"statusUpdate": {"taskId": self.id, "contextId": self.context, "status": self.status}}

    def artifact_update(self, parts: Sequence[JsonObject], *, append: bool, last: bool) -> JsonObject:
        """``StreamResponse`` with new parts of the result."""
        update: dict[str, Any] = {"taskId": self.id, "contextId": self.context, "artifact": self.artifact(parts)}
        return {"artifactUpdate": {**update, "append": append, "lastChunk": last}}


def milliseconds(when: datetime) -> int:
    """A moment as a number."""
    return (when - _EPOCH) // timedelta(milliseconds=1)


def written(moment: int) -> str:
    """Such a number as RFC 3339."""
    return rfc3339(_EPOCH + timedelta(milliseconds=moment))
