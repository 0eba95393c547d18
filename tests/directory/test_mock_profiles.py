"""The demonstration agents that travel with the package."""

from __future__ import annotations

import json
import re
from collections import Counter

import pytest

from moothall.directory.concepts import load_vocabulary
from moothall.directory.index import RegistrySnapshot
from moothall.directory.loading import load_profiles_from_file, mock_profiles_file
from moothall.directory.places import load_gazetteer
from moothall.directory.query import Query, Wanted
from moothall.directory.retrieval import rank
from moothall.messages import detect_lang

PROFILES = load_profiles_from_file(mock_profiles_file())
VOCABULARY = load_vocabulary()
GAZETTEER = load_gazetteer()


@pytest.mark.requirement("NEG-DATA-08")
def test_there_are_enough_in_both_languages() -> None:
    assert len(PROFILES) >= 120
    languages = Counter(detect_lang(profile.profile_summary) for profile in PROFILES)
    assert min(languages["zh"], languages["en"]) >= 30


def test_they_live_in_a_dozen_cities_of_the_gazetteer() -> None:
    cities = {GAZETTEER.normalise(profile.location) for profile in PROFILES}
    assert None not in cities
    assert len(cities) >= 12


def test_they_travel_to_cities_of_the_gazetteer() -> None:
    for profile in PROFILES:
        for offer in profile.capabilities.offers:
            assert all(GAZETTEER.normalise(city) for city in offer.travel_cities), profile.agent_id


def test_their_tags_are_concepts_and_cover_the_vocabulary_widely() -> None:
    claimed = {VOCABULARY.normalise(tag) for profile in PROFILES for tag in profile.tags}
    assert None not in claimed
    assert len(claimed) >= 60


def test_what_their_conditions_require_is_a_concept() -> None:
    for profile in PROFILES:
        for offer in profile.capabilities.offers:
            required = [term.tag for term in offer.conditions if term.kind == "requires"]
            assert all(tag and VOCABULARY.normalise(tag) for tag in required), profile.agent_id


def test_every_tag_is_offered_at_a_price_with_a_floor_below_it() -> None:
    for profile in PROFILES:
        assert {offer.tag for offer in profile.capabilities.offers} == set(profile.tags), profile.agent_id
        for offer in profile.capabilities.offers:
            floor = profile.reservation.floors[offer.tag]
            assert floor < offer.price or floor == offer.price == 0, profile.agent_id


def test_no_floor_is_told_in_words() -> None:
    for profile in PROFILES:
        offers = profile.capabilities.offers
        words = [profile.profile_summary, profile.availability]
        words += [text for offer in offers for text in (offer.title, *(term.text for term in offer.conditions))]
        numbers = set(re.findall(r"\d+", " ".join(words).replace(",", "")))
        floors = {f"{floor:.0f}" for floor in profile.reservation.floors.values() if floor >= 100}
        assert not numbers & floors, profile.agent_id


def test_names_and_summaries_are_all_different() -> None:
    assert len({profile.user_name for profile in PROFILES}) == len(PROFILES)
    assert len({profile.profile_summary for profile in PROFILES}) == len(PROFILES)


def test_the_file_is_in_order() -> None:
    text = mock_profiles_file().read_text(encoding="utf-8")
    rows = json.loads(text)
    assert [row["agent_id"] for row in rows] == sorted(row["agent_id"] for row in rows)
    assert text == json.dumps(rows, ensure_ascii=False, indent=2) + "\n"


@pytest.mark.parametrize(
    ("city", "concepts", "least"),
    [
        ("北京", ("场地提供", "演讲嘉宾", "活动策划"), 3),
        ("上海", ("演讲嘉宾", "茶歇餐饮", "活动策划"), 2),
        ("深圳", ("摄影", "场地提供"), 3),
    ],
)
def test_the_sample_demands_have_suitable_agents_for_each_concept(
    city: str, concepts: tuple[str, ...], least: int
) -> None:
    snapshot = RegistrySnapshot(PROFILES, VOCABULARY, GAZETTEER)
    for concept in concepts:
        suitable = [one for one in rank(snapshot, Query((Wanted(concept),), city=city)) if one.match_type == "explicit"]
        at_the_place = [one for one in suitable if one.matched[0].reach in {"here", "travels"}]
        assert len(at_the_place) >= least, concept
