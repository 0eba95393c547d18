"""Tasks that come and go leave nothing behind in memory: what is kept of them is in the store."""

from __future__ import annotations

import gc
from pathlib import Path

from tests.protocols.a2a.hall import Place, message, place, value_of

WARM, MANY = 50, 200
WHOSE = ("moothall.protocols.a2a.", "moothall.calls.", "_asyncio")


async def visit(opened: Place, number: int) -> None:
    answer = await opened.post(message("add", {"a": number}), "/message:send")
    assert value_of(answer.json()["task"]) == number + 1


def held() -> int:
    """Objects of the door and its tasks; what the tests' own doubles remember does not count."""
    gc.collect()
    return sum(str(type(each).__module__).startswith(WHOSE) for each in gc.get_objects())


async def test_many_tasks_leave_no_object_behind(tmp_path: Path) -> None:
    async with place(tmp_path) as opened:
        for number in range(WARM):
            await visit(opened, number)
        before = held()
        for number in range(MANY):
            await visit(opened, number)
        assert held() - before < MANY // 2
