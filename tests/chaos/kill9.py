"""Kill the server with SIGKILL at random moments of running negotiations, and count what was lost.

    python -m tests.chaos.kill9 [sqlite] [postgres] [--kills 30] [--seed 1]

Each kill hits a fresh 20-party, 2-round negotiation whose participants answer after 50 to 200 ms. After the restart
the negotiation must go on to its one end. Printed per database: how many kills fell between the first and the last
event, and

- ``lost``: events that a client had seen and the log no longer has, and answers or phases that are missing;
- ``doubled``: events that stand twice for one cause;
- ``holes``: gaps in a log's sequence numbers;
- ``stuck``: negotiations that did not end.

Exits 1 unless all four are 0. PostgreSQL is taken from MOOTHALL_TEST_DATABASE_URL.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import random
import signal
import sys
import tempfile
import uuid
from collections import Counter
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import httpx

from moothall.directory.registry import AgentRegistry
from moothall.events.log import EventLog
from moothall.events.model import Event
from moothall.events.types import TERMINAL_EVENT_TYPES
from moothall.storage.store import Store
from tests.chaos.slow_node import DEMAND, PARTIES
from tests.support.demand import profile
from tests.support.environment import bare_environment

HERE = Path(__file__).parent
POSTGRES = os.environ.get("MOOTHALL_TEST_DATABASE_URL", "postgresql://postgres@127.0.0.1:5432/test")
LONGEST_RUN = 60.0
LONGEST_START = 30.0
TYPICAL_RUN = 0.7
"""Seconds that such a negotiation takes; kills are spread over them."""


@dataclass
class Result:
    """What one database's kills came to."""

    database: str
    kills: int = 0
    between_first_and_last: int = 0
    lost: int = 0
    doubled: int = 0
    holes: int = 0
    stuck: int = 0
    notes: list[str] = field(default_factory=list)

    @property
    def clean(self) -> bool:
        """Whether nothing went wrong."""
        return not (self.lost or self.doubled or self.holes or self.stuck)


@dataclass
class Server:
    """A `moot serve` process over one data directory."""

    data: Path
    database: str
    process: asyncio.subprocess.Process | None = None
    url: str = ""

    async def start(self) -> None:
        """Start it and wait until it is ready."""
        env = {
            **bare_environment(),
            "MOOTHALL_DATA": str(self.data),
            "MOOTHALL_DEMO_AGENTS": "0",
            "MOOTHALL_LOG_LEVEL": "ERROR",
        }
        arguments = ["serve", str(HERE / "slow_node.py"), "--port", "0", "--data", str(self.data)]
        if self.database:
            arguments += ["--database", self.database]
        note = self.data / "node.json"
        note.unlink(missing_ok=True)
        self.process = await asyncio.create_subprocess_exec(
            str(Path(sys.executable).with_name("moot")), *arguments, env=env, stdout=asyncio.subprocess.DEVNULL
        )
        async with asyncio.timeout(LONGEST_START), httpx.AsyncClient() as client:
            while not await self._ready(note, client):  # noqa: ASYNC110 - another process sets no event here
                await asyncio.sleep(0.02)

    async def _ready(self, note: Path, client: httpx.AsyncClient) -> bool:
        if self.process is None or self.process.returncode is not None:
            message = "the server ended by itself"
            raise RuntimeError(message)
        try:
            found = await asyncio.to_thread(note.read_text, encoding="utf-8")
            self.url = json.loads(found)["url"].rstrip("/")
            return (await client.get(f"{self.url}/health/ready")).status_code == httpx.codes.OK
        except (OSError, ValueError, httpx.TransportError):
            return False

    async def end(self, how: signal.Signals) -> None:
        """Send a signal and wait until the process is gone."""
        if self.process is not None and self.process.returncode is None:
            self.process.send_signal(how)
            await self.process.wait()


async def watch(url: str, demand_id: str, seen: list[dict[str, Any]], first: asyncio.Event) -> bool:
    """Follow a stream from where ``seen`` ends; whether the terminal event came."""
    path = f"{url}/api/v1/events/negotiations/{demand_id}/stream"
    headers = {"Last-Event-ID": seen[-1]["event_id"]} if seen else {}
    try:
        async with (
            httpx.AsyncClient(timeout=LONGEST_RUN) as client,
            client.stream("GET", path, headers=headers) as response,
        ):
            async for line in response.aiter_lines():
                if line.startswith("data: "):
                    seen.append(json.loads(line.removeprefix("data: ")))
                    first.set()
    except httpx.TransportError:
        pass
    return bool(seen) and seen[-1]["event_type"] in TERMINAL_EVENT_TYPES


async def one_kill(server: Server, chance: random.Random, result: Result) -> tuple[str, list[dict[str, Any]]]:
    """Start a negotiation, kill the server in the middle of it, start the server, see the negotiation end."""
    async with httpx.AsyncClient(timeout=LONGEST_RUN) as client:
        reply = await client.post(f"{server.url}/api/v1/demand/submit", json={"raw_input": DEMAND})
        demand_id = reply.raise_for_status().json()["demand_id"]
    seen: list[dict[str, Any]] = []
    first = asyncio.Event()
    watching = asyncio.create_task(watch(server.url, demand_id, seen, first))
    await first.wait()
    await asyncio.sleep(chance.uniform(0, TYPICAL_RUN))
    await server.end(signal.SIGKILL)
    ended_before = await watching
    result.kills += 1
    result.between_first_and_last += not ended_before
    await server.start()
    try:
        async with asyncio.timeout(LONGEST_RUN):
            while not ended_before and not await watch(server.url, demand_id, seen, first):  # noqa: ASYNC110 - as above
                await asyncio.sleep(0.05)
    except TimeoutError:
        result.stuck += 1
        result.notes.append(f"{demand_id} did not end")
    return demand_id, seen


def causes(events: list[Event]) -> Counter[tuple[str, str, int]]:
    """What each public event stands for: its type, agent and round."""
    public = [event for event in events if event.public]
    return Counter(
        (event.type, str(event.payload.get("agent_id", "")), int(event.payload.get("round", 0))) for event in public
    )


def judge(events: list[Event], seen: list[dict[str, Any]], result: Result) -> None:
    """Compare one finished log with what had to be in it and with what its client saw."""
    demand_id = events[0].run if events else "?"
    result.holes += [event.seq for event in events] != list(range(len(events)))
    counted = causes(events)
    result.doubled += sum(number - 1 for number in counted.values())
    ids = {event.event_id: event for event in events}
    for item in seen:
        kept = ids.get(item["event_id"])
        if kept is None or kept.payload != item["payload"]:
            result.lost += 1
            result.notes.append(f"{demand_id}: {item['event_id']} was seen and is gone or changed")
    result.doubled += len(seen) - len({item["event_id"] for item in seen})
    expected = {"towow.offer.submitted": PARTIES, "towow.proposal.feedback": 2 * PARTIES}
    expected |= {"towow.proposal.distributed": 2, "towow.feedback.evaluated": 2, "towow.proposal.finalized": 1}
    by_type = Counter(event.type for event in events)
    for kind, number in expected.items():
        if by_type[kind] < number:
            result.lost += number - by_type[kind]
            result.notes.append(f"{demand_id}: {by_type[kind]} of {number} {kind}")
    public = [event.event_id for event in events if event.public]
    if [item["event_id"] for item in seen] != public:
        result.lost += 1
        result.notes.append(f"{demand_id}: the client's list differs from the log's")


async def prepare(data: Path, database: str) -> None:
    """Fill the registry with the twenty speakers."""
    store = await Store.open(data, database)
    try:
        registry = AgentRegistry(store)
        for number in range(PARTIES):
            await registry.register(profile(f"speaker_{number:02d}", "演讲嘉宾"))
    finally:
        await store.close()


async def run(name: str, database: str, kills: int, seed: int) -> Result:
    """All kills on one database."""
    result, chance = Result(name), random.Random(seed)
    with tempfile.TemporaryDirectory() as folder:
        data = Path(folder)
        await prepare(data, database)
        server = Server(data, database)
        await server.start()
        try:
            runs = [await one_kill(server, chance, result) for _ in range(kills)]
        finally:
            await server.end(signal.SIGTERM)
        store = await Store.open(data, database)
        try:
            log = EventLog(store)
            for demand_id, seen in runs:
                judge(await log.load(demand_id), seen, result)
        finally:
            await store.close()
    return result


def database_of(name: str) -> str:
    """The database URL of ``sqlite`` or ``postgres``; on PostgreSQL in a schema of its own."""
    return "" if name == "sqlite" else f"{POSTGRES}?schema=chaos_{uuid.uuid4().hex[:12]}"


def main() -> int:
    """Run and print one JSON line per database."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("databases", nargs="*", default=["sqlite", "postgres"], metavar="sqlite|postgres")
    parser.add_argument("--kills", type=int, default=30)
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args()
    clean = True
    for name in given.databases:
        result = asyncio.run(run(name, database_of(name), given.kills, given.seed))
        print(json.dumps(asdict(result), ensure_ascii=False), flush=True)
        clean = clean and result.clean
    return 0 if clean else 1


if __name__ == "__main__":
    sys.exit(main())
