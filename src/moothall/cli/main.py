"""The entry point: one process, one command, one exit code."""

from __future__ import annotations

import logging
import os
import sys
from collections.abc import Sequence
from io import TextIOWrapper

import click

from moothall.cli import process
from moothall.cli.failures import INTERRUPTED, show, show_usage
from moothall.cli.logs import asked_level, show_log
from moothall.cli.wording import CONTEXT, Commands, Option, asked_language
from moothall.errors import InternalError, MoothallError, UsageError
from moothall.messages import LANGS, Lang, text
from moothall.telemetry import logger

_NAMES = (
    "demo",
    "serve",
    "demand",
    "agents",
    "participants",
    "identity",
    "did",
    "call",
    "tools",
    "search",
    "crawl",
    "sources",
    "listings",
    "mcp",
    "events",
    "policy",
    "people",
    "teams",
    "groups",
    "grant",
    "approvals",
    "audit",
    "negotiate",
    "protocols",
    "routines",
    "forge",
    "services",
    "backup",
    "restore",
    "doctor",
)
_ELSEWHERE = {
    "did": "identity",
    "restore": "backup",
    "services": "forge",
    "tools": "call",
    "sources": "crawl",
    "listings": "search",
}
COMMANDS = {name: f"moothall.cli.{_ELSEWHERE.get(name, name)}:{name}" for name in _NAMES}
BROKEN_PIPE = 141
"""What shells show for a command whose reader left."""


@click.command(
    cls=Commands, table=COMMANDS, about="moot", context_settings=CONTEXT, help="help.about", no_args_is_help=True
)
@click.option("--lang", type=click.Choice(LANGS), expose_value=False, cls=Option, help="option.lang")
@click.version_option(package_name="moothall", message="moothall %(version)s", cls=Option, help="option.version")
def moot() -> None:
    """Hold the commands."""


def run(argv: Sequence[str]) -> int:
    """Run a command line and return its exit code."""
    lang = asked_language(argv)
    show_log(asked_level())
    try:
        _readable(argv, lang)
        return int(moot.main(list(argv), prog_name="moot", standalone_mode=False, obj=lang) or 0)
    except click.ClickException as error:
        return show_usage(error, lang)
    except MoothallError as error:
        return show(error, lang, as_json="--json" in argv)
    except (click.Abort, KeyboardInterrupt):
        return INTERRUPTED
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return BROKEN_PIPE
    except Exception as error:  # noqa: BLE001 - the last place where a fault can be told
        return _fault(error, lang)


def _readable(argv: Sequence[str], lang: Lang) -> None:
    """Refuse words that are no text: bytes that are not UTF-8 cannot be stored or sent."""
    for word in argv:
        try:
            word.encode()
        except UnicodeEncodeError as error:
            raise UsageError(text("cli.usage.not_utf8", lang)) from error


def _fault(error: Exception, lang: Lang) -> int:
    detailed = logging.getLogger("moothall").isEnabledFor(logging.DEBUG)
    logger("cli").critical("%s: %s", type(error).__name__, error, exc_info=detailed)
    return show(InternalError(type(error).__name__), lang)


def main() -> None:
    """Run ``moot`` as a program."""
    process.begin()
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):
            stream.reconfigure(errors="replace")  # a terminal without Chinese shows question marks, not a traceback
    sys.exit(run(sys.argv[1:]))
