"""Saying in Chinese or English why an agent was chosen."""

from __future__ import annotations

from typing import TYPE_CHECKING

from moothall.messages import text

if TYPE_CHECKING:
    from collections.abc import Iterable

    from moothall.directory.concepts import Vocabulary
    from moothall.directory.places import Gazetteer
    from moothall.directory.query import Reason
    from moothall.messages import Lang


def say(reasons: Iterable[Reason], lang: Lang, vocabulary: Vocabulary, gazetteer: Gazetteer) -> str:
    """One sentence out of the reasons, in their order; concepts and cities by their names in `lang`."""
    stop = text("directory.reason.join", lang)
    return stop.join(_clause(reason, lang, vocabulary, gazetteer) for reason in reasons)


def _clause(reason: Reason, lang: Lang, vocabulary: Vocabulary, gazetteer: Gazetteer) -> str:
    values: dict[str, str] = {}
    for name, value in reason.values.items():
        if name in {"concept", "wanted"}:
            values[name] = vocabulary.label(str(value), lang)
        elif name == "concepts":
            comma = text("directory.reason.comma", lang)
            values[name] = comma.join(vocabulary.label(concept, lang) for concept in str(value).split(","))
        elif name in {"city", "target"}:
            values[name] = gazetteer.name(str(value), lang)
        else:
            values[name] = f"{value:.2f}".removesuffix(".00") if isinstance(value, float) else str(value)
    return text(f"directory.reason.{reason.key}", lang, **values)
