"""``moot events``: the events of negotiations."""

from __future__ import annotations

import sys

import click

from moothall.cli.desk import Desk, opened
from moothall.cli.invocation import Invocation, standard
from moothall.cli.render.shows import JsonLines, Lines, Show
from moothall.cli.signals import run
from moothall.cli.wording import Commands, Option, Worded
from moothall.errors import DemandNotFound
from moothall.settings import Settings

events = Commands(
    "events", table={"tail": "moothall.cli.events:tail"}, about="events", help="events.about", no_args_is_help=True
)


@click.command("tail", cls=Worded, help="tail.about")
@click.argument("run_id", metavar="[RUN]", required=False)
@click.option("--follow", is_flag=True, cls=Option, help="option.follow")
@standard
def tail(call: Invocation, run_id: str | None, follow: bool) -> int:  # noqa: FBT001 - click's way
    """Print the events of a negotiation."""
    return run(_tail(call, call.settings(), run_id, follow=follow))


async def _tail(call: Invocation, settings: Settings, run_id: str | None, *, follow: bool) -> int:
    show: Show = JsonLines(sys.stdout) if call.as_json else Lines(sys.stdout, call.lang)
    async with opened(settings, reading=True) as desk:
        demand_id = await _meant(call, desk, run_id)
        if follow:
            async for event in desk.follow(demand_id):
                show.event(event)
        else:
            for event in await desk.history(demand_id):
                show.event(event)
    return 0


async def _meant(call: Invocation, desk: Desk, run_id: str | None) -> str:
    """The demand of a demand id or a channel id; the newest one when nothing was named."""
    if run_id is not None:
        return "d-" + run_id.removeprefix("collab-") if run_id.startswith("collab-") else run_id
    newest = await desk.newest()
    if newest is None:
        raise DemandNotFound(call.text("tail.none"), hint=call.text("tail.none_try"))
    return newest
