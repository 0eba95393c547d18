"""A plan as a table, and how a negotiation ended, in words."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date

from rich.console import Group, JustifyMethod, RenderableType
from rich.table import Table
from rich.text import Text

from moothall.cli.render.understood import amount, budget_of
from moothall.cli.render.view import JsonObject, View
from moothall.messages import Lang, text


def outcome(view: View, lang: Lang) -> RenderableType:
    """The end of a negotiation: the plan, how far it is agreed, what is open, what could help."""
    parts: list[RenderableType] = []
    if view.result == "failed":
        parts.append(Text(text("cli.plan.failed", lang, reason=view.reason or view.code), style="bold red"))
    plan = view.plan
    if plan and plan.get("assignments"):
        parts.append(table(plan, view.understanding, lang, "last" if view.result == "failed" else "title"))
    parts += [Text(line) for line in _standing(view, lang)]
    if view.compromise:
        parts += _works(view.compromise, lang)
    if view.suggestions:
        parts.append(Text(text("cli.plan.suggestions", lang)))
        parts += [Text(f"  • {line}") for line in view.suggestions if line != view.reason]
    return Group(*parts)


def _standing(view: View, lang: Lang) -> Iterator[str]:
    comma = text("cli.join", lang)
    if view.result in {"full", "partial"}:
        yield text(f"cli.plan.{view.result}", lang)
    if view.unconfirmed:
        yield text("cli.plan.unconfirmed", lang, names=comma.join(map(view.name_of, view.unconfirmed)))
    if view.gaps:
        yield text("cli.plan.gaps", lang, gaps=comma.join(gap.get("gap_type", "") for gap in view.gaps))
    if view.degraded:
        yield text("cli.plan.degraded", lang)


def _works(compromise: JsonObject, lang: Lang) -> list[RenderableType]:
    kept = [f"• {row.get('role', '')}: {row.get('display_name', '')}" for row in compromise.get("assignments", ())]
    parts: list[RenderableType] = [Text(compromise.get("summary", ""))]
    if kept:
        parts.append(Text(text("cli.plan.works", lang)))
        parts += [Text(f"  {line}") for line in kept]
    return parts


def table(plan: JsonObject, understanding: JsonObject, lang: Lang, title: str) -> Table:
    """Role, who, price, date and conditions of each assignment, and the total beside the budget."""
    heading, cost = Text(text(f"cli.plan.{title}", lang)), _cost(plan, understanding, lang)
    grid = Table(title=heading, title_justify="left", caption=cost, caption_justify="left")
    for name in ("role", "who", "price", "date", "conditions"):
        justify: JustifyMethod = "right" if name == "price" else "left"
        grid.add_column(Text(text(f"cli.column.{name}", lang)), justify=justify, overflow="fold")
    start = (plan.get("timeline") or {}).get("start_date", "")
    for row in plan["assignments"]:
        who = (row.get("role", ""), row.get("display_name", ""))
        grid.add_row(*map(Text, (*who, _price(row, lang), _day(start), _conditions(row, lang))))
    return grid


def _price(row: JsonObject, lang: Lang) -> str:
    price = row.get("price", 0)
    return f"{amount(price)} {row.get('currency', '')}".strip() if price else text("cli.plan.free", lang)


def _day(start: str) -> str:
    try:
        return date.fromisoformat(start[:10]).isoformat()
    except ValueError:
        return start


def _conditions(row: JsonObject, lang: Lang) -> str:
    told = []
    for condition in row.get("conditions", ()):
        state = condition.get("status", "open")
        word = text(f"cli.plan.condition_{state}", lang) if state in {"met", "declined", "open"} else state
        told.append(f"{condition.get('text', '')} ({word})")
    return "; ".join(told)


def _cost(plan: JsonObject, understanding: JsonObject, lang: Lang) -> Text:
    cost = plan.get("cost") or {}
    currency = cost.get("currency", "")
    line = text("cli.plan.total", lang, total=amount(cost.get("total", 0)), currency=currency)
    planned = cost.get("budget")
    # A plan in another currency than the budget has none of its own, so what was asked for is the one to tell.
    stated = budget_of(understanding) or (None if planned is None else (planned, currency))
    if stated is not None:
        key = "budget" if stated[1] == currency else "budget_apart"
        line += text(f"cli.plan.{key}", lang, budget=amount(stated[0]), currency=stated[1])
    return Text(line)
