"""What `moot agents` says: how a profile is written, what is wrong with one, and ids that can be copied."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from moothall.cli.main import run
from moothall.cli.render.agents import print_agents
from moothall.directory.loading import parse_profile
from moothall.messages import LANGS


@pytest.mark.parametrize("lang", LANGS)
def test_the_example_of_the_help_is_a_profile_that_is_taken(capsys: pytest.CaptureFixture[str], lang: str) -> None:
    assert run(["agents", "new", "--help", "--lang", lang]) == 0
    told = capsys.readouterr().out
    example = told[told.index("    {") : told.index("\n    }\n") + len("\n    }")]
    assert parse_profile(json.loads(example)).agent_id == "user_agent_canal_hall"
    for field in ("agent_id*", "profile_summary*", "tags*", "reservation"):
        assert field in told


def test_what_is_wrong_with_a_profile_is_said_once_and_a_long_id_cut(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["agents", "new", "user_name=x", "--lang", "en", "--data", str(tmp_path / "none")]) != 0
    assert capsys.readouterr().err.count("Field required") == 1
    run(["agents", "new", f"agent_id={'x' * 300}", "--lang", "en", "--data", str(tmp_path / "none")])
    assert "x" * 81 not in capsys.readouterr().err
    assert not (tmp_path / "none").exists()


def test_an_id_is_never_broken_by_the_table(capsys: pytest.CaptureFixture[str]) -> None:
    agent_id = "user_agent_" + "a" * 69
    row = {"agent_id": agent_id, "user_name": "名" * 40, "location": "北京", "status": "active", "tags": ["x" * 60] * 3}
    print_agents([row], "en")
    assert agent_id in capsys.readouterr().out
