"""Two nodes in one process: an agent of the second calls the first one by its DID, signed, over HTTP on loopback.

python examples/two_nodes.py
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from moothall import Agent, CallContext, Node, PermissionDeniedError, Settings, capability
from moothall.server.run import Address, bind, serve_on


@capability(access="authenticated")
async def greet(ctx: CallContext) -> str:
    """Greet whoever calls, by the identity that was proved."""
    return f"hello, {ctx.principal.id}"


@capability(permissions=["keys"])
def open_door() -> str:
    """Do what only those may ask for who were granted it."""
    return "open"


@asynccontextmanager
async def served(data: Path, agent: Agent) -> AsyncIterator[Node]:
    """A node on a free port of this machine, until the end of the block."""
    node = Node(Settings(data=data, demo_agents=False, egress_allow="http://localhost"))
    node.add(agent)
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


def did(node: Node, agent: str) -> str:
    """The identity that a node gave to an agent."""
    identity = node.host.office.agent(agent)
    assert identity is not None
    return identity.did.text


async def main() -> None:
    with TemporaryDirectory() as folder:
        async with (
            served(Path(folder, "first"), Agent("porter", greet, open_door)) as first,
            served(Path(folder, "second"), Agent("guest")) as second,
        ):
            guest = second.caller("guest")
            porter = did(first, "porter")
            print(await guest.call(f"{porter}#greet"))
            try:
                await guest.call(f"{porter}#open_door")
            except PermissionDeniedError as refused:
                print("refused:", refused.code)


if __name__ == "__main__":
    asyncio.run(main())
