"""Write the OpenAPI document of the node's API anew; the page's types are made from it.

python scripts/write_openapi.py
"""

from __future__ import annotations

import asyncio
import tempfile
from pathlib import Path
from typing import Any

from moothall.node import Node
from moothall.server.openapi import encoded
from moothall.settings import Settings

TARGET = Path(__file__).parent.parent / "web" / "src" / "api" / "openapi.json"


async def document() -> dict[str, Any]:
    """What the application of a new node says of itself; no server is started."""
    with tempfile.TemporaryDirectory() as folder:
        async with Node(Settings(data=Path(folder), demo_agents=False)) as node:
            return node.app().describe()


def main() -> None:
    """Write the file."""
    TARGET.parent.mkdir(parents=True, exist_ok=True)
    TARGET.write_text(encoded(asyncio.run(document())), encoding="utf-8")


if __name__ == "__main__":
    main()
