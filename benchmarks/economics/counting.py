"""What each policy needs a model for, by counting alone: the shape that the real runs are held against. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable, Sequence
from dataclasses import dataclass

from benchmarks.economics.workload import Query


@dataclass(frozen=True, slots=True)
class Policy:
    """When a protocol is made, and who uses it then; ``after``: uses in words before; None: always words."""

    name: str
    after: int | None
    shared: bool = False

    def whose(self, query: Query) -> Hashable:
        """Who has a protocol in common."""
        return query.triple[1:] if self.shared else query.triple


POLICIES = (
    Policy("always natural language", None),
    Policy("eager, routine per agent", 0),
    Policy("per agent, after 5 uses", 5),
    Policy("shared by hash, eager", 0, shared=True),
    Policy("shared, after 5 uses", 5, shared=True),
)

PUBLISHED = {
    "always natural language": 1000,
    "eager, routine per agent": 170,
    "per agent, after 5 uses": 254,
    "shared by hash, eager": 25,
    "shared, after 5 uses": 141,
}
"""Queries with a model of 1,000, counted on the published workload."""


def first_touches(policy: Policy, queries: Sequence[Query]) -> list[bool]:
    """Of each query, whether it has a model in it, if every protocol takes one to make and none to use."""
    seen: Counter[Hashable] = Counter()
    found = []
    for query in queries:
        seen[policy.whose(query)] += 1
        found.append(policy.after is None or seen[policy.whose(query)] <= policy.after + 1)
    return found


def with_forms(policy: Policy, queries: Sequence[Query], forms: int) -> list[bool]:
    """The same, if the users of a task had so many forms, and shared a routine only with those who have the same."""
    seen: Counter[Hashable] = Counter()
    found = []
    for query in queries:
        group = (policy.whose(query), sum(query.user.encode()) % forms)
        seen[group] += 1
        found.append(policy.after is None or seen[group] <= policy.after + 1)
    return found


def by_hundred(bearing: Sequence[bool]) -> list[int]:
    return [sum(bearing[start : start + 100]) for start in range(0, len(bearing), 100)]


def break_even(cost: Sequence[float], other: Sequence[float]) -> int | None:
    """The query, from 1, from which on all that was paid is no more than the other way; None: never."""
    total, dearer = 0.0, 0
    for number, (one, two) in enumerate(zip(cost, other, strict=True), 1):
        total += one - two
        if total > 0:
            dearer = number
    return None if dearer == len(cost) else dearer + 1
