"""Questions of a running capability over A2A: the run ends with them, and a later one finds the answers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from moothall.capability.questions import Answers, Form, LogLevel, Question, Questions, Roots
from moothall.capability.spec import JsonObject
from moothall.errors import InputRequired, InternalError, PayloadTooLarge, Told, ValidationError
from moothall.protocols.a2a.failures import InvalidParams
from moothall.protocols.a2a.tasks import Task
from moothall.protocols.a2a.telling import is_json, question
from moothall.protocols.a2a.writing import written

MOST_BYTES: Final = 1024 * 1024
"""Of all answers that a task has."""

_ACTIONS: Final = frozenset({"accept", "decline", "cancel"})


class TaskPartner:
    """The client of a task, as one run of its capability sees it.

    Attributes:
        open: what was asked and is not answered.
    """

    def __init__(self, answers: Mapping[str, JsonObject], *, waits: bool) -> None:
        """``waits``: its task can wait for answers; that of a caller who proves nothing cannot."""
        self._waits = waits
        self._answers = answers
        self.open: dict[str, Question] = {}

    async def ask(self, questions: Questions) -> Answers:
        """The answers, once all of them are there.

        Raises:
            InputRequired: some are not; the task waits for them.
            InternalError: a question cannot be asked, since it is no JSON.
            ValidationError: one has no such form.
        """
        missing = {name: each for name, each in questions.items() if name not in self._answers}
        if not all(is_json(question(each)) for each in missing.values()):
            raise InternalError("a question is no JSON", told=Told("protocols.failed"))
        if missing:
            self.open.update(missing)
            hint = "" if self._waits else "a2a.anonymous_questions"
            raise InputRequired("the task waits for answers", told=Told("a2a.state.questions", hint=hint))
        for name, each in questions.items():
            _check(name, each, self._answers[name])
        return {name: self._answers[name] for name in questions}

    async def log(self, level: LogLevel, data: Any, topic: str) -> None:  # noqa: ANN401 - JSON of any shape
        """Nothing: tasks have no place for it."""


def answers_for(task: Task, message: JsonObject) -> dict[str, JsonObject]:
    """The answers that a task has with those of a message: to what was asked, and to nothing else.

    Raises:
        InvalidParams: it brings none, none of this form, or none to what was asked.
        PayloadTooLarge: they are more than can be kept.
    """
    given, parts = _answers_in(message), (task.message or {}).get("parts", ())
    asked = {name for part in parts if isinstance(data := part.get("data"), dict) for name in data.get("questions", ())}
    fresh = {name: answer for name, answer in given.items() if name in asked}
    if not fresh:
        raise InvalidParams("answers_to_others", {"names": ", ".join(sorted(asked))})
    answers = {**task.answers, **fresh}
    if len(written(answers)) > MOST_BYTES:
        raise PayloadTooLarge("too long answers", told=Told("a2a.too_much_answered"))
    return answers


def _answers_in(message: JsonObject) -> dict[str, JsonObject]:
    for part in message["parts"]:
        data = part.get("data")
        if isinstance(data, dict) and isinstance(given := data.get("answers"), dict):
            if not all(isinstance(answer, dict) for answer in given.values()):
                break
            return given
    raise InvalidParams("answers")


def _check(name: str, question: Question, answer: JsonObject) -> None:
    match question:
        case Form():
            fits = answer.get("action") in _ACTIONS and isinstance(answer.get("content", {}), dict)
        case Roots():
            fits = isinstance(answer.get("roots"), list)
        case _:
            fits = "content" in answer
    if not fits:
        details = {"errors": [{"loc": ["answers", name], "type": "answer", "msg": "not an answer to this question"}]}
        raise ValidationError("an answer has no such form", told=Told("a2a.answers"), details=details)
