"""``moot call`` and ``moot tools``: use capabilities as the node's owner."""

from __future__ import annotations

import json

import click

from moothall.calls.reply import Progress
from moothall.cli.arguments import arguments
from moothall.cli.at_node import at_node
from moothall.cli.calling import Calls, Said
from moothall.cli.desk import JsonObject
from moothall.cli.invocation import Invocation, standard
from moothall.cli.render.clean import safe_json
from moothall.cli.render.tools import print_elsewhere, print_tool, print_tools, progress_line
from moothall.cli.telling import tell_value
from moothall.cli.wording import Option, Worded
from moothall.errors import ServiceNotFoundError, Told, UsageError
from moothall.protocols.approving import approval_of, purpose_of

_SECONDS = 60.0
_FORMS = ("openai", "anthropic", "mcp", "a2a")


@click.command("call", cls=Worded, help="call.about", epilog="call.example")
@click.argument("target")
@click.argument("words", metavar="[NAME=VALUE]...", nargs=-1)
@click.option("--stream", is_flag=True, cls=Option, help="option.stream")
@click.option(
    "--timeout", type=click.FloatRange(min=0, min_open=True), default=_SECONDS, cls=Option, help="option.timeout"
)
@click.option("--approval", default="", metavar="ID", cls=Option, help="option.approval")
@click.option("--purpose", default="", metavar="TEXT", cls=Option, help="option.purpose")
@click.option("--node", "code", metavar="FILE.py", cls=Option, help="option.node")
@standard
def call(  # noqa: PLR0913, PLR0917 - its options
    call: Invocation,
    target: str,
    words: tuple[str, ...],
    stream: bool,  # noqa: FBT001 - click's way
    timeout: float,
    approval: str,
    purpose: str,
    code: str | None,
) -> int:
    """Call a capability and print its value."""
    params, said = arguments(call, words), _said(call, approval, purpose)

    async def work(calls: Calls) -> int:
        if stream:
            async for value in calls.stream(target, params, timeout, said):
                if isinstance(value, Progress):
                    call.progress(progress_line(value))
                else:
                    tell_value(call, value)
        else:
            tell_value(call, await calls.call(target, params, timeout, said))
        return 0

    return at_node(call, code, work)


def _said(call: Invocation, approval: str, purpose: str) -> Said:
    """What goes along with the call; a purpose has to fit into a header, whether a node runs or not.

    Raises:
        UsageError: something in it does not have its form.
    """
    if approval and approval_of(approval) is None:
        raise UsageError(call.text("call.bad_approval", words=approval))
    if purpose and (purpose_of(purpose) is None or not purpose.isascii()):
        raise UsageError(call.text("call.bad_purpose"))
    return Said(approval, purpose)


@click.command("tools", cls=Worded, help="tools.about")
@click.argument("name", required=False)
@click.option("--format", "form", type=click.Choice(_FORMS), cls=Option, help="option.form")
@click.option("--node", "code", metavar="FILE.py", cls=Option, help="option.node")
@standard
def tools(call: Invocation, name: str | None, form: str | None, code: str | None) -> int:
    """List what can be called, or show one capability, or what there is elsewhere."""
    if form is not None and name is not None:
        raise UsageError(call.text("tools.form_of_all"))

    async def work(calls: Calls) -> int:
        if form is not None:
            call.result(safe_json(json.dumps(await calls.functions(form), ensure_ascii=False, indent=2)))
            return 0
        if name is not None and ":" in name and not name.startswith("local:"):
            _print_elsewhere(call, await calls.describe(name))
            return 0
        rows = await calls.tools()
        if name is not None:
            rows = [row for row in rows if name in {row["id"], row["id"].partition(".")[2]}]
            if not rows:
                raise ServiceNotFoundError(f"no capability {name!r}", told=Told("cli.tools.unknown", {"name": name}))
        if call.as_json:
            for row in rows:
                call.result(safe_json(json.dumps(row, ensure_ascii=False)))
        elif name is not None:
            print_tool(rows[0], call.lang)
        else:
            print_tools(rows, call.lang)
        return 0

    return at_node(call, code, work)


def _print_elsewhere(call: Invocation, found: JsonObject) -> None:
    if call.as_json:
        call.result(safe_json(json.dumps(found, ensure_ascii=False)))
    else:
        print_elsewhere(found, call.lang)
