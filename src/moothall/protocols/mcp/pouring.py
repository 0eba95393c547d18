"""Values that come one by one over MCP: each told as progress as it comes, all of them as the result (row RTC-06)."""

from __future__ import annotations

from typing import Any, Final

from moothall.calls.compiling import COLLECTED
from moothall.calls.ports import Admitted, Gateway, Params, Report
from moothall.calls.reply import Item, Progress, Reply
from moothall.calls.streaming import closing
from moothall.canonical import dumps
from moothall.errors import InternalError, PayloadTooLarge, Told

LONGEST: Final = 4_096
"""Characters of JSON of a value that is told at once; a longer one stands in the result alone."""


async def poured(gateway: Gateway, admitted: Admitted, params: Params, report: Report) -> list[Any]:
    """Make a call and tell its values as they come.

    Progress only grows, whatever the capability tells of itself (MCP asks for that).

    Raises:
        PayloadTooLarge: it yields too many.
        MoothallError: it failed.
    """
    values: list[Any] = []
    done = 0.0
    async with closing(gateway.stream(admitted, params)) as chunks:
        async for chunk in chunks:
            if isinstance(chunk, Reply):
                if chunk.error is not None:
                    raise chunk.error
            elif isinstance(chunk, Item):
                if len(values) == COLLECTED:
                    told = Told("calls.too_many_values", {"most": COLLECTED})
                    raise PayloadTooLarge("it yields more values than fit into one answer", told=told)
                values.append(chunk.value)
                done += 1
                await report(Progress(done, message=_shown(chunk.value)))
            elif chunk.done > done:
                done = chunk.done
                await report(chunk)
    return values


def _shown(value: object) -> str:
    try:
        text = dumps(value).decode()
    except TypeError as error:
        raise InternalError("a value is no JSON", told=Told("protocols.failed")) from error
    return text if len(text) <= LONGEST else ""
