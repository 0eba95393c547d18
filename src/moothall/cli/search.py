"""``moot search`` and ``moot listings``: find what can be called, and say what of it may be."""

from __future__ import annotations

from typing import get_args

import click

from moothall.calls.remotes import SHOWN
from moothall.cli.at_node import asked
from moothall.cli.desk import JsonObject
from moothall.cli.invocation import Invocation, standard
from moothall.cli.reasons import worded
from moothall.cli.telling import tell, tell_json, tell_rows
from moothall.cli.wording import Commands, Option, Worded
from moothall.directory.listing import Kind, Standing, Way

_COLUMNS = ("target", "score", "parts", "name", "from", "description")
_LISTED = ("target", "standing", "name", "from", "reason")
_BRIEF = ("name", "description")
_MOST = 100
_NONE = "-"
"""In the place of a target, of what is shown and cannot be called."""

listings = Commands(
    "listings",
    table={name: f"moothall.cli.search:{name}_listings" for name in ("list", "show", "approve", "refuse")},
    about="listings",
    help="listings.about",
    no_args_is_help=True,
)


@click.command("search", cls=Worded, help="search.about", epilog="search.example")
@click.argument("words", metavar="TEXT", nargs=-1)
@click.option("--kind", "kinds", type=click.Choice(get_args(Kind)), multiple=True, cls=Option, help="option.found_kind")
@click.option("--way", "ways", type=click.Choice(get_args(Way)), multiple=True, cls=Option, help="option.found_way")
@click.option("--tag", "tags", multiple=True, cls=Option, help="option.found_tag")
@click.option("--place", default="", cls=Option, help="option.found_place")
@click.option("--day", default="", metavar="YYYY-MM-DD", cls=Option, help="option.found_day")
@click.option("--owner", default="", cls=Option, help="option.found_owner")
@click.option("--from", "source", default="", cls=Option, help="option.found_source")
@click.option("--trust", type=click.IntRange(0, 10), default=0, cls=Option, help="option.found_trust")
@click.option("--unusable", is_flag=True, cls=Option, help="option.found_unusable")
@click.option("--limit", type=click.IntRange(1, _MOST), default=10, cls=Option, help="option.found_limit")
@standard
def search(  # noqa: PLR0913, PLR0917 - its options
    call: Invocation,
    words: tuple[str, ...],
    kinds: tuple[str, ...],
    ways: tuple[str, ...],
    tags: tuple[str, ...],
    place: str,
    day: str,
    owner: str,
    source: str,
    trust: int,
    unusable: bool,  # noqa: FBT001 - click's way
    limit: int,
) -> int:
    """Find what can be called."""
    found = asked(
        call,
        "search",
        query=" ".join(words),
        kinds=list(kinds) or None,
        ways=list(ways) or None,
        tags=list(tags) or None,
        place=place or None,
        day=day or None,
        owner=owner or None,
        source=source or None,
        min_trust=trust or None,
        usable=not unusable,
        limit=limit,
    )
    if call.as_json:
        for hit in found["hits"]:
            tell_json(call, hit)
        return 0
    tell_rows(call, [_hit(call, hit) for hit in found["hits"]], _COLUMNS, _BRIEF)
    for hit in found["hits"]:
        if hit["looks_like"]:
            others = call.text("join").join(hit["looks_like"])
            call.progress(call.text("search.alike", target=hit["target"], others=others))
    call.progress(call.text("search.counted", shown=len(found["hits"]), total=found["total"]))
    return 0


@click.command("list", cls=Worded, help="listings_about.list")
@click.option("--standing", type=click.Choice(get_args(Standing)), cls=Option, help="option.found_standing")
@click.option("--from", "source", default="", cls=Option, help="option.found_source")
@click.option("--after", default="", metavar="TARGET", cls=Option, help="option.found_after")
@click.option("--limit", type=click.IntRange(1, _MOST), default=_MOST, cls=Option, help="option.found_limit")
@standard
def list_listings(call: Invocation, standing: str | None, source: str, after: str, limit: int) -> int:
    """List what was found elsewhere."""
    page = asked(call, "listings.list", standing=standing, source=source, after=after, limit=limit)
    rows: list[JsonObject] = page["listings"]
    tell_rows(call, rows if call.as_json else [_row(call, row) for row in rows], _LISTED)
    if page["next"] and not call.as_json:
        call.progress(call.text("listings.more", after=page["next"]))
    return 0


@click.command("show", cls=Worded, help="listings_about.show")
@click.argument("target")
@standard
def show_listings(call: Invocation, target: str) -> int:
    """Show one."""
    found = asked(call, "listings.show", target=target)
    return tell(call, found, found | {"why": worded(found["why"], call.lang)})


@click.command("approve", cls=Worded, help="listings_about.approve")
@click.argument("target")
@click.option("--digest", default="", cls=Option, help="option.found_digest")
@click.option("--trust", type=click.IntRange(0, 10), default=None, cls=Option, help="option.found_trusted")
@standard
def approve_listings(call: Invocation, target: str, digest: str, trust: int | None) -> int:
    """Let a description be used."""
    found = asked(call, "listings.approve", target=target, digest=digest, trust=trust)
    return tell(call, found, call.text("listings.approved", target=found["target"]))


@click.command("refuse", cls=Worded, help="listings_about.refuse")
@click.argument("target")
@standard
def refuse_listings(call: Invocation, target: str) -> int:
    """Let it never be used."""
    found = asked(call, "listings.refuse", target=target)
    return tell(call, found, call.text("listings.refused", target=found["target"]))


def _hit(call: Invocation, hit: JsonObject) -> JsonObject:
    parts = [f"{call.text(f'search.{name}')} {share:.2f}" for name, share in hit["breakdown"].items() if share]
    return {
        "target": _NONE if hit["target"].startswith(f"{SHOWN}:") else hit["target"],
        "score": f"{hit['score']:.2f}",
        "parts": " + ".join(parts),
        "name": hit["name"],
        "from": hit["origin"] or call.text("search.here"),
        "description": hit["description"],
    }


def _row(call: Invocation, row: JsonObject) -> JsonObject:
    return row | {
        "standing": call.text(f"standing.{row['standing']}"),
        "from": row["origin"],
        "reason": worded(row["why"], call.lang),
    }
