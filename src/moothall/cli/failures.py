"""How a failed command says so: ``error: … / why: … / try: …`` on stderr, or one line of JSON, and its exit code."""

from __future__ import annotations

import json

import click

from moothall.cli.render.clean import clean_line, safe_json
from moothall.error_table import ERRORS
from moothall.errors import MoothallError
from moothall.messages import Lang, explain, text

_PENDING = "APPROVAL_PENDING"
INTERRUPTED = 130
"""What shells expect of a command that Ctrl-C ended."""


def show(error: MoothallError, lang: Lang, *, as_json: bool = False) -> int:
    """Write the error and return the exit code that belongs to its code; for programs with its details."""
    told = explain(error, lang)
    if as_json:
        row = {"code": error.code, "message": told.message, "why": told.why, "hint": told.hint}
        shown = json.dumps({"error": row | {"details": dict(error.details)}}, ensure_ascii=False, default=str)
        click.echo(safe_json(shown), err=True)
        return error.exit_code
    said_already = error.told is None and error.why and error.message.endswith(error.why)
    why = error.message if said_already else told.why
    _write(told.message, "" if why == told.message else why, told.hint, lang)
    if approval := error.details.get("approval_id") if error.code == _PENDING else None:
        for line in text("cli.failure.go_on", lang, id=clean_line(str(approval))).splitlines():
            click.echo(line, err=True)
    return error.exit_code


def show_usage(error: click.ClickException, lang: Lang) -> int:
    """Write a mistake in the command line."""
    if isinstance(error, click.exceptions.NoArgsIsHelpError):
        error.show()
        return ERRORS["USAGE"].exit_code
    ctx = error.ctx if isinstance(error, click.UsageError) else None
    command = ctx.command_path if ctx else "moot"
    _write(text("errors.USAGE.message", lang), _said(error, lang), f"{command} --help", lang)
    return ERRORS["USAGE"].exit_code


def _said(error: click.ClickException, lang: Lang) -> str:
    if isinstance(error, click.NoSuchOption):
        return _with_guesses(text("cli.usage.no_option", lang, name=error.option_name), error.possibilities)
    if isinstance(error, click.exceptions.NoSuchCommand):
        return _with_guesses(text("cli.usage.no_command", lang, name=error.command_name), error.possibilities)
    if isinstance(error, click.MissingParameter):
        named = error.param.get_error_hint(error.ctx) if error.param and error.ctx else ""
        return text("cli.usage.missing", lang, name=named.strip("'"))
    return error.format_message()


def _with_guesses(line: str, guesses: list[str] | None) -> str:
    return f"{line} ({', '.join(guesses)}?)" if guesses else line


def _write(message: str, why: str, hint: str, lang: Lang) -> None:
    for key, value in (("error", message), ("why", why), ("try", hint)):
        if value:
            click.echo(f"{text(f'cli.failure.{key}', lang)} {clean_line(value)}", err=True)
