"""Nodes that have approvals and nothing else: what they execute, record and post is kept for the test to see."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Collection, Coroutine, Mapping
from dataclasses import dataclass, field
from typing import Any

from moothall.approvals.asking import Ask, digest_of
from moothall.approvals.asks import Limits
from moothall.approvals.desk import ApprovalDesk
from moothall.approvals.driver import ApprovalDriver
from moothall.approvals.kept import KIND
from moothall.approvals.news import Bells
from moothall.approvals.parties import NoParties
from moothall.approvals.rules import ApprovalConfig, Rules, read
from moothall.audit.record import AuditRecord, NoRecorder
from moothall.errors import MoothallError
from moothall.events.log import EventLog
from moothall.events.outbox import Outbox
from moothall.identity.principal import OWNER_BY_TOKEN, Principal
from tests.events.house import House
from tests.support.clock import ManualClock

OPERATOR = OWNER_BY_TOKEN
ASKER = Principal(id="did:wba:example.com:agents:asker", kind="did", binding="request", permissions=frozenset({"pay"}))
ANNA = Principal(id="user:anna", kind="user", binding="token")
BEN = Principal(id="did:wba:example.com:agents:ben", kind="did", binding="request")
CARA = Principal(id="user:cara", kind="user", binding="token")
STRANGER = Principal(id="did:wba:elsewhere.example:agents:eve", kind="did", binding="request")
TARGET = "bank.transfer@1.0.0"


def ask(principal: Principal = ASKER, workflow: str = "", **arguments: Any) -> Ask:
    """A call of the bank that has to be approved."""
    return Ask(
        principal=principal,
        target=TARGET,
        action="write",
        arguments=arguments,
        digest=digest_of(principal.id, TARGET, arguments),
        door="http",
        request_id="5b0b9ce2-7d28-4f6e-9d7c-2f5f1c1f0a01",
        policy="finance.large-payments",
        workflow=workflow,
    )


def config(*steps: Mapping[str, Any], name: str = "two-eyes", **options: Any) -> ApprovalConfig:
    """A file with one workflow of these steps."""
    return read({"workflow": {name: {"step": list(steps), **options}}})


@dataclass
class Executions:
    """Makes calls by writing them down; waits where `gate` is closed."""

    made: list[tuple[str, Ask]] = field(default_factory=list)
    gate: asyncio.Event = field(default_factory=asyncio.Event)
    failures: list[MoothallError] = field(default_factory=list)
    refused: asyncio.Event = field(default_factory=asyncio.Event)
    asked: int = 0

    def __post_init__(self) -> None:
        self.gate.set()

    async def __call__(self, workflow: str, asked: Ask) -> str:
        self.asked += 1
        if self.failures:
            self.refused.set()
            raise self.failures.pop(0)
        self.made.append((workflow, asked))
        await self.gate.wait()
        return f"sealed {asked.digest}"

    async def again(self, times: int) -> None:
        """Return when it was asked so often in all."""
        while self.asked < times:
            self.refused.clear()
            await self.refused.wait()


@dataclass
class Records(NoRecorder):
    """Keeps what was recorded."""

    kept: list[AuditRecord] = field(default_factory=list)
    failing: MoothallError | None = None
    refused: asyncio.Event = field(default_factory=asyncio.Event)

    def put(self, record: AuditRecord) -> None:
        self.kept.append(record)

    async def settle(self, record: AuditRecord) -> None:
        if self.failing is not None:
            self.refused.set()
            raise self.failing
        self.kept.append(record)

    @property
    def actions(self) -> list[str]:
        return [record.action for record in self.kept]


@dataclass
class People(NoParties):
    """Whose agents there are, who belongs to which group, and who made which delegation."""

    agents: dict[str, str] = field(default_factory=dict)
    groups: dict[str, set[str]] = field(default_factory=dict)

    async def persons(self, identities: Collection[str]) -> Mapping[str, str]:
        return {**await super().persons(identities), **self.agents}

    async def members(self, group: str) -> frozenset[str]:
        return frozenset(self.groups.get(group, ()))


@dataclass
class Site:
    """One node."""

    log: EventLog
    desk: ApprovalDesk
    rules: Rules
    executions: Executions
    records: Records
    outbox: Outbox | None = None

    async def told(self, workflow: str) -> Counter[str]:
        """How many events of each type the run has."""
        return Counter(event.type for event in await self.log.load(workflow))

    async def until(self, workflow: str, kind: str, times: int = 1) -> None:
        """Return when the run has so many events of this type; the time limit of the test is the limit."""
        with self.desk._bells.watch(workflow) as watch:
            while (await self.told(workflow))[kind] < times:
                await watch.news()

    async def end(self, workflow: str) -> None:
        """Return when the run is closed."""
        async for _ in self.log.follow(workflow):
            continue


async def meanwhile(clock: ManualClock, coming: Coroutine[Any, Any, None], seconds: float) -> None:
    """Let time pass, so many seconds at once, until something has happened."""
    ending = asyncio.create_task(coming)
    while not ending.done():
        await clock.advance(seconds)
        await asyncio.wait([ending], timeout=0.05)
    await ending


@dataclass
class Hall:
    """Opens nodes on one database."""

    house: House
    clock: ManualClock
    people: People = field(default_factory=People)
    executions: Executions = field(default_factory=Executions)
    records: Records = field(default_factory=Records)

    async def site(
        self,
        rules: ApprovalConfig | None = None,
        *,
        name: str = "",
        limits: Limits | None = None,
        works: bool = True,
        executions: Executions | None = None,
    ) -> Site:
        log = await self.house.log(name, clock=self.clock)
        bells, held = Bells(), Rules(rules)
        desk = ApprovalDesk(log, held, bells, parties=self.people, limits=limits)
        if works:
            driver = ApprovalDriver(executions or self.executions, self.records, bells, held)
            await self.house.worker(log, {KIND: driver}, sweep_seconds=0.2)
        return Site(log, desk, held, self.executions, self.records)
