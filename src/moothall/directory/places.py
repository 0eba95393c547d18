"""The gazetteer: cities with their other names and districts, in Chinese and English."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

from moothall.directory.lexicon import Hit, Lexicon, fold
from moothall.directory.source import read_rows

if TYPE_CHECKING:
    from moothall.messages import Lang

_UNITS = ("区", "县", "市", "镇", "湾")


@dataclass(frozen=True, slots=True)
class City:
    """A city; its districts are names of it, some of them shared with other cities."""

    id: str
    zh: str
    en: str
    aliases: tuple[str, ...]
    districts: tuple[str, ...]

    def names(self) -> Iterable[str]:
        """Every surface that means this city or a part of it; a Chinese district also with 区 after it."""
        yield from (self.zh, self.en, *self.aliases)
        for district in self.districts:
            yield district
            if not district.isascii() and not district.endswith(_UNITS):
                yield f"{district}区"


@dataclass(frozen=True, slots=True)
class PlaceMention:
    """A place named in a text; `text[start:end] == surface`.

    `ambiguous` holds the ids of the cities that share the name, and then `city_id` is `None`; it is empty when the
    place is certain, also when another place in the same text settles it (`北京朝阳`).
    """

    city_id: str | None
    start: int
    end: int
    surface: str
    ambiguous: tuple[str, ...] = ()


class Gazetteer:
    """All cities, immutable."""

    def __init__(self, cities: Iterable[City]) -> None:
        """Index the cities by all their names."""
        self._cities: Mapping[str, City] = {city.id: city for city in cities}
        self._lexicon = Lexicon((name, city.id) for city in self._cities.values() for name in city.names())

    def find(self, text: str) -> list[PlaceMention]:
        """The places named in a text, in its order."""
        hits = self._lexicon.find(text)
        certain = {hit.values[0] for hit in hits if len(hit.values) == 1}
        return [_settle(hit, certain) for hit in hits]

    def name(self, city_id: str, lang: Lang) -> str:
        """The name of a city; an id that is not in the gazetteer (a free place name) is its own name."""
        city = self._cities.get(city_id)
        if city is None:
            return city_id
        return city.zh if lang == "zh" else city.en

    def normalise(self, text: str) -> str | None:
        """The id of the city that `text` means: an id, a name, or an address that names one; else `None`."""
        if text in self._cities:
            return text
        whole = self._lexicon.get(text)
        if len(whole) == 1:
            return whole[0]
        return next((mention.city_id for mention in self.find(text) if mention.city_id), None)

    def key(self, place: str) -> str:
        """What places are compared by: the city id, or for a place outside the gazetteer its folded text."""
        return self.normalise(place) or fold(place)

    def all(self) -> tuple[City, ...]:
        """Every city, in the order of the file."""
        return tuple(self._cities.values())


def _settle(hit: Hit[str], certain: set[str]) -> PlaceMention:
    possible = [city for city in hit.values if city in certain] or list(hit.values)
    if len(possible) == 1:
        return PlaceMention(possible[0], hit.start, hit.end, hit.surface)
    return PlaceMention(None, hit.start, hit.end, hit.surface, tuple(possible))


@lru_cache(maxsize=1)
def load_gazetteer() -> Gazetteer:
    """The gazetteer that travels with the package (`data/cities.json`)."""
    return Gazetteer(
        City(row["id"], row["zh"], row["en"], tuple(row["aliases"]), tuple(row["districts"]))
        for row in read_rows("cities.json")
    )
