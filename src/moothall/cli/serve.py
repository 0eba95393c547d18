"""``moot serve``: a node with your own code, until told to stop."""

from __future__ import annotations

import json
import os

import click

from moothall.cli.invocation import Invocation, standard
from moothall.cli.loading import load_node
from moothall.cli.logs import show_log
from moothall.cli.serving import refuse_open_host, served, tls_of
from moothall.cli.signals import run, stop_signal
from moothall.cli.wording import Option, Worded
from moothall.node import Node
from moothall.server.run import Address, Tls, bind


@click.command("serve", cls=Worded, help="serve.about")
@click.argument("target", required=False)
@click.option("--host", cls=Option, help="option.host")
@click.option("--port", type=click.IntRange(0, 65535), cls=Option, help="option.port")
@click.option("--database", "database_url", metavar="URL", cls=Option, help="option.database")
@click.option("--tls", is_flag=True, cls=Option, help="option.tls")
@standard
def serve(
    call: Invocation,
    target: str | None,
    host: str | None,
    port: int | None,
    database_url: str | None,
    tls: bool,  # noqa: FBT001 - click's way
) -> int:
    """Start a node and serve it."""
    given = {"data": call.data, "host": host, "port": port, "database_url": database_url}
    node = load_node(call, target, given) if target else Node(call.settings(**given))
    refuse_open_host(node.settings, call.lang)
    show_log(node.settings.log_level, verbose=call.verbose)
    return run(_serve(call, node, tls_of(node.settings, wanted=tls, now=node.clock.now())))


async def _serve(call: Invocation, node: Node, tls: Tls | None) -> int:
    settings = node.settings

    def ready(address: Address) -> None:
        place = {"url": address.url, "data": str(settings.data), "pid": os.getpid()}
        call.result(json.dumps(place) if call.as_json else call.text("serve.ready", **place))

    with stop_signal() as stop, bind(settings.host, settings.port) as listener:
        node.listen_on(listener.getsockname()[1], secure=tls is not None)
        async with node, served(node, listener, settings.host, stop, ready, tls) as door:
            await door
    call.progress(call.text("serve.stopped"))
    return 0
