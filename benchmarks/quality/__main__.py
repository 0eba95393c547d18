"""Command line: ``python -m benchmarks.quality``; ends with 1 when a goal is missed."""

from __future__ import annotations

import argparse
import json
import os
import sys
import time
from importlib.util import find_spec
from pathlib import Path

from benchmarks.quality.campaign import run
from benchmarks.quality.generate import DEVELOPMENT
from benchmarks.quality.report import as_json, missed, sections, table


def main() -> None:
    """Run the campaign and print its figures."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.quality", description="how good negotiated plans are")
    parser.add_argument("--scenarios", type=int, default=200)
    parser.add_argument("--seed", type=int, default=1, help=f"the campaign; {DEVELOPMENT} is the one to develop on")
    parser.add_argument("--jobs", type=int, default=min(2, os.cpu_count() or 1), help="processes")
    parser.add_argument("--json", type=Path, help="also write the figures there")
    asked = parser.parse_args()
    if find_spec("ortools") is None:
        sys.exit("the oracle needs OR-Tools, which is not installed (it has no wheels for the newest Python)")
    begin = time.monotonic()
    found = sections(run(asked.seed, asked.scenarios, jobs=asked.jobs))
    took = time.monotonic() - begin
    print(f"{asked.scenarios} scenarios, seed {asked.seed}, {took:.0f} s; mean and 95 % bootstrap interval\n")
    print(table(found))
    if asked.json:
        figures = {"scenarios": asked.scenarios, "seed": asked.seed, "seconds": round(took), "sections": as_json(found)}
        asked.json.write_text(json.dumps(figures, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
    failed = missed(found)
    if failed:
        sys.exit(f"\nmissed: {', '.join(failed)}")


if __name__ == "__main__":
    main()
