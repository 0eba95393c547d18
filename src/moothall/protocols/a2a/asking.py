"""Questions of a running capability over A2A: the run ends with them, and a later one finds the answers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from moothall.capability.questions import Answers, Form, LogLevel, Question, Questions, Roots
from moothall.capability.spec import JsonObject
from moothall.errors import InputRequired, Told, ValidationError
from moothall.protocols.a2a.failures import InvalidParams

_ACTIONS: Final = frozenset({"accept", "decline", "cancel"})


class TaskPartner:
    """The client of a task, as one run of its capability sees it.

    Attributes:
        open: what was asked and is not answered.
    """

    def __init__(self, answers: Mapping[str, JsonObject]) -> None:
        self._answers = answers
        self.open: dict[str, Question] = {}

    async def ask(self, questions: Questions) -> Answers:
        """The answers, once all of them are there.

        Raises:
            InputRequired: some are not; the task waits for them.
            ValidationError: one has no such form.
        """
        missing = {name: question for name, question in questions.items() if name not in self._answers}
        if missing:
            self.open.update(missing)
            raise InputRequired("the task waits for answers", told=Told("a2a.state.questions"))
        for name, question in questions.items():
            _check(name, question, self._answers[name])
        return {name: self._answers[name] for name in questions}

    async def log(self, level: LogLevel, data: Any, topic: str) -> None:  # noqa: ANN401 - JSON of any shape
        """Nothing: tasks have no place for it."""


def answers_in(message: JsonObject) -> dict[str, JsonObject]:
    """The answers that a message brings.

    Raises:
        InvalidParams: it brings none, or none of this form.
    """
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
