"""A task as a row, and the statements that write it. Pure."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any, Final

import sqlalchemy as sa

from moothall.capability.spec import JsonObject
from moothall.protocols.a2a.batching import Change, Statement
from moothall.protocols.a2a.tasks import INTERRUPTED, Task, Whose
from moothall.protocols.a2a.writing import written
from moothall.storage.schema import a2a_part, a2a_push, a2a_task

_row = a2a_task.c

_CHANGING: Final = ("state", "updated", "message", "body", "parts", "holder")
_VALUES: Final[dict[str, Any]] = {name: sa.bindparam(name) for name in _CHANGING}
_MINE: Final = (_row.id == sa.bindparam("task"), _row.holder == sa.bindparam("mine"))

_INSERT: Final = Statement(
    sa.insert(a2a_task), ["id", "agent", "owner", "tenant", "context", "skill", "lang", *_CHANGING]
)
_PARTS: Final = Statement(sa.insert(a2a_part), ["task", "n", "part"])
_PUSH: Final = Statement(sa.insert(a2a_push), ["task", "id", "config"])
_HAD: Final = _row.parts == sa.bindparam("had")
_UPDATE: Final = Statement(sa.update(a2a_task).where(*_MINE, _HAD).values(_VALUES))
_REWRITE: Final = Statement(sa.update(a2a_task).where(*_MINE).values(_VALUES))
_ANEW: Final = {**_VALUES, "wish": sa.literal_column("''")}
"""What was wanted of another run is not wanted of this one."""

_GUARDED: Final = Statement(sa.update(a2a_task).where(*_MINE, _row.updated == sa.bindparam("seen")).values(_ANEW))
_NO_PARTS: Final = Statement(sa.delete(a2a_part).where(a2a_part.c.task == sa.bindparam("of")))


def insert(task: Task, holder: str) -> list[Change]:
    """Write a new task."""
    whose = task.whose
    values = {
        "id": task.id,
        "agent": whose.agent,
        "owner": whose.owner,
        "tenant": whose.tenant,
        "context": task.context,
        "skill": task.skill,
        "lang": task.lang,
        **changing(task, holder),
    }
    changes = [Change(_INSERT, values)]
    return [*changes, *parts(task.id, 0, task.parts)] if task.streamed and task.parts else changes


def update(task: Task, mine: str, holder: str, had: int) -> list[Change]:
    """Write what may change of a task that ``mine`` holds, if it has ``had`` parts there; then ``holder`` has it."""
    values = {"task": task.id, "mine": mine, "had": had, **changing(task, holder)}
    change = Change(_UPDATE, values, fenced=True)
    return [change, *parts(task.id, had, task.parts[had:])] if task.streamed else [change]


def rewrite(task: Task, mine: str, holder: str) -> list[Change]:
    """Write a task that ``mine`` holds and all of its parts anew, whatever is there of them."""
    values = {"task": task.id, "mine": mine, **changing(task, holder)}
    changes = [Change(_REWRITE, values, fenced=True), Change(_NO_PARTS, {"of": task.id})]
    return [*changes, *parts(task.id, 0, task.parts)] if task.streamed else changes


def guarded(task: Task, seen: int, holder: str) -> list[Change]:
    """Write a task that nobody holds, if it was last changed at ``seen``; then ``holder`` has it."""
    values = {"task": task.id, "mine": "", "seen": seen, **changing(task, holder)}
    change = Change(_GUARDED, values, fenced=True)
    return [change] if task.parts else [change, Change(_NO_PARTS, {"of": task.id})]


def push(config: JsonObject) -> Change:
    """Write a push configuration."""
    return Change(_PUSH, {"task": config["taskId"], "id": config["id"], "config": text(config)})


def parts(task: str, begin: int, given: Sequence[JsonObject]) -> list[Change]:
    """Write values of a task, the first of them its ``begin``-th."""
    return [Change(_PARTS, {"task": task, "n": begin + at, "part": text(part)}) for at, part in enumerate(given)]


def read(row: Any, values: Sequence[JsonObject] = ()) -> Task:  # noqa: ANN401 - SQLAlchemy's row
    """The task of a row; ``values`` are those of its parts that have rows of their own."""
    body = json.loads(row.body)
    message = json.loads(row.message)
    task = Task(
        id=row.id,
        context=row.context,
        whose=Whose(row.agent, row.owner, row.tenant),
        skill=row.skill,
        lang=row.lang,
        updated=row.updated,
        state=row.state,
        history=body["history"],
        parts=[*body.get("parts", ()), *values],
        streamed=body.get("streamed", False),
        arguments=body.get("arguments", {}),
        answers=body.get("answers", {}),
        rounds=body.get("rounds", 0),
        as_text=body.get("as_text", False),
    )
    task.message = task.own(message) if message else None
    return task


def text(value: object) -> str:
    """JSON as a column has it."""
    return written(value).decode()


def changing(task: Task, holder: str) -> dict[str, Any]:
    """What may change of a task; ``holder`` has it then."""
    body: JsonObject = {"history": task.history}
    if task.streamed:
        body["streamed"] = True
    elif task.parts:
        body["parts"] = task.parts
    if task.state in INTERRUPTED:
        body |= {"arguments": task.arguments, "answers": task.answers, "rounds": task.rounds}
        if task.as_text:
            body["as_text"] = True
    return {
        "state": task.state,
        "updated": task.updated,
        "message": text(task.message),
        "body": text(body),
        "parts": len(task.parts) if task.streamed else 0,
        "holder": holder,
    }
