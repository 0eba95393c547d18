"""Concepts, activities and places: what the package data hold and how they are found in text."""

from __future__ import annotations

import pytest

from moothall.directory.activities import load_activities
from moothall.directory.concepts import Concept, Vocabulary, load_vocabulary
from moothall.directory.lexicon import Lexicon, fold
from moothall.directory.places import load_gazetteer

VOCABULARY = load_vocabulary()
GAZETTEER = load_gazetteer()
ACTIVITIES = load_activities()


def concepts_in(text: str) -> list[tuple[str, str]]:
    return [(mention.concept.id, mention.surface) for mention in VOCABULARY.find(text)]


def test_the_vocabulary_is_large_and_bilingual() -> None:
    concepts = VOCABULARY.all()
    assert len(concepts) >= 75
    assert all(2 <= len(concept.zh) <= 6 and concept.en for concept in concepts)
    assert all(len(concept.synonyms_zh) >= 2 and len(concept.synonyms_en) >= 2 for concept in concepts)


def test_every_word_of_a_concept_leads_back_to_it() -> None:
    for concept in VOCABULARY.all():
        for word in concept.surfaces:
            assert VOCABULARY.normalise(word) == concept.id, word


def test_neighbours_are_mutual_and_never_the_concept_itself() -> None:
    for concept in VOCABULARY.all():
        assert concept.id not in concept.related
        assert all(concept.id in VOCABULARY.related(other) for other in concept.related)


@pytest.mark.parametrize("word", ["场地提供", "演讲嘉宾", "活动策划", "摄影", "活动拍摄", "茶歇餐饮", "同声传译"])
def test_the_tags_of_the_specification_are_labels(word: str) -> None:
    assert VOCABULARY.label(str(VOCABULARY.normalise(word)), "zh") == word


def test_the_sample_demand_names_venue_and_speakers() -> None:
    assert concepts_in("我想在北京办一场AI主题聚会，需要场地和嘉宾") == [("venue", "场地"), ("speaker", "嘉宾")]


@pytest.mark.parametrize(
    "text", ["想找人一起搞点事情", "在火星上建基地", "I host a dinner for 30 guests in 45 minutes"]
)
def test_everyday_words_name_no_concept(text: str) -> None:
    assert [found for found in concepts_in(text) if found[0] != "catering"] == []


def test_the_longer_word_wins_and_spans_are_exact() -> None:
    text = "要活动拍摄，还要 Ｐhotographers 与 Make-up Artists"
    mentions = VOCABULARY.find(text)
    assert [mention.concept.id for mention in mentions] == ["event_filming", "photography", "makeup"]
    assert all(text[mention.start : mention.end] == mention.surface for mention in mentions)


@pytest.mark.parametrize("text", ["venuesque", "prevenue", "ahrn", "mcx"])
def test_latin_words_match_whole_words_only(text: str) -> None:
    assert concepts_in(text) == []


def test_a_tag_outside_the_vocabulary_is_compared_by_its_folded_text() -> None:
    assert VOCABULARY.normalise("火星基地") is None
    assert VOCABULARY.key("Glass  Blowing") == VOCABULARY.key("glass-blowing") == "glass blowing"
    assert VOCABULARY.key("会议室") == "venue"
    assert VOCABULARY.label("glass blowing", "en") == "glass blowing"
    assert VOCABULARY.related("glass blowing") == ()


def test_two_concepts_may_not_claim_one_word() -> None:
    def concept(name: str, synonym: str, related: tuple[str, ...] = ()) -> Concept:
        return Concept(name, "test", f"{name}一", name, (), (synonym,), related, on_site=True)

    with pytest.raises(ValueError, match="shared"):
        Vocabulary([concept("one", "shared"), concept("two", "Shared")])
    with pytest.raises(ValueError, match="unknown"):
        Vocabulary([concept("one", "word", related=("nowhere",))])


def test_activities_imply_known_concepts() -> None:
    assert len(ACTIVITIES.all()) >= 15
    for activity in ACTIVITIES.all():
        assert activity.implies
        for concept in (*activity.implies, *activity.typical):
            assert concept in VOCABULARY
        assert set(activity.implies).isdisjoint(activity.typical)


def test_a_meetup_implies_event_planning() -> None:
    [mention] = ACTIVITIES.find("我想在北京办一场AI主题聚会，需要场地和嘉宾")
    assert mention.surface == "聚会"
    assert mention.activity.label("zh") == "聚会"
    assert mention.activity.label("en") == "meetup"
    assert mention.activity.implies == ("event_planning",)
    assert ACTIVITIES.get("meetup") is mention.activity


def test_one_word_means_one_activity() -> None:
    owners: dict[str, str] = {}
    for activity in ACTIVITIES.all():
        for word in (activity.label_zh, activity.label_en, *activity.zh, *activity.en):
            assert owners.setdefault(fold(word), activity.id) == activity.id, word


def test_the_gazetteer_knows_the_cities() -> None:
    assert len(GAZETTEER.all()) >= 34
    for zh, en in [("拉萨", "Lhasa"), ("乌鲁木齐", "Urumqi"), ("香港", "Hong Kong"), ("北京", "Beijing")]:
        city = GAZETTEER.normalise(zh)
        assert city is not None
        assert city == GAZETTEER.normalise(en)
        assert GAZETTEER.name(city, "zh") == zh


def test_a_district_of_one_city_is_that_city() -> None:
    [mention] = GAZETTEER.find("在浦东办")
    assert (mention.city_id, mention.surface, mention.ambiguous) == ("shanghai", "浦东", ())
    assert GAZETTEER.normalise("海淀区") == "beijing"


def test_a_shared_district_is_ambiguous_until_a_city_is_named() -> None:
    [mention] = GAZETTEER.find("朝阳区的咖啡馆")
    assert mention.city_id is None
    assert set(mention.ambiguous) == {"beijing", "changchun"}
    assert [found.city_id for found in GAZETTEER.find("长春朝阳区")] == ["changchun", "changchun"]
    assert GAZETTEER.normalise("朝阳") is None


def test_a_place_outside_the_gazetteer_is_its_own_key() -> None:
    assert GAZETTEER.normalise("火星") is None
    assert GAZETTEER.key("Little Snoring") == "little snoring"
    assert GAZETTEER.name("little snoring", "en") == "little snoring"
    assert GAZETTEER.key("Haidian, Beijing") == "beijing"


def test_no_city_name_is_shared() -> None:
    lexicon = Lexicon((name, city.id) for city in GAZETTEER.all() for name in (city.zh, city.en, *city.aliases))
    for city in GAZETTEER.all():
        assert lexicon.get(city.zh) == lexicon.get(city.en) == (city.id,)


def test_a_word_may_have_several_meanings_in_a_lexicon() -> None:
    lexicon = Lexicon([("bank", 1), ("bank", 2), ("bank", 1), ("river bank", 3)])
    assert lexicon.get("Banks") == (1, 2)
    assert [hit.values for hit in lexicon.find("the River-Bank, a bank")] == [(3,), (1, 2)]
    assert lexicon.find("") == []
    assert lexicon.get("shore") == ()
