"""``moot participants``: agents of other nodes that take part in negotiations here."""

from __future__ import annotations

import click

from moothall.cli.at_node import asked
from moothall.cli.invocation import Invocation, standard
from moothall.cli.telling import tell, tell_rows
from moothall.cli.wording import Commands, Option, Worded

_COLUMNS = ("agent_id", "user_name", "tags", "status", "target")
_PROPOSED = ("target", "name", "allowed", "source", "description")
_BRIEF = ("name", "description")

participants = Commands(
    "participants",
    table={
        name: f"moothall.cli.participants:{name}_participant" for name in ("list", "find", "add", "refresh", "remove")
    },
    about="participants",
    help="participants.about",
    no_args_is_help=True,
)


@click.command("list", cls=Worded, help="participants_about.list")
@standard
def list_participant(call: Invocation) -> int:
    """List those that take part."""
    return tell_rows(call, asked(call, "participants.list")["participants"], _COLUMNS)


@click.command("find", cls=Worded, help="participants_about.find")
@click.argument("words", metavar="[TEXT]", nargs=-1)
@standard
def find_participant(call: Invocation, words: tuple[str, ...]) -> int:
    """List those that could take part."""
    rows = asked(call, "participants.find", query=" ".join(words))["proposed"]
    return tell_rows(call, rows, _PROPOSED, _BRIEF)


@click.command("add", cls=Worded, help="participants_about.add")
@click.argument("target")
@click.option("--offer", default="", metavar="TARGET", cls=Option, help="option.participant_offer")
@click.option("--review", default="", metavar="TARGET", cls=Option, help="option.participant_review")
@standard
def add_participant(call: Invocation, target: str, offer: str, review: str) -> int:
    """Let one take part."""
    return tell(call, asked(call, "participants.add", target=target, offer=offer, review=review))


@click.command("refresh", cls=Worded, help="participants_about.refresh")
@click.argument("agent_id")
@standard
def refresh_participant(call: Invocation, agent_id: str) -> int:
    """Ask one what it is now."""
    return tell(call, asked(call, "participants.refresh", agent_id=agent_id))


@click.command("remove", cls=Worded, help="participants_about.remove")
@click.argument("agent_id")
@standard
def remove_participant(call: Invocation, agent_id: str) -> int:
    """Let one take part no more."""
    asked(call, "participants.remove", agent_id=agent_id)
    return tell(call, {"removed": True}, call.text("removed"))
