"""Values that come one by one over MCP, where they do not end."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any, cast

import pytest

from moothall.calls.compiling import COLLECTED
from moothall.calls.ports import Admitted
from moothall.calls.reply import Item, Progress
from moothall.errors import PayloadTooLarge
from moothall.protocols.mcp.pouring import poured


class Endless:
    """A gateway whose capability never stops, until it is told to."""

    def __init__(self) -> None:
        self.closed = False

    async def stream(self, _admitted: Admitted, _params: object) -> AsyncIterator[Item]:
        try:
            while True:
                yield Item(1)
        finally:
            self.closed = True


async def test_a_stream_without_an_end_is_ended_where_one_answer_is_full() -> None:
    told: list[Progress] = []

    async def report(progress: Progress) -> None:
        told.append(progress)

    gateway = Endless()
    with pytest.raises(PayloadTooLarge):
        await poured(cast("Any", gateway), cast("Any", None), {}, report)
    assert len(told) == COLLECTED
    assert gateway.closed
