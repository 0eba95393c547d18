"""Kinds of undertaking (a meetup, a wedding, a product build) and what each of them calls for."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

from moothall.directory.lexicon import Lexicon
from moothall.directory.source import read_rows

if TYPE_CHECKING:
    from moothall.messages import Lang


@dataclass(frozen=True, slots=True)
class Activity:
    """`implies`: concept ids every such undertaking needs; `typical`: what most of them also have."""

    id: str
    label_zh: str
    label_en: str
    zh: tuple[str, ...]
    en: tuple[str, ...]
    implies: tuple[str, ...]
    typical: tuple[str, ...]

    def label(self, lang: Lang) -> str:
        """The name shown to people."""
        return self.label_zh if lang == "zh" else self.label_en


@dataclass(frozen=True, slots=True)
class ActivityMention:
    """An activity named in a text; `text[start:end] == surface`."""

    activity: Activity
    start: int
    end: int
    surface: str


class Activities:
    """All activities, immutable."""

    def __init__(self, activities: Iterable[Activity]) -> None:
        """Index the activities by their words."""
        self._activities: Mapping[str, Activity] = {activity.id: activity for activity in activities}
        self._lexicon = Lexicon(
            (word, activity)
            for activity in self._activities.values()
            for word in (activity.label_zh, activity.label_en, *activity.zh, *activity.en)
        )

    def get(self, activity_id: str) -> Activity:
        """The activity with that id; `KeyError` when there is none."""
        return self._activities[activity_id]

    def find(self, text: str) -> list[ActivityMention]:
        """The activities named in a text, in its order; where two overlap the longer word wins."""
        return [ActivityMention(hit.values[0], hit.start, hit.end, hit.surface) for hit in self._lexicon.find(text)]

    def all(self) -> tuple[Activity, ...]:
        """Every activity, in the order of the file."""
        return tuple(self._activities.values())


@lru_cache(maxsize=1)
def load_activities() -> Activities:
    """The activities that travel with the package (`data/activities.json`)."""
    return Activities(
        Activity(
            id=row["id"],
            label_zh=row["label_zh"],
            label_en=row["label_en"],
            zh=tuple(row["zh"]),
            en=tuple(row["en"]),
            implies=tuple(row["implies"]),
            typical=tuple(row["typical"]),
        )
        for row in read_rows("activities.json")
    )
