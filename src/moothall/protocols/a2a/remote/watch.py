"""What is known of a task of another agent, from the answers and events that tell of it. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from moothall.calls.reply import Progress
from moothall.capability.questions import Form
from moothall.capability.spec import JsonObject
from moothall.errors import MoothallError, Told, UpstreamError, UpstreamInvalid
from moothall.protocols.a2a.remote.questions import forms_in
from moothall.protocols.a2a.remote.refusals import told
from moothall.protocols.a2a.remote.way import Said
from moothall.protocols.failures import remote_error

STREAMED: Final = "moothall/streamed"
"""Says in the metadata of a task, or of an artifact, that its parts are values that come one after another."""

_AT_WORK: Final = frozenset({"TASK_STATE_SUBMITTED", "TASK_STATE_WORKING"})
_SUBMITTED: Final = "TASK_STATE_SUBMITTED"
_COMPLETED: Final = "TASK_STATE_COMPLETED"
_INPUT: Final = "TASK_STATE_INPUT_REQUIRED"
_AUTH: Final = "TASK_STATE_AUTH_REQUIRED"
_ENDED: Final = frozenset({_COMPLETED, "TASK_STATE_FAILED", "TASK_STATE_CANCELED", "TASK_STATE_REJECTED"})
_LONGEST_ID: Final = 512
_SHOWN: Final = 200
_FAR: Final = 1e300

Parts = list[Any]


class Watch:
    """A task, or the message that came in its place.

    Attributes:
        id: of the task; empty before it is known.
        several: whether its parts are the values of a skill that gives one after another.
        progress: what it told last of how far it is.

    Args:
        kept: whether its values are needed in the end; else they are only counted.
    """

    def __init__(self, *, kept: bool = True) -> None:
        self._kept = kept
        self.id = ""
        self.several = False
        self.progress: Progress | None = None
        self._state = ""
        self._said: Any = None
        self._reply: Parts | None = None
        self._artifacts: dict[str, Parts] = {}
        self._counts: dict[str, int] = {}

    @property
    def rests(self) -> bool:
        """Whether nothing more happens by itself."""
        return self._reply is not None or (bool(self._state) and self._state not in _AT_WORK)

    @property
    def open(self) -> bool:
        """Whether there is a task that has not ended, and that nobody here will go on with."""
        return bool(self.id) and self._state not in _ENDED and self._state != _AUTH

    @property
    def asks(self) -> dict[str, Form]:
        """The forms that the task waits for."""
        return forms_in(self._said) if self._reply is None and self._state == _INPUT else {}

    def goes_on(self) -> None:
        """The task has been answered, and begins anew."""
        self._state, self._said = _SUBMITTED, None
        self._artifacts.clear()
        self._counts.clear()

    def take(self, event: Mapping[str, Any]) -> Parts:
        """Take in what is told of the task; returns the values that are new.

        Raises:
            UpstreamInvalid: it is of another task, or has no such form.
        """
        self.progress = None
        if isinstance(event.get("message"), dict):
            self._reply = values(event["message"])
            return self._reply
        if isinstance(event.get("task"), dict):
            return self._snapshot(event["task"])
        for member in ("statusUpdate", "artifactUpdate"):
            row = event.get(member)
            if isinstance(row, dict):
                self._known(row.get("taskId"))
                return self._updated(row) if member == "statusUpdate" else self._grown(row)
        raise _unfit()

    def value(self) -> Any:  # noqa: ANN401 - JSON of any shape
        """The value of a task that rests: none, one, or the list of several.

        Raises:
            MoothallError: it did not come to a good end.
        """
        found = self.unsaid()
        if self._reply is not None:
            found = self._reply
        elif self._artifacts:
            found = [value for parts in self._artifacts.values() for value in parts] or found
        if self.several:
            return found
        return found[0] if len(found) == 1 else found or None

    def unsaid(self) -> Parts:
        """What a task that rests said in its last words, where it gave no values. Raises as `value`."""
        if self._reply is None and self._state != _COMPLETED:
            raise self._failure()
        none = self._reply is None and not any(self._counts.values())
        return values(self._said) if none and self._said is not None else []

    def _failure(self) -> MoothallError:
        error = told(self._said)
        if error is None and self._state == _INPUT:
            error = remote_error("INPUT_REQUIRED")
        elif error is None and self._state == _AUTH:
            error = remote_error("UNAUTHENTICATED")
        elif error is None:
            error = UpstreamError("the task did not end well", told=Told("remote.failed"))
        error.__cause__ = Said(f"{self._state} {str(texts(self._said))[:_SHOWN]!a}")
        return error

    def _snapshot(self, task: JsonObject) -> Parts:
        self._known(task.get("id"))
        self._stands(task.get("status"))
        metadata = task.get("metadata")
        self.several = self.several or (isinstance(metadata, dict) and metadata.get(STREAMED) is True)
        listed = task.get("artifacts")
        if not isinstance(listed, list) or not listed:
            return []
        new: Parts = []
        artifacts: dict[str, Parts] = {}
        for artifact in listed:
            key, parts = self._artifact(artifact)
            new += parts[self._counts.get(key, 0) :]
            artifacts[key] = parts
        self._artifacts = artifacts if self._kept else {}
        self._counts |= {key: len(parts) for key, parts in artifacts.items()}
        return new

    def _updated(self, row: JsonObject) -> Parts:
        self._stands(row.get("status"))
        self.progress = _progress(self._said, row.get("metadata"))
        return []

    def _grown(self, row: JsonObject) -> Parts:
        key, parts = self._artifact(row.get("artifact"))
        more = row.get("append") is True
        self._counts[key] = len(parts) + (self._counts.get(key, 0) if more else 0)
        if self._kept:
            if not more:
                self._artifacts[key] = []
            self._artifacts.setdefault(key, []).extend(parts)
        return parts

    def _artifact(self, artifact: object) -> tuple[str, Parts]:
        row = artifact if isinstance(artifact, dict) else {}
        key, metadata = row.get("artifactId"), row.get("metadata")
        if not isinstance(key, str):
            raise _unfit()
        self.several = self.several or (isinstance(metadata, dict) and metadata.get(STREAMED) is True)
        return key, values(row)

    def _known(self, task_id: object) -> None:
        if not isinstance(task_id, str) or not 0 < len(task_id) <= _LONGEST_ID or self.id not in {"", task_id}:
            raise _unfit()
        self.id = task_id

    def _stands(self, status: object) -> None:
        row = status if isinstance(status, dict) else {}
        state = row.get("state")
        if not isinstance(state, str) or state not in _AT_WORK | _ENDED | {_INPUT, _AUTH}:
            raise _unfit()
        self._state, self._said = state, row.get("message")


def values(message: object) -> Parts:
    """The values of parts: texts and data as they are, of others what says where they are."""
    parts = message.get("parts") if isinstance(message, dict) else None
    found: Parts = []
    for part in parts if isinstance(parts, list) else []:
        if not isinstance(part, dict):
            raise _unfit()
        if "data" in part:
            found.append(part["data"])
        elif isinstance(part.get("text"), str):
            found.append(part["text"])
        else:
            found.append({key: part[key] for key in ("raw", "url", "filename", "mediaType") if key in part})
    return found


def texts(message: object) -> str:
    """The texts of a message."""
    parts = message.get("parts") if isinstance(message, dict) else None
    rows = [part for part in parts if isinstance(part, dict)] if isinstance(parts, list) else []
    return " ".join(part["text"] for part in rows if isinstance(part.get("text"), str))


def _progress(message: object, metadata: object) -> Progress | None:
    """How far a task is: in numbers where it says so in our form, else in its words."""
    words = texts(message)
    rows = [value for value in (values(message) if isinstance(message, dict) else []) if isinstance(value, dict)]
    for row in [*rows, metadata if isinstance(metadata, dict) else {}]:
        told_of = row.get("progress", row.get("moothall/progress"))
        if not isinstance(told_of, dict):
            continue
        done, total = _number(told_of.get("done")), _number(told_of.get("total"))
        if done is not None:
            said = told_of.get("message")
            return Progress(done, total, said if isinstance(said, str) else words)
    return Progress(0.0, None, words) if words else None


def _number(value: object) -> float | None:
    """A number that can be counted with; JSON has integers of any length."""
    if isinstance(value, bool) or not isinstance(value, int | float) or not -_FAR < value < _FAR:
        return None
    return float(value)


def _unfit() -> UpstreamInvalid:
    return UpstreamInvalid("no answer of the protocol", told=Told("a2a.remote.answer"))
