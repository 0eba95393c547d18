"""`moot call`: at a running node and in its own process it prints, and fails, alike."""

from __future__ import annotations

import io
import json
import re
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from moothall.cli.main import run
from tests.support.program import serving

CODE = '''
import asyncio
from collections.abc import AsyncIterator

from moothall import CallContext, Conflict, Node, capability


@capability(access="public")
def add(a: int, b: int = 0) -> int:
    """Add two numbers."""
    return a + b


@capability
async def echo(value: object) -> object:
    """Give back what was given."""
    return value


@capability
async def count(to: int) -> AsyncIterator[int]:
    """Count."""
    for number in range(to):
        yield number
        if number == 3:
            raise Conflict("three is enough", why="somebody said so", hint="count less")


@capability
async def works(ctx: CallContext) -> AsyncIterator[str]:
    """Tell how far it is."""
    await ctx.progress(1, 2, "half")
    yield "a"


@capability(timeout=0.05)
async def slow() -> None:
    """Never end."""
    await asyncio.Event().wait()


@capability
async def dawdle() -> None:
    """Never end either."""
    await asyncio.Event().wait()


@capability
async def who(ctx: CallContext) -> str:
    """Who calls."""
    return f"{ctx.principal.id} at {ctx.door}"


@capability
async def broken() -> None:
    """Fail."""
    raise RuntimeError("SECRET")


@capability(expose_to="net")
async def outside() -> None:
    """Not for this process."""


node = Node()
node.include(add, echo, count, works, slow, dawdle, who, broken, outside)
'''

Moot = Callable[..., tuple[int, str, str]]

pytestmark = pytest.mark.timeout(120)


@pytest.fixture(scope="module")
def code(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("code") / "capabilities_to_call.py"
    path.write_text(CODE, encoding="utf-8")
    return path


@pytest.fixture(scope="module")
def running(code: Path) -> Iterator[Path]:
    with serving(code.name, cwd=code.parent, data="data") as node:
        yield node.data


@pytest.fixture(params=["running", "in process"])
def moot(
    request: pytest.FixtureRequest,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    code: Path,
) -> Moot:
    """`moot call` with words; its exit code, stdout and stderr."""
    if request.param == "running":
        where = ["--data", str(request.getfixturevalue("running"))]
    else:
        where = ["--data", str(tmp_path / "data"), "--node", str(code)]
    monkeypatch.setenv("MOOTHALL_DATA", str(tmp_path / "data"))  # the command sets it for the code; so it is reset
    monkeypatch.setenv("MOOTHALL_DEMO_AGENTS", "false")
    monkeypatch.setattr(sys, "path", list(sys.path))
    monkeypatch.delitem(sys.modules, code.stem, raising=False)

    def call(*words: str, lang: str = "en") -> tuple[int, str, str]:
        status = run(["call", *words, *where, "--lang", lang])
        told = capsys.readouterr()
        return status, told.out, told.err

    return call


@pytest.mark.parametrize(
    ("words", "out"),
    [
        (["local:add", "a=1", "b=2"], "3\n"),
        (["local:node.add@1.0.0", '{"a": 1, "b": 2}'], "3\n"),
        (["local:add", '{"a": 1}', "b:=2"], "3\n"),
        (["local:add", "a=1", "--json"], "1\n"),
        (["local:add", "a=9007199254740992", "b=1"], "9007199254740993\n"),
        (["local:add", "a=9007199254740992", "b=1", "--json"], '"9007199254740993"\n'),
        (["local:echo", "value=Li Lei"], "Li Lei\n"),
        (["local:echo", 'value:="1"'], "1\n"),
        (["local:echo", "value=", "--json"], '""\n'),
        (["local:echo", "value=你好\n世界"], "你好\n世界\n"),
        (["local:echo", "value=你好\n世界", "--json"], '"你好\\n世界"\n'),
        (["local:echo", 'value={"a": [1]}', "--json"], '{"a": [1]}\n'),
        (["local:echo", "value=[]"], "[]\n"),
        (["local:echo", "value=null"], "null\n"),
        (["local:echo", "value=a\x1b[31mb"], "ab\n"),
        (["local:count", "to=2"], "[\n  0,\n  1\n]\n"),
        (["local:count", "to=2", "--stream"], "0\n1\n"),
        (["local:count", "to=2", "--json"], "[0, 1]\n"),
        (["local:add", "a=1", "--stream"], "1\n"),
        (["local:who"], "owner at local\n"),
    ],
)
def test_a_value_is_printed(moot: Moot, words: list[str], out: str) -> None:
    assert moot(*words) == (0, out, "")


def test_arguments_come_from_standard_input(moot: Moot, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", io.StringIO('{"a": 1}'))
    assert moot("local:add", "-", "b=2") == (0, "3\n", "")


@pytest.mark.parametrize(
    ("words", "status", "error", "why", "hint"),
    [
        (["local:add"], 2, "the arguments do not fit", "a: Missing required argument", "moot tools NAME"),
        (["local:add", "a=x"], 2, "the arguments do not fit", "a: Input should be a valid integer", "moot tools NAME"),
        (["local:add", "a=1", "c=1"], 2, "the arguments do not fit", "c: Unexpected keyword argument", "moot tools"),
        (["add"], 2, "the arguments do not fit", "local:NAME", "moot tools"),
        (["https://127.0.0.1:1/"], 2, "", "not public", "MOOTHALL_EGRESS_ALLOW"),
        (["local:nothing"], 5, "there is no such capability", "no capability of this name", "moot tools"),
        (["local:ad"], 5, "there is no such capability", "there are node.add", "moot tools"),
        (["local:outside"], 5, "there is no such capability", "no capability of this name", "moot tools"),
        (["local:slow"], 7, "the call took too long", "did not end in the time", "more time"),
        (["local:slow", "--stream"], 7, "the call took too long", "did not end in the time", "more time"),
        (["local:dawdle", "--timeout", "0.05"], 7, "the call took too long", "did not end in the time", "more time"),
        (["llm:nobody"], 5, "there is no such capability", "no capability of this name", "moot tools"),
        (["odd:nobody"], 8, "it cannot be called for now", "no connector for odd:", ""),
        (["local:count", "to=9"], 2, "this contradicts", "three is enough: somebody said so", "count less"),
    ],
)
def test_a_failure_says_what_why_and_what_to_try_each_once(
    moot: Moot, words: list[str], status: int, error: str, why: str, hint: str
) -> None:
    code, out, told = moot(*words)
    assert (code, out) == (status, "")
    lines = told.splitlines()
    assert [line.partition(": ")[0] for line in lines] == ["error", "why", "try"]
    said = [line.partition(": ")[2] for line in lines]
    assert all(part in line for part, line in zip((error, why, hint), said, strict=True))
    assert len(set(said)) == 3
    assert said[2] not in said[1]


def test_a_stream_that_fails_keeps_what_it_printed(moot: Moot) -> None:
    code, out, told = moot("local:count", "to=9", "--stream")
    assert (code, out) == (2, "0\n1\n2\n3\n")
    assert "three is enough" in told


def test_a_fault_of_the_code_shows_nothing_of_it(moot: Moot) -> None:
    code, out, told = moot("local:broken")
    assert (code, out) == (1, "")
    assert told.endswith("error: internal error\ntry: the node's log says more\n")


def test_failures_speak_chinese(moot: Moot) -> None:
    code, _, told = moot("local:nothing", lang="zh")
    assert code == 5
    assert [line.partition("： ")[0] for line in told.splitlines()] == ["错误", "原因", "建议"]
    assert not re.search("[a-z]{3}", told.replace("moot tools", ""))


@pytest.mark.parametrize(
    ("words", "why"),
    [
        (["local:add", "a=1", "a=2"], "given twice: a"),
        (["local:add", "a=1", '{"a": 2}'], "given twice: a"),
        (["local:add", "a"], "a is no NAME=VALUE"),
        (["local:add", "=1"], "=1 is no NAME=VALUE"),
        (["local:add", "a:=x"], "no JSON"),
        (["local:add", "{"], "no JSON"),
        (["local:add", "a=1", "--timeout", "0"], "--timeout"),
    ],
)
def test_words_that_are_no_arguments_are_refused(moot: Moot, words: list[str], why: str) -> None:
    code, out, told = moot(*words)
    assert (code, out) == (2, "")
    assert why in told


def test_standard_input_must_hold_an_object(moot: Moot, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", io.StringIO("[1]"))
    code, _, told = moot("local:add", "-")
    assert code == 2
    assert "no JSON object" in told


def test_a_file_that_is_none_is_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    words = ["call", "local:add", "a=1", "--data", str(tmp_path), "--lang", "en", "--node"]
    for node in (str(tmp_path / "none.py"), "some/file"):
        assert run([*words, node]) == 2
        assert node in capsys.readouterr().err


def test_progress_of_a_stream_is_told_on_stderr(moot: Moot) -> None:
    assert moot("local:works", "--stream") == (0, "a\n", "1/2 half\n")


@pytest.mark.parametrize(
    ("target", "hint"), [("add", "a target looks like local:add"), ("profile:somebody", "moot demand")]
)
def test_what_cannot_be_called_is_told_with_what_to_do(moot: Moot, target: str, hint: str) -> None:
    code, out, told = moot(target)
    assert (code, out) == (2, "")
    assert hint in told
    assert "Retry-After" not in told


def test_with_json_a_failure_is_one_line_of_json_for_programs(moot: Moot) -> None:
    code, out, told = moot("local:add", "a=x", "--json")
    assert (code, out) == (2, "")
    row = json.loads(told)["error"]
    assert row["code"] == "VALIDATION_ERROR"
    assert {"a", "b"} >= {loc for each in row["details"]["errors"] for loc in each["loc"]} > set()
    assert row["message"]
    assert row["hint"]
