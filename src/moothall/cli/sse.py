"""Reading server-sent events. Pure."""

from __future__ import annotations

from collections.abc import AsyncIterator


async def data_of(lines: AsyncIterator[str]) -> AsyncIterator[tuple[str, str]]:
    """Yield ``(id, data)`` for each event of a stream of lines; an event that was cut off is not one."""
    identity, data = "", []
    async for line in lines:
        if line:
            name, _, value = line.partition(":")
            value = value.removeprefix(" ")
            if name == "id":
                identity = value
            elif name == "data":
                data.append(value)
            continue
        if data:
            yield identity, "\n".join(data)
            data = []
