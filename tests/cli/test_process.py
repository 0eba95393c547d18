"""How a command's process is set up."""

from __future__ import annotations

import gc
import sys
from collections.abc import Iterator

import pytest

from moothall.cli import process


@pytest.fixture(autouse=True)
def _as_found() -> Iterator[None]:
    threshold, interval = gc.get_threshold(), sys.getswitchinterval()
    yield
    gc.set_threshold(*threshold)
    sys.setswitchinterval(interval)


def test_the_collector_looks_seldom_at_a_start_and_as_python_has_it_while_serving() -> None:
    process.begin()
    assert gc.get_threshold()[0] > 10_000
    process.settle()
    assert gc.get_threshold() == (700, 10, 10)
    assert gc.get_freeze_count() > 0
    assert sys.getswitchinterval() == pytest.approx(process.SWITCH_SECONDS)


def test_a_program_that_set_its_collector_up_itself_keeps_that() -> None:
    gc.set_threshold(1_234, 5, 6)
    process.settle()
    assert gc.get_threshold() == (1_234, 5, 6)
