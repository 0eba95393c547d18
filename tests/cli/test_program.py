"""`moot` as a program of its own: what it prints where, what it answers, how it ends."""

from __future__ import annotations

import json
import re
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

import httpx
import pytest

from moothall.events.types import EVENT_TYPES, TERMINAL_EVENT_TYPES
from tests.support.environment import bare_environment
from tests.support.program import ran

SAMPLE = "我想在北京办一场AI主题聚会，需要场地和嘉宾"
HOPELESS = "在火星上建基地"
ENV = {
    **{name: value for name, value in bare_environment().items() if not name.startswith("LC_")},
    "LANG": "en_GB.UTF-8",
    "PYTHONIOENCODING": "utf-8",
}
MOOT = [sys.executable, "-c", "from moothall.cli.main import main; main()"]

pytestmark = pytest.mark.timeout(120)

told = partial(ran, MOOTHALL_DEMO_AGENTS="true")
"""The same as `moot`, for what a process of its own would not answer otherwise."""


def moot(
    *argv: str, cwd: Path, feed: str | None = None, environment: dict[str, str] | None = None
) -> subprocess.CompletedProcess[str]:
    env = ENV | (environment or {})
    return subprocess.run(
        [*MOOT, *argv], cwd=cwd, env=env, input=feed, capture_output=True, text=True, check=False, timeout=60
    )


def rows(output: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in output.splitlines()]


@contextmanager
def started(*argv: str, cwd: Path) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """A long-running command and the URL it printed; ended by SIGTERM, with exit code 0."""
    with subprocess.Popen(
        [*MOOT, *argv], cwd=cwd, env=ENV, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        stream = process.stderr if "--json" in argv else process.stdout
        assert stream is not None
        url = ""
        while not url:
            line = stream.readline()
            assert line, process.stderr.read() if process.stderr else ""
            url = next(iter(re.findall(r"http://[\w.:\[\]]+", line)), "")
        try:
            yield process, url
        finally:
            process.send_signal(signal.SIGTERM)
            process.communicate(timeout=30)
        assert process.returncode == 0


def test_demo_once_prints_every_event_and_exits_0_on_a_plan(tmp_path: Path) -> None:
    done = moot("demo", "--once", SAMPLE, "--json", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    events = rows(done.stdout)
    kinds = [event["event_type"] for event in events]
    assert kinds[0] == "towow.demand.submitted"
    assert kinds[-1] == "towow.proposal.finalized"
    assert set(kinds) <= set(EVENT_TYPES)
    assert sum(kind in TERMINAL_EVENT_TYPES for kind in kinds) == 1
    assert all(event.keys() == {"event_id", "event_type", "timestamp", "payload"} for event in events)
    stored = told("events", "tail", "--json", cwd=tmp_path)
    assert rows(stored.stdout) == events


def test_demo_once_exits_6_on_a_failed_negotiation(tmp_path: Path) -> None:
    done = told("demo", "--once", HOPELESS, "--lang", "zh", cwd=tmp_path)
    assert done.returncode == 6
    assert "没有方案" in done.stdout
    assert "可以尝试" in done.stdout


@pytest.mark.parametrize(
    ("more", "environment", "logged"),
    [((), {}, False), (("--verbose",), {}, True), ((), {"MOOTHALL_LOG_LEVEL": "ERROR"}, True),
     (("--verbose",), {"MOOTHALL_LOG_LEVEL": "ERROR"}, True)],
)  # fmt: skip
def test_a_failed_negotiation_is_told_once_and_logged_for_whoever_asks(
    tmp_path: Path, more: tuple[str, ...], environment: dict[str, str], logged: bool
) -> None:
    done = told("demand", HOPELESS, *more, cwd=tmp_path, **environment)
    assert done.returncode == 6
    assert "no plan" in done.stdout.lower()
    assert ("协商失败" in done.stderr) is logged
    assert logged or done.stderr == ""
    assert (" INFO " in done.stderr) is bool(more)


def test_serve_logs_a_failed_negotiation(tmp_path: Path) -> None:
    with started("serve", "--port", "0", cwd=tmp_path) as (process, _):
        asked = told("demand", HOPELESS, cwd=tmp_path)
        assert (asked.returncode, asked.stderr) == (6, "")
        assert process.stderr is not None
        assert any("协商失败" in line for line in iter(process.stderr.readline, ""))


def test_demo_serves_at_the_url_it_prints_until_it_is_told_to_stop(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with started("demo", "--port", str(port), cwd=tmp_path) as (process, url):
            assert not url.endswith(f":{port}")
            assert httpx.get(f"{url}/health/ready", trust_env=False).status_code == 200
            assert process.stdout is not None
            told = iter(process.stdout.readline, "")
            assert any("plan agreed" in line for line in told)
            assert httpx.get(url, trust_env=False).status_code == 200
    assert not (tmp_path / ".moothall" / "node.json").exists()


def test_demo_with_json_puts_nothing_but_events_on_stdout(tmp_path: Path) -> None:
    with started("demo", "--port", "0", "--json", cwd=tmp_path) as (process, _):
        assert process.stdout is not None
        events = []
        while not events or events[-1]["event_type"] not in TERMINAL_EVENT_TYPES:
            events.append(json.loads(process.stdout.readline()))
        assert len(events) > 10


def test_commands_talk_to_the_running_node(tmp_path: Path) -> None:
    profile = {
        "agent_id": "user_agent_new_hall", "user_name": "新馆", "profile_summary": "用于测试的虚构场地。" * 25,
        "location": "北京", "tags": ["场地提供"], "reservation": {"floors": {}},
    }  # fmt: skip
    with started("serve", "--port", "0", cwd=tmp_path) as (_, url):
        known = json.loads((tmp_path / ".moothall" / "node.json").read_text(encoding="utf-8"))
        assert known["url"] == url
        plan = moot("demand", SAMPLE, cwd=tmp_path)
        assert plan.returncode == 0, plan.stderr
        assert plan.stdout.startswith("Understood")
        assert "CNY" in plan.stdout
        assert plan.stderr == ""
        watched = told("demand", SAMPLE, "--watch", cwd=tmp_path)
        assert "plan agreed" in watched.stderr
        assert "invited" not in watched.stdout
        tail = told("events", "tail", "--follow", cwd=tmp_path)
        assert tail.stdout.splitlines()[-1].split(maxsplit=1)[1].startswith("plan agreed")
        created = told("agents", "new", "-", "--json", cwd=tmp_path, feed=json.dumps(profile))
        assert rows(created.stdout)[0]["agent_id"] == "user_agent_new_hall", created.stderr
        assert told("agents", "disable", "user_agent_new_hall", cwd=tmp_path).returncode == 0
        listed = told("agents", "list", "新馆", "--json", cwd=tmp_path)
        assert [row["status"] for row in rows(listed.stdout)] == ["disabled"]
        assert told("agents", "show", "user_agent_nobody", cwd=tmp_path).returncode == 5
        assert told("events", "tail", "d-00000000", cwd=tmp_path).returncode == 5
        healthy = rows(told("doctor", "--json", cwd=tmp_path).stdout)
        assert {row["check"]: row["grade"] for row in healthy if "check" in row}["node"] == "ok"
        second = told("serve", "--port", "0", cwd=tmp_path)
        assert second.returncode == 1
        assert "--data" in second.stderr


def test_serve_refuses_a_taken_port_with_a_hint(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        done = told("serve", "--port", str(taken.getsockname()[1]), cwd=tmp_path)
    assert done.returncode == 2
    assert "--port" in done.stderr
    assert done.stdout == ""


def test_serve_runs_a_persons_own_file(tmp_path: Path) -> None:
    (tmp_path / "own.py").write_text(
        "from moothall.node import Node\nfrom moothall.settings import load_settings\n"
        "node = Node(load_settings(port=0, demo_agents=False))\n",
        encoding="utf-8",
    )
    with started("serve", "own.py", cwd=tmp_path):
        assert told("agents", "list", "--json", cwd=tmp_path).stdout == ""


def test_agents_can_be_edited_without_a_node(tmp_path: Path) -> None:
    assert told("agents", "load", "--demo", cwd=tmp_path).returncode == 0
    first = rows(told("agents", "list", "--json", cwd=tmp_path).stdout)[0]["agent_id"]
    edited = told("agents", "edit", first, "location=上海", "--json", cwd=tmp_path)
    assert rows(edited.stdout)[0]["location"] == "上海"
    shown = told("agents", "show", first, cwd=tmp_path)
    assert "上海" in shown.stdout
    assert "reservation" not in shown.stdout


def test_doctor_shows_settings_with_their_origin_and_no_secret(tmp_path: Path) -> None:
    data = tmp_path / ".moothall"
    data.mkdir()
    (data / "moothall.toml").write_text(
        'response_timeout = 7.0\ndatabase_url = "postgresql://me:opensesame@127.0.0.1:1/none"\n', encoding="utf-8"
    )
    done = told("doctor", "--json", cwd=tmp_path)
    assert "opensesame" not in done.stdout + done.stderr
    found = rows(done.stdout)
    checks = {row["check"]: row["grade"] for row in found if "check" in row}
    assert checks["store"] == "wrong"
    assert done.returncode == 1
    settings = {row["setting"]: row for row in found if "setting" in row}
    assert settings["response_timeout"]["origin"] == "file"
    assert settings["port"]["origin"] == "default"


@pytest.mark.parametrize("argv", [("events", "tail"), ("agents", "list"), ("agents", "show", "user_agent_nobody")])
def test_reading_a_folder_that_is_not_there_does_not_make_it(tmp_path: Path, argv: tuple[str, ...]) -> None:
    done = moot(*argv, "--data", "none", cwd=tmp_path)
    assert (done.returncode, done.stdout) == (2, "")
    assert "there is no data folder none" in done.stderr
    assert "--data" in done.stderr
    assert list(tmp_path.iterdir()) == []


def test_doctor_changes_nothing(tmp_path: Path) -> None:
    done = told("doctor", cwd=tmp_path)
    assert done.returncode == 0, done.stdout
    assert list(tmp_path.iterdir()) == []


def test_a_wrong_setting_exits_2_and_names_it(tmp_path: Path) -> None:
    done = subprocess.run(
        [*MOOT, "agents", "list"],
        cwd=tmp_path,
        env={**ENV, "MOOTHALL_PORT": "many"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 2
    assert "port" in done.stderr


def test_a_terminal_without_chinese_gets_question_marks(tmp_path: Path) -> None:
    done = subprocess.run(
        [*MOOT, "--lang", "zh", "--help"],
        cwd=tmp_path, env={**ENV, "PYTHONIOENCODING": "latin-1"}, capture_output=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0
    assert b"?" in done.stdout
    assert b"Traceback" not in done.stderr


def test_a_reader_that_leaves_ends_the_command_quietly(tmp_path: Path) -> None:
    told("agents", "load", "--demo", cwd=tmp_path)
    done = subprocess.run(
        ["sh", "-c", '"$@" agents list --json | head -n 1', "sh", *MOOT],
        cwd=tmp_path, env=ENV, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert len(done.stdout.splitlines()) == 1
    assert "Traceback" not in done.stderr
    assert "error" not in done.stderr
