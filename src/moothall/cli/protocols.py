"""``moot protocols``: what agents of this node have agreed on with others, and asking in it."""

from __future__ import annotations

from collections.abc import Mapping

import click

from moothall.cli.arguments import arguments
from moothall.cli.at_node import asked_with, at_node
from moothall.cli.calling import Calls
from moothall.cli.desk import JsonObject
from moothall.cli.invocation import Invocation, standard
from moothall.cli.negotiate import ask
from moothall.cli.parties import did_of
from moothall.cli.render.clean import clean
from moothall.cli.telling import tell, tell_records, tell_value
from moothall.cli.wording import Commands, Option, Worded

_COLUMNS = ("protocol", "peer", "need")

protocols = Commands(
    "protocols",
    table={name: f"moothall.cli.protocols:{name}_protocol" for name in ("list", "show", "ask")},
    about="protocols",
    help="protocols.about",
    no_args_is_help=True,
)


@click.command("list", cls=Worded, help="protocols_about.list")
@click.option("--agent", default="", cls=Option, help="option.need_agent")
@click.option("--node", "code", metavar="FILE.py", cls=Option, help="option.node")
@standard
def list_protocol(call: Invocation, agent: str, code: str | None) -> int:
    """List agreements."""
    return tell_records(call, asked_with(call, code, "protocols.list", agent=agent), _COLUMNS)


@click.command("show", cls=Worded, help="protocols_about.show")
@click.argument("protocol", metavar="DIGEST")
@click.option("--agent", default="", cls=Option, help="option.need_agent")
@click.option("--node", "code", metavar="FILE.py", cls=Option, help="option.node")
@standard
def show_protocol(call: Invocation, protocol: str, agent: str, code: str | None) -> int:
    """Show the document of a protocol, and who said what until it was agreed on."""
    found = asked_with(call, code, "protocols.show", protocol=protocol, agent=agent)
    said = found["transcript"]
    tell(
        call,
        found,
        {
            **{name: found[name] for name in _COLUMNS},
            "conversation": "\n".join(_said(entry) for entry in said.get("entries", ())),
            "signed_by": [said[role] for role in said.get("signatures", {})],
        },
    )
    if not call.as_json:
        call.result(f"\n{clean(found['document'])}")
    return 0


@click.command("ask", cls=Worded, help="protocols_about.ask", epilog="protocols_example.ask")
@click.argument("peer")
@click.argument("protocol", metavar="DIGEST")
@click.argument("words", metavar="[NAME=VALUE]...", nargs=-1)
@click.option("--agent", default="", cls=Option, help="option.need_agent")
@click.option("--node", "code", metavar="FILE.py", cls=Option, help="option.node")
@standard
def ask_protocol(
    call: Invocation, peer: str, protocol: str, words: tuple[str, ...], agent: str, code: str | None
) -> int:
    """Ask something in an agreed protocol."""
    given = arguments(call, words)

    async def work(calls: Calls) -> int:
        tell_value(call, await ask(calls, did_of(call, peer), protocol, given, agent))
        return 0

    return at_node(call, code, work)


def _said(entry: JsonObject) -> str:
    """A message of a conversation as one line; what is in it is the other side's."""
    message: Mapping[str, object] = entry["message"]
    words = (message.get(name) for name in ("status", "sequenceId", "modificationSummary", "reason"))
    return " ".join([f"{entry['sender']}: {message.get('action', '')}", *(str(word) for word in words if word)])
