"""Load a file of agent profiles into a node's store (spec C §4.5.1).

Without FILE the demonstration agents of the package are put back as they were shipped. Agents with the same ids are
replaced, others stay. The node must not be running on the same directory: a running node takes `moot agents load`.
"""

from __future__ import annotations

import argparse
import asyncio
import sys
from collections.abc import Sequence
from pathlib import Path

from moothall.directory.loading import load_profiles_from_file
from moothall.directory.registry import AgentRegistry, init_mock_agents
from moothall.errors import MoothallError
from moothall.settings import Settings
from moothall.storage.store import Store


async def load(file: Path | None, data: Path, database: str) -> int:
    """Load the profiles of `file` into the store of the node in `data`; return how many."""
    profiles = load_profiles_from_file(file) if file else None
    store = await Store.open(data, database)
    try:
        registry = AgentRegistry(store)
        return await (registry.load(profiles) if profiles is not None else init_mock_agents(registry, reset=True))
    finally:
        await store.close()


def main(arguments: Sequence[str] | None = None) -> int:
    """Read the command line and load; return the exit code."""
    settings = Settings()
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("file", nargs="?", type=Path, help="JSON list of profiles")
    parser.add_argument("--data", type=Path, default=settings.data, help="directory of the node (default: %(default)s)")
    parser.add_argument("--database", default=settings.database_url, help="database URL (default: SQLite in --data)")
    options = parser.parse_args(arguments)
    try:
        count = asyncio.run(load(options.file, options.data, options.database))
    except MoothallError as error:
        sys.stderr.write(f"error: {error.message}\nwhy: {error.why}\ntry: {error.hint}\n")
        return error.exit_code
    sys.stdout.write(f"{count}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
