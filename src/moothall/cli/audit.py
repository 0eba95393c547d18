"""``moot audit``: what was decided and done, checked, exported and listed; the node may be running meanwhile."""

from __future__ import annotations

import json
import os
import secrets
import sys
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TypeVar, get_args

import click

from moothall.audit.anchor import Anchor, Signers, read
from moothall.audit.anchor_file import FILE, tokens
from moothall.audit.archive import archive
from moothall.audit.export import Filter, export
from moothall.audit.exported import Checked, check
from moothall.audit.listing import MOST, Wanted, page
from moothall.audit.record import Kind
from moothall.audit.redaction import Redaction
from moothall.audit.verification import Fault, Finding, unproved
from moothall.cli.invocation import Invocation, standard
from moothall.cli.render.clean import clean_line, safe_json
from moothall.cli.signals import run
from moothall.cli.telling import tell_json
from moothall.cli.wording import Commands, Option, Worded
from moothall.clock import SystemClock, parse_rfc3339
from moothall.errors import InvalidInput, StorageError, UsageError
from moothall.identity.keystore import Keystore
from moothall.messages import text
from moothall.settings import Settings
from moothall.storage import private

T = TypeVar("T", bound=Callable[..., int])
_PATH = click.Path(dir_okay=False, path_type=Path)

audit = Commands(
    "audit",
    table={name: f"moothall.cli.audit:{name}_audit" for name in ("verify", "export", "list")},
    about="audit",
    help="audit.about",
    no_args_is_help=True,
)


def _selecting(command: T) -> T:
    """The options that select records."""
    options = (
        click.option("--since", default="", cls=Option, help="option.since"),
        click.option("--until", default="", cls=Option, help="option.until"),
        click.option("--actor", default="", cls=Option, help="option.actor"),
        click.option("--kind", type=click.Choice(get_args(Kind)), cls=Option, help="option.kind"),
    )
    for option in reversed(options):
        command = option(command)
    return command


@click.command("verify", cls=Worded, help="audit_about.verify")
@click.argument("file", type=_PATH, required=False)
@click.option("--anchors", type=_PATH, cls=Option, help="option.anchors")
@click.option("--signer", multiple=True, cls=Option, help="option.signer")
@standard
def verify_audit(call: Invocation, file: Path | None, anchors: Path | None, signer: Sequence[str]) -> int:
    """Check the chains of a store or an export."""
    others = _anchors(call, anchors) if anchors is not None else []
    if file is None:
        checked = run(_verified(call, call.settings(), others, signer))
    else:
        signers = Signers(dids=frozenset(signer), anybody=not signer)
        try:
            with file.open("rb") as lines:
                checked = check(lines, signers, others)
        except OSError as error:
            raise UsageError(call.text("audit_verify.no_file", path=file)) from error
    return _told(call, checked, unproved(checked.findings, others) if others or signer else ())


@click.command("export", cls=Worded, help="audit_about.export")
@_selecting
@click.option("--redact", is_flag=True, cls=Option, help="option.redact")
@click.option("-o", "--output", type=_PATH, cls=Option, help="option.output")
@standard
def export_audit(
    call: Invocation,
    since: str,
    until: str,
    actor: str,
    kind: str | None,
    redact: bool,  # noqa: FBT001 - click's way
    output: Path | None,
) -> int:
    """Write an export."""
    wanted = Filter(since=_when(call, since), until=_when(call, until), actor=actor, kind=kind or "")
    redaction = Redaction(secrets.token_bytes(32)) if redact else None
    if output is None:
        run(_exported(call.settings(), wanted, redaction, sys.stdout.buffer.write))
        sys.stdout.buffer.flush()
        return 0
    try:
        descriptor = private.opened(output, os.O_WRONLY | os.O_CREAT | os.O_EXCL)
    except StorageError as error:
        raise UsageError(call.text("audit_export.no_write", path=output), why=error.why) from error
    try:
        with os.fdopen(descriptor, "wb") as target:
            written = run(_exported(call.settings(), wanted, redaction, target.write))
    except BaseException:
        output.unlink(missing_ok=True)
        raise
    told = {"path": str(output), "lines": written}
    call.result(
        safe_json(json.dumps(told, ensure_ascii=False)) if call.as_json else call.text("audit_export.done", **told)
    )
    return 0


@click.command("list", cls=Worded, help="audit_about.list")
@_selecting
@click.option("--limit", type=click.IntRange(1, MOST), default=50, cls=Option, help="option.limit")
@standard
def list_audit(call: Invocation, since: str, until: str, actor: str, kind: str | None, limit: int) -> int:
    """Print the newest records."""
    wanted = Wanted(since=_when(call, since), until=_when(call, until), actor=actor, kind=kind or "", limit=limit)
    records = run(_listed(call.settings(), wanted))
    for record in records:
        call.result(safe_json(json.dumps(record, ensure_ascii=False)) if call.as_json else _line(record))
    if not records and not call.as_json:
        call.progress(call.text("audit_list.none"))
    return 0


async def _verified(call: Invocation, settings: Settings, others: Sequence[Anchor], dids: Sequence[str]) -> Checked:
    known = {one.signer.keyid: one.signer.key.public for one in Keystore.open(settings.data).all()}
    kept = settings.data / FILE  # read before the store: what it tells of must be there already
    beside = _anchors(call, kept) if kept.exists() else []
    async with archive(settings.data, settings.database_url) as store:
        findings = await store.verify(Signers(known, frozenset(dids)), [*beside, *others])
    return Checked(partial=False, redacted=False, findings=findings)


async def _exported(
    settings: Settings, wanted: Filter, redaction: Redaction | None, write: Callable[[bytes], Any]
) -> int:
    async with archive(settings.data, settings.database_url) as store:
        now = SystemClock().now()
        return await store.read(
            lambda connection: sum(map(_counted(write), export(connection, wanted, redaction, now)))
        )


def _counted(write: Callable[[bytes], Any]) -> Callable[[bytes], int]:
    def one(line: bytes) -> int:
        write(line)
        return 1

    return one


async def _listed(settings: Settings, wanted: Wanted) -> list[dict[str, Any]]:
    async with archive(settings.data, settings.database_url) as store:
        return (await store.read(lambda connection: page(connection, wanted))).records


def _anchors(call: Invocation, path: Path) -> list[Anchor]:
    try:
        with path.open("rb") as lines:
            found = list(tokens(lines))
    except OSError as error:
        raise UsageError(call.text("audit_verify.no_file", path=path)) from error
    anchors = []
    for number, token in enumerate(found, 1):
        try:
            anchors.append(read(token))
        except InvalidInput as error:
            raise InvalidInput(call.text("audit_verify.bad_anchors", path=path, line=number)) from error
    return anchors


def _told(call: Invocation, checked: Checked, bare: Sequence[str]) -> int:
    """Print what was found; ``bare`` are chains that should be confirmed by a statement and are not."""
    for finding in checked.findings:
        if call.as_json:
            fault = None if finding.fault is None else _row(call, finding.fault)
            tell_json(call, {**asdict(finding), "fault": fault})
        else:
            _say(call, finding)
    bad = checked.fault is not None or bool(bare) or any(finding.fault is not None for finding in checked.findings)
    fault = None if checked.fault is None else _row(call, checked.fault)
    if call.as_json:
        told = {"partial": checked.partial, "redacted": checked.redacted, "unproved": list(bare)}
        anchored = bool(checked.findings) and all(finding.anchored for finding in checked.findings)
        tell_json(call, {"sound": not bad, "anchored": anchored, **told, "fault": fault})
    else:
        if fault is not None:
            call.result(str(fault["why"]))
        for node in bare:
            call.result(call.text("audit_verify.unproved", node=node) if node else call.text("audit_verify.unmet"))
        for name in ("partial", "redacted"):
            if getattr(checked, name):
                call.progress(call.text(f"audit_verify.{name}"))
        if not checked.findings and checked.fault is None:
            call.progress(call.text("audit_verify.none"))
    return 1 if bad else 0


def _say(call: Invocation, finding: Finding) -> None:
    if finding.fault is not None:
        why = _why(call, finding.fault)
        call.result(call.text("audit_verify.bad", node=finding.node, seq=finding.fault.seq, why=why))
        return
    places = {"node": finding.node, "last": finding.last, "anchored": finding.anchored}
    call.result(call.text("audit_verify.sound", first=finding.first, **places))
    if finding.signers:
        call.progress(call.text("audit_verify.signed_by", signers=", ".join(finding.signers)))
    if not finding.anchored:
        call.progress(call.text("audit_verify.unsigned", **places))
    elif finding.anchored < finding.last:
        call.progress(call.text("audit_verify.tail", first=finding.anchored + 1, **places))


def _row(call: Invocation, fault: Fault) -> dict[str, Any]:
    return {**asdict(fault), "why": _why(call, fault)}


def _why(call: Invocation, fault: Fault) -> str:
    return text(f"audit.trouble.{fault.trouble}", call.lang, seq=fault.seq, sound=fault.sound)


def _line(record: dict[str, Any]) -> str:
    names = ("time", "kind", "actor", "action", "resource", "effect", "reason")
    said = [str(record.get(name, "")) for name in names]
    return clean_line("  ".join(each for each in said if each))


def _when(call: Invocation, words: str) -> datetime | None:
    """A time, or the beginning of a day."""
    if not words:
        return None
    with suppress(ValueError):
        return parse_rfc3339(words)
    with suppress(ValueError):
        return datetime.strptime(words, "%Y-%m-%d").replace(tzinfo=UTC)
    raise UsageError(call.text("audit_list.when", text=words))
