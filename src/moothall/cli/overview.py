"""``moot services overview``: every service of the node, who offers it, how it is, and how its calls ended."""

from __future__ import annotations

import click

from moothall.cli.at_node import asked
from moothall.cli.invocation import Invocation, standard
from moothall.cli.telling import tell, tell_rows
from moothall.cli.wording import Option, Worded

_SERVICES = ("id", "health", "calls", "errors", "seconds", "versions", "owner")
_ENDPOINTS = ("endpoint", "health", "calls", "errors", "seconds")


@click.command("overview", cls=Worded, help="services_about.overview")
@click.argument("agent", default="")
@click.option("--all", "own", is_flag=True, cls=Option, help="option.own_services")
@standard
def overview(call: Invocation, agent: str, own: bool) -> int:  # noqa: FBT001 - click's way
    """Show all services."""
    found = asked(call, "services.overview", agent=agent, own=own)
    if call.as_json:
        return tell(call, found)
    code = tell_rows(call, found["services"], _SERVICES)
    if found["endpoints"]:
        call.result("")
        tell_rows(call, found["endpoints"], _ENDPOINTS)
    return code
