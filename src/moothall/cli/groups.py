"""``moot groups``: groups of agents, what is said in them, and what they do together."""

from __future__ import annotations

import click

from moothall.canonical import strict_json
from moothall.cli.at_node import asked
from moothall.cli.desk import JsonObject
from moothall.cli.invocation import Invocation, standard
from moothall.cli.parties import did_of, party_of
from moothall.cli.telling import tell, tell_json, tell_removed, tell_rows, tell_value
from moothall.cli.wording import Commands, Option, Worded
from moothall.errors import MoothallError, UsageError

_NAMES = ("create", "list", "show", "add", "remove", "dissolve", "send", "history", "task")
_LISTED = ("id", "kind", "owner", "state", "status", "title")
_MEMBERS = ("member", "role", "state", "joined_at")
_SHOWN = ("id", "kind", "title", "owner", "status", "state", "revision", "created_at", "handlers")
_SAID = ("seq", "at", "type", "sender", "content")
_TASK = ("id", "group", "status", "result", "missing")

groups = Commands(
    "groups",
    table={name: f"moothall.cli.groups:{name}_groups" for name in _NAMES},
    about="groups",
    help="groups.about",
    no_args_is_help=True,
)


@click.command("create", cls=Worded, help="groups_about.create")
@click.argument("group")
@click.argument("members", nargs=-1)
@click.option("--title", default="", cls=Option, help="option.group_title")
@click.option("--owner", default="", cls=Option, help="option.group_owner")
@click.option("--open", "is_open", is_flag=True, cls=Option, help="option.group_open")
@standard
def create_groups(
    call: Invocation,
    group: str,
    members: tuple[str, ...],
    title: str,
    owner: str,
    is_open: bool,  # noqa: FBT001 - a flag of the command
) -> int:
    """Make a group."""
    made = asked(
        call,
        "groups.create",
        group=group,
        members=[did_of(call, one) for one in members],
        title=title,
        owner=party_of(call, owner) if owner else None,
        policy={"join": "open"} if is_open else None,
    )
    return tell(call, made, call.text("groups.created", group=group))


@click.command("list", cls=Worded, help="groups_about.list")
@standard
def list_groups(call: Invocation) -> int:
    """List groups."""
    return tell_rows(call, asked(call, "groups.list", limit=200), _LISTED)


@click.command("show", cls=Worded, help="groups_about.show")
@click.argument("group")
@standard
def show_groups(call: Invocation, group: str) -> int:
    """Show a group and its members."""
    found = asked(call, "groups.show", group=group)
    if call.as_json:
        return tell(call, found)
    tell(call, found, {name: found[name] for name in _SHOWN})
    return tell_rows(call, found["members"] or [], _MEMBERS)


@click.command("add", cls=Worded, help="groups_about.add")
@click.argument("group")
@click.argument("member")
@click.option("--role", default="", cls=Option, help="option.group_role")
@standard
def add_groups(call: Invocation, group: str, member: str, role: str) -> int:
    """Take an agent in, or invite it."""
    did = did_of(call, member)
    found = asked(call, "groups.add", group=group, member=did, role=role)
    row = next((one for one in found["members"] or [] if one["member"] == did), {"member": did})
    return tell(call, row)


@click.command("remove", cls=Worded, help="groups_about.remove")
@click.argument("group")
@click.argument("member")
@standard
def remove_groups(call: Invocation, group: str, member: str) -> int:
    """Take a member out."""
    return tell_removed(call, asked(call, "groups.remove", group=group, member=did_of(call, member)))


@click.command("dissolve", cls=Worded, help="groups_about.dissolve")
@click.argument("group")
@standard
def dissolve_groups(call: Invocation, group: str) -> int:
    """End a group."""
    return tell_removed(call, asked(call, "groups.dissolve", group=group))


@click.command("send", cls=Worded, help="groups_about.send")
@click.argument("group")
@click.argument("content")
@click.option("--to", "receivers", multiple=True, cls=Option, help="option.group_to")
@click.option("--id", "message_id", default="", cls=Option, help="option.group_message")
@standard
def send_groups(call: Invocation, group: str, content: str, receivers: tuple[str, ...], message_id: str) -> int:
    """Say something in a group, as the node's own agent."""
    to = [did_of(call, one) for one in receivers]
    sent = asked(call, "groups.send", group=group, content=content, to=to or None, message_id=message_id)
    if call.as_json:
        return tell(call, sent)
    call.progress(call.text("groups.sent", seq=sent["seq"]))
    for reply in sent["replies"]:
        call.progress(call.text("groups.reply", handler=reply["handler"]))
        tell_value(call, reply["content"] if not reply["error"] else f"{reply['error']}: {reply['message']}")
    return 0


@click.command("history", cls=Worded, help="groups_about.history")
@click.argument("group")
@click.option("--after", default=-1, type=click.IntRange(min=-1), cls=Option, help="option.group_after")
@click.option("--limit", default=50, type=click.IntRange(1, 200), cls=Option, help="option.group_limit")
@standard
def history_groups(call: Invocation, group: str, after: int, limit: int) -> int:
    """Show what was said in a group."""
    page = asked(call, "groups.history", group=group, after=after, limit=limit)
    return tell_rows(call, page["messages"], _SAID)


@click.command("task", cls=Worded, help="groups_about.task")
@click.argument("group")
@click.argument("task")
@click.option("--confirm", is_flag=True, cls=Option, help="option.group_confirm")
@click.option("--wait", default=50, type=click.IntRange(0, 50), cls=Option, help="option.group_wait")
@standard
def task_groups(
    call: Invocation,
    group: str,
    task: str,
    confirm: bool,  # noqa: FBT001 - a flag of the command
    wait: int,
) -> int:
    """Have a task done by the members of a group."""
    given: JsonObject = {"description": task}
    if task.lstrip().startswith("{"):
        try:
            given = strict_json(task.encode())
        except MoothallError as error:
            raise UsageError(call.text("groups.no_task")) from error
    view = asked(
        call, "groups.task", group=group, task={**given, **({"confirmed": True} if confirm else {})}, wait=wait
    )
    if call.as_json:
        tell_json(call, view)
    else:
        result = view["result"] or {}
        tell(call, view, {name: {**view, **result}.get(name) for name in _TASK})
    return 0 if view["status"] in {"done", "running"} else 6
