"""Approvals in memory: a test decides, and lets the node make the approved call when it wants to."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from moothall.approvals.asking import Ask, Ruling, Standing, Status
from moothall.audit.record import AuditRecord
from moothall.calls.path import CallPath
from moothall.errors import MoothallError, ServiceNotFoundError, Told


class Desk:
    """Fills `Approvals`; `rules` map capabilities to what says whether their arguments need an approval.

    `down` is raised instead by what is asked how one ended.
    """

    def __init__(self, **rules: Callable[[Mapping[str, Any]], bool]) -> None:
        self.asked: list[Ask] = []
        self.waiting = asyncio.Event()
        self.down: MoothallError | None = None
        self._rules = rules
        self._standings: dict[str, Standing] = {}
        self._news = asyncio.Event()

    @property
    def ruling(self) -> Ruling:
        rules = dict(self._rules)

        def rule(capability: str, action: str, arguments: Callable[[], dict[str, Any]]) -> str | None:
            asks = rules.get(capability.rpartition(".")[2])
            return "large" if asks is not None and asks(arguments()) else None

        return rule

    async def ask(self, ask: Ask) -> Standing:
        for standing in self._standings.values():
            if standing.digest == ask.digest and standing.status == "pending":
                return standing
        self.asked.append(ask)
        standing = Standing(
            id=f"ap-{len(self.asked):016x}",
            requester=ask.principal.id,
            digest=ask.digest,
            status="pending",
            expires=1_900_000_000,
        )
        self._standings[standing.id] = standing
        return standing

    async def standing(self, workflow: str) -> Standing | None:
        return self._standings.get(workflow)

    async def ended(self, workflow: str, until: float) -> Standing:
        if self.down is not None:
            raise self.down
        if workflow not in self._standings:
            raise ServiceNotFoundError("none", told=Told("calls.approval_unknown"))
        self.waiting.set()
        while not self._over(workflow):
            left = until - asyncio.get_running_loop().time()
            try:
                async with asyncio.timeout(left):
                    await self._news.wait()
            except TimeoutError:
                break
        return self._standings[workflow]

    def decide(self, workflow: str, status: Status, reason: str = "") -> None:
        self._change(workflow, status=status, reason=reason)

    async def execute(self, path: CallPath, workflow: str) -> None:
        """What the driver does: the approved call, and its outcome."""
        ask = self.asked[int(workflow.removeprefix("ap-"), 16) - 1]
        self._change(workflow, executed=True, outcome=await path.execute(workflow, ask))

    async def approve(self, path: CallPath, workflow: str) -> None:
        self.decide(workflow, "approved")
        await self.execute(path, workflow)

    def lose(self, workflow: str) -> None:
        """The answer was not kept."""
        self._change(workflow, outcome="")

    def _over(self, workflow: str) -> bool:
        standing = self._standings[workflow]
        return standing.executed or standing.status not in {"pending", "approved"}

    def _change(self, workflow: str, **changes: Any) -> None:
        self._standings[workflow] = replace(self._standings[workflow], **changes)
        self._news.set()
        self._news = asyncio.Event()


class Records:
    """Keeps what was recorded; `down` is raised instead by what settles, `full` by what puts."""

    def __init__(self) -> None:
        self.kept: list[AuditRecord] = []
        self.down: MoothallError | None = None
        self.full: MoothallError | None = None

    def put(self, record: AuditRecord) -> None:
        if self.full is not None:
            raise self.full
        self.kept.append(record)

    async def settle(self, record: AuditRecord) -> None:
        if self.down is not None:
            raise self.down
        self.kept.append(record)

    @property
    def told(self) -> list[tuple[str, str, str]]:
        return [(record.kind, record.effect, record.details.get("outcome", "")) for record in self.kept]
