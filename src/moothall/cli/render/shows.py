"""Three ways to show a negotiation while it happens: redrawn in place, line by line, or as JSON Lines."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Protocol, TextIO

from moothall.cli.render.clean import clean_all, safe_json
from moothall.cli.render.lines import details_of, line_of
from moothall.cli.render.view import JsonObject, View
from moothall.messages import Lang

WIDTH = 110
"""Columns of a table that does not go to a terminal."""


class Show(Protocol):
    """Something that events are shown to."""

    view: View

    def event(self, event: JsonObject) -> None:
        """Show one more event."""


class JsonLines:
    """The events as they are in the stream, one a line."""

    def __init__(self, out: TextIO) -> None:
        self.view = View()
        self._out = out

    def event(self, event: JsonObject) -> None:
        """Write the event."""
        self.view = self.view.apply(event)
        line = json.dumps(event, ensure_ascii=False, separators=(",", ":"))
        self._out.write(safe_json(line) + "\n")
        self._out.flush()


class Lines:
    """One line for each event, and a few below the understanding."""

    def __init__(self, out: TextIO, lang: Lang) -> None:
        self.view = View()
        self._out = out
        self._lang = lang

    def event(self, event: JsonObject) -> None:
        """Write the line, and what belongs below it."""
        told = clean_all(event)
        for line in (line_of(told, self.view, self._lang), *details_of(told, self._lang)):
            self._out.write(line + "\n")
        self._out.flush()
        self.view = self.view.apply(told)


class Silent:
    """Shows nothing and only keeps the view."""

    def __init__(self) -> None:
        self.view = View()

    def event(self, event: JsonObject) -> None:
        """Take the event in."""
        self.view = self.view.apply(clean_all(event))


def print_outcome(view: View, out: TextIO, lang: Lang) -> None:
    """Write how the negotiation ended."""
    from rich.console import Console  # noqa: PLC0415 - JSON Lines do without rich

    from moothall.cli.render.plan import outcome  # noqa: PLC0415

    Console(file=out, width=None if out.isatty() else WIDTH, highlight=False).print(outcome(view, lang))


@contextmanager
def showing(out: TextIO, lang: Lang, *, as_json: bool, live: bool) -> Iterator[Show]:
    """A way to show a negotiation on ``out``; the last state of a live view stays on the screen."""
    if as_json:
        yield JsonLines(out)
    elif live:
        from moothall.cli.render.live import Screen  # noqa: PLC0415 - only a terminal needs it

        with Screen(out, lang) as screen:
            yield screen
    else:
        yield Lines(out, lang)
