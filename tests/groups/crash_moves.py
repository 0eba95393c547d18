"""A process to be killed: members come and go in a group; it ends itself the moment a change was committed.

python crash_moves.py DATA URL GROUP COMMITS
"""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from contextlib import AsyncExitStack
from pathlib import Path

from tests.groups.house import GroupHouse, agent, did


async def main(data: Path, url: str, group: str, commits: int) -> None:
    """Make the group, take members in and out, and say on stdout what was acknowledged."""
    async with AsyncExitStack() as stack:
        house = await GroupHouse.open(url, data, stack)
        await house.groups.create(group, by=agent(did("ann")))
        left = iter(range(commits))

        def committed(_dids: object, _number: int) -> None:
            if next(left, None) is None:
                os.kill(os.getpid(), signal.SIGKILL)

        house.groups.store.on_change(committed)
        for place in range(commits + 1):
            who = did(f"m{place}")
            house.house.world.own[who] = who  # of this node: nobody need be asked
            for change in (house.groups.add, house.groups.remove):
                moved = await change(group, who)
                assert moved.event is not None
                os.write(1, f"{moved.event.key}\n".encode())


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1]), sys.argv[2], sys.argv[3], int(sys.argv[4])))
