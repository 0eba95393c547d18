"""What the README says of a function that is written once: its program and its commands, as they stand there."""

from __future__ import annotations

import ast
import json
import re
import shlex
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from tests.support.program import moot, serving

ROOT = Path(__file__).parents[1]
MOST_LINES = 10

pytestmark = pytest.mark.timeout(120)


@pytest.fixture(
    params=[("README.md", "## Write a function once"), ("README.zh-CN.md", "## 函数只写一次")], ids=["en", "zh"]
)
def blocks(request: pytest.FixtureRequest) -> list[str]:
    """The indented blocks of the section: the program, then commands with what they print."""
    name, heading = request.param
    text = (ROOT / name).read_text(encoding="utf-8")
    section = text.partition(f"{heading}\n")[2].partition("\n## ")[0]
    assert section, f"{name} has no section {heading}"
    return list(_blocks(section))


def _blocks(section: str) -> Iterator[str]:
    for part in re.findall(r"(?:^ {4}.*\n(?:\n(?= {4}))?)+", section, re.MULTILINE):
        yield "".join(line.removeprefix("    ") for line in part.splitlines(keepends=True))


def _words(line: str) -> list[str]:
    return shlex.split(line, comments=True)


@pytest.fixture
def place(tmp_path: Path, blocks: list[str]) -> Path:
    (tmp_path / "add.py").write_text(blocks[0], encoding="utf-8")
    return tmp_path


@pytest.mark.requirement("NFR-05")
def test_the_program_is_short_and_is_the_one_of_the_examples(blocks: list[str]) -> None:
    assert len(blocks[0].splitlines()) <= MOST_LINES
    example = ast.parse((ROOT / "examples" / "add.py").read_text(encoding="utf-8"))
    del example.body[0]  # its docstring says how to start it
    assert ast.dump(ast.parse(blocks[0])) == ast.dump(example)


@pytest.mark.requirement("NFR-05")
def test_it_answers_in_process(place: Path, blocks: list[str]) -> None:
    command, printed = blocks[1].splitlines()
    done = moot(*_words(command)[1:], cwd=place)
    assert (done.stdout, done.returncode) == (f"{printed}\n", 0), done.stderr


@pytest.mark.requirement("NFR-05")
def test_it_answers_over_http(place: Path, blocks: list[str]) -> None:
    command, printed = blocks[2].splitlines()
    words = _words(command)
    address = next(word for word in words if word.startswith("http://127.0.0.1:8420/"))
    name, _, value = words[words.index("-H") + 1].partition(": ")
    with serving("add.py", cwd=place) as node:
        answer = httpx.post(
            address.replace("http://127.0.0.1:8420", node.url), headers={name: value},
            content=words[words.index("-d") + 1], trust_env=False,
        )  # fmt: skip
    shown = json.loads(printed)
    envelope = answer.json()
    assert envelope.keys() == shown.keys()
    assert {key: envelope[key] for key in ("success", "data")} == {key: shown[key] for key in ("success", "data")}


@pytest.mark.requirement("NFR-05")
def test_it_answers_a_signed_call_of_another_node(place: Path, blocks: list[str]) -> None:
    export, first, second, call, printed = blocks[3].splitlines()
    name, _, value = _words(export)[1].partition("=")
    other = _words(second)[_words(second).index("--data") + 1]
    with (
        serving(*_words(first)[2:], cwd=place, **{name: value}) as node,
        serving(cwd=place, data=other, **{name: value}) as caller,
    ):
        assert node.did() in moot("identity", "show", cwd=place).stdout
        words = [word.replace("did:wba:localhost%3A8420:agents:node:e1_…", node.did()) for word in _words(call)]
        assert f"{node.did()}#add" in words
        done = moot(*words[1:], cwd=place)
        assert (done.stdout, done.returncode) == (f"{printed}\n", 0), done.stderr
        assert f"node.add by {caller.did()} at anp: ok" in node.log
