"""Commands and options whose help is a key into the texts, so that ``--help`` speaks the person's language."""

from __future__ import annotations

import copy
import os
from collections.abc import Mapping, Sequence
from importlib import import_module
from typing import Any

import click

from moothall.messages import LANGS, Lang, system_lang, text

CONTEXT = {"help_option_names": ["-h", "--help"], "max_content_width": 110}


def asked_language(argv: Sequence[str], environment: Mapping[str, str] = os.environ) -> Lang:
    """The language of this call: ``--lang`` wherever it stands, then the environment."""
    for place, word in enumerate(argv):
        name, equals, value = word.partition("=")
        if name == "--lang":
            value = value if equals else (argv[place + 1] if place + 1 < len(argv) else "")
            for lang in LANGS:
                if lang == value:
                    return lang
    return system_lang(environment)


def language(ctx: click.Context) -> Lang:
    """The language of a call, as ``main`` put it into the context."""
    found: Lang = ctx.find_root().obj or "en"
    return found


class Option(click.Option):
    """An option whose ``help`` is a key."""

    def get_help_record(self, ctx: click.Context) -> tuple[str, str] | None:
        """Describe the option in the person's language."""
        told = copy.copy(self)
        told.help = text(f"cli.{self.help}", language(ctx))
        return click.Option.get_help_record(told, ctx)


class Worded(click.Command):
    """A command whose ``help`` is a key; the headings of its help are in the person's language too."""

    def format_usage(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the usage line."""
        prefix = text("cli.help.usage", language(ctx)) + " "
        formatter.write_usage(ctx.command_path, " ".join(self.collect_usage_pieces(ctx)), prefix=prefix)

    def format_help_text(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write what the command does."""
        formatter.write_paragraph()
        with formatter.indentation():
            formatter.write_text(text(f"cli.{self.help}", language(ctx)))
        if self.epilog:
            formatter.write_paragraph()
            formatter.write(text(f"cli.{self.epilog}", language(ctx)))

    def format_epilog(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write nothing at the end: ``epilog`` is the key of an example, which stands before the options."""

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the options."""
        rows = [
            row
            for parameter in self.get_params(ctx)
            if isinstance(parameter, click.Option)
            if (row := parameter.get_help_record(ctx))
        ]
        with formatter.section(text("cli.help.options", language(ctx))):
            formatter.write_dl(rows)

    def get_help_option(self, ctx: click.Context) -> click.Option | None:
        """Return ``--help``, in the person's language."""
        found = super().get_help_option(ctx)
        if found is not None:
            found.help = text("cli.help.help", language(ctx))
        return found


class Commands(Worded, click.Group):
    """A group that imports a command when it is used, never to list it."""

    def __init__(self, *args: Any, table: Mapping[str, str], about: str, **kwargs: Any) -> None:  # noqa: ANN401 - click's
        """Take the table of commands, and the key under which there is a line about each."""
        super().__init__(*args, **kwargs)
        self._table = table
        self._about = about

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - click's signature
        """Name the commands, in the order of the table."""
        return list(self._table)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002
        """Import a command: the table maps its name to ``module:attribute``."""
        if cmd_name not in self._table:
            return None
        module, _, attribute = self._table[cmd_name].partition(":")
        command: click.Command = getattr(import_module(module), attribute)
        return command

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the options, then the commands with a line about each."""
        Worded.format_options(self, ctx, formatter)
        lang = language(ctx)
        rows = [(name, text(f"cli.{self._about}.{name}", lang)) for name in self._table]
        with formatter.section(text("cli.help.commands", lang)):
            formatter.write_dl(rows)
