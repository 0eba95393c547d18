"""``moot mcp``: an MCP server on standard input and output, as the node's owner."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import click

from moothall.cli import nodefile, process
from moothall.cli.invocation import Invocation, standard
from moothall.cli.signals import run, stop_signal
from moothall.cli.wire import Wire, taken
from moothall.cli.wording import Option, Worded

if TYPE_CHECKING:
    from moothall.node import Node
    from moothall.settings import Settings


@click.command("mcp", cls=Worded, help="mcp.about", epilog="mcp.example")
@click.argument("target", required=False)
@click.option("--deciding", is_flag=True, cls=Option, help="option.deciding")
@standard
def mcp(call: Invocation, target: str | None, deciding: bool) -> int:  # noqa: FBT001 - click's way
    """Serve MCP until standard input ends, nobody reads standard output any more, or until told to stop."""
    with taken() as wire:
        node = _loaded(call, target)
        return run(_until_stopped(call, node, wire, deciding=deciding))


def _loaded(call: Invocation, target: str | None) -> Node | None:
    if target is None:
        return None
    from moothall.cli.loading import load_node  # noqa: PLC0415 - only code of one's own needs the whole node here

    return load_node(call, target, {"data": call.data})


async def _until_stopped(call: Invocation, node: Node | None, wire: Wire, *, deciding: bool) -> int:
    settings = node.settings if node is not None else call.settings()
    with stop_signal() as stop:
        serving = asyncio.create_task(_serve(call, settings, node, wire, deciding=deciding))
        waiting = [asyncio.create_task(stop.wait()), asyncio.create_task(wire.output.left.wait())]
        try:
            await asyncio.wait([serving, *waiting], return_when=asyncio.FIRST_COMPLETED)
            if serving.done():
                await serving
        finally:
            for task in (serving, *waiting):
                task.cancel()
            await asyncio.gather(serving, *waiting, return_exceptions=True)
    return 0


async def _serve(call: Invocation, settings: Settings, node: Node | None, wire: Wire, *, deciding: bool) -> None:
    """Serve at the node of the data folder when it runs, else at ``node``, or at one that starts for this command."""
    if (known := nodefile.read(settings.data)) is not None:
        from moothall.cli.remote import alive  # noqa: PLC0415 - httpx is needed for a live node only

        if await alive(known):
            from moothall.cli.bridge import Bridge  # noqa: PLC0415 - as above

            call.progress(call.text("mcp.serving", where=known.url))
            await Bridge(known, wire, deciding=deciding).run()
            return
    from moothall.identity.principal import OWNER  # noqa: PLC0415 - the whole node is needed without a live one only
    from moothall.node import Node  # noqa: PLC0415 - as above

    async with node or Node(settings) as opened:
        call.progress(call.text("mcp.serving", where=settings.data))
        room = opened.host.edges.mcp
        process.settle()
        await room.serve_stdio(OWNER, call.lang, stdin=wire.lines, stdout=wire.output, deciding=deciding)
