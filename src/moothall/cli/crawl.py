"""``moot crawl`` and ``moot sources``: look around elsewhere, and remember where."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import groupby
from typing import Any

import click

from moothall.cli.at_node import asked, at_node
from moothall.cli.calling import Calls
from moothall.cli.desk import JsonObject
from moothall.cli.invocation import Invocation, standard
from moothall.cli.reasons import worded
from moothall.cli.telling import tell, tell_json, tell_rows
from moothall.cli.wording import Commands, Option, Worded
from moothall.errors import UpstreamError

_SECONDS = 120.0
_MOST = 8
"""Operations of one agent that are named each: a node itself has dozens, of which everything else would be lost."""

_COLUMNS = ("url", "kind", "checked_at", "failures", "reason")

sources = Commands(
    "sources",
    table={name: f"moothall.cli.crawl:{name}_sources" for name in ("list", "refresh", "remove")},
    about="sources",
    help="sources.about",
    no_args_is_help=True,
)


@click.command("crawl", cls=Worded, help="crawl.about", epilog="crawl.example")
@click.argument("place")
@standard
def crawl(call: Invocation, place: str) -> int:
    """Look around at a place and remember it."""
    return _told(call, _looked(call, "sources.add", place=place))


@click.command("list", cls=Worded, help="sources_about.list")
@click.option("--all", "whole", is_flag=True, cls=Option, help="option.all_sources")
@standard
def list_sources(call: Invocation, whole: bool) -> int:  # noqa: FBT001 - click's way
    """List places."""
    rows: list[JsonObject] = asked(call, "sources.list", all=whole)
    shown = rows if call.as_json else [row | {"reason": worded(row["why"], call.lang)} for row in rows]
    return tell_rows(call, shown, _COLUMNS)


@click.command("refresh", cls=Worded, help="sources_about.refresh")
@click.argument("url")
@standard
def refresh_sources(call: Invocation, url: str) -> int:
    """Read a place again."""
    return _told(call, _looked(call, "sources.refresh", url=url))


@click.command("remove", cls=Worded, help="sources_about.remove")
@click.argument("url")
@standard
def remove_sources(call: Invocation, url: str) -> int:
    """Forget a place."""
    gone = asked(call, "sources.remove", url=url)
    return tell(call, gone, call.text("sources.removed", places=gone["places"], listings=gone["listings"]))


def _looked(call: Invocation, name: str, **given: str) -> JsonObject:
    """What came of looking around, for which there is more time than for other things."""
    found: list[Any] = []

    async def work(calls: Calls) -> int:
        found.append(await calls.call(f"local:node.{name}", given, _SECONDS))
        return 0

    at_node(call, None, work)
    report: JsonObject = found[0]
    return report


def _told(call: Invocation, report: JsonObject) -> int:
    """Say what was found, and what was not read.

    Raises:
        UpstreamError: nothing could be read at all.
    """
    if call.as_json:
        tell_json(call, report)
        return 0
    for what, why in ((each["what"], worded(each["why"], call.lang)) for each in report["failures"]):
        call.progress(call.text("crawl.failed", what=what, why=why))
    for kind in ("changed", "refused"):
        for each in report[kind]:
            call.progress(call.text(f"crawl.{kind}", what=each["what"], why=worded(each["why"], call.lang)))
    if report["end"] != "complete":
        call.progress(call.text(f"crawl.end_{report['end']}"))
    found = len(report["listed"]) + len(report["changed"])
    if not found and report["failures"]:
        first = report["failures"][0]
        raise UpstreamError("nothing was found", why=worded(first["why"], call.lang))
    for line in _folded(call, report["listed"]):
        call.result(line)
    counts = {name: len(report[name]) for name in ("listed", "changed", "refused")}
    call.progress(call.text("crawl.counted", **counts, gone=report["gone"], documents=report["documents"]))
    return 0


def _folded(call: Invocation, targets: list[str]) -> Iterator[str]:
    """Agents and their operations, one a line; those of an agent that has many only counted."""
    for agent, operations in groupby(targets, lambda target: target.partition("#")[0]):
        lines = list(operations)
        count = sum("#" in line for line in lines)
        if count <= _MOST:
            yield from lines
        else:
            yield call.text("crawl.folded", agent=agent, count=count)
