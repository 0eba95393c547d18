"""FastMCP with one tool, as its documents show it; run by the Python of .venv-peers, which has no moothall.

.venv-peers/bin/python benchmarks/peers_fastmcp.py
"""

import socket
import sys

import uvicorn
import uvloop
from fastmcp import FastMCP

server = FastMCP("peer")


@server.tool
async def add(a: int, b: int) -> int:
    """Add two numbers."""
    return a + b


def main() -> None:
    app = server.http_app(stateless_http="stateless" in sys.argv, json_response="events" not in sys.argv)
    with socket.create_server(("127.0.0.1", 0)) as listener:
        sys.stdout.write(f"{listener.getsockname()[1]}\n")
        sys.stdout.flush()
        config = uvicorn.Config(app, log_level="warning", access_log=False, lifespan="on", ws="none")
        uvloop.run(uvicorn.Server(config).serve([listener]))


if __name__ == "__main__":
    main()
