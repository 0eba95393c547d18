"""What agreed protocols save: 1,000 queries between 100 agents, in words or by tested routines, every answer checked.

Five policies answer the same seeded workload. The protocol path is the product's: negotiation by its conduct, halves
generated, judged by its gate and run in its sandbox, kept in its store, shared by hash and tested again by whoever
fetches them. Servers have names and units of their own, users describe what they want in words of their own; users of
one task fill in the same form, as in the published workload, so a routine of one fits another. How a user learns which
protocol a server speaks for a task is not measured: the server says so, as its description would. Two sides negotiate
without a model first, and with one where that comes to nothing. The model is a double: it reads every prompt and
answers rightly, but for a wrong first draft for one server in five. Carriers are in memory; nodes have stores on disk.

    python -m benchmarks.agora_replay [--seed N] [--queries N] [--read DOLLARS] [--written DOLLARS] [--every-gate]
"""

from __future__ import annotations

import argparse
import json
import logging
import sys
import tempfile
import time
from pathlib import Path

import uvloop

from benchmarks.economics.counting import POLICIES
from benchmarks.economics.houses import TimedSandbox, Verdicts
from benchmarks.economics.ledger import Prices
from benchmarks.economics.policies import run
from benchmarks.economics.report import Result, figures, goals, text
from benchmarks.economics.workload import QUERIES, workload
from moothall.codegen.sandbox.monty import MontySandbox


async def measured(asked: argparse.Namespace) -> Result:
    """All policies, one after another."""
    begun, given = time.perf_counter(), workload(asked.seed)
    verdicts, outcomes = Verdicts(every=asked.every_gate), []
    async with MontySandbox(workers=2) as sandbox:
        for policy in POLICIES:
            with tempfile.TemporaryDirectory() as folder:
                found = await run(policy, given, TimedSandbox(sandbox), verdicts, Path(folder), asked.queries)
            outcomes.append(found)
            print(f"{policy.name}: {found.seconds:.0f} s", file=sys.stderr, flush=True)
    prices = Prices(asked.read, asked.written)
    return Result(given, asked.queries, outcomes, verdicts, prices, time.perf_counter() - begun)


def main() -> None:
    """Run it and print the report; ends with 1 when a goal is missed."""
    usual = Prices()
    parser = argparse.ArgumentParser(prog="python -m benchmarks.agora_replay", description="what protocols save")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--queries", type=int, default=QUERIES, help="only the first of them")
    parser.add_argument("--read", type=float, default=usual.read, help="dollars per million tokens of prompts")
    parser.add_argument("--written", type=float, default=usual.written, help="dollars per million tokens of answers")
    parser.add_argument("--every-gate", action="store_true", help="judge every module anew, whatever is known")
    parser.add_argument("--json", type=Path, help="also write the figures there")
    asked = parser.parse_args()
    logging.disable(logging.WARNING)
    result = uvloop.run(measured(asked))
    print("\n".join(text(result)))
    if asked.json:
        rows = [figures(result, each) for each in result.outcomes]
        asked.json.write_text(json.dumps({"policies": rows, "goals": goals(result)}, indent=1) + "\n", encoding="utf-8")
    if not all(goals(result).values()):
        sys.exit(1)


if __name__ == "__main__":
    main()
