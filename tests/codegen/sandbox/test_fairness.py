"""Turns go round between modules; no hostile one keeps the others waiting."""

import asyncio
from collections.abc import Mapping
from typing import Any

import pytest

from moothall.codegen.sandbox.fairness import LONG, Ticket, Turns
from moothall.codegen.sandbox.monty import MontySandbox
from moothall.codegen.sandbox.port import SandboxLimits
from moothall.errors import SandboxFault


def turns(workers: int = 4, processes: int = 8, waiting: int = 100) -> Turns:
    return Turns(workers=workers, processes=processes, waiting=waiting)


def ask(turns: Turns, modules: str, *, begins: bool = True) -> list[Ticket]:
    tickets = [Ticket(module, begins=begins) for module in modules]
    assert all(turns.ask(ticket) for ticket in tickets)
    return tickets


def served(turns: Turns) -> list[Ticket]:
    tickets = []
    while (ticket := turns.next()) is not None:
        tickets.append(ticket)
    return tickets


def known(turns: Turns, modules: str, seconds: float = 0.0) -> None:
    """Let each of these have a turn of that length."""
    for module in modules:
        ask(turns, module)
        (ticket,) = served(turns)
        turns.rest(ticket, seconds)
        turns.give_back(ticket)


def modules(tickets: list[Ticket]) -> str:
    return "".join(ticket.module for ticket in tickets)


def test_modules_take_turns_however_many_runs_each_has() -> None:
    fair = turns(workers=1)
    known(fair, "ab")
    ask(fair, "aaab")
    order = []
    for _ in range(4):
        (ticket,) = served(fair)
        order.append(ticket.module)
        fair.rest(ticket, 0.0)
        fair.give_back(ticket)
    assert order == ["a", "b", "a", "a"]


def test_one_module_never_has_all_workers() -> None:
    fair = turns()
    known(fair, "ab")
    ask(fair, "aaaaaa")
    assert modules(served(fair)) == "aaa"
    ask(fair, "b")
    assert modules(served(fair)) == "b"


def test_slow_modules_have_half_of_the_workers_together() -> None:
    fair = turns()
    known(fair, "abc", LONG * 2)
    ask(fair, "abc")
    assert modules(served(fair)) == "ab"


def test_modules_that_nobody_knows_leave_one_worker_to_those_that_are_quick() -> None:
    fair = turns()
    known(fair, "g")
    ask(fair, "abcd")
    assert modules(served(fair)) == "abc"
    ask(fair, "g")
    assert modules(served(fair)) == "g"


def test_a_module_that_nobody_knows_has_one_turn_at_a_time() -> None:
    fair = turns()
    ask(fair, "aaab")
    assert modules(served(fair)) == "ab"


def test_a_slow_module_is_quick_again_after_some_short_turns() -> None:
    fair = turns()
    known(fair, "a", LONG * 2)
    known(fair, "aaa", 0.0)
    ask(fair, "aaa")
    assert modules(served(fair)) == "aaa"


def test_a_module_has_half_of_the_processes_while_its_runs_wait_for_the_host() -> None:
    fair = turns(workers=4, processes=8)
    known(fair, "ab")
    begun = 0
    for _ in range(10):
        ask(fair, "a")
        for ticket in served(fair):
            fair.rest(ticket, 0.0)
            begun += 1
    assert begun == 4
    ask(fair, "b")
    assert modules(served(fair)) == "b"


def test_modules_that_wait_for_the_host_leave_a_process_to_whoever_comes() -> None:
    fair = turns(workers=4, processes=16)
    known(fair, "abcdz")
    begun = dict.fromkeys("abcd", 0)
    for module in begun:
        for _ in range(16):
            ask(fair, module)
        while found := served(fair):
            for ticket in found:
                fair.rest(ticket, 0.0)
                begun[ticket.module] += 1
    assert begun == {"a": 8, "b": 4, "c": 2, "d": 1}
    ask(fair, "z")
    assert modules(served(fair)) == "z"


def test_a_run_that_goes_on_needs_no_process_and_comes_before_one_that_begins() -> None:
    fair = turns(workers=1, processes=2)
    (first,) = ask(fair, "a")
    assert served(fair) == [first]
    fair.rest(first, 0.0)
    ask(fair, "a")
    assert fair.ask(first)
    assert served(fair) == [first]


def test_a_module_that_has_too_many_waiting_gets_no_more_and_others_do() -> None:
    fair = turns(waiting=2)
    ask(fair, "aa")
    assert not fair.ask(Ticket("a", begins=True))
    assert fair.ask(Ticket("b", begins=True))


def test_who_no_longer_waits_gets_no_turn() -> None:
    fair = turns()
    (first, second) = ask(fair, "aa")
    fair.withdraw(first)
    assert served(fair) == [second]


def test_with_one_worker_everything_runs_one_by_one() -> None:
    fair = turns(workers=1, processes=1)
    known(fair, "abca", 2.0)
    assert served(fair) == []


SLOW = "def f():\n    while True:\n        pass\n"
GOOD = "def g(n):\n    return n + 1\n"


@pytest.mark.requirement("META-GEN-04")
async def test_many_runs_of_hostile_modules_do_not_keep_a_good_one_waiting(sandbox: MontySandbox) -> None:
    good = await sandbox.load(GOOD)
    await sandbox.run(good, "g", {"n": 0})
    limits = SandboxLimits(seconds=0.2)
    images = [await sandbox.load(f"x = {n}\n{SLOW}", limits) for n in range(3)]
    ends = [asyncio.create_task(sandbox.run(image, "f", {}, limits=limits)) for image in images for _ in range(2)]
    answered = 0
    while not any(end.done() for end in ends):
        answered = (await sandbox.run(good, "g", {"n": answered})).value
    assert answered > 1
    faults = await asyncio.gather(*ends, return_exceptions=True)
    assert {fault.kind for fault in faults if isinstance(fault, SandboxFault)} == {"time"}


@pytest.mark.requirement("META-GEN-04")
async def test_runs_that_wait_for_the_host_hold_no_worker(sandbox: MontySandbox) -> None:
    asked, answer = asyncio.Semaphore(0), asyncio.Event()

    async def call(target: str, parameters: Mapping[str, Any]) -> Any:
        asked.release()
        await answer.wait()
        return 1

    waiting = await sandbox.load("def f():\n    return call('x', {})\n")
    runs = [asyncio.create_task(sandbox.run(waiting, "f", {}, call=call)) for _ in range(6)]
    for _ in runs:
        await asked.acquire()
    good = await sandbox.load(GOOD)
    assert (await sandbox.run(good, "g", {"n": 1})).value == 2
    answer.set()
    assert [(await run).value for run in runs] == [1] * 6


async def test_a_run_may_cause_another_from_its_call_however_deep(sandbox: MontySandbox) -> None:
    image = await sandbox.load("def f(n):\n    return call('x', {'n': n - 1}) + 1 if n else 0\n")

    async def call(target: str, parameters: Mapping[str, Any]) -> Any:
        return (await sandbox.run(image, "f", dict(parameters), call=call)).value

    assert (await sandbox.run(image, "f", {"n": 8}, call=call)).value == 8


async def test_runs_of_a_module_beyond_those_that_may_wait_are_refused() -> None:
    async with MontySandbox(workers=1, waiting=1) as sandbox:
        image = await sandbox.load(SLOW, SandboxLimits(seconds=0.2))
        runs = [sandbox.run(image, "f", {}, limits=image.limits) for _ in range(4)]
        faults = await asyncio.gather(*runs, return_exceptions=True)
    assert sorted(getattr(fault, "kind", "") for fault in faults) == ["busy", "busy", "time", "time"]
