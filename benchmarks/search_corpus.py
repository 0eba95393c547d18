"""The corpus of `search.py`: made-up agents, half of them Chinese, half English, the same for the same seed.

An agent lives in one of 30 cities and has two or three skills out of the 154 of the vocabulary of demands and of 48
crafts that the vocabulary does not know in either language (this is checked). It names each skill by any of the words
for it in its language (labels and synonyms; a craft has one word in each language), half of the agents have their
first skill as a tag, too, and every agent names one more skill that it does NOT do, in one of eight ways of saying so.
Around that stand sentences that name no skill. So the vocabulary is complete for what it knows at all, and what is
denied is denied in forms that the index was written to know: both make its figures upper bounds for real texts.

A question is in either language, whatever that of the agents who could answer it: one skill (60 %), one skill without
another (10 %), or two skills (30 %), half of all with a city. One of five skills that are asked for is a craft. The
right answers are by what agents do, not by words: all who have the skills (and not the other), there, in either
language; a craft that is asked for in one language is right in the other, too, which nobody can find here by words.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass

from moothall.directory.concepts import Vocabulary, load_vocabulary
from moothall.directory.listing import Listing
from moothall.directory.places import load_gazetteer

SEED = 20_261_122
CITIES = 30
UNKNOWN = 0.2

CRAFTS = [
    row.split("|")
    for row in """
箍桶|cooperage
榫卯修复|mortise restoration
制漏刻|clepsydra making
蜂箱打造|apiary carpentry
马蹄铁锻打|farriery
缂丝|kesi weaving
点翠|kingfisher inlay
刻漆|lacquer carving
制琉璃|vitreous casting
养蚕缫丝|sericulture
酿醋|vinegar brewing
腌火腿|ham curing
驯鹰|falconry
钟表擒纵调校|horology
烧炭|charcoal burning
编蓑衣|thatching
磨镜片|lens grinding
制松烟墨|inkstick pressing
凿石臼|stone dressing
扎龙骨水车|millwrighting
制弓箭|fletching
古籍装帧|bookbinding
蜡染|batik
铜胎掐丝|cloisonne
皮影雕刻|shadow puppet cutting
踩高跷|stilt walking
放烟火|pyrotechnics
玉石抛光|lapidary
观星定向|celestial navigation
洞穴测绘|speleology
潮间带赶海|foraging on tidal flats
菌种驯化|mycology
苔藓造景|bryophyte terraria
沙盘推演|wargaming
族谱编修|genealogy
纹章绘制|heraldry
摩尔斯电报|morse telegraphy
焰口吹制|flameworking
铸钟|bell founding
拓碑|rubbing of steles
种子分选|seed sorting
堤坝夯筑|rammed earth dykes
捻缝造船|caulking of hulls
牛轧糖拉制|nougat pulling
香料调香|perfumery
风洞试飞|wind tunnel trials
化石剥离|fossil preparation
量子退火编排|annealing schedules
""".strip().splitlines()
]

DOES_ZH = ("我们提供{}。", "主营{}。", "本人从事{}多年。", "擅长{}。", "承接{}，长期有效。")
DOES_EN = ("We do {}.", "We offer {}.", "I have done {} for years.", "My work is {}.", "You can book us for {}.")
NOT_ZH = (
    "不提供{}。",
    "我们不做{}。",
    "{}不做。",
    "暂不接{}。",
    "恕不承接{}。",
    "没有{}业务。",
    "不包括{}。",
    "谢绝{}的委托。",
)
NOT_EN = (
    "We do not do {}.",
    "We don't offer {}.",
    "No {}.",
    "{} is not offered.",
    "Sorry, we never do {}.",
    "We work without {}.",
    "Everything except {}.",
    "I no longer do {}.",
)
MORE_ZH = (
    "价格公道，欢迎来电。",
    "成立于二〇一二年，口碑很好。",
    "周末也营业。",
    "团队三个人。",
    "先付定金。",
    "经验丰富，回复很快。",
)
MORE_EN = (
    "Fair prices, just call.",
    "Founded in 2012 and well liked.",
    "Open on weekends.",
    "A team of three.",
    "We ask for a deposit.",
    "Long experience and quick answers.",
)
ASK_ZH = ("找{}", "谁会{}", "我想请人做{}", "{}", "需要{}")
ASK_EN = ("looking for {}", "who can do {}", "I need {}", "{}", "please find me {}")


@dataclass(frozen=True)
class Skill:
    key: str
    zh: tuple[str, ...]
    en: tuple[str, ...]
    known: bool


@dataclass(frozen=True)
class Agent:
    listing: Listing
    skills: frozenset[str]
    city: str


@dataclass(frozen=True)
class Question:
    text: str
    skills: tuple[str, ...]
    without: str
    city: str
    known: bool


class World:
    """Skills and cities, and what is made of them."""

    def __init__(self) -> None:
        vocabulary = load_vocabulary()
        self.skills = [
            Skill(one.id, (one.zh, *one.synonyms_zh), (one.en, *one.synonyms_en), known=True)
            for one in vocabulary.all()
        ]
        self.known = len(self.skills)
        self.skills += [Skill(f"craft-{number}", (zh,), (en,), known=False) for number, (zh, en) in enumerate(CRAFTS)]
        self.cities = load_gazetteer().all()[:CITIES]
        check_unknown(vocabulary)

    def agents(self, count: int, seed: int = SEED) -> Iterator[Agent]:
        chance = random.Random(seed)
        for number in range(count):
            yield self.agent(number, chance)

    def agent(self, number: int, chance: random.Random) -> Agent:
        zh = chance.random() < 0.5
        *skills, other = chance.sample(self.skills, chance.choice((3, 4)))
        city = chance.choice(self.cities)
        words = [chance.choice(skill.zh if zh else skill.en) for skill in skills]
        never = chance.choice(other.zh if zh else other.en)
        does = chance.choice(DOES_ZH if zh else DOES_EN).format(("、" if zh else ", ").join(words))
        denies = chance.choice(NOT_ZH if zh else NOT_EN).format(never)
        more = chance.sample(MORE_ZH if zh else MORE_EN, 2)
        parts = [does, denies[0].upper() + denies[1:], *more]
        chance.shuffle(parts)
        listing = Listing(
            target=f"a2a:https://a{number}.example",
            kind="agent",
            way="a2a",
            name=f"agent {number}",
            description=("" if zh else " ").join(parts),
            tags=(words[0],) if chance.random() < 0.5 else (),
            place=city.zh if zh else city.en,
            trust=chance.randrange(11),
            public=chance.random() < 0.5,
        )
        return Agent(listing, frozenset(skill.key for skill in skills), city.id)

    def questions(self, count: int, models: list[Agent], seed: int = SEED + 1) -> list[Question]:
        """Each has at least one right answer: the model that it was made after."""
        chance = random.Random(seed)
        skills = {skill.key: skill for skill in self.skills}
        found: list[Question] = []
        while len(found) < count:
            kind = chance.random()
            crafts = [chance.random() < UNKNOWN for _ in range(1 if kind < 0.7 else 2)]
            chosen: list[Skill] = []
            while not chosen:  # what is asked for is drawn first, so that one of five terms is a craft in the end, too
                model = chance.choice(models)
                chosen = _chosen([skills[key] for key in sorted(model.skills)], crafts)
            chance.shuffle(chosen)
            found.append(self._question(chosen, model.city, chance, without=0.6 <= kind < 0.7))
        return found

    def _question(self, chosen: list[Skill], city: str, chance: random.Random, *, without: bool) -> Question:
        zh = chance.random() < 0.5
        words = [chance.choice(one.zh if zh else one.en) for one in chosen]
        text = chance.choice(ASK_ZH if zh else ASK_EN).format(("和" if zh else " and ").join(words))
        other = chance.choice([one for one in self.skills[: self.known] if one not in chosen]) if without else None
        place = next(one for one in self.cities if one.id == city) if chance.random() < 0.5 else None
        if place:
            text = f"{place.zh}，{text}" if zh else f"{text} in {place.en}"
        if other:
            text += f"，不要{other.zh[0]}" if zh else f", without {other.en[0]}"
        known = all(one.known for one in chosen)
        keys = tuple(one.key for one in chosen)
        return Question(text, keys, other.key if other else "", place.id if place else "", known)


def _chosen(mine: list[Skill], crafts: list[bool]) -> list[Skill]:
    """Of the skills of one agent as many crafts and others as are asked for; empty: it has not so many."""
    left = list(mine)
    chosen = []
    for craft in crafts:
        one = next((one for one in left if one.known is not craft), None)
        if one is None:
            return []
        left.remove(one)
        chosen.append(one)
    return chosen


def check_unknown(vocabulary: Vocabulary) -> None:
    """No craft, and no sentence around, names a concept."""
    said = [word for row in CRAFTS for word in row]
    said += [text.format("") for text in (*DOES_ZH, *DOES_EN, *NOT_ZH, *NOT_EN, *MORE_ZH, *MORE_EN, *ASK_ZH, *ASK_EN)]
    known = {text: [mention.concept.id for mention in vocabulary.find(text)] for text in said}
    assert not any(known.values()), {text: found for text, found in known.items() if found}
