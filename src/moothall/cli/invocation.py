"""What every command gets: language, form of the output, data directory, and the two streams."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, TextIO

import click

from moothall.cli.logs import asked_level, show_log
from moothall.cli.wording import Option, language
from moothall.messages import LANGS, Lang, text

if TYPE_CHECKING:
    from moothall.settings import Settings


@dataclass(frozen=True, slots=True)
class Invocation:
    """One call of a command. stdout is the result, stderr the progress."""

    lang: Lang
    as_json: bool
    data: Path | None
    lang_given: bool = False
    verbose: bool = False

    def text(self, key: str, /, **values: object) -> str:
        """A text of the command line in the person's language."""
        return text(f"cli.{key}", self.lang, **values)

    def settings(self, **given: object) -> Settings:
        """The settings; options that were given win over environment and file.

        Raises:
            SettingsError: a value does not fit.
        """
        from moothall.settings import load_settings  # noqa: PLC0415 - pydantic is not needed to say --help

        lang = self.lang if self.lang_given else None
        return load_settings(**{"data": self.data, "lang": lang, **given})

    def result(self, line: str) -> None:
        """Write a line of the result."""
        click.echo(line)

    def progress(self, line: str) -> None:
        """Write a line about what happens."""
        click.echo(line, err=True)

    def live(self, out: TextIO) -> bool:
        """Whether what is on ``out`` may be redrawn in place: a terminal, and nobody asked for plain lines."""
        plain = any(os.environ.get(name) for name in ("NO_COLOR", "CI")) or os.environ.get("TERM") == "dumb"
        return out.isatty() and not plain and not self.as_json


_OPTIONS = (
    click.option("--data", type=click.Path(file_okay=False, path_type=Path), cls=Option, help="option.data"),
    click.option("--json", "as_json", is_flag=True, cls=Option, help="option.json"),
    click.option("--lang", type=click.Choice(LANGS), cls=Option, help="option.lang"),
    click.option("--verbose", is_flag=True, cls=Option, help="option.verbose"),
)


def standard(command: Callable[..., int]) -> Callable[..., int]:
    """Give a command the options that all commands have; its first parameter is the `Invocation`."""

    def run(ctx: click.Context, /, **options: Any) -> int:  # noqa: ANN401 - the command's own options
        data, as_json, lang, verbose = (options.pop(name) for name in ("data", "as_json", "lang", "verbose"))
        show_log(asked_level(), verbose=verbose)
        return command(Invocation(lang or language(ctx), as_json, data, lang is not None, verbose), **options)

    run.__dict__.update(command.__dict__)  # the options of the command, which click keeps there
    decorated: Callable[..., int] = click.pass_context(run)
    for option in reversed(_OPTIONS):
        decorated = option(decorated)
    return decorated
