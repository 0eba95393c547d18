"""The workload of the economics benchmark is as described, its counting is right, and a small run answers rightly."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

from benchmarks.economics.counting import POLICIES, PUBLISHED, Policy, break_even, by_hundred, first_touches, with_forms
from benchmarks.economics.houses import TimedSandbox, Verdicts
from benchmarks.economics.ledger import Bill, Ledger, Prices, tokens, total
from benchmarks.economics.policies import run
from benchmarks.economics.terms import form
from benchmarks.economics.workload import LIKE_A_FORM, Query, Workload, workload
from moothall.codegen.sandbox.monty import MontySandbox
from moothall.codegen.schemas.mapping import Mapping, map_fields
from moothall.codegen.schemas.validation import compiled

SEEDS = range(4)
BY_NAME = {policy.name: policy for policy in POLICIES}


@pytest.mark.parametrize("seed", SEEDS)
def test_a_workload_has_the_counts_of_the_published_one(seed: int) -> None:
    given = workload(seed)
    pairs = Counter(query.pair.target for query in given.queries)
    assert len(given.queries) == 1000
    assert (len(given.users), len(given.servers), len({pair.task.name for pair in given.pairs})) == (85, 15, 11)
    assert (len(pairs), len({query.triple for query in given.queries})) == (25, 170)
    assert 310 <= max(pairs.values()) <= 340
    assert all(compiled(form(query.pair.task.given)).accepts(query.form) for query in given.queries)


def test_a_seed_always_gives_the_same_workload_and_seeds_differ() -> None:
    one, again, other = workload(1), workload(1), workload(2)
    assert (one.pairs, one.queries) == (again.pairs, again.queries)
    assert one.queries != other.queries


@pytest.mark.parametrize("seed", SEEDS)
def test_counting_first_touches_gives_about_the_published_counts(seed: int) -> None:
    queries = workload(seed).queries
    counted = {policy.name: sum(first_touches(policy, queries)) for policy in POLICIES}
    for name in ("always natural language", "eager, routine per agent", "shared by hash, eager"):
        assert counted[name] == PUBLISHED[name]
    assert counted["per agent, after 5 uses"] == pytest.approx(PUBLISHED["per agent, after 5 uses"], rel=0.1)
    assert 120 <= counted["shared, after 5 uses"] <= 150


@pytest.mark.parametrize("seed", SEEDS)
def test_servers_and_users_share_no_schema_but_for_those_counted_apart(seed: int) -> None:
    matching = 0
    for pair in workload(seed).pairs:
        asked, told = map_fields(form(pair.task.given), pair.input), map_fields(pair.output, form(pair.task.wanted))
        assert isinstance(asked, Mapping) == isinstance(told, Mapping)
        matching += isinstance(asked, Mapping)
    assert matching == LIKE_A_FORM


@pytest.mark.parametrize("seed", SEEDS)
def test_a_server_that_is_asked_in_its_own_terms_tells_the_truth_in_them(seed: int) -> None:
    given = workload(seed)
    for query in given.queries[:300]:
        pair, asked = query.pair, query.pair.asked(query.form)
        assert compiled(pair.input).accepts(asked)
        value = given.served(pair, asked)
        assert compiled(pair.output).accepts(value)
        assert pair.told(value) == given.truth(pair, query.form)


def test_first_touches_are_counted_for_each_user_or_for_all() -> None:
    first, other = workload(1).pairs[:2]
    asked = [("ann", first), ("ben", first), ("ann", first), ("ann", other), ("ann", first), ("ben", first)]
    queries = [Query(number, user, pair, {}) for number, (user, pair) in enumerate(asked)]
    assert first_touches(Policy("", 0), queries) == [True, True, False, True, False, False]
    assert first_touches(Policy("", 0, shared=True), queries) == [True, False, False, True, False, False]
    assert first_touches(Policy("", 1), queries) == [True, True, True, True, False, True]
    assert first_touches(Policy("", 1, shared=True), queries) == [True, True, False, True, False, False]
    assert first_touches(Policy("", None), queries) == [True] * 6
    shared = Policy("", 0, shared=True)
    assert with_forms(shared, queries, 1) == first_touches(shared, queries)
    assert with_forms(shared, queries, 100) == first_touches(Policy("", 0), queries)
    assert by_hundred([True] * 150 + [False] * 100) == [100, 50, 0]


@pytest.mark.parametrize(
    ("cost", "other", "query"),
    [([1, 1], [1, 1], 1), ([3, 0, 0, 0], [1, 1, 1, 1], 3), ([5, 0, 0], [1, 1, 1], None), ([0, 3, 0], [1, 1, 2], 3)],
    ids=["equal", "later", "never", "again"],
)
def test_break_even_is_where_it_never_gets_dearer_again(cost: list[float], other: list[float], query: int) -> None:
    assert break_even(cost, other) == query


def test_bills_are_by_query_and_priced_by_the_table() -> None:
    ledger = Ledger()
    ledger.turn()
    ledger.enter("ask", "Hello, world of 12345 agents!", "Yes.")
    ledger.turn()
    assert ledger.bearing == [True, False]
    assert total(ledger.bills) == Bill(1, tokens("Hello, world of 12345 agents!"), 2)
    assert tokens("Hello, world of 12345 agents!") == 9
    assert ledger.costs(Prices(read=1_000_000, written=0)) == [9, 0]


def _small(seed: int) -> Workload:
    """One server that has to be understood, asked three times by two users, and one whose schemas fit, asked twice."""
    given = workload(seed)
    fitting = [pair for pair in given.pairs if isinstance(map_fields(form(pair.task.given), pair.input), Mapping)]
    foreign = next(pair for pair in given.pairs if pair not in fitting and pair.server != fitting[0].server)
    forms = [query.form for query in given.queries if query.pair == foreign][:3]
    asked = [("ann", foreign, forms[0]), ("ben", foreign, forms[1]), ("ann", foreign, forms[2])]
    forms = [query.form for query in given.queries if query.pair == fitting[0]][:2]
    asked += [("ben", fitting[0], each) for each in forms]
    queries = tuple(Query(number, *each) for number, each in enumerate(asked))
    return Workload(given.seed, (foreign, fitting[0]), queries)


async def test_answers_in_words_are_right_and_take_the_model_four_times_each(tmp_path: Path) -> None:
    given = _small(1)
    async with MontySandbox(workers=1) as sandbox:
        found = await run(POLICIES[0], given, TimedSandbox(sandbox), Verdicts(), tmp_path, 5)
    assert found.wrong == []
    assert [bill.calls for bill in found.ledger.bills] == [4] * 5


async def test_one_user_negotiates_and_the_next_one_fetches_tests_and_speaks_without_a_model(tmp_path: Path) -> None:
    given, verdicts = _small(1), Verdicts(mutants=6)
    async with MontySandbox(workers=2) as sandbox:
        found = await run(BY_NAME["shared by hash, eager"], given, TimedSandbox(sandbox), verdicts, tmp_path, 5)
    assert found.wrong == []
    assert found.ways == {"agreed": 2, "fetched": 1, "routine": 2}
    assert found.ledger.bearing == [True, False, False, False, False]
    assert found.structured == [3]
    assert found.ledger.purposes["code_write"] == 2, "the wrong first draft was mended"
    assert verdicts.refused == 1
    assert verdicts.looked["fetched"] == 2
