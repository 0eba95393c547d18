"""A program that serves the tools of a node to the client that started it: ``python stdio_program.py DATA``."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

from moothall import Node, Settings
from moothall.toolkit.server import ANPMCPServer
from tests.toolkit.town import agents


async def main(data: Path) -> None:
    node = Node(Settings(data=data, demo_agents=False))
    node.add(*agents())
    async with node:
        server = ANPMCPServer(node)
        await server.serve_stdio()
        await server.aclose()


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1])))
