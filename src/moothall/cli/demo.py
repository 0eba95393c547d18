"""``moot demo``: the main job, live, without a key and without the network."""

from __future__ import annotations

import asyncio
import os
import secrets
import sys
import webbrowser
from threading import Thread

import click

from moothall.cli.desk import Desk
from moothall.cli.invocation import Invocation, standard
from moothall.cli.local import LocalDesk, local_desk
from moothall.cli.negotiation import exit_code, watch
from moothall.cli.render.view import View
from moothall.cli.serving import bind_near, refuse_open_host, served
from moothall.cli.signals import run, stop_signal
from moothall.cli.wording import Option, Worded
from moothall.messages import text
from moothall.node import Node
from moothall.server.run import Address
from moothall.settings import Settings

_KEY_BYTES = 24
"""Random bytes of the admin key that a demonstration makes for itself."""


@click.command("demo", cls=Worded, help="demo.about")
@click.option("--once", metavar="TEXT", cls=Option, help="option.once")
@click.option("--port", type=click.IntRange(0, 65535), cls=Option, help="option.port")
@click.option("--no-browser", is_flag=True, cls=Option, help="option.no_browser")
@standard
def demo(call: Invocation, once: str | None, port: int | None, no_browser: bool) -> int:  # noqa: FBT001 - click's way
    """Run the demonstration."""
    settings = call.settings(port=port)
    if once is not None:
        return run(_once(call, settings, once))
    refuse_open_host(settings, call.lang)
    fresh = "" if settings.admin_api_key else secrets.token_urlsafe(_KEY_BYTES)
    if fresh:
        settings = settings.model_copy(update={"admin_api_key": fresh})
    return run(_serve(call, settings, fresh, browse=not no_browser and call.live(sys.stdout) and _has_screen()))


async def _once(call: Invocation, settings: Settings, demand: str) -> int:
    async with local_desk(settings) as desk:
        return exit_code(await _show(call, desk, demand))


async def _show(call: Invocation, desk: Desk, demand: str) -> View:
    ticket = await desk.submit(demand)
    return await watch(call, desk, ticket.demand_id, sys.stdout)


async def _serve(call: Invocation, settings: Settings, fresh_key: str, *, browse: bool) -> int:
    """Serve, negotiate the sample, go on serving; ``fresh_key`` is the admin key of this start, shown once."""
    with stop_signal() as stop, bind_near(settings.host, settings.port) as listener:
        node = Node(settings)
        node.listen_on(listener.getsockname()[1])
        async with node:

            def ready(address: Address) -> None:
                _announce(call, settings, address, fresh_key)
                if browse:
                    Thread(target=webbrowser.open, args=(address.url,), daemon=True).start()

            async with served(node, listener, settings.host, stop, ready) as door:
                ending = asyncio.create_task(stop.wait())
                job = asyncio.create_task(_show(call, LocalDesk(node), _sample(settings)))
                await asyncio.wait([job, ending, door], return_when=asyncio.FIRST_COMPLETED)
                if job.done():
                    job.result()
                    call.progress(call.text("demo.again"))
                    await asyncio.wait([ending, door], return_when=asyncio.FIRST_COMPLETED)
                for task in (job, ending):
                    task.cancel()
                await asyncio.gather(job, ending, return_exceptions=True)
    return 0


def _announce(call: Invocation, settings: Settings, address: Address, fresh_key: str) -> None:
    say = call.progress if call.as_json else call.result
    if settings.port not in {0, address.port}:
        say(call.text("demo.moved", wanted=settings.port, port=address.port))
    say(call.text("demo.serving", url=address.url))
    if fresh_key:
        say(call.text("demo.admin_key", key=fresh_key))


def _sample(settings: Settings) -> str:
    """The specification's demand, or an English one for whoever asked for English."""
    return text("cli.demo.sample", settings.lang or "zh")


def _has_screen() -> bool:
    if os.environ.get("SSH_CONNECTION"):
        return False
    return sys.platform == "darwin" or any(os.environ.get(name) for name in ("DISPLAY", "WAYLAND_DISPLAY"))
