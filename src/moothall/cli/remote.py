"""A desk at a running node, over its HTTP door, with the owner's token."""

from __future__ import annotations

import asyncio
import json
import ssl
from collections.abc import AsyncIterator, Mapping, Sequence
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

import httpx

from moothall.cli.changes import merged
from moothall.cli.desk import RECENT_RUNS, JsonObject, Ticket
from moothall.cli.nodefile import NodeFile
from moothall.cli.sse import data_of
from moothall.directory.loading import parse_profile
from moothall.directory.profiles import AgentProfile
from moothall.error_table import ERRORS
from moothall.errors import MoothallError, NodeUnreachable
from moothall.events.types import TERMINAL_EVENT_TYPES
from moothall.messages import Lang
from moothall.server.instance import instance_of

if TYPE_CHECKING:
    from moothall.directory.rows import Origin, Status

ALIVE_SECONDS = 2.0
QUIET_SECONDS = 30.0
"""Silence on a stream, which has a heartbeat, after which it counts as cut."""

RETRIES = (0.5, 1.0, 2.0, 4.0)
"""Waits in seconds before a cut stream is taken up again."""

_AGENTS = "/api/v1/admin/agents"


class RemoteFailure(MoothallError):
    """An error that the node answered, told again here under its own code."""

    def __init__(self, code: str, why: str, hint: str) -> None:
        super().__init__(why, hint=hint)
        self.code = code  # type: ignore[misc]  # of this one answer, not of the class


def client_of(known: NodeFile, **options: Any) -> httpx.AsyncClient:  # noqa: ANN401 - httpx's own options
    """A client for the node of a node file, which trusts the certificate that this node made for itself."""
    trust = ssl.create_default_context(cafile=known.authority) if known.authority else True
    return httpx.AsyncClient(verify=trust, trust_env=False, **options)


async def alive(known: NodeFile) -> bool:
    """Whether the node of a node file answers, and is that very start of it."""
    try:
        async with client_of(known, timeout=ALIVE_SECONDS) as client:
            answer = await client.get(f"{known.url}/health")
            return bool(answer.json()["instance"] == instance_of(known.owner_token))
    except (httpx.HTTPError, OSError, ValueError, KeyError, TypeError):
        return False


async def is_ready(known: NodeFile) -> bool:
    """Whether the node can take and work demands."""
    try:
        async with client_of(known, timeout=ALIVE_SECONDS) as client:
            return (await client.get(f"{known.url}/health/ready")).is_success
    except (httpx.HTTPError, OSError):
        return False


class RemoteDesk:
    """Works through the node's HTTP door."""

    def __init__(self, known: NodeFile, lang: Lang = "en") -> None:
        """``lang``: the language in which the node says why it refuses something."""
        self._url = known.url
        self._client = client_of(
            known,
            base_url=known.url,
            headers={"Authorization": f"Bearer {known.owner_token}", "Accept-Language": lang},
            timeout=httpx.Timeout(QUIET_SECONDS, connect=ALIVE_SECONDS),
        )

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._client.aclose()

    async def submit(self, raw_input: str) -> Ticket:
        """Start a negotiation."""
        row = await self._ask("POST", "/api/v1/demand/submit", {"raw_input": raw_input})
        return Ticket(row["demand_id"], row["channel_id"], row["understanding"], row["degraded"])

    async def follow(self, demand_id: str) -> AsyncIterator[JsonObject]:
        """The events of a demand; a cut stream is taken up where it was cut."""
        last, failures = "", 0
        while True:
            try:
                async for identity, data in self._stream(demand_id, last):
                    last, failures = identity, 0
                    event: JsonObject = json.loads(data)
                    yield event
                    if event["event_type"] in TERMINAL_EVENT_TYPES:
                        return
            except httpx.TransportError as error:
                if failures == len(RETRIES):
                    raise NodeUnreachable(f"{self._url} stopped answering", why=str(error)) from error
            if failures == len(RETRIES):
                raise NodeUnreachable(f"{self._url} ends the stream before the negotiation has ended")
            await asyncio.sleep(RETRIES[failures])
            failures += 1

    async def _stream(self, demand_id: str, last: str) -> AsyncIterator[tuple[str, str]]:
        path = f"/api/v1/events/negotiations/{demand_id}/stream"
        async with self._client.stream("GET", path, headers={"Last-Event-ID": last} if last else {}) as answer:
            if answer.status_code != httpx.codes.OK:
                await answer.aread()
                raise self._failure(answer)
            async for pair in data_of(answer.aiter_lines()):
                yield pair

    async def history(self, demand_id: str) -> Sequence[JsonObject]:
        """The events of a demand so far."""
        events: list[JsonObject] = []
        while True:
            after = events[-1]["event_id"] if events else ""
            path = f"/api/v1/events/negotiations/{demand_id}/recent?count=200&after={after}"
            page = (await self._ask("GET", path))["events"]
            if not page:
                return events
            events += page

    async def newest(self) -> str | None:
        """The id of the newest demand of a person; sub-demands have a parent."""
        runs = (await self._ask("GET", f"/api/v1/admin/runs?kind=demand&limit={RECENT_RUNS}"))["runs"]
        return next((str(row["run"]) for row in runs if row["parent"] is None), None)

    async def agents(self, text: str, status: Status | None) -> Sequence[JsonObject]:
        """The agents that match."""
        query = httpx.QueryParams({"text": text} | ({"status": status} if status else {}))
        rows: list[JsonObject] = (await self._ask("GET", f"{_AGENTS}?{query}"))["agents"]
        return rows

    async def agent(self, agent_id: str) -> JsonObject:
        """One agent."""
        return await self._ask("GET", f"{_AGENTS}/{agent_id}")

    async def register(self, profile: AgentProfile) -> JsonObject:
        """Add an agent."""
        return await self._ask("POST", _AGENTS, profile.private())

    async def edit(self, agent_id: str, changes: Mapping[str, object]) -> JsonObject:
        """Change some fields of an agent; a reservation that is not named stays."""
        shown = await self.agent(agent_id)
        wanted = merged(shown, changes)
        profile = parse_profile(wanted)
        body = profile.private() if "reservation" in wanted else profile.public()
        return await self._ask("PUT", f"{_AGENTS}/{agent_id}?revision={shown['revision']}", body)

    async def load(self, profiles: Sequence[AgentProfile], origin: Origin) -> int:
        """Add or replace agents, all or none."""
        body = [profile.private() for profile in profiles]
        return int((await self._ask("PUT", f"{_AGENTS}?origin={origin}", body))["loaded"])

    async def set_status(self, agent_id: str, status: Status) -> JsonObject:
        """Make an agent active or disabled."""
        return await self._ask("POST", f"{_AGENTS}/{agent_id}/{'enable' if status == 'active' else 'disable'}")

    async def _ask(self, method: str, path: str, body: object = None) -> JsonObject:
        try:
            answer = await self._client.request(method, path, json=body)
        except httpx.TransportError as error:
            raise NodeUnreachable(f"{self._url} does not answer", why=str(error)) from error
        if answer.is_error:
            raise self._failure(answer)
        row: JsonObject = answer.json()
        return row

    def _failure(self, answer: httpx.Response) -> MoothallError:
        try:
            told: Any = answer.json()["error"]
            code, why, hint = str(told["code"]), str(told["why"] or told["message"]), str(told["hint"])
        except (ValueError, KeyError, TypeError):
            return NodeUnreachable(f"{self._url} answered {answer.status_code}")
        if code not in ERRORS:
            return NodeUnreachable(f"{self._url} answered {code}: {why}", hint=hint)
        return RemoteFailure(code, why, hint)
