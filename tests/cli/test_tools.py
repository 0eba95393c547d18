"""`moot tools`: what can be called, at a running node and in a process of its own."""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from moothall.cli import nodefile
from moothall.cli.main import run
from tests.support.program import Served, serving

CODE = '''
from moothall import Agent, Node, capability


@capability(access="public", tags=["sums"])
def add(a: int, b: int = 0) -> int:
    """Add two numbers.

    Args:
        a: the first one
    """
    return a + b


@capability(permissions=["keys"])
def open_door() -> None:
    """Open \\x1b[31mthe door."""


@capability(expose_to="net")
def outside() -> None:
    """Not for this process."""


@capability(expose_to="local")
def note() -> None:
    """For this process only."""


@capability(expose_to="llm")
def whisper() -> None:
    """For models only."""


node = Node()
node.include(add, outside, note, whisper)
node.add(Agent("porter", open_door))
'''

Moot = Callable[..., tuple[int, str, str]]

pytestmark = pytest.mark.timeout(120)


@pytest.fixture(scope="module")
def code(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("code") / "capabilities_to_list.py"
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
    """`moot tools` with words; its exit code, stdout and stderr."""
    if request.param == "running":
        where = ["--data", str(request.getfixturevalue("running"))]
    else:
        where = ["--data", str(tmp_path / "data"), "--node", str(code)]
    monkeypatch.setenv("MOOTHALL_DATA", str(tmp_path / "data"))  # the command sets it for the code; so it is reset
    monkeypatch.setenv("MOOTHALL_DEMO_AGENTS", "false")
    monkeypatch.setattr(sys, "path", list(sys.path))
    monkeypatch.delitem(sys.modules, code.stem, raising=False)

    def tools(*words: str, lang: str = "en") -> tuple[int, str, str]:
        status = run(["tools", *words, *where, "--lang", lang])
        told = capsys.readouterr()
        return status, told.out, told.err

    return tools


@pytest.mark.parametrize(
    ("lang", "heading", "everybody"),
    [
        ("en", ["capability", "arguments", "for", "what", "it", "does"], "everybody"),
        ("zh", ["能力", "参数", "对象", "说明"], "所有人"),
    ],
)
def test_a_table_tells_names_arguments_and_who_may(moot: Moot, lang: str, heading: list[str], everybody: str) -> None:
    code, out, told = moot(lang=lang)
    assert (code, told) == (0, "")
    first, *lines = out.splitlines()
    assert first.lower().split() == heading
    rows = {line.split()[0]: " ".join(line.split()[1:]) for line in lines if line[0] != " "}
    assert rows["node.add"] == f"a, b? {everybody} Add two numbers."
    assert rows["porter.open_door"] == "keys Open the door."
    assert {"node.relay.call", "node.relay.tools", "node.demand.submit"} <= rows.keys()


def test_they_are_those_that_moot_call_can_call(moot: Moot) -> None:
    code, out, _ = moot("--json")
    names = {json.loads(line)["id"] for line in out.splitlines()}
    assert code == 0
    assert "node.note" in names
    assert "node.outside" not in names
    assert moot("outside")[0] == 5


@pytest.mark.parametrize("name", ["add", "node.add"])
def test_one_is_shown_with_its_schemas(moot: Moot, name: str) -> None:
    code, out, _ = moot(name, "--json")
    row = json.loads(out)
    assert code == 0
    assert (row["id"], row["version"], row["access"], row["tags"]) == ("node.add", "1.0.0", "public", ["sums"])
    assert row["input_schema"]["properties"]["a"]["description"] == "the first one"
    assert row["input_schema"]["required"] == ["a"]
    assert "output_schema" in row
    _, shown, _ = moot(name)
    assert all(word in shown for word in ("node.add", "Add two numbers.", '"the first one"', "input_schema"))


@pytest.mark.requirement("DEC-39")
@pytest.mark.parametrize("form", ["openai", "anthropic"])
def test_models_get_them_in_the_form_of_their_provider(moot: Moot, form: str) -> None:
    code, out, _ = moot("--format", form)
    tools = [tool.get("function", tool) for tool in json.loads(out)]
    assert code == 0
    assert all(re.fullmatch(r"[a-zA-Z0-9_-]{1,64}", tool["name"]) for tool in tools)
    named = {tool["name"]: tool for tool in tools}
    schema = named["add"]["parameters" if form == "openai" else "input_schema"]
    assert (named["add"]["description"], schema["required"]) == ("Add two numbers.", ["a"])
    assert {"porter_open_door", "outside", "whisper"} <= named.keys()
    assert "note" not in named


def test_the_list_for_models_is_of_all_of_them(moot: Moot) -> None:
    assert moot("add", "--format", "openai")[0] == 2


def test_what_is_elsewhere_is_listed_without_calling_it(moot: Moot, request: pytest.FixtureRequest) -> None:
    if "running" not in request.node.name:
        pytest.skip("a node that is not served has no address")
    data = request.getfixturevalue("running")
    known = nodefile.read(data)
    assert known is not None
    found = Served(known.url, data, data).did("porter")
    code, out, told = moot(found)
    assert (code, told) == (0, "")
    assert "open_door" in out
    assert found in out
    assert json.loads(moot(found, "--json")[1])["operations"][0]["name"] == "open_door"


def test_one_that_is_not_there_is_told(moot: Moot) -> None:
    code, out, told = moot("nothing")
    assert (code, out) == (5, "")
    assert "nothing" in told
    assert [line.partition(": ")[0] for line in told.splitlines()] == ["error", "why", "try"]
