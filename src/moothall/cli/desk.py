"""One way to work with a node, whether it runs elsewhere or is opened here.

A command is written once, against `Desk`; :func:`opened` finds out which kind it gets: the live node of the data
directory when one answers, else the directory itself.
"""

from __future__ import annotations

import os
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

from moothall.cli import nodefile
from moothall.errors import UsageError
from moothall.messages import system_lang, text

if TYPE_CHECKING:
    from moothall.directory.profiles import AgentProfile
    from moothall.directory.rows import Origin, Status
    from moothall.settings import Settings

JsonObject = dict[str, Any]
RECENT_RUNS = 50
"""Runs among which the newest demand of a person is looked for."""


@dataclass(frozen=True, slots=True)
class Ticket:
    """A demand that was taken in."""

    demand_id: str
    channel_id: str
    understanding: JsonObject
    degraded: bool


class Desk(Protocol):
    """What the commands need of a node. Events and agents are JSON objects in their public form."""

    async def submit(self, raw_input: str) -> Ticket:
        """Start a negotiation."""

    def follow(self, demand_id: str) -> AsyncIterator[JsonObject]:
        """The events of a demand, history first, then live, until it has ended."""

    async def history(self, demand_id: str) -> Sequence[JsonObject]:
        """The events of a demand so far."""

    async def newest(self) -> str | None:
        """The id of the newest demand."""

    async def agents(self, text: str, status: Status | None) -> Sequence[JsonObject]:
        """The agents that match."""

    async def agent(self, agent_id: str) -> JsonObject:
        """One agent."""

    async def register(self, profile: AgentProfile) -> JsonObject:
        """Add an agent."""

    async def edit(self, agent_id: str, changes: Mapping[str, object]) -> JsonObject:
        """Change some fields of an agent."""

    async def load(self, profiles: Sequence[AgentProfile], origin: Origin) -> int:
        """Add or replace agents, all or none."""

    async def set_status(self, agent_id: str, status: Status) -> JsonObject:
        """Make an agent active or disabled."""


@asynccontextmanager
async def opened(settings: Settings, *, reading: bool = False) -> AsyncIterator[Desk]:
    """A desk at the live node of ``settings.data``, or at the directory itself when no node answers.

    ``reading`` is for work that only looks: it does not make the directory.

    Raises:
        UsageError: there is no directory to read.
        StoreLocked: a node holds the directory and does not answer.
    """
    lang = settings.lang or system_lang(os.environ)
    if (known := nodefile.read(settings.data)) is not None:
        from moothall.cli.remote import RemoteDesk, alive  # noqa: PLC0415 - httpx is needed for a live node only

        if await alive(known):
            async with RemoteDesk(known, lang) as remote:
                yield remote
            return
    if reading and not settings.data.exists():
        raise UsageError(text("cli.desk.absent", lang, path=settings.data), hint=text("cli.desk.absent_try", lang))
    from moothall.cli.local import local_desk  # noqa: PLC0415 - the whole node is needed without a live one only

    async with local_desk(settings) as local:
        yield local
