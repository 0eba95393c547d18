"""Search over a made-up bilingual corpus (`search_corpus.py` says what it is): what is found, how fast, at what cost.

Recall@20 is of the right answers by what agents do, out of at most 20; for concepts alone, for words alone and for both
together, and apart for questions that name only skills of the vocabulary and those that name one that it does not know.
Beside it bm25s and SQLite FTS5 over the same words, cut in the same way, in the same run; neither knows what a text
denies, nor the vocabulary. Each engine is built and asked in a process of its own, whose memory is its peak; agents are
made on the fly there and kept by nobody but the engine.

    python benchmarks/search.py [--agents 10000 100000] [--questions 400] [--no-peers]
"""

from __future__ import annotations

import argparse
import asyncio
import heapq
import json
import os
import resource
import sqlite3
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, replace
from itertools import islice
from pathlib import Path
from typing import Any

from search_corpus import SEED, Agent, Question, World

from moothall.directory.listing import Listing
from moothall.directory.places import load_gazetteer
from moothall.directory.search.engine import SearchIndex
from moothall.directory.search.words import telling, words
from moothall.directory.search.words_known import load_search_vocabulary
from moothall.directory.searching import Filters

BEST = 20
PORTION = 10_000
GOALS = {10_000: 0.9, 100_000: 0.9, 1_000_000: 0.85}
GOAL_MS, GOAL_MB, GOAL_SECONDS = 50.0, 1_024.0, 1.0
ARMS = {"concept": {"concept"}, "text": {"text"}, "fused": {"concept", "text"}}
MODELS = 5_000
"""Agents that questions are made after."""


def megabytes() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def load() -> str:
    """How busy the machine is: with more work than processors every wait grows."""
    return f"load {os.getloadavg()[0]:.1f} on {os.cpu_count()} processors"


def percentiles(taken: list[tuple[float, float]]) -> dict[str, float]:
    """In milliseconds, by the clock on the wall and of CPU time, which other work on the machine does not lengthen."""
    wall, cpu = (sorted(values) for values in zip(*taken, strict=True))
    last = int(len(wall) * 0.99) - 1
    return {"p50": statistics.median(wall) * 1e3, "p99": wall[last] * 1e3, "cpu99": cpu[last] * 1e3}


def everybody(_listing: Listing) -> bool:
    return True


def portions(agents: Iterator[Agent]) -> Iterator[list[Agent]]:
    while portion := list(islice(agents, PORTION)):
        yield portion


async def ours(count: int, questions: list[Question], folder: Path) -> dict[str, Any]:
    world = World()
    index = SearchIndex(folder, load_search_vocabulary(), load_gazetteer())
    await index.open()
    began = time.perf_counter()
    for portion in portions(world.agents(count)):
        await index.put([agent.listing for agent in portion])
    built = time.perf_counter() - began
    found: dict[str, list[list[str]]] = {}
    took: dict[str, list[tuple[float, float]]] = {}
    for arm, arms in ARMS.items():
        took[arm], found[arm] = [], []
        for question in questions:
            start, cpu = time.perf_counter(), time.process_time()
            answer = await index.search(question.text, Filters(), everybody, limit=BEST, arms=frozenset(arms))
            took[arm].append((time.perf_counter() - start, time.process_time() - cpu))
            found[arm].append([hit.listing.target for hit in answer.hits])
    added = await visible_after(index, world)
    await index.aclose()
    times = {arm: percentiles(values) for arm, values in took.items()}
    return {"found": found, "times": times, "built": built, "memory": megabytes(), "added": added}


async def visible_after(index: SearchIndex, world: World) -> float:
    """Seconds until one added agent is found, at worst."""
    worst = 0.0
    for number, agent in enumerate(world.agents(20, SEED + 2)):
        word = f"zqx{number}"
        listing = replace(agent.listing, target=f"local:new{number}", description=f"{agent.listing.description} {word}")
        start = time.perf_counter()
        await index.put([listing])
        answer = await index.search(word, Filters(), everybody)
        worst = max(worst, time.perf_counter() - start)
        assert [hit.listing.target for hit in answer.hits] == [listing.target]
    return worst


def body(agent: Agent) -> list[str]:
    listing = agent.listing
    return words(f"{listing.description} {' '.join(listing.tags)} {listing.place}")


def fts5(count: int, questions: list[Question], folder: Path) -> dict[str, Any]:
    folder.mkdir()
    db = sqlite3.connect(folder / "fts.db")
    db.execute("PRAGMA synchronous=OFF")
    db.execute("CREATE VIRTUAL TABLE t USING fts5(target UNINDEXED, body, tokenize = 'unicode61', detail = none)")
    began = time.perf_counter()
    for portion in portions(World().agents(count)):
        db.executemany("INSERT INTO t VALUES (?, ?)", [(one.listing.target, " ".join(body(one))) for one in portion])
        db.commit()
    built = time.perf_counter() - began
    ask = "SELECT target FROM t WHERE t MATCH ? ORDER BY rank LIMIT ?"

    def search(asked: list[str]) -> list[str]:
        match = " OR ".join('"' + word.replace('"', "") + '"' for word in asked)
        return [target for (target,) in db.execute(ask, (match, BEST))] if match else []

    return {**asked_of(search, questions), "built": built, "memory": megabytes(), "disk": weight(folder)}


def bm25(count: int, questions: list[Question], folder: Path) -> dict[str, Any]:
    import bm25s  # noqa: PLC0415 - only this process needs it

    began = time.perf_counter()
    ids: dict[str, int] = {}
    texts = [[ids.setdefault(word, len(ids)) for word in body(agent)] for agent in World().agents(count)]
    engine = bm25s.BM25()
    engine.index((texts, ids), show_progress=False)
    built = time.perf_counter() - began

    def search(asked: list[str]) -> list[str]:
        known = [ids[word] for word in asked if word in ids]
        if not known:
            return []
        rows, _ = engine.retrieve([known], k=BEST, show_progress=False, n_threads=1)
        return [f"a2a:https://a{row}.example" for row in rows[0].tolist()]

    found = asked_of(search, questions)
    engine.save(str(folder))
    return {**found, "built": built, "memory": megabytes(), "disk": weight(folder)}


def asked_of(search: Callable[[list[str]], list[str]], questions: list[Question]) -> dict[str, Any]:
    found, took = [], []
    for question in questions:
        start, cpu = time.perf_counter(), time.process_time()
        found.append(search(telling(words(question.text))))
        took.append((time.perf_counter() - start, time.process_time() - cpu))
    return {"found": {"text": found}, "times": {"text": percentiles(took)}}


def weight(folder: Path) -> float:
    return sum(file.stat().st_size for file in folder.rglob("*") if file.is_file()) / 1e6


def right(count: int, questions: list[Question]) -> list[set[str]]:
    """The right answers, in one pass over the corpus."""
    answers: list[set[str]] = [set() for _ in questions]
    by_skill: dict[str, list[int]] = {}
    for number, question in enumerate(questions):
        by_skill.setdefault(question.skills[0], []).append(number)
    for agent in World().agents(count):
        for skill in agent.skills:
            for number in by_skill.get(skill, ()):
                asked = questions[number]
                here = not asked.city or asked.city == agent.city
                if here and asked.without not in agent.skills and agent.skills.issuperset(asked.skills):
                    answers[number].add(agent.listing.target)
    return answers


def recall(found: list[list[str]], answers: list[set[str]], chosen: list[int]) -> float:
    return statistics.mean(len(answers[n].intersection(found[n][:BEST])) / min(BEST, len(answers[n])) for n in chosen)


def measured(engine: str, count: int, questions: Path) -> dict[str, Any]:
    command = [sys.executable, __file__, "--engine", engine, "--agents", str(count), "--asked", str(questions)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(done.stderr)
    result: dict[str, Any] = json.loads(done.stdout)
    return result


def report(engine: str, result: dict[str, Any], answers: list[set[str]], questions: list[Question]) -> None:
    everything = list(range(len(questions)))
    known = [number for number in everything if questions[number].known]
    crafts = [number for number in everything if not questions[number].known]
    for arm, found in result["found"].items():
        shares = [recall(found, answers, chosen) for chosen in (everything, known, crafts)]
        times = result["times"][arm]
        print(
            f"  {engine:9s} {arm:8s} recall@20 {shares[0]:.3f} (known {shares[1]:.3f}, unknown {shares[2]:.3f})"
            f"   p50 {times['p50']:7.2f} ms  p99 {times['p99']:7.2f} ms (CPU {times['cpu99']:.1f})"
        )
    more = f", an added agent is found after {result['added']:.3f} s at worst" if "added" in result else ""
    print(
        f"  {engine:9s} built in {result['built']:.1f} s, {result['memory']:.0f} MB of memory at its peak,"
        f" {result['disk']:.0f} MB on disk{more}; {load()}"
    )


def goals(count: int, result: dict[str, Any], answers: list[set[str]]) -> None:
    fused = recall(result["found"]["fused"], answers, list(range(len(answers))))
    checks = {
        f"recall >= {GOALS.get(count, 0.9)}": fused >= GOALS.get(count, 0.9),
        f"p99 <= {GOAL_MS:.0f} ms": result["times"]["fused"]["p99"] <= GOAL_MS,
        f"memory <= {GOAL_MB:.0f} MB": result["memory"] <= GOAL_MB,
        f"added <= {GOAL_SECONDS:.0f} s": result["added"] <= GOAL_SECONDS,
    }
    print("  goals: " + ", ".join(f"{name} {'met' if met else 'MISSED'}" for name, met in checks.items()))


def child(engine: str, count: int, asked: Path) -> None:
    questions = [Question(**{**row, "skills": tuple(row["skills"])}) for row in json.loads(asked.read_text("utf-8"))]
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "index"
        if engine == "ours":
            result = {**asyncio.run(ours(count, questions, path)), "disk": weight(path)}
        else:
            result = {"fts5": fts5, "bm25s": bm25}[engine](count, questions, path)
    print(json.dumps(result))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--agents", type=int, nargs="+", default=[10_000, 100_000])
    parser.add_argument("--questions", type=int, default=400)
    parser.add_argument("--no-peers", action="store_true")
    parser.add_argument("--engine", choices=("ours", "fts5", "bm25s"), help=argparse.SUPPRESS)
    parser.add_argument("--asked", type=Path, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.engine:
        child(given.engine, given.agents[0], given.asked)
        return
    for count in given.agents:
        world = World()
        step = max(1, count // MODELS)
        models = heapq.nsmallest(MODELS, (one for n, one in enumerate(world.agents(count)) if n % step == 0), key=_name)
        questions = world.questions(given.questions, models)
        terms = [skill.startswith("craft-") for question in questions for skill in question.skills]
        print(
            f"{count} agents, {len(questions)} questions, {statistics.mean(terms):.0%} of their terms unknown;", load()
        )
        answers = right(count, questions)
        with tempfile.TemporaryDirectory() as folder:
            asked = Path(folder) / "questions.json"
            asked.write_text(json.dumps([asdict(question) for question in questions]), encoding="utf-8")
            for engine in ("ours",) if given.no_peers else ("ours", "fts5", "bm25s"):
                result = measured(engine, count, asked)
                report(engine, result, answers, questions)
                if engine == "ours":
                    goals(count, result, answers)


def _name(agent: Agent) -> str:
    return agent.listing.target


if __name__ == "__main__":
    main()
