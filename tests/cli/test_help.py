"""The command line explains itself in the person's language, at once, and says what was wrong with a call."""

from __future__ import annotations

import subprocess
import sys

import pytest

from moothall.cli.main import COMMANDS, run
from moothall.cli.wording import asked_language

TREE: dict[tuple[str, ...], tuple[str, ...]] = {
    ("events",): ("tail",),
    ("audit",): ("verify", "export", "list"),
    ("agents",): ("list", "show", "new", "load", "edit", "disable", "enable"),
    ("identity",): ("create", "show", "verify"),
    ("did",): ("create", "show", "verify"),
    ("policy",): ("check", "explain", "test", "show", "reload"),
    ("people",): (
        "show", "set", "agents", "register", "change", "unregister", "prove", "relations", "relate", "unrelate", "remove",
    ),
    ("teams",): ("create", "show", "add", "remove", "move", "dissolve", "propose", "agree", "withdraw", "agreements"),
    ("groups",): ("create", "list", "show", "add", "remove", "dissolve", "send", "history", "task"),
    ("grant",): ("create", "add", "list", "show", "revoke"),
    ("approvals",): ("list", "show", "decide", "cancel"),
    ("protocols",): ("list", "show", "ask"),
    ("routines",): ("find", "get", "verify"),
    ("sources",): ("list", "refresh", "remove"),
    ("listings",): ("list", "show", "approve", "refuse"),
    ("services",): ("list", "show", "publish", "rollback", "disable", "overview"),
    ("participants",): ("list", "find", "add", "refresh", "remove"),
}  # fmt: skip
SUBCOMMANDS = [(name,) for name in COMMANDS] + [(*group, name) for group, names in TREE.items() for name in names]
GROUPS = set(TREE)

HEAVY = ("pydantic", "sqlalchemy", "fastapi", "starlette", "uvicorn", "httpx", "rich", "highspy")


def test_help_imports_nothing_heavy() -> None:
    script = (
        "import sys; from moothall.cli.main import run; run(['--help']);"
        f"print([name for name in {HEAVY!r} if name in sys.modules], file=sys.stderr)"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stderr.strip() == "[]"
    assert "demo" in done.stdout


@pytest.mark.parametrize("command", SUBCOMMANDS)
@pytest.mark.parametrize(("lang", "word"), [("zh", "用法"), ("en", "Usage")])
def test_every_command_explains_itself_in_both_languages(
    capsys: pytest.CaptureFixture[str], command: tuple[str, ...], lang: str, word: str
) -> None:
    assert run([*command, "--help", "--lang", lang] if command not in GROUPS else
               ["--lang", lang, *command, "--help"]) == 0  # fmt: skip
    told = capsys.readouterr().out
    assert told.startswith(word)
    assert len(told.splitlines()) > 4


@pytest.mark.parametrize("command", [command for command in SUBCOMMANDS if command not in GROUPS])
def test_every_command_takes_the_common_options(capsys: pytest.CaptureFixture[str], command: tuple[str, ...]) -> None:
    run([*command, "--help"])
    told = capsys.readouterr().out
    assert all(option in told for option in ("--data", "--json", "--lang", "--verbose"))


@pytest.mark.parametrize(
    ("argv", "why"),
    [
        (["nothing"], "nothing"),
        (["demand"], "TEXT"),
        (["demo", "--prot", "1"], "--port"),
        (["demo", "--port", "many"], "many"),
        (["serve", "--lang", "fr"], "fr"),
        (["agents", "edit", "x"], "nothing to read"),
        (["agents", "load"], "--demo"),
        (["serve", "missing.py"], "missing.py"),
        (["serve", "no_such_module_here"], "no_such_module_here"),
        (["serve", "json:loads"], "loads"),
        (["serve", "--host", "0.0.0.0"], "0.0.0.0"),
        (["demand", "caf\udce9"], "UTF-8"),
    ],
)
def test_a_wrong_call_exits_2_and_says_why_and_what_to_try(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: object, argv: list[str], why: str
) -> None:
    monkeypatch.chdir(str(tmp_path))
    monkeypatch.setattr(sys, "path", list(sys.path))
    monkeypatch.delenv("LC_ALL", raising=False)
    monkeypatch.setenv("LANG", "en_GB.UTF-8")
    assert run(argv) == 2
    told = capsys.readouterr()
    assert told.out == ""
    error, cause, hint = told.err.splitlines()
    assert error.startswith("error: ")
    assert cause.startswith("why: ")
    assert why in cause
    assert hint.startswith("try: ")


def test_errors_speak_chinese_too(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["--lang", "zh", "nothing"]) == 2
    told = capsys.readouterr().err
    assert [line.split("：")[0] for line in told.splitlines()] == ["错误", "原因", "建议"]


@pytest.mark.parametrize("argv", [[], ["agents"], ["events"], ["identity"], ["did"]])
def test_a_group_without_a_command_shows_its_help(capsys: pytest.CaptureFixture[str], argv: list[str]) -> None:
    assert run([*argv]) == 2
    assert "--help" in capsys.readouterr().err


def test_the_version_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["--version"]) == 0
    assert capsys.readouterr().out.startswith("moothall ")


@pytest.mark.parametrize(
    ("argv", "env", "lang"),
    [
        (["demo", "--lang", "zh"], {}, "zh"), (["--lang=en", "demo"], {"LANG": "zh_CN"}, "en"), (["demo"], {"LANG": "zh_CN"}, "zh"),
        (["demo"], {"MOOTHALL_LANG": "zh", "LANG": "en"}, "zh"), (["--lang"], {}, "en"), (["--lang", "fr"], {}, "en"),
    ],
)  # fmt: skip
def test_the_language_is_the_options_then_the_environments(argv: list[str], env: dict[str, str], lang: str) -> None:
    assert asked_language(argv, env) == lang
