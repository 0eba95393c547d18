"""``moot grant``: rights that agents of this node lend to others for a while."""

from __future__ import annotations

import sys
from datetime import UTC, datetime, timedelta
from typing import get_args
from uuid import uuid4

import click

from moothall.cli.at_node import asked, listed
from moothall.cli.invocation import Invocation, standard
from moothall.cli.parties import did_of
from moothall.cli.telling import tell, tell_rows
from moothall.cli.wording import Commands, Option, Worded
from moothall.clock import SystemClock, rfc3339
from moothall.errors import AgentNotFound, SettingsError, UsageError
from moothall.grants.chain import EVERY
from moothall.grants.claims import ACTIONS
from moothall.grants.model import MOST_LINKS, Grant
from moothall.grants.signing import sign, take_apart
from moothall.grants.terms import USUAL_CLASS, span
from moothall.grants.views import Status
from moothall.identity.keys import Signer
from moothall.identity.keystore import Keystore
from moothall.identity.site import Origin

_COLUMNS = ("id", "delegator", "delegate", "actions", "capabilities", "status", "expires_at")
_STDIN = "-"

grant = Commands(
    "grant",
    table={name: f"moothall.cli.grant:{name}_grant" for name in ("create", "make", "add", "list", "show", "revoke")},
    about="grant",
    help="grant.about",
    no_args_is_help=True,
)


def _listed(words: str) -> list[str]:
    return [word for word in (part.strip() for part in words.split(",")) if word]


def _named(call: Invocation, words: str, known: frozenset[str] | None = None) -> frozenset[str]:
    """What is named, some of what is ``known``; ``*`` only the node where the rights are could write out."""
    named = frozenset(_listed(words))
    if not named or any(EVERY in one for one in named):
        raise UsageError(call.text("grant.unnamed"))
    if known is not None and (odd := sorted(named - known)):
        raise UsageError(call.text("grant.no_action", name=odd[0], known=", ".join(sorted(known))))
    return named


def _address(call: Invocation, url: str) -> str:
    """The address of a node as it names itself: scheme and host, without a slash at the end."""
    try:
        Origin.of(url)
    except SettingsError as error:
        raise UsageError(call.text("grant.no_address", url=url)) from error
    return url.rstrip("/")


def _signer(call: Invocation, did: str) -> Signer:
    found = [one.signer for one in Keystore.open(call.settings().data).all() if one.did.text == did]
    if not found:
        raise AgentNotFound(call.text("identity.absent", agent=did), hint=call.text("identity.absent_try"))
    return found[0]


@click.command("create", cls=Worded, help="grant_about.create", epilog="grant_example.text")
@click.option("--from", "delegator", required=True, metavar="AGENT", cls=Option, help="option.grant_from")
@click.option("--to", "delegate", required=True, metavar="DID", cls=Option, help="option.grant_to")
@click.option("--actions", required=True, cls=Option, help="option.grant_actions")
@click.option("--capabilities", cls=Option, help="option.grant_capabilities")
@click.option("--hours", type=click.FloatRange(min=0, min_open=True, max=720), cls=Option, help="option.grant_hours")
@click.option("--depth", type=click.IntRange(0, MOST_LINKS - 1), default=0, cls=Option, help="option.grant_depth")
@click.option("--classification", type=click.IntRange(0, 3), cls=Option, help="option.grant_classification")
@click.option("--parent", cls=Option, help="option.grant_parent")
@standard
def create_grant(  # noqa: PLR0913, PLR0917 - its options
    call: Invocation,
    delegator: str,
    delegate: str,
    actions: str,
    capabilities: str | None,
    hours: float | None,
    depth: int,
    classification: int | None,
    parent: str | None,
) -> int:
    """Lend rights."""
    expires = None if hours is None else rfc3339(SystemClock().now() + timedelta(hours=hours))
    made = asked(
        call,
        "grants.create",
        delegator=did_of(call, delegator),
        delegate=did_of(call, delegate),
        actions=_listed(actions),
        capabilities=None if capabilities is None else _listed(capabilities),
        expires_at=expires,
        depth=depth,
        parent=parent,
        classification=classification,
    )
    return tell(call, made)


@click.command("make", cls=Worded, help="grant_about.make", epilog="grant_example.make")
@click.option("--from", "delegator", required=True, metavar="AGENT", cls=Option, help="option.grant_from")
@click.option("--to", "delegate", required=True, metavar="DID", cls=Option, help="option.grant_to")
@click.option("--at", "audience", required=True, metavar="URL", cls=Option, help="option.grant_at")
@click.option("--actions", required=True, cls=Option, help="option.grant_actions_named")
@click.option("--capabilities", required=True, cls=Option, help="option.grant_capabilities_named")
@click.option("--hours", type=click.FloatRange(min=0, min_open=True, max=720), cls=Option, help="option.grant_hours")
@click.option("--depth", type=click.IntRange(0, MOST_LINKS - 1), default=0, cls=Option, help="option.grant_depth")
@click.option(
    "--classification",
    type=click.IntRange(0, 3),
    default=USUAL_CLASS,
    cls=Option,
    help="option.grant_classification",
)
@click.option("--parent", default="", cls=Option, help="option.grant_parent")
@standard
def make_grant(  # noqa: PLR0913, PLR0917 - its options
    call: Invocation,
    delegator: str,
    delegate: str,
    audience: str,
    actions: str,
    capabilities: str,
    hours: float | None,
    depth: int,
    classification: int,
    parent: str,
) -> int:
    """Sign a delegation of rights at another node, to be handed in there."""
    now = SystemClock().now()
    begins, ends = span(None if hours is None else now + timedelta(hours=hours), now.timestamp(), None)
    made = Grant(
        id=str(uuid4()),
        parent=parent,
        delegator=did_of(call, delegator),
        delegate=delegate,
        audience=_address(call, audience),
        actions=_named(call, actions, ACTIONS),
        capabilities=_named(call, capabilities),
        issued=begins,
        not_before=begins,
        expires=ends,
        depth=depth,
        classification=classification,
    )
    token = sign(made, _signer(call, made.delegator))
    take_apart(token)  # whoever gets it reads it like this
    call.progress(call.text("grant.made", at=made.audience))
    told = {"id": made.id, "token": token, "expires_at": rfc3339(datetime.fromtimestamp(ends, UTC))}
    return tell(call, told, token)


@click.command("add", cls=Worded, help="grant_about.add")
@click.argument("token", metavar="TOKEN|-")
@standard
def add_grant(call: Invocation, token: str) -> int:
    """Hand in what its delegator signed itself."""
    words = sys.stdin.read().strip() if token == _STDIN else token
    return tell(call, asked(call, "grants.add", token=words))


@click.command("list", cls=Worded, help="grant_about.list")
@click.option("--from", "delegator", metavar="AGENT", cls=Option, help="option.grant_from")
@click.option("--to", "delegate", metavar="DID", cls=Option, help="option.grant_to")
@click.option("--status", type=click.Choice(get_args(Status)), cls=Option, help="option.grant_status")
@click.option("--limit", type=click.IntRange(1, 10_000), default=100, cls=Option, help="option.most")
@standard
def list_grant(call: Invocation, delegator: str | None, delegate: str | None, status: str | None, limit: int) -> int:
    """List what was lent."""
    parties = {"delegator": delegator and did_of(call, delegator), "delegate": delegate and did_of(call, delegate)}
    rows = listed(call, "grants.list", "delegations", limit, status=status, **parties)
    if not call.as_json:
        rows = [row | {"status": call.text(f"grant_status.{row['status']}")} for row in rows]
    return tell_rows(call, rows, _COLUMNS)


@click.command("show", cls=Worded, help="grant_about.show")
@click.argument("grant_id", metavar="ID")
@standard
def show_grant(call: Invocation, grant_id: str) -> int:
    """Show one."""
    return tell(call, asked(call, "grants.show", grant_id=grant_id))


@click.command("revoke", cls=Worded, help="grant_about.revoke")
@click.argument("grant_id", metavar="ID")
@standard
def revoke_grant(call: Invocation, grant_id: str) -> int:
    """Take one back."""
    done = asked(call, "grants.revoke", grant_id=grant_id)
    return tell(call, {"revoked": done}, call.text("grant.revoked", id=done))
