from __future__ import annotations

from itertools import product

import pytest

from moothall.clock import parse_rfc3339
from moothall.errors import InternalError
from moothall.protocols.a2a import tasks
from moothall.protocols.a2a.tasks import INTERRUPTED, MOST_HISTORY, TERMINAL, Task, Whose

STATES = sorted({tasks.SUBMITTED, tasks.WORKING, *TERMINAL, *INTERRUPTED})


def task(state: str = tasks.SUBMITTED) -> Task:
    return Task(id="t", context="c", whose=Whose("node", "ann", ""), skill="add", lang="en", updated=1_000, state=state)


def allowed(before: str, after: str) -> bool:
    if before in TERMINAL or after == tasks.SUBMITTED:
        return False
    return before not in INTERRUPTED or after in {tasks.WORKING, tasks.CANCELED}


@pytest.mark.parametrize(("before", "after"), list(product(STATES, STATES)))
def test_a_task_changes_its_state_only_as_the_protocol_has_it(before: str, after: str) -> None:
    it = task(before)
    if allowed(before, after):
        it.move(after, 2_000)
        assert (it.state, it.updated) == (after, 2_000)
    else:
        with pytest.raises(InternalError):
            it.move(after, 2_000)
        assert (it.state, it.updated) == (before, 1_000)


def test_a_status_never_goes_back_in_time_and_moves_on_when_the_task_was_taken_up() -> None:
    it = task()
    it.move(tasks.WORKING, 500)
    assert it.updated == 1_000
    it.move(tasks.INPUT_REQUIRED, 500)
    it.move(tasks.WORKING, 500)
    assert it.updated == 1_001


def test_a_task_looks_like_json_of_the_protocol() -> None:
    it = task()
    assert it.shown() == {
        "id": "t",
        "contextId": "c",
        "status": {"state": "TASK_STATE_SUBMITTED", "timestamp": "1970-01-01T00:00:01.000Z"},
    }
    it.parts = [{"data": 1}]
    it.streamed = True
    assert it.shown()["artifacts"] == [
        {"artifactId": "result", "name": "result", "parts": [{"data": 1}], "metadata": {"moothall/streamed": True}}
    ]
    assert "artifacts" not in it.shown(artifacts=False)
    assert it.artifact_update([{"data": 1}], append=True, last=False)["artifactUpdate"]["append"] is True


def test_history_keeps_the_latest_messages() -> None:
    it = task(tasks.INPUT_REQUIRED)
    for number in range(MOST_HISTORY):
        it.message = {"messageId": f"a-{number}"}
        it.take({"messageId": f"u-{number}"}, 2_000)
        it.move(tasks.INPUT_REQUIRED, 2_000)
    assert len(it.history) == MOST_HISTORY
    assert it.history[-1] == {"messageId": f"u-{MOST_HISTORY - 1}", "contextId": "c", "taskId": "t"}
    assert it.shown(2)["history"] == it.history[-2:]
    assert "history" not in it.shown(0)


def test_a_moment_reads_back_as_it_was_written() -> None:
    moments = range(1_763_776_146_000, 1_763_776_147_000)
    assert [tasks.milliseconds(parse_rfc3339(tasks.written(moment))) for moment in moments] == list(moments)
