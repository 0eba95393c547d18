"""``moot routines``: tested code of protocols, at this node or at another one."""

from __future__ import annotations

import click

from moothall.cli.at_node import at_node
from moothall.cli.calling import Calls
from moothall.cli.desk import JsonObject
from moothall.cli.invocation import Invocation, standard
from moothall.cli.parties import did_of
from moothall.cli.render.clean import clean
from moothall.cli.telling import tell, tell_records
from moothall.cli.wording import Commands, Option, Worded
from moothall.errors import UsageError
from moothall.identity.keystore import DEFAULT_AGENT

_SECONDS = 60.0
_HALVES = ("requester", "provider")

routines = Commands(
    "routines",
    table={name: f"moothall.cli.routines:{name}_routine" for name in ("find", "get", "verify")},
    about="routines",
    help="routines.about",
    no_args_is_help=True,
)


@click.command("find", cls=Worded, help="routines_about.find")
@click.option("--protocol", metavar="DIGEST", cls=Option, help="option.routine_protocol")
@click.option("--need", metavar="DIGEST", cls=Option, help="option.routine_need")
@click.option("--kind", type=click.Choice(_HALVES), default=_HALVES[0], cls=Option, help="option.routine_kind")
@click.option("--at", "peer", metavar="DID", cls=Option, help="option.routine_at")
@standard
def find_routine(call: Invocation, protocol: str | None, need: str | None, kind: str, peer: str | None) -> int:
    """List code for a protocol or a need."""
    if protocol is None and need is None:
        raise UsageError(call.text("routines.neither"))
    wanted = {"protocol": protocol, "need": need, "kind": kind}
    given = {name: value for name, value in wanted.items() if value is not None}

    async def work(calls: Calls) -> int:
        rows = await calls.call(_target(call, peer, "find"), given, _SECONDS)
        return tell_records(call, rows, ("hash", "kind", "protocol"))

    return at_node(call, None, work)


@click.command("get", cls=Worded, help="routines_about.get")
@click.argument("digest", metavar="HASH")
@click.option("--at", "peer", metavar="DID", cls=Option, help="option.routine_at")
@standard
def get_routine(call: Invocation, digest: str, peer: str | None) -> int:
    """Show code by its hash."""

    async def work(calls: Calls) -> int:
        found = await calls.call(_target(call, peer, "get"), {"digest": digest}, _SECONDS)
        if call.as_json:
            return tell(call, found)
        tell(call, found, _about(digest, found["module"]))
        call.result(f"\n{clean(str(found['module'].get('source', '')))}")
        return 0

    return at_node(call, None, work)


@click.command("verify", cls=Worded, help="routines_about.verify")
@click.argument("digest", metavar="HASH")
@click.option("--at", "peer", metavar="DID", cls=Option, help="option.routine_at")
@standard
def verify_routine(call: Invocation, digest: str, peer: str | None) -> int:
    """Prove code by its hash and its signature."""
    given = {"digest": digest, "peer": did_of(call, peer) if peer else ""}

    async def work(calls: Calls) -> int:
        found = await calls.call(f"local:{DEFAULT_AGENT}.routines.verify", given, _SECONDS)
        return tell(call, found, call.text("routines.verified", **found))

    return at_node(call, None, work)


def _target(call: Invocation, peer: str | None, what: str) -> str:
    return f"{did_of(call, peer)}#routines.{what}" if peer else f"local:{DEFAULT_AGENT}.routines.{what}"


def _about(digest: str, module: JsonObject) -> JsonObject:
    """What a person wants to know of a module before its code."""
    manifest = module.get("manifest", {})
    return {
        "hash": digest,
        "kind": manifest.get("kind", ""),
        "protocol": manifest.get("protocol", ""),
        "functions": [str(each.get("name", "")) for each in manifest.get("functions", ())],
        "may_call": manifest.get("may_call", []),
        "written_by": manifest.get("provenance", {}).get("writer", ""),
        "cases": len(module.get("cases", ())),
    }
