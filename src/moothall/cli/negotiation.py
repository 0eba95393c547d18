"""Showing what becomes of a demand."""

from __future__ import annotations

import sys
from typing import TextIO

import click

from moothall.cli.desk import Desk, Ticket
from moothall.cli.invocation import Invocation
from moothall.cli.render.clean import clean_all
from moothall.cli.render.lines import word
from moothall.cli.render.shows import Silent, print_outcome, showing
from moothall.cli.render.understood import limits_of
from moothall.cli.render.view import View
from moothall.error_table import ERRORS
from moothall.errors import NoCandidates


async def watch(call: Invocation, desk: Desk, demand_id: str, out: TextIO | None = None) -> View:
    """Show a demand from its first event to its end on ``out`` (stderr unless told), then the plan on stdout.

    JSON Lines are the result themselves and go to stdout.
    """
    stream = sys.stdout if call.as_json else out or sys.stderr
    with showing(stream, call.lang, as_json=call.as_json, live=call.live(stream)) as show:
        async for event in desk.follow(demand_id):
            show.event(event)
    if not call.as_json:
        print_outcome(show.view, sys.stdout, call.lang)
    return show.view


async def quietly(call: Invocation, desk: Desk, demand_id: str) -> View:
    """Wait for the end of a demand and print the plan."""
    show = Silent()
    async for event in desk.follow(demand_id):
        show.event(event)
    print_outcome(show.view, sys.stdout, call.lang)
    return show.view


def understood(call: Invocation, ticket: Ticket) -> None:
    """Print what the node understood of a demand."""
    told = clean_all(ticket.understanding)
    comma = call.text("join")
    tags = comma.join(told.get("capability_tags", ())) or call.text("nothing")
    click.echo(call.text("plan.understood", confidence=word("confidence", told["confidence"], call.lang), tags=tags))
    if limits := limits_of(told, call.lang):
        click.echo(limits)
    if told.get("uncertainties"):
        click.echo(call.text("plan.unclear", what=comma.join(told["uncertainties"])))


def exit_code(view: View) -> int:
    """0 with a plan, 6 without one."""
    return 0 if view.result in {"full", "partial"} else ERRORS[NoCandidates.code].exit_code
