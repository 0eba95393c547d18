"""``moot forge`` and ``moot services``: services that a model writes from a description, and their versions."""

from __future__ import annotations

from typing import Final

import click

from moothall.cli.at_node import asked, at_node
from moothall.cli.calling import Calls
from moothall.cli.desk import JsonObject
from moothall.cli.invocation import Invocation, standard
from moothall.cli.telling import tell, tell_rows
from moothall.cli.wording import Commands, Option, Worded
from moothall.identity.keystore import DEFAULT_AGENT

LONGEST: Final = 600.0
"""Seconds that making a service may take, as long as the capability itself has."""

_NAMES = ("list", "show", "publish", "rollback", "disable")
_COLUMNS = ("name", "live", "state", "published", "canary", "approval_id")

services = Commands(
    "services",
    table={name: f"moothall.cli.forge:{name}_service" for name in _NAMES}
    | {"overview": "moothall.cli.overview:overview"},
    about="services",
    help="services.about",
    no_args_is_help=True,
)


@click.command("forge", cls=Worded, help="forge.about", epilog="forge.example")
@click.argument("requirement", metavar="TEXT")
@click.option("--name", default="", cls=Option, help="option.service_name")
@click.option("--may-call", "may_call", multiple=True, metavar="TARGET", cls=Option, help="option.service_may_call")
@click.option("--no-publish", is_flag=True, cls=Option, help="option.service_no_publish")
@standard
def forge(call: Invocation, requirement: str, name: str, may_call: tuple[str, ...], no_publish: bool) -> int:  # noqa: FBT001 - click's way
    """Make a service from a description."""
    given: JsonObject = {"requirement": requirement, "name": name, "publish": not no_publish}
    if may_call:
        given["may_call"] = list(may_call)

    async def work(calls: Calls) -> int:
        return _told(call, await calls.call(f"local:{DEFAULT_AGENT}.services.forge", given, LONGEST))

    return at_node(call, None, work)


@click.command("list", cls=Worded, help="services_about.list")
@standard
def list_service(call: Invocation) -> int:
    """List services."""
    return tell_rows(call, asked(call, "services.list"), _COLUMNS)


@click.command("show", cls=Worded, help="services_about.show")
@click.argument("service", metavar="NAME")
@click.option("--version", "number", default="", cls=Option, help="option.service_version")
@standard
def show_service(call: Invocation, service: str, number: str) -> int:
    """Show a service with the code of a version."""
    found = asked(call, "services.show", service=service, version=number)
    module = found["module"]
    versions = [f"{each['version']}  {each['approval'] or '-'}  {each['hash']}" for each in found["versions"]]
    shown = {name: found[name] for name in _COLUMNS} | {
        "versions": "\n".join(versions),
        "may_call": "\n".join(module.get("manifest", {}).get("may_call", [])),
        "source": module.get("source", ""),
    }
    return tell(call, found, shown)


@click.command("publish", cls=Worded, help="services_about.publish")
@click.argument("service", metavar="NAME")
@click.argument("number", metavar="[VERSION]", default="")
@click.option("--share", type=click.FloatRange(0, 1), default=0.0, cls=Option, help="option.service_share")
@standard
def publish_service(call: Invocation, service: str, number: str, share: float) -> int:
    """Let the network see a version."""
    return _told(call, asked(call, "services.publish", service=service, version=number, share=share))


@click.command("rollback", cls=Worded, help="services_about.rollback")
@click.argument("service", metavar="NAME")
@click.argument("number", metavar="VERSION")
@click.option("--reason", default="", cls=Option, help="option.service_reason")
@standard
def rollback_service(call: Invocation, service: str, number: str, reason: str) -> int:
    """Let an earlier version answer."""
    return _told(call, asked(call, "services.rollback", service=service, version=number, reason=reason))


@click.command("disable", cls=Worded, help="services_about.disable")
@click.argument("service", metavar="NAME")
@click.option("--reason", default="", cls=Option, help="option.service_reason")
@standard
def disable_service(call: Invocation, service: str, reason: str) -> int:
    """Let a service answer nobody."""
    return _told(call, asked(call, "services.disable", service=service, reason=reason))


def _told(call: Invocation, view: JsonObject) -> int:
    """Say where a service stands."""
    how = "waits" if view["approval_id"] else view["state"]
    given = {"name": view["name"], "target": view["target"], "version": view["live"], "id": view["approval_id"]}
    return tell(call, view, call.text(f"services.{how}", **given))
