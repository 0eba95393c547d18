"""A small node to be killed: drives approvals, and says on stdout what was committed and what it executes.

python crash_node.py DATA URL LEDGER {ask | decide | finish}

``ask`` begins a workflow of two steps and waits; ``decide`` has both steps approved and dies while it executes;
``finish`` goes on until all is closed. LEDGER stands for the ledger of the call path: a call that has begun is there.
"""

from __future__ import annotations

import asyncio
import os
import sys
from contextlib import suppress
from pathlib import Path

from moothall.approvals.asking import Ask
from moothall.approvals.desk import ApprovalDesk
from moothall.approvals.driver import ApprovalDriver
from moothall.approvals.kept import KIND, OPENED
from moothall.approvals.news import Bells
from moothall.approvals.rules import Rules
from moothall.audit.record import NoRecorder
from moothall.events.log import EventLog
from moothall.events.worker import Worker
from moothall.storage.store import Store
from tests.approvals.hall import ANNA, BEN, ask, config

STEPS = config({"approvers": ["user:anna"]}, {"approvers": [BEN.id]})


def say(*words: str) -> None:
    """Past every buffer of this process."""
    os.write(1, (" ".join(words) + "\n").encode())


class Executing:
    """Makes a call once by its idempotency key, which is what the call path does; hangs in it where it should die."""

    def __init__(self, ledger: Path, *, hangs: bool) -> None:
        self.ledger = ledger
        self.hangs = hangs

    async def __call__(self, workflow: str, asked: Ask) -> str:
        with suppress(FileExistsError):
            (self.ledger / workflow).touch(exist_ok=False)
            with (self.ledger / "effects").open("a", encoding="utf-8") as effects:
                effects.write(f"{asked.arguments['amount']}\n")
        say("executing", workflow)  # a kill before this would be one of the ledger, which is not what is tested here
        if self.hangs:
            await asyncio.Event().wait()
        return "sealed"


async def main(data: Path, url: str, ledger: Path, part: str) -> None:
    """Play one life of the node."""
    store = await Store.open(data, url)
    log = EventLog(store)
    await log.start()
    bells = Bells()
    desk = ApprovalDesk(log, Rules(STEPS), bells)
    worker = Worker(log, {KIND: ApprovalDriver(Executing(ledger, hangs=part == "decide"), NoRecorder(), bells)})
    await worker.start()
    begun = await desk.ask(ask(workflow="two-eyes", amount=7)) if part != "finish" else None
    if begun is not None:
        await opened(desk, log, bells, begun.id, 1)
        say("asked", begun.id)
    if part == "ask":
        await asyncio.Event().wait()
    if begun is not None and part == "decide":
        await desk.decide(ANNA, begun.id, "approved", "one")
        await opened(desk, log, bells, begun.id, 2)
        await desk.decide(BEN, begun.id, "approved", "two")
        await asyncio.Event().wait()
    for record in await log.runs():
        async for _ in log.follow(record.id):
            pass
    await worker.stop()
    await log.close()
    await store.close()


async def opened(desk: ApprovalDesk, log: EventLog, bells: Bells, run: str, steps: int) -> None:
    """Wait until so many steps are open."""
    with bells.watch(run) as watch:
        while sum(event.type == OPENED for event in await log.load(run)) < steps:
            await watch.news()


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1]), sys.argv[2], Path(sys.argv[3]), sys.argv[4]))
