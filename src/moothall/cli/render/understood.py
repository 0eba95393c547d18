"""What was understood of a demand, in words. Pure."""

from __future__ import annotations

from collections.abc import Iterator

from moothall.cli.render.view import JsonObject
from moothall.messages import Lang, text


def amount(value: float) -> str:
    """Money with thousands apart and only as many decimals as it has."""
    return f"{value:,.2f}".removesuffix(".00")


def limits_of(understanding: JsonObject, lang: Lang) -> str:
    """Place, date, people and budget as far as they were stated; empty when none was."""
    return text("cli.understood.join", lang).join(_limits(understanding, lang))


def _limits(understanding: JsonObject, lang: Lang) -> Iterator[str]:
    context, limits = understanding.get("context") or {}, understanding.get("constraints") or {}
    if place := context.get("location"):
        yield text("cli.understood.place", lang, place=place)
    if limits.get("online"):
        yield text("cli.understood.online", lang)
    if day := _days(limits) or context.get("date"):
        yield text("cli.understood.date", lang, date=day)
    if people := context.get("expected_attendees") or limits.get("attendees"):
        yield text("cli.understood.people", lang, people=people)
    if budget := budget_of(understanding):
        yield text("cli.understood.budget", lang, budget=f"{amount(budget[0])} {budget[1]}".strip())
    elif isinstance(said := context.get("budget"), str) and said:
        yield text("cli.understood.budget", lang, budget=said)


def budget_of(understanding: JsonObject) -> tuple[float, str] | None:
    """The stated budget and its currency."""
    limits = understanding.get("constraints") or {}
    budget = limits.get("budget")
    return None if budget is None else (budget, limits.get("currency", ""))


def _days(limits: JsonObject) -> str:
    return " – ".join(dict.fromkeys(str(day) for name in ("date_start", "date_end") if (day := limits.get(name))))
