"""``moot approvals``: calls that wait for somebody's approval, and deciding about them."""

from __future__ import annotations

from typing import get_args

import click

from moothall.approvals.asking import Status
from moothall.cli import nodefile
from moothall.cli.at_node import asked, listed
from moothall.cli.desk import JsonObject
from moothall.cli.invocation import Invocation, standard
from moothall.cli.telling import tell, tell_rows
from moothall.cli.wording import Commands, Option, Worded
from moothall.errors import UsageError

_COLUMNS = ("approval_id", "status", "target", "requester", "waiting_for", "expires")
_DECISIONS = {"approve": "approved", "reject": "rejected"}
_PAGE = 50

approvals = Commands(
    "approvals",
    table={name: f"moothall.cli.approvals:{name}_approval" for name in ("list", "show", "decide", "cancel")},
    about="approvals",
    help="approvals.about",
    no_args_is_help=True,
)


@click.command("list", cls=Worded, help="approvals_about.list")
@click.option("--status", type=click.Choice(get_args(Status)), cls=Option, help="option.approval_status")
@click.option("--mine", is_flag=True, cls=Option, help="option.approval_mine")
@click.option("--waiting", is_flag=True, cls=Option, help="option.approval_waiting")
@click.option("--limit", type=click.IntRange(1, 1000), default=_PAGE, cls=Option, help="option.approval_limit")
@standard
def list_approval(call: Invocation, status: str | None, mine: bool, waiting: bool, limit: int) -> int:  # noqa: FBT001 - click's way
    """List approvals, the newest first."""
    if mine and waiting:
        raise UsageError(call.text("approvals.one_of", names="--mine, --waiting"))
    whose = "mine" if mine else "waiting" if waiting else "all"
    rows = listed(call, "approvals.list", "approvals", limit, status=status, whose=whose)
    return tell_rows(call, rows if call.as_json else [_worded(call, row) for row in rows], _COLUMNS)


@click.command("show", cls=Worded, help="approvals_about.show")
@click.argument("approval_id", metavar="ID")
@standard
def show_approval(call: Invocation, approval_id: str) -> int:
    """Show the very call that is to be approved."""
    found = asked(call, "approvals.show", approval_id=approval_id)
    return tell(call, found, _whole(call, found))


@click.command("decide", cls=Worded, help="approvals_about.decide", epilog="approvals_example.text")
@click.argument("approval_id", metavar="ID")
@click.argument("decision", metavar="approve|reject", type=click.Choice(tuple(_DECISIONS)))
@click.option("--reason", default="", cls=Option, help="option.approval_reason")
@standard
def decide_approval(call: Invocation, approval_id: str, decision: str, reason: str) -> int:
    """Approve or reject."""
    said = _DECISIONS[decision]
    return _ended(call, asked(call, "approvals.decide", approval_id=approval_id, decision=said, reason=reason))


@click.command("cancel", cls=Worded, help="approvals_about.cancel")
@click.argument("approval_id", metavar="ID")
@click.option("--reason", default="", cls=Option, help="option.approval_reason")
@standard
def cancel_approval(call: Invocation, approval_id: str, reason: str) -> int:
    """Withdraw the call."""
    return _ended(call, asked(call, "approvals.cancel", approval_id=approval_id, reason=reason))


def _ended(call: Invocation, reply: JsonObject) -> int:
    """Say what became of it."""
    how = "executed" if reply["executed"] else reply["status"]
    if how == "approved" and nodefile.read(call.settings().data) is None:
        how = "approved_later"
    return tell(call, reply, call.text(f"approvals.{how}", id=reply["approval_id"]))


def _worded(call: Invocation, row: JsonObject) -> JsonObject:
    return row | {"status": call.text(f"approval_status.{row['status']}")}


def _whole(call: Invocation, row: JsonObject) -> JsonObject:
    """An approval for people to read: each step as one line, with what was said in it."""
    steps = []
    for number, step in enumerate(row["steps"]):
        who = call.text("join").join(step["approvers"])
        words = call.text(f"approvals.steps_{step['type']}", needed=step["needed"], who=who)
        votes = [
            f"{vote['approver']}: {call.text('approval_status.' + vote['decision'])} {vote['reason']}".rstrip()
            for vote in step["votes"]
        ]
        open_now = number == row["current_step"] and row["status"] == "pending"
        steps.append(" ".join([words, *(f"({vote})" for vote in votes), *(["←"] if open_now else [])]))
    shown = {name: value for name, value in _worded(call, row).items() if name not in {"steps", "current_step"}}
    shown["executed"] = call.text("approvals.made") if row["executed"] else ""
    shown["failed"] = call.text(f"approvals.{row['failed']}") if row["failed"] else ""
    return shown | {"steps": "\n".join(steps)}
