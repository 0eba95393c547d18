"""``moot agents``: the registry of the node."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import TYPE_CHECKING

import click

from moothall.cli.changes import gathered
from moothall.cli.desk import Desk, JsonObject, opened
from moothall.cli.invocation import Invocation, standard
from moothall.cli.render.agents import print_agent, print_agents
from moothall.cli.render.clean import clean_line, safe_json
from moothall.cli.signals import run
from moothall.cli.wording import Commands, Option, Worded
from moothall.directory.loading import load_profiles_from_file, mock_profiles_file, parse_profile
from moothall.errors import UsageError

if TYPE_CHECKING:
    from moothall.directory.rows import Status

_NAMES = ("list", "show", "new", "load", "edit", "disable", "enable")

agents = Commands(
    "agents",
    table={name: f"moothall.cli.agents:{name}_agents" for name in _NAMES},
    about="agents",
    help="agents.about",
    no_args_is_help=True,
)


def _at_desk(call: Invocation, work: Callable[[Desk], Awaitable[int]], *, reading: bool = False) -> int:
    async def working() -> int:
        async with opened(call.settings(), reading=reading) as desk:
            return await work(desk)

    return run(working())


def _told(call: Invocation, row: JsonObject) -> int:
    if call.as_json:
        call.result(_json(row))
    else:
        call.result(call.text("agents.saved", agent_id=clean_line(row["agent_id"]), revision=row["revision"]))
    return 0


def _json(row: JsonObject) -> str:
    return safe_json(json.dumps(row, ensure_ascii=False))


@click.command("list", cls=Worded, help="agents_about.list")
@click.argument("text", required=False, default="")
@click.option("--status", type=click.Choice(("active", "disabled")), cls=Option, help="option.status")
@standard
def list_agents(call: Invocation, text: str, status: Status | None) -> int:
    """List agents."""

    async def work(desk: Desk) -> int:
        rows = await desk.agents(text, status)
        if call.as_json:
            for row in rows:
                call.result(_json(row))
        else:
            print_agents(rows, call.lang)
            call.progress(call.text("agents.counted", count=len(rows)) if rows else call.text("agents.no_match"))
        return 0

    return _at_desk(call, work, reading=True)


@click.command("show", cls=Worded, help="agents_about.show")
@click.argument("agent_id")
@standard
def show_agents(call: Invocation, agent_id: str) -> int:
    """Show one agent."""

    async def work(desk: Desk) -> int:
        row = await desk.agent(agent_id)
        if call.as_json:
            call.result(_json(row))
        else:
            print_agent(row, call.lang)
        return 0

    return _at_desk(call, work, reading=True)


@click.command("new", cls=Worded, help="agents_about.new", epilog="agents_example.text")
@click.argument("sources", nargs=-1)
@standard
def new_agents(call: Invocation, sources: tuple[str, ...]) -> int:
    """Register an agent."""
    profile = parse_profile(gathered(call, sources))

    async def work(desk: Desk) -> int:
        return _told(call, await desk.register(profile))

    return _at_desk(call, work)


@click.command("load", cls=Worded, help="agents_about.load")
@click.argument("file", required=False, type=click.Path(path_type=Path))
@click.option("--demo", "shipped", is_flag=True, cls=Option, help="option.demo_agents")
@standard
def load_agents(call: Invocation, file: Path | None, shipped: bool) -> int:  # noqa: FBT001 - click's way
    """Add or replace many agents."""
    if (file is None) is not shipped:
        raise UsageError(call.text("agents.one_source"))
    profiles = load_profiles_from_file(file or mock_profiles_file())

    async def work(desk: Desk) -> int:
        count = await desk.load(profiles, "demo" if shipped else "user")
        call.result(_json({"loaded": count}) if call.as_json else call.text("agents.loaded", count=count))
        return 0

    return _at_desk(call, work)


@click.command("edit", cls=Worded, help="agents_about.edit")
@click.argument("agent_id")
@click.argument("sources", nargs=-1)
@standard
def edit_agents(call: Invocation, agent_id: str, sources: tuple[str, ...]) -> int:
    """Change an agent."""
    changes = gathered(call, sources)

    async def work(desk: Desk) -> int:
        return _told(call, await desk.edit(agent_id, changes))

    return _at_desk(call, work)


@click.command("disable", cls=Worded, help="agents_about.disable")
@click.argument("agent_id")
@standard
def disable_agents(call: Invocation, agent_id: str) -> int:
    """Leave an agent out of later demands."""

    async def work(desk: Desk) -> int:
        return _told(call, await desk.set_status(agent_id, "disabled"))

    return _at_desk(call, work)


@click.command("enable", cls=Worded, help="agents_about.enable")
@click.argument("agent_id")
@standard
def enable_agents(call: Invocation, agent_id: str) -> int:
    """Take a disabled agent in again."""

    async def work(desk: Desk) -> int:
        return _told(call, await desk.set_status(agent_id, "active"))

    return _at_desk(call, work)
