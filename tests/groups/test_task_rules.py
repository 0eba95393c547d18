"""The deterministic engine of tasks, by itself."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from moothall.canonical import dumps
from moothall.errors import InvalidInput
from moothall.events.encode import MAX_PAYLOAD
from moothall.groups.coordinator import GroupCoordinator, NoJournal
from moothall.groups.group import AgentGroup
from moothall.groups.model import GroupPolicy, Rule
from moothall.groups.task_model import MOST_PARTS, Offer, Outcome, Part, Task
from moothall.groups.task_rules import balanced, filled, joined, matched, parts_of, waves


def offer(name: str, member: str = "did:x:a", **more: object) -> Offer:
    return Offer(member=member, target=f"local:{name}", name=name, **more)  # type: ignore[arg-type]


def test_every_sentence_is_a_part() -> None:
    task = Task(description="订一间会议室；查一下天气。Then write a note. Send it")
    assert [part.text for part in parts_of(task)] == ["订一间会议室", "查一下天气", "Then write a note", "Send it"]


@given(st.integers(1, 30), st.randoms())
def test_waves_hold_every_part_once_and_after_those_before(count: int, random: object) -> None:
    parts = [
        Part(id=str(place), text="x", after=tuple(str(random.randrange(place)) for _ in range(place and 2)))  # type: ignore[attr-defined]
        for place in range(count)
    ]
    random.shuffle(parts)  # type: ignore[attr-defined]
    found = waves(parts)
    place = {part: wave for wave, ids in enumerate(found) for part in ids}
    assert sorted(place) == sorted(part.id for part in parts)
    assert all(place[before] < place[part.id] for part in parts for before in part.after)


def test_parts_that_wait_for_each_other_are_refused() -> None:
    with pytest.raises(InvalidInput):
        waves([Part(id="a", text="x", after=("b",)), Part(id="b", text="x", params={"n": {"$result": "a"}})])


def test_a_name_finds_what_has_it_and_words_only_what_reads() -> None:
    weather = offer("sky.weather", description="Tell the weather of a city", reads=True, needs=("city",), takes="city")
    pay = offer("bank.pay", description="Pay a bill of the city")
    named = Part(id="a", capability="pay")
    assert matched(named, [weather, pay], confirmed=False) == [pay]
    words = Part(id="b", text="the weather of the city of Beijing")
    assert matched(words, [weather, pay], confirmed=False) == [weather]
    assert matched(words, [weather, pay], confirmed=True) == [weather, pay]
    assert matched(Part(id="c", text="查天气"), [offer("s.w", description="查询城市天气", reads=True)], confirmed=False)
    assert matched(Part(id="d", capability="weather"), [weather], confirmed=False) == []  # an argument is missing


def test_the_one_text_that_is_needed_is_what_the_words_name_and_never_the_whole_sentence_for_a_city() -> None:
    weather = offer(
        "sky.weather", description="获取城市天气 Get the weather of a city", reads=True, needs=("city",), takes="city"
    )
    asked = Part(id="a", text="获取北京天气")
    assert matched(asked, [weather], confirmed=False) == [weather]
    assert filled(asked, weather, {}) == {"city": "北京"}
    for text in ("get information about user_id=u7", "say what the weather is"):  # nothing in common; no city
        assert matched(Part(id="b", text=text), [weather], confirmed=False) == []
    free = offer(
        "s.answer", description="Answer a question about the weather", reads=True, needs=("query",), takes="query"
    )
    said = Part(id="c", text="what is the weather like")
    assert matched(said, [free], confirmed=False) == [free]
    assert filled(said, free, {}) == {"query": "what is the weather like"}


def test_work_is_given_to_whoever_has_the_least() -> None:
    offers = [offer("a.work", "did:x:a"), offer("b.work", "did:x:b"), offer("c.work", "did:x:c")]
    first = {part: found[0].member for part, found in balanced(dict.fromkeys("pqr", offers)).items()}
    assert sorted(first.values()) == ["did:x:a", "did:x:b", "did:x:c"]


def test_what_is_missing_is_said() -> None:
    outcomes = {"a": Outcome(part="a", value={"x": 1}), "b": Outcome(part="b", error="TIMEOUT")}
    result = joined(["a", "b"], outcomes, {"a": "did:x:a"})
    assert (result.status, result.result, result.missing) == ("partial", {"a": {"x": 1}}, {"b": "TIMEOUT"})
    assert joined(["b"], {"b": outcomes["b"]}, {}).status == "failed"


@pytest.mark.requirement("GRP-08")
def test_a_rule_that_denies_counts_more_than_those_that_allow() -> None:
    deny, allow = Rule(sender="finance", receiver="health"), Rule(sender="*", receiver="*", effect="allow")
    finance, health = ("did:x:f", "finance"), ("did:x:h", "health")
    policy = GroupPolicy(messages="deny", rules=(allow, deny))
    assert not policy.allows(finance, health)
    assert policy.allows(health, finance)
    assert not GroupPolicy(messages="deny").allows(health, finance)
    assert not GroupPolicy(rules=(Rule(sender="did:x:f"),)).allows(finance, ("did:x:t", "travel"))


class Many:
    """Members that all offer the same, and say much of it."""

    async def offers(self) -> Sequence[Offer]:
        words = "weather " * 500
        return [offer(f"a{n}.weather", f"did:x:a{n}", description=words, reads=True, takes="city") for n in range(200)]

    async def present(self, member: str) -> bool:
        return bool(member)

    async def perform(self, offer: Offer, params: Mapping[str, Any], key: str, seconds: float) -> Any:
        return [offer.member, params, key, seconds]


class Journal(NoJournal):
    """Keeps what a run would."""

    def __init__(self) -> None:
        self.longest = 0

    async def step(self, key: str, fn: Callable[[], Awaitable[Any]]) -> Any:
        value = await super().step(key, fn)
        self.longest = max(self.longest, len(dumps({"value": value})))
        return value


@pytest.mark.requirement("GRP-06")
async def test_a_task_of_many_parts_for_many_members_stands_in_the_log() -> None:
    parts = tuple(Part(id=str(place), text="weather", params={"city": "Bern"}) for place in range(MOST_PARTS))
    journal = Journal()
    coordinator = GroupCoordinator(AgentGroup("team", "did:x:o", [], "group"), crew=Many())
    result = await coordinator.perform(Task(parts=parts), journal)
    assert result.status == "done"
    assert journal.longest <= MAX_PAYLOAD
