"""A process to be killed: appends to one topic under keys of its own and says on stdout what was acknowledged.

python crash_topic.py DATA URL TOPIC NAME COUNT
"""

from __future__ import annotations

import asyncio
import os
import sys
from pathlib import Path

from moothall.events.log import EventLog
from moothall.events.model import Draft
from moothall.events.topics import Topics
from moothall.storage.store import Store


async def main(data: Path, url: str, topic: str, name: str, count: int) -> None:
    """Append `count` events, four at a time; what was there before is found, not doubled."""
    store = await Store.open(data, url)
    log = EventLog(store)
    await log.start()
    topics = Topics(log)
    await topics.open(topic, "test")
    numbers = iter(range(count))

    async def appender() -> None:
        for n in numbers:
            (event,) = await topics.append(topic, Draft(f"{name}.{n}", "moot.told", {"from": name, "n": n}))
            os.write(1, f"{event.seq} {event.key}\n".encode())

    await asyncio.gather(*[appender() for _ in range(4)])
    await log.close()
    await store.close()


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1]), sys.argv[2], sys.argv[3], sys.argv[4], int(sys.argv[5])))
