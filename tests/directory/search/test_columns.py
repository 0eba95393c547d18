"""States of the columns: each stays what it was, however much is added to those after it."""

from __future__ import annotations

import numpy as np

from moothall.directory.search import columns
from moothall.directory.search.columns import State
from moothall.directory.search.tables import COLUMNS


def numbers(number: int) -> tuple[int | float, ...]:
    return tuple(number if name == "id" else number % 11 if name == "trust" else 0 for name in COLUMNS)


def more(state: State, first: int, last: int) -> State:
    ids = range(first, last)
    return state.changed([numbers(number) for number in ids], [("x", number, 1) for number in ids], [], f"{last}")


def ids(state: State) -> list[int]:
    assert state.rows["trust"].tolist() == [number % 11 for number in state.ids.tolist()]
    assert state.ids[state.holders("x").rows].tolist() == state.ids.tolist()
    return state.ids.tolist()


def test_rows_are_added_behind_those_that_are_there_without_copying_them() -> None:
    first = more(columns.empty("0"), 1, 400)
    second = more(first, 400, 401)
    assert np.shares_memory(first.rows["trust"], second.rows["trust"])
    assert ids(first) == list(range(1, 400))
    assert ids(second) == list(range(1, 401))


def test_two_states_after_the_same_one_do_not_see_each_other() -> None:
    first = more(columns.empty("0"), 1, 4)
    one, other = more(first, 4, 6), more(first, 7, 9)
    assert (ids(first), ids(one), ids(other)) == ([1, 2, 3], [1, 2, 3, 4, 5], [1, 2, 3, 7, 8])


def test_many_rows_find_room() -> None:
    state = columns.empty("0")
    kept = []
    for first in range(1, 5_001, 500):
        state = more(state, first, first + 500)
        kept.append(state)
    assert [state.count for state in kept] == list(range(500, 5_001, 500))
    assert ids(kept[0]) == list(range(1, 501))
    assert ids(state) == list(range(1, 5_001))


def test_rows_that_are_gone_leave_room_in_the_end() -> None:
    state = more(columns.empty("0"), 1, 3_001)
    gone = state.changed([], [], range(1, 2_001), "gone")
    assert (gone.count, ids(gone)) == (1_000, list(range(2_001, 3_001)))
    assert ids(more(gone, 3_001, 3_002))[-1] == 3_001
    assert ids(state)[0] == 1
