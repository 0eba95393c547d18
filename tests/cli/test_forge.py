"""`moot forge` and `moot services`: a service from a description, as the node's owner."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from moothall.cli.main import run
from moothall.hosting import agreeing
from tests.codegen.services.hall import Passing, Smith, forged
from tests.support.fake_llm import FakeLLM, fake_llm_thread

pytestmark = pytest.mark.timeout(180)
CODE = "def double(value: int) -> int:\n    return value * 2\n"
INTERFACE = 'def double(value: int) -> int:\n    """Double a number."""\n    ...\n'


@pytest.fixture
def model(monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeLLM]:
    smith = Smith(INTERFACE, [CODE], lambda said: (said["value"] * 2, []))
    monkeypatch.setattr(agreeing, "Gate", lambda _sandbox: Passing())
    with fake_llm_thread() as server:
        server.script["text"] = lambda asked: smith.speak(asked.system, asked.user)
        for name, value in server.environment("openai").items():
            monkeypatch.setenv(name, value)
        yield server


def moot(capsys: pytest.CaptureFixture[str], data: Path, *words: str) -> Any:
    code = run([*words, "--data", str(data), "--json", "--lang", "en"])
    told = capsys.readouterr()
    assert (code, told.err) == (0, ""), told.err
    return [json.loads(line) for line in told.out.splitlines()]


async def carried_out(data: Path, approval: str) -> None:
    """Run the node until it has done what was approved."""
    async with forged(data, judge=Passing()) as site:
        await site.node.host.authority.desk.ended(approval, site.node.clock.monotonic() + 60)


@pytest.mark.requirement("GEN-01", "GEN-11")
def test_a_service_is_made_published_and_switched_off_from_the_command_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], model: FakeLLM
) -> None:
    [made] = moot(capsys, tmp_path, "forge", "double a number")
    assert (made["name"], made["published"]) == ("forge.double", False)
    [value] = moot(capsys, tmp_path, "call", "local:forge.double", "value=4")
    assert value == 8
    moot(capsys, tmp_path, "approvals", "decide", made["approval_id"], "approve")
    asyncio.run(carried_out(tmp_path, made["approval_id"]))
    [listed] = moot(capsys, tmp_path, "services", "list")
    assert (listed["published"], listed["state"]) == (True, "live")
    [shown] = moot(capsys, tmp_path, "services", "show", "forge.double")
    assert shown["module"]["source"] == CODE
    [off] = moot(capsys, tmp_path, "services", "disable", "forge.double", "--reason", "enough")
    assert (off["state"], off["reason"]) == ("disabled", "enough")
    [back] = moot(capsys, tmp_path, "services", "rollback", "forge.double", "1.0.0")
    assert back["state"] == "live"
    assert run(["services", "show", "forge.double", "--data", str(tmp_path), "--lang", "zh"]) == 0
    assert "return value * 2" in capsys.readouterr().out


def test_without_a_model_the_command_says_what_is_missing(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["forge", "double a number", "--data", str(tmp_path), "--lang", "en"]) != 0
    told = capsys.readouterr().err
    assert "no language model is set up" in told
    assert "_API_KEY" in told.splitlines()[-1]
