"""``moot policy``: are the files right, and who may do what, and why?"""

from __future__ import annotations

import sys
from dataclasses import asdict
from pathlib import Path
from typing import get_args

import click
from rich.console import Console
from rich.table import Table
from rich.text import Text

from moothall.approvals.rules import Rules
from moothall.capability.spec import Action
from moothall.cli.at_node import asked, asked_with
from moothall.cli.invocation import Invocation, standard
from moothall.cli.parties import party_of
from moothall.cli.policy_cases import read
from moothall.cli.policy_files import checked, files_of, folder_of, folder_read
from moothall.cli.policy_trial import Tried, tried
from moothall.cli.render.clean import clean_line
from moothall.cli.render.explained import Asked, lines_of
from moothall.cli.render.shows import WIDTH
from moothall.cli.signals import run
from moothall.cli.telling import tell, tell_json, tell_rows
from moothall.cli.wording import Commands, Option, Worded
from moothall.errors import SettingsError, Told, UsageError

_PATH = click.Path(path_type=Path, exists=False)
_CASES = "cases.toml"
_FAILED = 1

policy = Commands(
    "policy",
    table={name: f"moothall.cli.policy:{name}_policy" for name in ("check", "explain", "test", "show", "reload")},
    about="policy",
    help="policy.about",
    no_args_is_help=True,
)


@click.command("check", cls=Worded, help="policy_about.check")
@click.argument("paths", metavar="[DIR|FILE...]", type=_PATH, nargs=-1)
@standard
def check_policy(call: Invocation, paths: tuple[Path, ...]) -> int:
    """Check the files of policies."""
    if missing := [path for path in paths if not path.exists()]:
        raise UsageError(call.text("policy.no_file", path=missing[0]))
    named = paths or (folder_of(call.settings()),)
    files = [file for path in named for file in (files_of(path) if path.is_dir() or not path.exists() else [path])]
    where, found = call.text("join").join(map(str, named)), checked(call, files)
    if found.policies is None:
        if call.as_json:
            tell_json(call, {"valid": False, "where": where, "faults": [asdict(fault) for fault in found.faults]})
        else:
            for fault in found.faults:
                call.result(clean_line(f"{fault.file}: {fault.fault}"))
        why = Told("cli.policy.faults", {"where": where, "number": len(found.faults)}, hint="cli.policy.faults_try")
        raise SettingsError("the files do not hold", told=why)
    sizes = {"files": len(files), "policies": len(found.policies.policies), "revision": found.policies.revision}
    told = {"valid": True, "where": where, **sizes}
    return tell(call, told, call.text("policy.valid", **told))


@click.command("explain", cls=Worded, help="policy_about.explain", epilog="policy_example.explain")
@click.option("--caller", required=True, metavar="ID", cls=Option, help="option.policy_caller")
@click.option("--capability", required=True, metavar="AGENT.NAME", cls=Option, help="option.policy_capability")
@click.option("--action", type=click.Choice(get_args(Action)), cls=Option, help="option.policy_action")
@click.option("--purpose", default="", metavar="TEXT", cls=Option, help="option.purpose")
@click.option("--node", "code", metavar="FILE.py", cls=Option, help="option.node")
@standard
def explain_policy(
    call: Invocation, caller: str, capability: str, action: str | None, purpose: str, code: str | None
) -> int:
    """Say whether somebody may call something, and why."""
    who = party_of(call, caller)
    found = asked_with(call, code, "policy.explain", who=who, resource=capability, action=action, purpose=purpose)
    if call.as_json:
        tell_json(call, found)
    else:
        for line in lines_of(found, Asked(who, capability, action or ""), call.lang):
            call.result(line)
    return 0


@click.command("test", cls=Worded, help="policy_about.test", epilog="policy_example.test")
@click.argument("file", type=_PATH, required=False)
@click.option("--policies", "folder", type=_PATH, cls=Option, help="option.policy_folder")
@standard
def test_policy(call: Invocation, file: Path | None, folder: Path | None) -> int:
    """Try cases with the policies."""
    folder = folder or folder_of(call.settings())
    rules = Rules()
    outcomes = run(tried(read(file or folder / _CASES), folder_read(folder, rules), rules))
    failed = [one for one in outcomes if not one.passed]
    if call.as_json:
        for one in outcomes:
            tell_json(call, _row(one))
    else:
        _print(call, outcomes)
    call.progress(call.text("policy.tried", cases=len(outcomes), failed=len(failed)))
    return _FAILED if failed else 0


@click.command("show", cls=Worded, help="policy_about.show")
@standard
def show_policy(call: Invocation) -> int:
    """List the policies that decide now."""
    found = asked(call, "policy.show")
    if not call.as_json:
        call.progress(call.text("policy.revision", revision=found["revision"]))
    return tell_rows(call, found["policies"], ("id", "layer", "effect", "reason", "source"))


@click.command("reload", cls=Worded, help="policy_about.reload")
@standard
def reload_policy(call: Invocation) -> int:
    """Let the node read its policy files now."""
    found = asked(call, "policy.reload")
    told = {"policies": len(found["policies"]), "revision": found["revision"]}
    return tell(call, told, call.text("policy.reloaded", **told))


def _row(one: Tried) -> dict[str, object]:
    case, result = one.case, one.result
    return {
        "case": case.label,
        "caller": case.caller.id,
        "capability": f"{case.capability.agent}.{case.capability.name}",
        "expected": case.expect,
        "effect": result.effect,
        "reason": result.reason,
        "policies": list(result.policies),
        "passed": one.passed,
    }


def _print(call: Invocation, outcomes: list[Tried]) -> None:
    grid = Table(box=None, padding=(0, 2, 0, 0))
    for name in ("outcome", "case", "expected", "effect", "policies"):
        grid.add_column(Text(call.text(f"column.{name}")), overflow="fold", no_wrap=name == "outcome")
    for one in outcomes:
        word = Text(call.text(f"policy.{'passed' if one.passed else 'failed'}"), style="green" if one.passed else "red")
        expected = " ".join(filter(None, (call.text(f"effect.{one.case.expect}"), one.case.policy)))
        by = call.text("join").join(one.result.policies)
        cells = (one.case.label, expected, call.text(f"effect.{one.result.effect}"), by)
        grid.add_row(word, *(Text(clean_line(cell)) for cell in cells))
    Console(file=sys.stdout, width=None if sys.stdout.isatty() else WIDTH, highlight=False).print(grid)
