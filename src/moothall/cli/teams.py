"""``moot teams``: teams, departments and organisations, and what teams agree on."""

from __future__ import annotations

import click

from moothall.cli.at_node import asked, asked_each, pages
from moothall.cli.desk import JsonObject
from moothall.cli.invocation import Invocation, standard
from moothall.cli.parties import party_of
from moothall.cli.telling import tell, tell_removed, tell_rows
from moothall.cli.wording import Commands, Option, Worded
from moothall.people.units import MEMBER, OWNER

_NAMES = ("create", "show", "add", "remove", "move", "dissolve", "propose", "agree", "withdraw", "agreements")
_MEMBERS = ("member", "role", "joined")
_UNIT = ("id", "kind", "parent", "name")
_AGREEMENTS = ("id", "host", "guest", "actions", "capabilities", "project", "host_agreed", "guest_agreed")
_HOUR = 3600

teams = Commands(
    "teams",
    table={name: f"moothall.cli.teams:{name}_teams" for name in _NAMES},
    about="teams",
    help="teams.about",
    no_args_is_help=True,
)


@click.command("create", cls=Worded, help="teams_about.create")
@click.argument("unit")
@click.argument("members", nargs=-1)
@click.option(
    "--kind",
    type=click.Choice(("team", "department", "organisation")),
    default="team",
    cls=Option,
    help="option.unit_kind",
)
@click.option("--parent", default="", cls=Option, help="option.unit_parent")
@click.option("--name", default="", cls=Option, help="option.unit_name")
@click.option("--owner", "owners", multiple=True, cls=Option, help="option.unit_owner")
@standard
def create_teams(
    call: Invocation, unit: str, members: tuple[str, ...], kind: str, parent: str, name: str, owners: tuple[str, ...]
) -> int:
    """Make a unit."""
    taken, owning = ([party_of(call, one) for one in named] for named in (members, owners))
    if kind == "team":
        made = asked(call, "teams.create", team=unit, members=taken, parent=parent, name=name, owners=owning)
        return tell(call, made, call.text("teams.created", unit=unit))
    steps: list[tuple[str, JsonObject]] = [
        ("teams.create_unit", {"unit": unit, "kind": kind, "parent": parent, "name": name})
    ]
    for role, parties in ((MEMBER, taken), (OWNER, owning)):
        steps += [("teams.add", {"unit": unit, "member": party, "role": role}) for party in parties]
    return tell(call, asked_each(call, steps)[0], call.text("teams.created", unit=unit))


@click.command("show", cls=Worded, help="teams_about.show")
@click.argument("unit")
@standard
def show_teams(call: Invocation, unit: str) -> int:
    """Show a unit and its members."""
    found = pages(call, "teams.show", _further, unit=unit)
    shown, members = found[0]["unit"], [member for page in found for member in page["members"]]
    if call.as_json:
        return tell(call, {"unit": shown, "members": members})
    tell(call, shown, {name: shown[name] for name in _UNIT})
    return tell_rows(call, members, _MEMBERS)


def _further(page: JsonObject) -> dict[str, object] | None:
    return {"after": page["members"][-1]["member"]} if page["members"] else None


@click.command("add", cls=Worded, help="teams_about.add")
@click.argument("unit")
@click.argument("member")
@click.option("--role", default="member", cls=Option, help="option.member_role")
@standard
def add_teams(call: Invocation, unit: str, member: str, role: str) -> int:
    """Take somebody in."""
    return tell(call, asked(call, "teams.add", unit=unit, member=party_of(call, member), role=role))


@click.command("remove", cls=Worded, help="teams_about.remove")
@click.argument("unit")
@click.argument("member")
@click.option("--role", default="", cls=Option, help="option.member_role")
@standard
def remove_teams(call: Invocation, unit: str, member: str, role: str) -> int:
    """Take somebody out."""
    return tell_removed(call, asked(call, "teams.remove", unit=unit, member=party_of(call, member), role=role))


@click.command("move", cls=Worded, help="teams_about.move")
@click.argument("unit")
@click.argument("parent")
@standard
def move_teams(call: Invocation, unit: str, parent: str) -> int:
    """Put a unit into another one."""
    return tell(call, asked(call, "teams.move", unit=unit, parent=parent))


@click.command("dissolve", cls=Worded, help="teams_about.dissolve")
@click.argument("unit")
@standard
def dissolve_teams(call: Invocation, unit: str) -> int:
    """End a unit."""
    return tell_removed(call, asked(call, "teams.dissolve", unit=unit))


@click.command("propose", cls=Worded, help="teams_about.propose")
@click.argument("host")
@click.argument("guest")
@click.argument("actions", nargs=-1, required=True)
@click.option("--capability", "capabilities", multiple=True, cls=Option, help="option.agreed_capability")
@click.option("--project", default="", cls=Option, help="option.agreed_project")
@click.option("--hours", type=click.FloatRange(min=0, min_open=True), cls=Option, help="option.agreed_hours")
@standard
def propose_teams(
    call: Invocation,
    host: str,
    guest: str,
    actions: tuple[str, ...],
    capabilities: tuple[str, ...],
    project: str,
    hours: float | None,
) -> int:
    """Propose what the members of one team may do at another."""
    made = asked(
        call,
        "teams.propose",
        host=host,
        guest=guest,
        actions=list(actions),
        capabilities=list(capabilities),
        project=project,
        seconds=None if hours is None else max(1, round(hours * _HOUR)),
    )
    return tell(call, made)


@click.command("agree", cls=Worded, help="teams_about.agree")
@click.argument("agreement", metavar="ID")
@standard
def agree_teams(call: Invocation, agreement: str) -> int:
    """Agree, for the team that has not yet."""
    return tell(call, asked(call, "teams.agree", agreement=agreement))


@click.command("withdraw", cls=Worded, help="teams_about.withdraw")
@click.argument("agreement", metavar="ID")
@standard
def withdraw_teams(call: Invocation, agreement: str) -> int:
    """Take an agreement back."""
    return tell_removed(call, asked(call, "teams.withdraw", agreement=agreement))


@click.command("agreements", cls=Worded, help="teams_about.agreements")
@click.argument("unit")
@standard
def agreements_teams(call: Invocation, unit: str) -> int:
    """List what a team agreed on."""
    return tell_rows(call, asked(call, "teams.agreements", team=unit), _AGREEMENTS)
