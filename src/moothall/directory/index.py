"""The registry as one demand sees it: immutable, versioned, indexed by concept.

A running channel keeps the snapshot it started with; edits make a new one.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from types import MappingProxyType
from typing import TYPE_CHECKING

from moothall.directory.lexicon import fold

if TYPE_CHECKING:
    from moothall.directory.concepts import Vocabulary
    from moothall.directory.places import Gazetteer
    from moothall.directory.profiles import AgentProfile, CapabilityOffer, ConditionKind

Key = Callable[[str], str]


@dataclass(frozen=True, slots=True)
class OfferEntry:
    """One offer, made ready for comparison.

    `travels` holds the keys of the cities it goes to, `words` its title and the agent's interests, folded. It serves
    `fewest` to `most` people (`None`: any number); not empty `themes` are the only ones it is given for; `requires` are
    the keys of what somebody else has to provide.
    """

    offer: CapabilityOffer
    travels: frozenset[str]
    words: str
    fewest: float
    most: float | None
    themes: tuple[str, ...]
    requires: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Holding:
    """One concept an agent claims by `tag`; without `offers` it is a claim in prose only."""

    key: str
    tag: str
    offers: tuple[OfferEntry, ...]
    remote: bool


@dataclass(frozen=True, slots=True)
class Entry:
    """One agent, with the key of its city and what it holds, by concept key.

    `likeness` is a digest of what the card offers: equal for agents that differ in name and prose alone.
    """

    profile: AgentProfile
    city: str
    holdings: Mapping[str, Holding]
    likeness: str


class RegistrySnapshot:
    """Some profiles at one moment, ready for retrieval. Order of the profiles given does not matter."""

    def __init__(
        self, profiles: Iterable[AgentProfile], vocabulary: Vocabulary, gazetteer: Gazetteer, version: str = ""
    ) -> None:
        """Index `profiles`; `version` names their state."""
        self.version = version
        self.vocabulary = vocabulary
        self.gazetteer = gazetteer
        self.profiles = tuple(sorted(profiles, key=lambda profile: profile.agent_id))
        self._profiles = {profile.agent_id: profile for profile in self.profiles}
        by_concept: dict[str, list[Entry]] = {}
        concept_key, place_key = cache(vocabulary.key), cache(gazetteer.key)
        for profile in self.profiles:
            entry = _entry(profile, vocabulary, concept_key, place_key)
            for key in entry.holdings:
                by_concept.setdefault(key, []).append(entry)
        self._by_concept = MappingProxyType({key: tuple(entries) for key, entries in by_concept.items()})

    def __len__(self) -> int:
        """How many agents it holds."""
        return len(self.profiles)

    def get(self, agent_id: str) -> AgentProfile | None:
        """The profile of an agent, or `None`."""
        return self._profiles.get(agent_id)

    def holders(self, concept: str) -> tuple[Entry, ...]:
        """The agents that claim a concept (an id, or the key of a free tag), ordered by agent id."""
        return self._by_concept.get(concept, ())

    @property
    def concepts(self) -> frozenset[str]:
        """The keys of all concepts that some agent claims."""
        return frozenset(self._by_concept)


def _entry(profile: AgentProfile, vocabulary: Vocabulary, concept_key: Key, place_key: Key) -> Entry:
    offers: dict[str, list[OfferEntry]] = {}
    for offer in profile.capabilities.offers:
        entry = _offer_entry(offer, " ".join(profile.interests), place_key, concept_key)
        offers.setdefault(concept_key(offer.tag), []).append(entry)
    holdings: dict[str, Holding] = {}
    for tag in profile.tags:
        key = concept_key(tag)
        if key not in holdings:
            afar = key in vocabulary and not vocabulary.concept(key).on_site
            holdings[key] = Holding(key, tag, tuple(offers.get(key, ())), remote=afar)
    city = place_key(profile.location)
    return Entry(profile, city, MappingProxyType(holdings), _likeness(profile, city, holdings))


def _likeness(profile: AgentProfile, city: str, holdings: Mapping[str, Holding]) -> str:
    terms = profile.capabilities
    offers = sorted(offer.model_dump_json(exclude={"title"}) for offer in terms.offers)
    card = f"{city}\n{sorted(holdings)}\n{terms.max_roles}\n{terms.calendar.model_dump_json()}\n{offers}"
    return hashlib.blake2b(card.encode(errors="surrogatepass"), digest_size=12).hexdigest()


def _offer_entry(offer: CapabilityOffer, interests: str, place_key: Key, concept_key: Key) -> OfferEntry:
    def values(kind: ConditionKind) -> list[float]:
        return [term.value for term in offer.conditions if term.kind == kind and term.value is not None]

    most = [*values("max_attendees"), *([] if offer.capacity is None else [offer.capacity])]
    return OfferEntry(
        offer=offer,
        travels=frozenset(place_key(city) for city in offer.travel_cities),
        words=fold(f"{offer.title} {interests}"),
        fewest=max([offer.min_attendees, *values("min_attendees")]),
        most=min(most) if most else None,
        themes=tuple(fold(text) for term in offer.conditions if term.kind == "theme" for text in term.texts),
        requires=frozenset(concept_key(term.tag) for term in offer.conditions if term.kind == "requires" and term.tag),
    )
