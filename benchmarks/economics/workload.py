"""The workload: who asks whom for what, how often, with which values; and what is right. Seeded, pure."""

from __future__ import annotations

import json
import random
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from hashlib import sha256

from benchmarks.economics.catalogue import TASKS
from benchmarks.economics.terms import Field, Json, Pair, Private, Task, Turn

QUERIES, USERS, SERVERS, PAIRS, TRIPLES = 1000, 85, 15, 25, 170
LIKE_A_FORM = 2
"""Servers whose schemas happen to be a form's but for how its names are spelt."""

_HEAVY, _LARGEST = 16, 282
_SKEW_OF_PAIRS, _SKEW_OF_HEAVY = 0.95, 1.2
_SYLLABLES = "ba do fe gu ka li mo nu pe ra so ti va wo ze".split()
_POOL = 40


@dataclass(frozen=True, slots=True)
class Query:
    """One query: ``form`` is what the user has."""

    number: int
    user: str
    pair: Pair
    form: Json

    @property
    def triple(self) -> tuple[str, str, str]:
        return self.user, self.pair.server, self.pair.task.name


@dataclass(frozen=True)
class Workload:
    """All of it."""

    seed: int
    pairs: tuple[Pair, ...]
    queries: tuple[Query, ...]

    @cached_property
    def users(self) -> tuple[str, ...]:
        return tuple(sorted({each.user for each in self.queries}))

    @cached_property
    def servers(self) -> tuple[str, ...]:
        return tuple(sorted({each.server for each in self.pairs}))

    def truth(self, pair: Pair, form: Json) -> Json:
        """What is right: the answer in the form's terms, known without any server, model or code."""
        said = json.dumps([self.seed, pair.server, pair.task.name, form], sort_keys=True)
        rng = random.Random(sha256(said.encode()).digest())
        return {each.field.name: each.multiplied(_drawn(each.field, rng)) for each in pair.gives}

    def served(self, pair: Pair, arguments: Json) -> Json:
        """What a server's tool answers to arguments of its own; it knows what is true in its own terms only."""
        asked = {each.field.name: each.divided(arguments[each.name]) for each in pair.takes}
        true = self.truth(pair, asked)
        inner = {each.name: each.divided(true[each.field.name]) for each in pair.gives}
        return {pair.wrapped: inner} if pair.wrapped else inner

    def wish(self, user: str, task: Task) -> str:
        """What a user says that it wants, in words of its own."""
        rng = random.Random(f"{self.seed} {user} {task.name}")
        opening = rng.choice(("Get me", "I need", "Please find", "Tell me", "I would like", "Look up"))
        purpose = rng.choice(("for a trip", "for a friend", "for work", "for the family", "for a report", "for today"))
        return f"{opening} {rng.choice(task.wants)}, {purpose} of {user}."

    def words(self, user: str, field: Field) -> str:
        """What a user calls a field."""
        return random.Random(f"{self.seed} {user} {field.name}").choice(field.words)


def workload(seed: int) -> Workload:
    """A workload with the counts of the published one."""
    rng = random.Random(seed)
    pairs = _pairs(rng)
    triples = _triples(rng, pairs)
    order = _ordered(rng, triples)
    queries = [
        Query(number, user, pair, {each.name: _drawn(each, rng) for each in pair.task.given})
        for number, (user, pair) in enumerate(order)
    ]
    return Workload(seed, pairs, tuple(queries))


def _pairs(rng: random.Random) -> tuple[Pair, ...]:
    """25 servers with tasks: every server and every kind of task occurs."""
    servers = [f"server{number:02}" for number in range(SERVERS)]
    accents = rng.sample([one + two for one in _SYLLABLES for two in _SYLLABLES if one != two], SERVERS)
    chosen = {(servers[number % SERVERS], number % len(TASKS)) for number in range(SERVERS)}
    while len(chosen) < PAIRS:
        chosen.add((rng.choice(servers), rng.randrange(len(TASKS))))
    listed = sorted(chosen)
    rng.shuffle(listed)
    plain = set(rng.sample(range(PAIRS), LIKE_A_FORM))
    made = []
    for number, (server, task) in enumerate(listed):
        accent = "" if number in plain else accents[servers.index(server)]
        made.append(_pair(rng, server, TASKS[task], accent))
    return tuple(made)


def _pair(rng: random.Random, server: str, task: Task, accent: str) -> Pair:
    if not accent:
        takes = tuple(Private(each, _camel(each.name)) for each in task.given)
        return Pair(server, task, takes, tuple(Private(each, _camel(each.name)) for each in task.wanted))
    takes = tuple(_private(rng, each, accent) for each in task.given)
    gives = tuple(_private(rng, each, accent) for each in task.wanted)
    return Pair(server, task, takes, gives, f"{accent}_{rng.choice(('sheet', 'entry'))}" if rng.random() < 0.4 else "")


def _private(rng: random.Random, field: Field, accent: str) -> Private:
    name = f"{accent}_{rng.choice(field.synonyms)}"
    turns: dict[str, Turn] = {"whole": "times", "flag": "not"}
    turn = turns.get(field.type, "same") if rng.random() < 0.6 else "same"
    return Private(field, name, turn, rng.choice((2, 10, 60, 100)) if turn == "times" else 1)


def _camel(name: str) -> str:
    return "".join(each.capitalize() for each in name.split("_"))


def _triples(rng: random.Random, pairs: Sequence[Pair]) -> list[tuple[str, Pair, int]]:
    """(user, pair, how often): a few ask all the time, most once."""
    users = [f"user{number:02}" for number in range(USERS)]
    weights = [1 / (number + 1) ** _SKEW_OF_PAIRS for number in range(PAIRS)]
    sizes = _shares(TRIPLES, weights)
    waiting = users[:]
    rng.shuffle(waiting)
    made: list[tuple[str, Pair, int]] = []
    heavy = _shares(QUERIES - TRIPLES, [1 / (number + 1) ** _SKEW_OF_HEAVY for number in range(_HEAVY)], _LARGEST)
    for number, (pair, size) in enumerate(zip(pairs, sizes, strict=True)):
        own: list[str] = []
        while len(own) < size:
            user = waiting.pop() if waiting else rng.choice(users)
            if user not in own:
                own.append(user)
        place = number if number < _HEAVY // 2 else PAIRS - 1 - number + _HEAVY // 2  # the rare ones, too
        more = heavy[place] if place < _HEAVY else 0
        made += [(user, pair, 1 + (more if first == 0 else 0)) for first, user in enumerate(own)]
    return made


def _shares(total: int, weights: Sequence[float], largest: int = 0) -> list[int]:
    """A total in whole parts, at least one each, by weight."""
    whole = sum(weights)
    parts = [max(1, round(total * each / whole)) for each in weights]
    if largest:
        parts[0] = min(parts[0], largest)
    number = 1
    while sum(parts) != total:
        step = 1 if sum(parts) < total else -1
        if parts[number] + step >= 1:
            parts[number] += step
        number = number % (len(parts) // 2) + 1
    return parts


def _ordered(rng: random.Random, triples: Sequence[tuple[str, Pair, int]]) -> list[tuple[str, Pair]]:
    order = [(user, pair) for user, pair, times in triples for _ in range(times)]
    rng.shuffle(order)
    return order


def _drawn(field: Field, rng: random.Random) -> object:
    if field.type == "whole":
        return rng.randrange(1, 500)
    if field.type == "flag":
        return rng.random() < 0.5
    if field.type == "texts":
        return [_word(rng) for _ in range(rng.randrange(4))]
    return _word(rng)


def _word(rng: random.Random) -> str:
    return "".join(rng.choice(_SYLLABLES) for _ in range(rng.randrange(2, 4))).capitalize()
