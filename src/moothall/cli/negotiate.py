"""``moot negotiate``: agree with another agent on a protocol for a need, and speak it."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any, Final

import click

from moothall.cli.arguments import arguments
from moothall.cli.at_node import at_node
from moothall.cli.calling import Calls
from moothall.cli.desk import JsonObject
from moothall.cli.invocation import Invocation, standard
from moothall.cli.parties import did_of
from moothall.cli.telling import tell, tell_value
from moothall.cli.wording import Option, Worded
from moothall.errors import CallTimeout, MoothallError, Told, UsageError
from moothall.identity.keystore import DEFAULT_AGENT, Keystore

SECONDS: Final = 600.0
"""As long as the capability lets both sides take by the usual limits."""

ASKING: Final = 120.0
"""Seconds for one question in an agreed protocol."""

_FILE: Final = "@"
_SHOWN: Final = ("source", "protocol", "capability", "routine", "negotiation")


@click.command("negotiate", cls=Worded, help="negotiate.about", epilog="negotiate.example")
@click.argument("peer")
@click.argument("requirement")
@click.option("--input", "given", default="", metavar="TEXT|@FILE", cls=Option, help="option.need_input")
@click.option("--output", "wanted", default="", metavar="TEXT|@FILE", cls=Option, help="option.need_output")
@click.option("--agent", default="", cls=Option, help="option.need_agent")
@click.option("--call", "words", multiple=True, metavar="NAME=VALUE|JSON|@FILE", cls=Option, help="option.need_call")
@click.option(
    "--timeout", type=click.FloatRange(min=0, min_open=True), default=SECONDS, cls=Option, help="option.need_timeout"
)
@click.option("--node", "code", metavar="FILE.py", cls=Option, help="option.node")
@standard
def negotiate(  # noqa: PLR0913, PLR0917 - its options
    call: Invocation,
    peer: str,
    requirement: str,
    given: str,
    wanted: str,
    agent: str,
    words: tuple[str, ...],
    timeout: float,
    code: str | None,
) -> int:
    """Agree on a protocol, and ask something in it where that is wanted."""
    need = {"requirement": requirement, **_side(call, "input", given), **_side(call, "output", wanted)}
    asked = arguments(call, [_read(call, word) for word in words]) if words else None

    async def work(calls: Calls) -> int:
        agreed = await _negotiated(call, calls, {"peer": did_of(call, peer), **need, "agent": agent}, timeout)
        if asked is None:
            return _agreed(call, agreed)
        call.progress(_line(call, agreed))
        answer = await ask(calls, agreed["peer"], agreed["protocol"], asked, agent)
        tell_value(call, {**agreed, "answer": answer} if call.as_json else answer)
        return 0

    return at_node(call, code, work)


async def _negotiated(call: Invocation, calls: Calls, whole: JsonObject, seconds: float) -> JsonObject:
    """What is agreed on.

    Raises:
        CallTimeout: nothing yet; the negotiation goes on.
        MoothallError: nothing.
    """
    call.progress(call.text("negotiate.asking", peer=whole["peer"]))
    own = {one.did.text for one in Keystore.open(call.settings().data).all()}
    if not calls.served and whole["peer"] not in own:
        call.progress(call.text("negotiate.not_served"))
    try:
        agreed: JsonObject = await calls.call(f"local:{DEFAULT_AGENT}.protocols.negotiate", whole, seconds)
    except MoothallError as error:
        if error.code != CallTimeout.code:
            raise
        told = Told("cli.negotiate.waiting", hint="cli.negotiate.waiting_try")
        raise CallTimeout("still under way", told=told, details=error.details) from error
    return agreed


async def ask(calls: Calls, peer: str, protocol: str, asked: JsonObject, agent: str) -> Any:  # noqa: ANN401 - JSON
    """The answer to one question in an agreed protocol."""
    whole = {"peer": peer, "protocol": protocol, "arguments": asked, "agent": agent}
    return await calls.call(f"local:{DEFAULT_AGENT}.protocols.ask", whole, ASKING)


def _agreed(call: Invocation, agreed: JsonObject) -> int:
    """Show what was agreed on, and on stderr how to speak it."""
    said = {name: agreed[name] for name in _SHOWN} | {"source": call.text(f"negotiate.{agreed['source']}")}
    tell(call, agreed, said)
    if not call.as_json:
        call.progress(call.text("negotiate.go_on", peer=agreed["peer"], protocol=agreed["protocol"]))
    return 0


def _line(call: Invocation, agreed: JsonObject) -> str:
    source = call.text(f"negotiate.{agreed['source']}")
    return call.text("negotiate.agreed", source=source, protocol=agreed["protocol"], capability=agreed["capability"])


def _side(call: Invocation, name: str, told: str) -> JsonObject:
    """One side of a need: a JSON Schema as such, everything else as words, which may hold an example or fields."""
    words = _read(call, told)
    if not words.strip():
        return {}
    schema = _schema(words)
    return {f"{name}_description": words} if schema is None else {f"{name}_schema": schema}


def _schema(words: str) -> JsonObject | None:
    """The JSON Schema that a text is; None: it is an example, or words."""
    from moothall.codegen.schemas.describe import described  # noqa: PLC0415 - pulls in what validates schemas

    try:
        value = json.loads(words)
    except ValueError:
        return None
    if not isinstance(value, dict):
        return None
    return value if "$schema" in value or described(words) == value else None


def _read(call: Invocation, told: str) -> str:
    """A text, or what is in the file that ``@FILE`` names; ``@-`` is standard input."""
    if not told.startswith(_FILE):
        return told
    name = told.removeprefix(_FILE)
    try:
        return sys.stdin.read() if name == "-" else Path(name).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(call.text("negotiate.unreadable", path=name)) from error
