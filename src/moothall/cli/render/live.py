"""The live view: where the negotiation stands, who said what, and how long it may still take."""

from __future__ import annotations

from datetime import UTC, datetime
from types import TracebackType
from typing import Final, Self, TextIO

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.spinner import Spinner
from rich.table import Table
from rich.text import Text

from moothall.cli.render.clean import clean_all
from moothall.cli.render.lines import word
from moothall.cli.render.understood import limits_of
from moothall.cli.render.view import Agent, JsonObject, View
from moothall.messages import Lang, text

REFRESHES: Final = 8
"""Times a second that the screen is redrawn."""

_CHROME: Final = 10
"""Lines of the screen that are not rows of the table."""

_STYLES: Final = {
    "participate": "green",
    "accept": "bold green",
    "conditional": "yellow",
    "negotiate": "yellow",
    "decline": "dim",
    "withdraw": "red",
    "invited": "dim",
}
_ORDER: Final = ("accept", "negotiate", "withdraw", "participate", "conditional", "invited", "decline")


class Screen:
    """Redraws the view in place while it is open; its last state stays on the screen."""

    def __init__(self, out: TextIO, lang: Lang) -> None:
        self.view = View()
        self._lang = lang
        self._console = Console(file=out, highlight=False)
        self._spinner = Spinner("dots")
        self._live = Live(console=self._console, get_renderable=self._draw, refresh_per_second=REFRESHES)

    def __enter__(self) -> Self:
        self._live.start(refresh=True)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._live.stop()

    def event(self, event: JsonObject) -> None:
        """Take the event in; the next redrawing shows it."""
        self.view = self.view.apply(clean_all(event))

    def _draw(self) -> RenderableType:
        rows = max(1, self._console.size.height - _CHROME)
        return board(self.view, self._lang, datetime.now(UTC), rows, self._spinner)


def board(view: View, lang: Lang, now: datetime, rows: int, spinner: RenderableType = "") -> RenderableType:
    """The view as it stands at ``now``, with at most ``rows`` agents."""
    head = Table.grid(padding=(0, 1))
    head.add_row("" if view.ended else spinner, Text(view.demand, style="bold", overflow="ellipsis", no_wrap=True))
    return Group(head, *_facts(view, lang), Text(_state(view, lang, now), style="cyan"), _agents(view, lang, rows))


def _facts(view: View, lang: Lang) -> list[Text]:
    comma = text("cli.join", lang)
    lines = []
    if view.confidence:
        confidence = word("confidence", view.confidence, lang)
        tags = comma.join(view.tags) or text("cli.nothing", lang)
        lines.append(Text(text("cli.plan.understood", lang, confidence=confidence, tags=tags)))
    if limits := limits_of(view.understanding, lang):
        lines.append(Text(limits))
    if view.uncertainties:
        lines.append(Text(text("cli.plan.unclear", lang, what=comma.join(view.uncertainties)), style="yellow"))
    if view.gaps:
        gaps = comma.join(gap.get("gap_type", "") for gap in view.gaps)
        lines.append(Text(text("cli.plan.gaps", lang, gaps=gaps), style="yellow"))
    return lines


def _state(view: View, lang: Lang, now: datetime) -> str:
    parts = [word("phase", view.phase, lang)]
    if view.round:
        parts.append(text("cli.plan.round", lang, round=view.round, rounds=view.max_rounds))
    if view.invited:
        parts.append(text("cli.plan.offers", lang, offers=view.offers, invited=view.invited))
    tally = view.tally
    if tally.accept or tally.negotiate or tally.withdraw:
        counts = {"accept": tally.accept, "negotiate": tally.negotiate, "withdraw": tally.withdraw}
        parts.append(text("cli.plan.answers", lang, **counts))
    if view.deadline:
        left = (datetime.fromisoformat(view.deadline) - now).total_seconds()
        parts.append(text("cli.plan.left", lang, seconds=max(0, round(left))))
    return " · ".join(parts)


def _agents(view: View, lang: Lang, rows: int) -> RenderableType:
    if not view.agents:
        return Text("")
    grid = Table(box=None, padding=(0, 2, 0, 0), expand=True)
    grid.add_column(Text(text("cli.column.who", lang)), no_wrap=True, max_width=18, overflow="ellipsis")
    grid.add_column(Text(text("cli.column.status", lang)), no_wrap=True)
    grid.add_column(Text(text("cli.column.words", lang)), no_wrap=True, overflow="ellipsis", ratio=1)
    for agent in sorted(view.agents.values(), key=lambda agent: _ORDER.index(agent.state))[:rows]:
        grid.add_row(Text(agent.name), _said(agent, lang), Text(agent.words or agent.reason))
    return grid


def _said(agent: Agent, lang: Lang) -> Text:
    state = f"{agent.state}_silently" if agent.silent else agent.state
    return Text(word("state", state, lang), style=_STYLES[agent.state])
