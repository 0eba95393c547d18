"""What the audit trail costs: handing a record in, writing it, verifying it; beside plain rows without a chain.

The peer writes the same records as JSON into a table of the same columns and indexes, in batches of the same size and
through the same writing thread, but without hashes and signed statements. Both are measured in turns, since a shared
machine is never quiet; rows per second are of CPU time of the whole process, its writing thread included.

    python benchmarks/audit.py [--records N] [--turns N] [--database postgresql://…]
"""

from __future__ import annotations

import argparse
import asyncio
import statistics
import tempfile
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import orjson
import sqlalchemy as sa

from moothall.audit.anchor import Signers
from moothall.audit.archive import verified
from moothall.audit.record import AuditRecord
from moothall.audit.trail import AuditTrail, Terms
from moothall.clock import SystemClock, rfc3339
from moothall.identity.keystore import Keystore
from moothall.storage.store import Store

GOAL_PUT = 1.5
BATCH = 1_000
ACTOR = "did:wba:far.example%3A8420:agents:alice:e1_" + "x" * 43
PLAIN = """
CREATE TABLE plain (node TEXT, seq BIGINT, at TEXT, kind TEXT, actor TEXT, body TEXT, PRIMARY KEY (node, seq))
"""
INDEXES = ("CREATE INDEX plain_at ON plain (at)", "CREATE INDEX plain_actor ON plain (actor, at)")
INSERT = sa.text("INSERT INTO plain VALUES (:node, :seq, :at, :kind, :actor, :body)")


def record(number: int) -> AuditRecord:
    return AuditRecord(
        kind="call",
        action="read",
        actor=ACTOR,
        resource="node.weather",
        effect="allow",
        reason="anybody who proves who it is",
        policies=("access-authenticated",),
        revision="sha-256:" + "0" * 64,
        door="http",
        request_id=f"018f6d2e-0000-7000-8000-{number:012d}",
        details={"outcome": "OK", "decision": "sha-256:" + "1" * 64},
    )


async def cost(work: Callable[[], Awaitable[Any]]) -> tuple[float, float]:
    """Seconds of CPU and of the clock on the wall."""
    cpu, wall = time.process_time(), time.perf_counter()
    await work()
    return time.process_time() - cpu, time.perf_counter() - wall


class Bench:
    """One store, a trail on it, and the peer's table."""

    def __init__(self, store: Store, trail: AuditTrail, signers: Signers, number: int) -> None:
        self.store, self.trail, self.signers = store, trail, signers
        self.records = [record(n) for n in range(number)]
        self.put: list[float] = []
        self.seq = 0

    async def chained(self) -> None:
        begun = time.perf_counter()
        for each in self.records:
            self.trail.put(each)
        self.put.append((time.perf_counter() - begun) / len(self.records) * 1e6)
        await self.trail.flush()

    async def plain(self) -> None:
        now = SystemClock().now
        entries = [(each, now()) for each in self.records]
        for start in range(0, len(entries), BATCH):
            await self.store.write(
                lambda connection, part=entries[start : start + BATCH]: self._insert(connection, part)
            )

    def _insert(self, connection: sa.Connection, part: list[Any]) -> None:
        rows = []
        for each, at in part:
            self.seq += 1
            body = {name: getattr(each, name) for name in AuditRecord.__slots__}
            row = {"node": self.store.node, "seq": self.seq, "at": rfc3339(at), "kind": each.kind, "actor": each.actor}
            rows.append({**row, "body": orjson.dumps(body).decode()})
        connection.execute(INSERT, rows)

    async def verify(self) -> None:
        (finding,) = await self.store.read(lambda connection: verified(connection, self.signers, ()))
        assert finding.fault is None

    async def read(self) -> None:
        """The peer of verification: every row is fetched and read as JSON."""
        query = sa.text("SELECT body FROM plain ORDER BY node, seq")
        await self.store.read(lambda connection: [orjson.loads(row[0]) for row in connection.execute(query)])


async def measure(number: int, turns: int, url: str) -> bool:
    with tempfile.TemporaryDirectory() as folder:
        data = Path(folder)
        store = await Store.open(data, url)
        me = Keystore.open(data).ensure("node", "node.example")
        signers = Signers({me.signer.keyid: me.signer.key.public})
        trail = await AuditTrail.open(store, SystemClock(), me.signer, data / "anchors.jsonl", Terms(most=2 * number))
        for statement in (PLAIN, *INDEXES):
            await store.write(lambda connection, statement=statement: connection.execute(sa.text(statement)))
        bench = Bench(store, trail, signers, number)
        lanes = {"chained": bench.chained, "plain": bench.plain, "verify": bench.verify, "read": bench.read}
        rates: dict[str, list[float]] = {name: [] for name in lanes}
        for turn in range(1, turns + 1):
            for name, work in lanes.items():
                cpu, _ = await cost(work)
                rates[name].append((turn if name in {"verify", "read"} else 1) * number / cpu)
        settled = [await cost(lambda: trail.settle(bench.records[0])) for _ in range(200)]
        await trail.aclose()
        await store.write(lambda connection: connection.execute(sa.text("DROP TABLE plain")))
        await store.close()
    middle = {name: statistics.median(found) for name, found in rates.items()}
    put = min(bench.put)
    print(f"put                 {put:8.2f} us a record (goal {GOAL_PUT}); median {statistics.median(bench.put):.2f}")
    print(f"settle, alone       {statistics.median(wall for _, wall in settled) * 1e6:8.0f} us until it is committed")
    for name, peer, told in (("chained", "plain", "written"), ("verify", "read", "verified")):
        ratio = middle[name] / middle[peer]
        print(f"{told:20}{middle[name]:8.0f} rows/s of CPU; {peer} {middle[peer]:.0f} (x{ratio:.2f})")
    return put <= GOAL_PUT


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--records", type=int, default=20_000)
    parser.add_argument("--turns", type=int, default=5)
    parser.add_argument("--database", default="", help="PostgreSQL instead of SQLite; a schema of its own, please")
    given = parser.parse_args()
    if not asyncio.run(measure(given.records, given.turns, given.database)):
        raise SystemExit("the goal is missed")


if __name__ == "__main__":
    main()
