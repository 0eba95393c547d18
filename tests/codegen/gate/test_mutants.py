"""Mistakes put into sources: all kinds that codecs have, one at a time, the same ones each time."""

from __future__ import annotations

import ast
import tracemalloc
from itertools import pairwise

import pytest

from moothall.codegen.mutants import constant, mutants
from tests.codegen.gate.modules import GOOD_MODULES, Good


def texts(source: str, mistake: str = "") -> list[str]:
    return [mutant.source for mutant in mutants(source) if mistake in {"", mutant.mistake}]


@pytest.mark.parametrize(
    ("source", "mistake", "expected"),
    [
        ("x = a[1]", "off by one", "x = a[2]"),
        ("x = a[:n]", "off by one", "x = a[:n + 1]"),
        ("x = a < b", "other comparison", "x = a <= b"),
        ("x = a not in b", "other comparison", "x = a in b"),
        ("x = {'a': p, 'b': q}", "values swapped", "x = {'a': q, 'b': p}"),
        ("x = {'a': p, 'b': q}", "key dropped", "x = {'b': q}"),
        ("x = {'a': p['b']}", "other field", "x = {'a': p['a']}"),
        ("x = p['b']", "misspelt", "x = p['b_']"),
        ("x = f(a, b)", "arguments swapped", "x = f(b, a)"),
        ("x = f(a, k=b)", "argument dropped", "x = f(a)"),
        ("x = [a, b]", "element dropped", "x = [a]"),
        ("x = a and b", "and for or", "x = a or b"),
        ("x = a and b and c", "condition dropped", "x = a and c"),
        ("x = [a for a in b if a]", "condition dropped", "x = [a for a in b]"),
        ("x = a + b", "other operator", "x = a - b"),
        ("x += 1", "other operator", "x -= 1"),
        ("x = -a", "sign dropped", "x = +a"),
        ("x = True", "other constant", "x = False"),
        ("x = max(a)", "other function", "x = min(a)"),
        ("x = a.lower()", "other function", "x = a.upper()"),
        ("x = str(a)", "call skipped", "x = (lambda same: same)(a)"),
        ("x = a.strip()", "call skipped", "x = (lambda: a)()"),
        ("def f(a, b):\n    return a", "other variable", "def f(a, b):\n    return b"),
        ("if a:\n    f()", "condition negated", "if not a:\n    f()"),
        ("if a:\n    f()", "call left out", "if a:\n    pass"),
        ("if a:\n    raise ValueError('b')", "error swallowed", "if a:\n    pass"),
        ("try:\n    f()\nexcept E:\n    g()\n    h()", "error swallowed", "try:\n    f()\nexcept E:\n    pass"),
        ("x = {}\nx['a'] = 1", "assignment left out", "x = {}\npass"),
        ("def f():\n    return 1", "result dropped", "def f():\n    return None"),
        ("for a in b:\n    break", "jump left out", "for a in b:\n    pass"),
    ],
    ids=lambda value: value.replace("\n", ";")[:40],
)
def test_a_mistake_of_each_kind_is_made(source: str, mistake: str, expected: str) -> None:
    assert expected in texts(source, mistake)


def test_what_has_no_effect_that_counts_is_left_alone() -> None:
    source = 'def f(a: x[1]) -> y[2]:\n    """What it does."""\n    raise ValueError("b" + str(1))'
    assert texts(source) == [source.partition("raise")[0] + "pass"]


@pytest.mark.parametrize("good", GOOD_MODULES.values(), ids=GOOD_MODULES)
def test_each_mutant_is_python_with_one_mistake_of_its_own(good: Good) -> None:
    source = good.module.source
    every = mutants(source, most=10_000)
    sources = [mutant.source for mutant in every]
    assert len(set(sources)) == len(sources)
    assert ast.unparse(ast.parse(source)) not in sources
    assert all(ast.parse(each) for each in sources)
    assert all(one.line <= two.line for one, two in pairwise(every))


def test_of_many_the_same_ones_are_taken_from_all_over_the_source() -> None:
    source = GOOD_MODULES["requester"].module.source
    every, few = mutants(source, most=10_000), mutants(source, most=20)
    assert few == mutants(source, most=20)
    assert 15 <= len(few) <= 20, "of two that are the same, one"
    assert {mutant.source for mutant in few} <= {mutant.source for mutant in every}
    assert few[0].line == every[0].line
    assert few[-1].line > source.count("\n") * 0.8


def test_no_line_is_spared_where_that_is_asked_for() -> None:
    source = "def f(a):\n" + "".join(f"    b{n} = a + {n}\n" for n in range(100)) + "    return b7\n"
    assert {mutant.line for mutant in mutants(source, most=20, every_line=True)} == set(range(2, 103))
    assert len(mutants(source, most=20)) <= 20


def test_a_function_is_made_to_give_the_same_always() -> None:
    mutant = constant("def f(a: str) -> list:\n    return [a]\n", "f", [1, None, "x"])
    assert mutant is not None
    assert mutant.source == "def f(a: str) -> list:\n    return [1, None, 'x']"
    assert constant("x = 1", "f", 1) is None


def test_a_long_list_costs_no_memory_for_each_of_its_elements() -> None:
    source = f"def f() -> list[int]:\n    return {list(range(9_000))}\n"
    tracemalloc.start()
    try:
        found = mutants(source, 60)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert found
    assert peak < 100 * 1024 * 1024
