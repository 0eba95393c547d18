"""``moot doctor``: is everything as it should be, and which settings are in effect?"""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from dataclasses import asdict

import click
from rich.console import Console
from rich.table import Table
from rich.text import Text

from moothall.cli.checks import Finding, examine, examine_package, wrong_settings
from moothall.cli.effective import Setting, effective
from moothall.cli.invocation import Invocation, standard
from moothall.cli.render.shows import WIDTH
from moothall.cli.signals import run
from moothall.cli.wording import Worded
from moothall.errors import SettingsError

_STYLES = {"ok": "green", "note": "yellow", "wrong": "bold red"}


@click.command("doctor", cls=Worded, help="doctor.about")
@standard
def doctor(call: Invocation) -> int:
    """Examine the installation."""
    findings, rows = examine_package(call), list[Setting]()
    try:
        settings = call.settings()
    except SettingsError as error:
        findings.append(wrong_settings(error))
    else:
        given = {name for name, value in (("data", call.data), ("lang", call.lang_given)) if value}
        rows = effective(settings, given)
        findings += run(examine(call, settings))
    if call.as_json:
        for finding in findings:
            call.result(json.dumps(asdict(finding)))
        for row in rows:
            call.result(json.dumps(asdict(row)))
    else:
        _print(call, findings, rows)
    return 1 if any(finding.grade == "wrong" for finding in findings) else 0


def _print(call: Invocation, findings: Sequence[Finding], rows: Sequence[Setting]) -> None:
    console = Console(file=sys.stdout, width=None if sys.stdout.isatty() else WIDTH, highlight=False)
    grid = Table(box=None, padding=(0, 2, 0, 0), show_header=False)
    for finding in findings:
        grade = Text(call.text(f"doctor.{finding.grade}"), style=_STYLES[finding.grade])
        grid.add_row(grade, Text(call.text(f"doctor.{finding.check}")), Text(finding.found))
    console.print(grid)
    if not rows:
        return
    console.print()
    table = Table(box=None, padding=(0, 2, 0, 0))
    for name in ("setting", "value", "origin"):
        table.add_column(Text(call.text(f"column.{name}")), overflow="fold")
    for row in rows:
        origin = row.source or call.text("doctor.set_default")
        table.add_row(Text(row.setting), Text(row.value), Text(origin, style="dim" if row.origin == "default" else ""))
    console.print(table)
