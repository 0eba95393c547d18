"""Sessions that come and go leave nothing behind."""

from __future__ import annotations

import gc

from moothall.capability.decorators import capability
from tests.protocols.mcp.hall import ANNA, Hall, hall, of

WARM, MANY = 20, 100
WHOSE = ("mcp.", "moothall.protocols.mcp.", "_asyncio", "anyio.")


@capability(access="authenticated")
async def add(a: int, b: int) -> int:
    return a + b


async def visit(opened: Hall, number: int) -> None:
    session = await opened.begin(ANNA)
    called = await opened.older(
        "tools/call", {"name": "add", "arguments": {"a": number, "b": 1}}, who=ANNA, session=session
    )
    assert str(number + 1) in called.text
    headers = {"Mcp-Session-Id": session, **of(ANNA)}
    assert (await opened.http.delete("/mcp", headers=headers)).status_code in {200, 204}


def held() -> int:
    """Objects of the door and its tasks; what the tests' own doubles remember does not count."""
    gc.collect()
    return sum(str(type(each).__module__).startswith(WHOSE) for each in gc.get_objects())


async def test_many_sessions_opened_and_closed_leave_no_object_behind() -> None:
    async with hall(add, sessions=4) as opened:
        for number in range(WARM):
            await visit(opened, number)
        before = held()
        for number in range(MANY):
            await visit(opened, number)
        assert held() - before < MANY // 2
