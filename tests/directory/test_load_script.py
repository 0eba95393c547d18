"""The script of the specification that loads profiles into a store."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.support.environment import bare_environment

if TYPE_CHECKING:
    from tests.directory.conftest import MakeRow

SCRIPT = Path(__file__).parents[2] / "scripts" / "load_mock_profiles.py"


def run(data: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    environment = bare_environment()
    command = [sys.executable, str(SCRIPT), "--data", str(data), *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False, env=environment, timeout=60)


@pytest.mark.timeout(60)
def test_the_script_loads_the_shipped_agents_and_a_file(tmp_path: Path, make_row: MakeRow) -> None:
    shipped = run(tmp_path / "node")
    assert (shipped.returncode, shipped.stderr) == (0, "")
    assert int(shipped.stdout) >= 120
    file = tmp_path / "more.json"
    file.write_text(json.dumps([make_row("anna")]), encoding="utf-8")
    assert run(tmp_path / "node", str(file)).stdout == "1\n"


@pytest.mark.timeout(60)
def test_the_script_names_the_bad_row_and_changes_nothing(tmp_path: Path, make_row: MakeRow) -> None:
    file = tmp_path / "bad.json"
    file.write_text(json.dumps([make_row("anna"), make_row("bao", location="")]), encoding="utf-8")
    result = run(tmp_path / "node", str(file))
    assert result.returncode == 2
    assert "row 2 (user_agent_bao): location" in result.stderr
    assert "Traceback" not in result.stderr
    assert not (tmp_path / "node").exists()
