"""What a task tells its client in the messages of its status. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from moothall.calls.reply import Progress
from moothall.calls.request_ids import fresh
from moothall.capability.questions import Form, Question, Roots, Sampling
from moothall.capability.spec import JsonObject
from moothall.errors import ApprovalPending, MoothallError
from moothall.messages import Lang, explain, text
from moothall.protocols.a2a.tasks import REJECTED, Task
from moothall.protocols.a2a.writing import written
from moothall.protocols.approving import APPROVAL, INSIDE

JSON: Final = "application/json"

_NOT_DETAILED: Final = frozenset({"INTERNAL_ERROR"})
"""Codes whose details are nobody's business."""


def message(task: Task, *parts: JsonObject) -> JsonObject:
    """A message of the agent about a task."""
    return {
        "messageId": fresh(),
        "contextId": task.context,
        "taskId": task.id,
        "role": "ROLE_AGENT",
        "parts": list(parts),
    }


def data_part(value: Any) -> JsonObject:  # noqa: ANN401 - JSON of any shape
    """A part that holds JSON."""
    return {"data": value, "mediaType": JSON}


def text_part(words: str) -> JsonObject:
    """A part that people read."""
    return {"text": words, "mediaType": "text/plain"}


def state_of(error: MoothallError, *, resumable: bool) -> str:
    """The state in which an error leaves its task (`Appearance.a2a`).

    Nobody can go on with a task that is not kept: there a question is a refusal.
    """
    state = error.appearance.a2a
    if state in {"input_required", "auth_required"} and not resumable:
        return REJECTED
    return f"TASK_STATE_{state.upper()}"


def failure(task: Task, error: MoothallError, request_id: str) -> JsonObject:
    """The message of a task that an error ended: what its code and its place in the table say, never a stack."""
    told, code = explain(error, task.lang), error.envelope_code
    row: JsonObject = {"code": code, "message": told.message, "why": told.why, "hint": told.hint}
    if code not in _NOT_DETAILED and (details := _json_of(error.details)):
        row["details"] = details
    if request_id:
        row["request_id"] = request_id
    words = text("protocols.error", task.lang, message=told.message, why=told.why, hint=told.hint)
    said = message(task, text_part(words), data_part({"error": row}))
    if isinstance(error, ApprovalPending):
        said["metadata"] = {APPROVAL: {**_json_of(error.details), **({INSIDE: True} if error.inner else {})}}
    return said


def progress(task: Task, told: Progress) -> JsonObject:
    """The message of a task at work that tells how far it is."""
    row = {"done": told.done, "total": told.total, "message": told.message}
    words = told.message or text("a2a.state.working", task.lang)
    return message(task, text_part(words), data_part({"progress": row}))


def asked(task: Task, questions: Mapping[str, Question]) -> JsonObject:
    """The message of a task that waits for answers."""
    words = "\n".join(q.message for q in questions.values() if isinstance(q, Form))
    rows = {name: question(each) for name, each in questions.items()}
    return message(task, text_part(words or text("a2a.state.questions", task.lang)), data_part({"questions": rows}))


def ended(task: Task, why: str) -> JsonObject:
    """The message of a task that ended for a reason of the room ``a2a.state``."""
    return message(task, text_part(text(f"a2a.state.{why}", task.lang)))


def stopped(lang: Lang) -> JsonObject:
    """The message of a task whose node stopped; its ids are set where it is read."""
    words = text("a2a.state.stopped", lang)
    error = {"error": {"code": "UNAVAILABLE", "message": words}}
    return {"messageId": fresh(), "role": "ROLE_AGENT", "parts": [text_part(words), data_part(error)]}


def stopped_now(task: Task) -> JsonObject:
    """The same with its ids."""
    return task.own(stopped(task.lang))


def is_json(value: Any) -> bool:  # noqa: ANN401 - of any shape
    """Whether a value can be told at all."""
    try:
        written(value)
    except (TypeError, ValueError, RecursionError):
        return False
    return True


def _json_of(details: Mapping[str, Any]) -> JsonObject:
    """What of the details of an error is JSON; the others are known to the log only."""
    return {name: value for name, value in details.items() if is_json({name: value})}


def question(question: Question) -> JsonObject:
    """A question as the client reads it."""
    match question:
        case Form(said, schema):
            return {"type": "form", "message": said, "schema": dict(schema)}
        case Sampling():
            asked: JsonObject = {"type": "sampling", "messages": list(question.messages)}
            asked["maxTokens"] = question.max_tokens
            return {**asked, "system": question.system} if question.system else asked
        case Roots():
            return {"type": "roots"}
