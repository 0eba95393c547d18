"""``moot demand``: state a demand, get a plan."""

from __future__ import annotations

import asyncio

import click

from moothall.cli.desk import opened
from moothall.cli.invocation import Invocation, standard
from moothall.cli.negotiation import exit_code, quietly, understood, watch
from moothall.cli.signals import run
from moothall.cli.wording import Option, Worded
from moothall.settings import Settings


@click.command("demand", cls=Worded, help="demand.about")
@click.argument("demand_text", metavar="TEXT")
@click.option("--watch", "watching", is_flag=True, cls=Option, help="option.watch")
@standard
def demand(call: Invocation, demand_text: str, watching: bool) -> int:  # noqa: FBT001 - click's way
    """Negotiate a demand to its end."""
    return run(_demand(call, call.settings(), demand_text, watching=watching))


async def _demand(call: Invocation, settings: Settings, text: str, *, watching: bool) -> int:
    async with opened(settings) as desk:
        ticket = await desk.submit(text)
        if not (watching or call.as_json):
            understood(call, ticket)
        try:
            follow = watch if watching or call.as_json else quietly
            return exit_code(await follow(call, desk, ticket.demand_id))
        except asyncio.CancelledError:
            call.progress(call.text("demand.interrupted", demand_id=ticket.demand_id))
            raise
