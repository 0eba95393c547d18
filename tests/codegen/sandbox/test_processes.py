"""The processes of the sandbox: what they have, and that they end."""

import asyncio
import os
import select
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from moothall.codegen.sandbox.confinement import Process
from moothall.codegen.sandbox.monty import MontySandbox
from moothall.codegen.sandbox.port import Image, SandboxLimits
from moothall.errors import IntegrityError, SandboxFault

LINUX = pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
SLOW = "import math\ndef f():\n    math.isqrt(7 ** 3000000)\n"
GOOD = "def g(n):\n    return n + 1\n"


def children() -> set[int]:
    """Processes of this one that are alive."""
    found = set()
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            state, parent = (folder / "stat").read_text().rpartition(")")[2].split()[:2]
        except OSError:
            continue
        if int(parent) == os.getpid() and state != "Z":
            found.add(int(folder.name))
    return found


def read(pid: int, name: str) -> str:
    """What the system says of a process."""
    return Path(f"/proc/{pid}/{name}").read_text()


@LINUX
@pytest.mark.requirement("META-GEN-04")
async def test_workers_have_no_environment_and_limits_of_the_system(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MOOTHALL_TEST_SECRET", "secret")
    before = children()
    async with MontySandbox(workers=1) as sandbox:
        image = await sandbox.load(GOOD)
        await sandbox.run(image, "g", {"n": 1})
        workers = children() - before
        assert workers
        assert {read(pid, "environ") for pid in workers} == {""}
        limits = [read(pid, "limits") for pid in workers]
    bounded = [text for text in limits if "Max file size             0 " in text]
    assert bounded
    for text in bounded:
        lines = {line[:25].strip(): line[25:].split()[0] for line in text.splitlines()}
        assert lines["Max cpu time"].isdigit()
        assert int(lines["Max address space"]) < 2**31


@LINUX
@pytest.mark.requirement("META-GEN-04")
async def test_no_process_is_left_after_the_end_whatever_it_does() -> None:
    before = children()
    sandbox = MontySandbox(workers=4)
    image = await sandbox.load(SLOW)
    waiting = await sandbox.load("def f():\n    call('x', {})\ndef g():\n    return 1\n")
    asked = asyncio.Event()

    async def call(target: str, parameters: Mapping[str, Any]) -> Any:
        asked.set()
        await asyncio.Event().wait()

    held = asyncio.create_task(sandbox.run(waiting, "f", {}, call=call))
    await asked.wait()
    runs = [asyncio.create_task(sandbox.run(image, "f", {})) for _ in range(3)]
    assert (await sandbox.run(waiting, "g", {})).value == 1
    async with asyncio.timeout(2):
        await sandbox.aclose()
    assert children() <= before
    faults = await asyncio.gather(*runs, return_exceptions=True)
    assert {getattr(fault, "kind", fault) for fault in faults} == {"busy"}
    held.cancel()
    await asyncio.gather(held, return_exceptions=True)
    await sandbox.aclose()


ORPHANED = """
import asyncio
from moothall.codegen.sandbox.confinement import Process
from moothall.codegen.sandbox.monty import MontySandbox
async def main():
    sandbox = MontySandbox(workers=1)
    image = await sandbox.load("def f():\\n    call('x', {})\\n    while True:\\n        pass\\n")
    async def call(target, parameters):
        print("ready", flush=True)
        return 1
    await sandbox.run(image, "f", {}, call=call)
asyncio.run(main())
"""


@LINUX
@pytest.mark.requirement("META-GEN-04")
def test_workers_end_with_a_node_that_is_killed() -> None:
    node = subprocess.Popen([sys.executable, "-c", ORPHANED], stdout=subprocess.PIPE)
    assert node.stdout is not None
    assert node.stdout.readline() == b"ready\n"
    listed = subprocess.run(["ps", "--ppid", str(node.pid), "-o", "pid="], capture_output=True, check=True)
    workers = [int(pid) for pid in listed.stdout.split()]
    assert workers
    handles = [os.pidfd_open(pid) for pid in workers]
    node.kill()
    node.communicate()
    for handle in handles:
        poll = select.poll()
        poll.register(handle)
        assert poll.poll(20_000)
        os.close(handle)


async def test_a_run_that_nobody_waits_for_any_longer_is_ended(sandbox: MontySandbox) -> None:
    image = await sandbox.load(SLOW)
    with pytest.raises(SandboxFault) as caught:
        await sandbox.run(image, "f", {}, patience=0.05)
    assert caught.value.kind == "time"
    good = await sandbox.load(GOOD)
    assert (await sandbox.run(good, "g", {"n": 1})).value == 2


async def test_patience_counts_the_host_calls(sandbox: MontySandbox) -> None:
    async def call(target: str, parameters: Mapping[str, Any]) -> Any:
        await asyncio.Event().wait()

    image = await sandbox.load("def f():\n    call('x', {})\n")
    with pytest.raises(SandboxFault) as caught:
        await sandbox.run(image, "f", {}, call=call, patience=0.05)
    assert caught.value.kind == "time"


async def test_a_run_that_waits_too_long_for_its_turn_was_never_begun() -> None:
    async with MontySandbox(workers=1) as sandbox:
        image = await sandbox.load(SLOW)
        first = asyncio.create_task(sandbox.run(image, "f", {}, limits=SandboxLimits(seconds=2)))
        await asyncio.sleep(0)
        with pytest.raises(SandboxFault) as caught:
            await sandbox.run(image, "f", {}, patience=0.05)
        assert caught.value.kind == "busy"
        first.cancel()
        await asyncio.gather(first, return_exceptions=True)


async def test_a_run_that_is_cancelled_leaves_its_worker_to_others() -> None:
    async with MontySandbox(workers=1, processes=1) as sandbox:
        image = await sandbox.load(SLOW)
        good = await sandbox.load(GOOD)
        for _ in range(3):
            run = asyncio.create_task(sandbox.run(image, "f", {}))
            await asyncio.sleep(0)
            run.cancel()
            with pytest.raises(asyncio.CancelledError):
                await run
            assert (await sandbox.run(good, "g", {"n": 1})).value == 2


def workers() -> set[int]:
    """The children that run generated code; others may be programs that other tests started here."""
    return {pid for pid in children() if b"monty" in Path(f"/proc/{pid}/cmdline").read_bytes()}


async def test_a_worker_that_dies_is_a_fault_and_is_replaced(sandbox: MontySandbox) -> None:

    async def call(target: str, parameters: Mapping[str, Any]) -> Any:
        for pid in workers():
            os.kill(pid, 9)
        return 1

    image = await sandbox.load("def f():\n    return call('x', {})\n")
    with pytest.raises(SandboxFault) as caught:
        await sandbox.run(image, "f", {}, call=call)
    assert caught.value.kind == "crashed"
    for _ in range(5):
        good = await sandbox.load(GOOD)
        assert (await sandbox.run(good, "g", {"n": 1})).value == 2


@pytest.mark.requirement("META-GEN-04")
async def test_an_image_of_another_origin_is_not_loaded(sandbox: MontySandbox) -> None:
    image = await sandbox.load(GOOD)
    async with MontySandbox(workers=1) as other:
        with pytest.raises(IntegrityError):
            await other.run(image, "g", {"n": 1})
    changed = image.state[:-1] + bytes([image.state[-1] ^ 1])
    for forged in (
        Image(image.digest, image.source, changed),
        Image("sha256:" + "0" * 64, image.source, image.state),
        Image(image.digest, image.source, b""),
    ):
        with pytest.raises(IntegrityError):
            await sandbox.run(forged, "g", {"n": 1})
    assert (await sandbox.run(image, "g", {"n": 1})).value == 2


async def test_a_closed_sandbox_runs_nothing(sandbox: MontySandbox) -> None:
    image = await sandbox.load(GOOD)
    await sandbox.aclose()
    with pytest.raises(SandboxFault) as caught:
        await sandbox.run(image, "g", {"n": 1})
    assert caught.value.kind == "busy"


@LINUX
def test_a_process_that_was_let_go_of_is_never_ended() -> None:
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as child:
        process = Process(child.pid)
        assert process.alive
        process.close()
        process.kill()
        assert not process.alive
        child.communicate(b"\n")
    assert child.returncode == 0
