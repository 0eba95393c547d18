"""A small node to be killed: drives runs of 3 rounds with 8 participants and says on stdout what was committed.

python crash_node.py DATA URL NEW_RUN
"""

from __future__ import annotations

import asyncio
import os
import random
import sys
from pathlib import Path

from moothall.events.log import EventLog
from moothall.events.model import Draft
from moothall.events.run import Run
from moothall.events.worker import Worker
from moothall.storage.store import Store

ROUNDS, PARTICIPANTS = 3, 8
KEYS = ["begun"]
for _round in range(ROUNDS):
    KEYS += [f"r{_round}.opened", *[f"r{_round}.asked.{i}" for i in range(PARTICIPANTS)]]
    KEYS += [f"r{_round}.answer.{i}" for i in range(PARTICIPANTS)]
    KEYS += [f"r{_round}.told.{i}" for i in range(PARTICIPANTS)]
KEYS += ["end"]


def acknowledge(run: Run, key: str) -> None:
    """Only after the commit, and past every buffer of this process."""
    os.write(1, f"{run.id} {key}\n".encode())


class Driver:
    """Participants take a moment each, so that a kill finds answers under way."""

    async def drive(self, run: Run) -> None:
        for r in range(ROUNDS):
            asked = [Draft(f"r{r}.asked.{i}", "asked", {}) for i in range(PARTICIPANTS)]
            await run.emit(Draft(f"r{r}.opened", "towow.opened", {}), *asked)
            acknowledge(run, f"r{r}.opened")
            async with asyncio.TaskGroup() as group:
                for i in range(PARTICIPANTS):
                    group.create_task(self.ask(run, f"r{r}", i))
        await run.emit(Draft("end", "towow.end", {}), close=True)
        acknowledge(run, "end")

    async def ask(self, run: Run, prefix: str, i: int) -> None:
        async def answer() -> int:
            await asyncio.sleep(random.random() * 0.02)
            return i

        key = f"{prefix}.answer.{i}"
        await run.step(key, answer, also=lambda value: [Draft(f"{prefix}.told.{i}", "towow.told", {"value": value})])
        acknowledge(run, key)

    async def abandon(self, run: Run, error: BaseException) -> None:
        raise error


async def main(data: Path, url: str, new: str) -> None:
    """Recover everything open, begin one more, end when all are closed."""
    store = await Store.open(data, url)
    log = EventLog(store)
    await log.start()
    worker = Worker(log, {"crash": Driver()})
    await worker.start()
    await log.create(new, "crash", [Draft("begun", "towow.begun", {})])
    os.write(1, f"{new} begun\n".encode())
    for record in await log.runs():
        async for _ in log.follow(record.id):
            pass
    await worker.stop()
    await log.close()
    await store.close()


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1]), sys.argv[2], sys.argv[3]))
