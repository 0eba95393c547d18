"""An A2A agent, and another node that calls it: by the name in its settings, and as a function of its own.

python examples/a2a_agents.py
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from moothall import Agent, Node, Settings, capability
from moothall.server.run import Address, bind, serve_on


@capability(access="authenticated")
async def translate(text: str, to: str = "zh") -> str:
    """Translate a text."""
    return f"[{to}] {text}"


@capability(access="public")
async def words(text: str) -> AsyncIterator[str]:
    """Give the words of a text one by one."""
    for word in text.split():
        yield word


@asynccontextmanager
async def served(node: Node) -> AsyncIterator[Node]:
    """Serve a node on a free port of this machine, until the end of the block."""
    stop, ready = asyncio.Event(), asyncio.Event()

    def on_ready(_: Address) -> None:
        ready.set()

    with bind("127.0.0.1", 0) as listener:
        node.listen_on(listener.getsockname()[1])
        async with node:
            door = asyncio.create_task(serve_on(listener, node.app(), host="127.0.0.1", on_ready=on_ready, stop=stop))
            await ready.wait()
            try:
                yield node
            finally:
                stop.set()
                await door


def made(data: Path, a2a: dict[str, dict[str, str]] | None = None) -> Node:
    """A node without the invented agents; others on this machine may speak http to it."""
    return Node(Settings(data=data, demo_agents=False, egress_allow="http://localhost", a2a=a2a or {}))


async def main() -> None:
    with TemporaryDirectory() as folder:
        first = made(Path(folder, "first"))
        first.add(Agent("translator", translate, words, description="Translates"))
        async with served(first):
            card = f"{first.url}/agents/translator/.well-known/agent-card.json"

            @capability(source="a2a", endpoint=card, method="translate")
            async def in_french(text: str, to: str = "fr") -> str:
                """Translate at the other agent."""

            second = made(Path(folder, "second"), {"friend": {"url": card}})  # or [a2a.friend] in moothall.toml
            second.include(in_french)
            async with served(second):  # the first node looks up there who calls it
                print(await second.call("a2a:friend#translate", text="hello"))
                print(await in_french("hello"))
                print([word async for word in second.stream("a2a:friend#words", text="one by one")])


if __name__ == "__main__":
    asyncio.run(main())
