"""One decision of the policy, beside Casbin, with 100,000 people in the store: same question, same answers, same run.

Ours: the built-in policies and those of an empty policy.toml (about fifty); facts, delegations and collaborations are
read from the node's own database. A cold decision is about a caller of whom nothing is kept, its reading included.
Casbin: the same role matrix as an RBAC model with domains, a role for each of the 100,000 agents. It is no dependency
of ours: it is installed into .venv-peers from benchmarks/peers.lock the first time.

    python -m benchmarks.policy [--entities N] [--turns N]
"""

from __future__ import annotations

import argparse
import gc
import json
import resource
import subprocess
import sys
import tempfile
from collections.abc import Awaitable, Callable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from statistics import quantiles
from time import perf_counter

import sqlalchemy as sa
import uvloop

from benchmarks.mcp_door import HERE, peers
from moothall.audit.record import NoRecorder
from moothall.capability.entry import Entry
from moothall.capability.spec import CapabilitySpec
from moothall.clock import SystemClock
from moothall.errors import UpstreamError
from moothall.grants.ports import Ground
from moothall.grants.service import Grants
from moothall.identity.did import Did
from moothall.identity.document import DidDocument
from moothall.identity.keys import Signer
from moothall.identity.principal import Principal
from moothall.people.store import PeopleStore
from moothall.policy.callers import OneStore
from moothall.policy.decision import AccessRequest, Subject
from moothall.policy.engine import PolicyEngine
from moothall.policy.named.reader import usual
from moothall.policy.ports import FixedRules, Sources
from moothall.policy.sources import PolicyConfig, PolicySource
from moothall.policy.store import FixedPolicies
from moothall.storage.authority import person, person_agent
from moothall.storage.revisions import Revisions
from moothall.storage.store import Store

GOAL_SLICE, GOAL_COLD, GOAL_PEER = 150.0, 350.0, 1.0
NODE = "https://town.example"
RULES = 1000
MOST_GROWTH = 32
"""MiB that a run may leave behind."""


def agent(number: int, role: str) -> str:
    return f"did:wba:town.example:user:{role}_{number}"


def entry(name: str = "read") -> Entry:
    def nothing(*_: object) -> None:
        """Nobody calls it."""

    spec = CapabilitySpec(name=name, action="read")
    return Entry(
        spec=spec, agent="host", input_schema={}, bind=nothing, invoke=nothing, iterate=nothing,
        wire=nothing, encode=nothing, decode=nothing,
    )  # fmt: skip


def rss() -> float:
    """MiB in memory now."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * resource.getpagesize() / 2**20


async def fill(store: Store, people: int) -> None:
    now = datetime.now(UTC)

    def write(connection: sa.Connection) -> None:
        connection.execute(person.insert(), [{"id": f"p{n}", "created_at": now} for n in range(people)])
        rows = [
            {"did": agent(n, role), "person": f"p{n}", "role": role, "created_at": now}
            for n in range(people)
            for role in ("personal", "work")
        ]
        connection.execute(person_agent.insert(), rows)

    await store.write(write)


def tell(name: str, times: list[float]) -> float:
    cuts = quantiles(times, n=100)
    print(f"  {name:<34}{cuts[49] * 1e6:>9.2f} us p50{cuts[98] * 1e6:>10.2f} us p99")
    return cuts[49] * 1e6


async def clocked(turns: int, one: Callable[[int], Awaitable[None]]) -> list[float]:
    times = []
    for turn in range(turns):
        begun = perf_counter()
        await one(turn)
        times.append(perf_counter() - begun)
    return times


class Nobody:
    """What delegations are proved and made with, where there are none."""

    async def resolve(self, did: str, /, *, refresh: bool = False) -> DidDocument:
        raise UpstreamError(f"{did} is asked for, {refresh=}")

    def signer(self, _did: str, /) -> Signer | None:
        return None

    async def held(
        self, _did: str, _actions: frozenset[str], _capabilities: frozenset[str] | None = None, /
    ) -> Mapping[str, frozenset[str]]:
        return {}


def sources(store: Store, revisions: Revisions) -> Sources:
    """As a node has them."""
    nobody, clock = Nobody(), SystemClock()
    people = PeopleStore(store, revisions, clock)
    grants = Grants(
        Ground(
            store=store, revisions=revisions, clock=clock, audience=NODE, documents=nobody, signers=nobody.signer,
            held=nobody.held, recorder=NoRecorder(),
        )
    )  # fmt: skip
    agents = {"host": agent(0, "work")}
    return Sources(
        settings=FixedRules(), people=people, delegations=grants, callers=OneStore(people, grants),
        revisions=revisions, agents=lambda: agents,
    )  # fmt: skip


async def ours(people: int, turns: int) -> tuple[float, float, float, float]:
    """Medians of a decision that is kept, one with a slice that is kept, one from the store on; MiB that were left."""
    with tempfile.TemporaryDirectory() as folder:
        store = await Store.open(Path(folder))
        try:
            await fill(store, people)
            revisions = Revisions(store)
            await revisions.current()
            engine = PolicyEngine(FixedPolicies.of(usual()), sources(store, revisions))
            return await figures(engine, people, turns)
        finally:
            await store.close()


async def figures(engine: PolicyEngine, people: int, turns: int) -> tuple[float, float, float, float]:
    capability = entry()

    def principal(number: int) -> Principal:
        return Principal(id=Did.parse(agent(number, "personal")).text, kind="did", binding="request")

    async def kept(_: int) -> None:
        subject = engine.known(mine)
        assert subject is not None
        assert engine.decide(AccessRequest(subject, capability, "http")).allowed

    async def with_slice(_: int) -> None:
        subject = engine.known(mine)
        assert subject is not None
        subject.made.settled.clear()
        assert engine.decide(AccessRequest(subject, capability, "http")).allowed

    strangers: list[Principal] = []
    read: list[Subject] = []

    async def cold(turn: int) -> None:
        subject = engine.known(strangers[turn]) or await engine.subject(strangers[turn])
        assert not engine.decide(AccessRequest(subject, capability, "http")).allowed

    async def decided(turn: int) -> None:
        assert not engine.decide(AccessRequest(read[turn], capability, "http")).allowed

    mine = principal(0)
    await engine.subject(mine)
    strangers[:] = [principal(1 + turn * 7919 % (people - 1)) for turn in range(turns)]
    await clocked(turns, cold)  # warm: the caches are full, as they are in a node that has run for a while
    gc.collect()
    before = rss()
    one = tell("a decision that is kept", await clocked(turns, kept))
    two = tell("a new one, its slice is kept", await clocked(turns, with_slice))
    read[:] = [
        await engine.subject(who) for who in (principal(2 + turn * 104_729 % (people - 2)) for turn in range(turns))
    ]
    tell("a new one, of facts that are read", await clocked(turns, decided))
    strangers[:] = [principal(3 + turn * 15_485_863 % (people - 3)) for turn in range(turns)]
    three = tell("the same with its reading: cold", await clocked(turns, cold))
    strangers.clear()
    read.clear()
    gc.collect()
    grown = rss() - before
    print(f"  memory: {before:.0f} MiB before, {rss():.0f} MiB after {5 * turns} decisions")
    return one, two, three, grown


async def crowded(turns: int) -> None:
    """A decision among a thousand rules of the operator that all have to be looked at (row POL-02: p95 below 5 ms)."""
    text = "\n".join(
        f'@id("r{n}") permit (principal, action, resource is Moothall::Capability) when {{ resource.name == "x{n}" }};'
        for n in range(RULES)
    )
    engine = PolicyEngine.usual(config=PolicyConfig(sources=(PolicySource("custom", "rules", text),)))
    who, capability = Principal(id="did:wba:a.example:e1_a", kind="did", binding="request"), entry(f"x{RULES - 1}")

    async def one(_: int) -> None:
        subject = engine.known(who)
        assert subject is not None
        subject.made.settled.clear()
        assert engine.decide(AccessRequest(subject, capability, "http")).allowed

    times = await clocked(turns, one)
    tell(f"a new one among {RULES} rules", times)
    print(f"    p95 {quantiles(times, n=100)[94] * 1e3:.2f} ms")


def casbin(people: int, turns: int) -> float | None:
    """Casbin's median; None where it cannot be installed."""
    python = peers()
    if python is None:
        return None
    done = subprocess.run(
        [python, HERE / "peers_casbin.py", str(people), str(turns)], capture_output=True, text=True, check=False
    )
    if done.returncode:
        print(f"Casbin cannot run, so it is left out: {done.stderr.strip().rpartition(chr(10))[2]}")
        return None
    found = json.loads(done.stdout)
    middle = tell("Casbin, all in memory", found["times"])
    print(f"  Casbin's memory: {found['memory']:.0f} MiB")
    return middle


async def main() -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("--entities", type=int, default=100_000)
    parser.add_argument("--turns", type=int, default=3000)
    chosen = parser.parse_args()
    people = chosen.entities // 2
    print(f"{chosen.entities} agents of {people} people in the store")
    kept, with_slice, cold, grown = await ours(people, chosen.turns)
    await crowded(chosen.turns)
    peer = casbin(people, chosen.turns)
    missed = []
    if peer is not None:
        print(f"  to Casbin: {kept / peer:.4f} kept, {with_slice / peer:.2f} with a slice, {cold / peer:.2f} cold")
        missed += ["beside Casbin"] if with_slice / peer > GOAL_PEER else []
    missed += [f"{with_slice:.0f} us with a slice, {GOAL_SLICE:.0f} wanted"] if with_slice > GOAL_SLICE else []
    missed += [f"{cold:.0f} us cold, {GOAL_COLD:.0f} wanted"] if cold > GOAL_COLD else []
    missed += [f"memory grew by {grown:.0f} MiB"] if grown > MOST_GROWTH else []
    for what in missed:
        print(f"MISSED: {what}")
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(uvloop.run(main()))  # the loop that `moot serve` takes
