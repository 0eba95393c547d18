"""`moot negotiate`, `moot protocols` and `moot routines`: over two nodes that are served, and in a process of their own."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from moothall.cli.main import run
from moothall.hosting import agreeing
from tests.codegen.services.hall import Passing
from tests.support.program import Served, serving

pytestmark = pytest.mark.timeout(180)

BOB = '''
from typing_extensions import TypedDict

from moothall import Agent, Node, capability


class Course(TypedDict):
    title: str
    year: int


class Courses(TypedDict):
    courses: list[Course]
    total: int


@capability(access="authenticated")
def completed_courses(user_id: str) -> Courses:
    """Courses that a student completed."""
    found = [Course(title="Signals", year=2021)] if user_id == "u-1001" else []
    return Courses(courses=found, total=len(found))


node = Node()
node.add(Agent("bob", completed_courses))
'''
ALICE = """
from moothall import Agent, Node

node = Node()
node.add(Agent("carol"))
"""
SPOKEN = '''
import json

from moothall.llm.scripted import ScriptedLLM

PROTOCOL = {
    "requirements": "courses that a student completed",
    "flow": "One request, one response.",
    "request_schema": {
        "type": "object", "properties": {"user_id": {"type": "string"}}, "required": ["user_id"],
    },
    "response_schema": {
        "type": "object",
        "properties": {"code": {"type": "integer"}, "total": {"type": "integer"}},
        "required": ["code", "total"],
    },
    "errors": [{"code": 400, "meaning": "the request does not fit"}],
}
CODE = """```python
def build(arguments: Arguments) -> Request:
    return {"user_id": str(arguments["student"])}


def parse(response: Response) -> Result:
    return response["total"]
```"""
MODEL = ScriptedLLM(
    [
        ("Prompt protocol_propose", json.dumps({"protocol": PROTOCOL})),
        ("Prompt protocol_cases", '{"cases": []}'),
        ("Prompt code_write", CODE),
        ("Prompt code_cases", '{"cases": []}'),
    ]
)
'''
COURSES = {
    "type": "object",
    "properties": {
        "courses": {
            "type": "array",
            "items": {
                "type": "object",
                "properties": {"title": {"type": "string"}, "year": {"type": "integer"}},
                "required": ["title", "year"],
            },
        }
    },
    "required": ["courses"],
}
NEED = ["courses that a student completed", "--input", '{"user_id": "u-1001"}', "--output"]
ANSWER = {"courses": [{"title": "Signals", "year": 2021}]}

Moot = Callable[..., tuple[int, str, str]]


@pytest.fixture
def moot(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Moot:
    """A command in English; its exit code, stdout and stderr."""
    monkeypatch.setenv("MOOTHALL_DEMO_AGENTS", "false")

    def command(*words: object, lang: str = "en") -> tuple[int, str, str]:
        capsys.readouterr()
        code = run([*map(str, words), "--lang", lang])
        told = capsys.readouterr()
        return code, told.out, told.err

    return command


def row(said: tuple[int, str, str]) -> Any:
    """The one JSON value that a command printed; it has to have ended well."""
    code, out, err = said
    assert code == 0, err
    return json.loads(out)


def why(said: tuple[int, str, str]) -> tuple[int, str]:
    """The exit code of a command that failed, and why it did."""
    code, out, err = said
    lines = [line for line in err.splitlines() if line.partition(": ")[0] in {"error", "why", "try"}]
    assert (out, [line.partition(": ")[0] for line in lines]) == ("", ["error", "why", "try"]), err
    return code, lines[1]


@pytest.fixture(scope="module")
def nodes(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Served, Served]]:
    """Alice's node, where Carol is, too, and Bob's; neither has a language model."""
    folder = tmp_path_factory.mktemp("nodes")
    (folder / "bob_node.py").write_text(BOB, encoding="utf-8")
    (folder / "alice_node.py").write_text(ALICE, encoding="utf-8")
    with ExitStack() as stack:
        way = {"MOOTHALL_EGRESS_ALLOW": "http://localhost"}
        bob = stack.enter_context(serving("bob_node.py", cwd=folder, data="bob", **way))
        alice = stack.enter_context(serving("alice_node.py", cwd=folder, data="alice", **way))
        yield alice, bob


@pytest.mark.requirement("WIRE-NEGO-01", "META-SESS-05")
def test_two_nodes_agree_without_a_model_and_speak_what_they_agreed_on(
    nodes: tuple[Served, Served], moot: Moot, tmp_path: Path
) -> None:
    alice, did = nodes[0], nodes[1].did("bob")
    wanted = tmp_path / "courses.json"
    wanted.write_text(json.dumps(COURSES), encoding="utf-8")
    at = ("--data", alice.data)
    asked = ["negotiate", did, *NEED, f"@{wanted}", "--call", "user_id=u-1001", *at]

    made = row(moot(*asked, "--json"))
    assert (made["source"], made["peer"], made["answer"]) == ("negotiated", did, ANSWER)
    code, out, err = moot(*asked)
    assert (code, json.loads(out)) == (0, ANSWER)
    assert f"agreed on before: protocol {made['protocol']}" in err

    listed = row(moot("protocols", "list", *at, "--json"))
    assert (listed["peer"], listed["protocol"]) == (did, made["protocol"])
    assert made["protocol"] in moot("protocols", "list", *at)[1]
    shown = row(moot("protocols", "show", made["protocol"], *at, "--json"))
    assert set(shown["transcript"]["signatures"]) == {"requester", "provider"}
    code, out, _ = moot("protocols", "show", made["protocol"], *at)
    assert code == 0
    assert shown["document"].rstrip() in out
    assert all(words in out for words in ("requester: protocolNegotiation negotiating 1", alice.did(), did))
    assert row(moot("protocols", "ask", did, made["protocol"], "user_id=nobody", *at)) == {"courses": []}

    status, told = why(moot("protocols", "ask", did, made["protocol"], "user_id:=3", *at))
    assert (status, "/arguments/user_id" in told) == (2, True)

    for where in ((), ("--at", did)):
        look = ("routines", "find", "--protocol", made["protocol"], *where, *at, "--json")
        while not (said := moot(*look))[1]:
            assert said[0] == 0, said[2]  # Bob's node tests the code before it shares it; each look is a request
        found = row(said)
        assert (found["hash"], found["kind"]) == (made["routine"], "requester")
        proof = row(moot("routines", "verify", found["hash"], *where, *at, "--json"))
        assert (proof["by"], proof["protocol"]) == (alice.did(), made["protocol"])
    assert row(moot("routines", "find", "--need", listed["need"], *at, "--json"))["hash"] == made["routine"]
    kept = row(moot("routines", "get", made["routine"], *at, "--json"))
    code, out, _ = moot("routines", "get", made["routine"], *at, lang="zh")
    assert code == 0
    assert kept["module"]["source"].rstrip() in out
    carols = row(moot(*asked, "--agent", "carol", "--json"))
    assert (carols["source"], carols["routine"], carols["answer"]) == ("shared", made["routine"], ANSWER)


ABSENT = "sha256:" + "0" * 64
FAULTS = [
    (["negotiate", "BOB", "the weather on the moon"], 6, "nothing that this side is able to do"),
    (["negotiate", "BOB", " "], 2, "the intent says nothing"),
    (["negotiate", "BOB", "courses", "--agent", "nobody"], 5, "no such agent"),
    (["negotiate", "nobody", "courses"], 5, "nobody"),
    (["negotiate", "BOB", "courses", "--input", "@/no/such/file"], 2, "/no/such/file"),
    (["negotiate", "BOB", "courses", "--call", "[1]"], 2, "[1]"),
    (["negotiate", "BOB", *NEED, '{"total": 1}', "--timeout", "0.3"], 7, "goes on"),
    (["protocols", "ask", "BOB", ABSENT, "user_id=x"], 5, "has not agreed"),
    (["protocols", "ask", "BOB", "sha256:0", "user_id=x"], 2, "protocol"),
    (["protocols", "show", ABSENT], 5, "has not agreed"),
    (["routines", "find"], 2, "--protocol, --need"),
    (["routines", "get", ABSENT, "--at", "BOB"], 5, "no such capability"),
    (["routines", "verify", ABSENT], 5, "no such tested code"),
]


@pytest.mark.parametrize(("words", "code", "said"), FAULTS)
def test_what_cannot_be_says_why(
    nodes: tuple[Served, Served], moot: Moot, words: list[str], code: int, said: str
) -> None:
    named = [nodes[1].did("bob") if word == "BOB" else word for word in words]
    status, told = why(moot(*named, "--data", nodes[0].data))
    assert status == code
    assert said in told


def test_an_agent_whose_node_is_not_there_is_not_waited_for(nodes: tuple[Served, Served], moot: Moot) -> None:
    gone = re.sub("%3A[0-9]+", "%3A1", nodes[1].did("bob"))
    status, told = why(moot("negotiate", gone, *NEED, '{"total": 1}', "--data", nodes[0].data))
    assert status == 8
    assert "nobody answers" in told


def test_a_node_that_is_not_served_is_told_that_others_cannot_look_it_up(
    nodes: tuple[Served, Served], moot: Moot, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MOOTHALL_EGRESS_ALLOW", "http://localhost")
    code, out, err = moot("negotiate", nodes[1].did("bob"), "courses", "--data", tmp_path / "data")
    assert (code, out) == (3, "")
    assert "moot serve" in err.splitlines()[1]


def spoken(folder: Path, monkeypatch: pytest.MonkeyPatch, script: str) -> Path:
    """Bob's code with a scripted model, for commands that start the node themselves; what the gate does is not at issue."""
    monkeypatch.setattr(agreeing, "Gate", lambda _sandbox: Passing())
    monkeypatch.setenv("MOOTHALL_DATA", str(folder / "data"))
    code = folder / "bob_and_a_model.py"
    model = BOB.replace("Node()", f"Node(text_model={script})")
    code.write_text(SPOKEN + model, encoding="utf-8")
    return code


def test_words_need_a_model_and_a_schema_or_an_example_none(
    moot: Moot, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    code = spoken(tmp_path, monkeypatch, "None")
    at = ("--node", code, "--data", tmp_path / "data")
    status, told = why(moot("negotiate", "bob", "the number of courses", *at))
    assert status == 6
    assert "no protocol came of it" in told
    asked = ["negotiate", "bob", *NEED, '{"total": 1}', *at]
    by_example = row(moot(*asked, "--call", '{"user_id": "u-1001"}', "--json"))
    assert (by_example["source"], by_example["answer"]) == ("negotiated", {"total": 1})
    code_, out, err = moot(*asked)
    assert (code_, by_example["protocol"] in out) == (0, True)
    assert f"moot protocols ask {by_example['peer']} {by_example['protocol']}" in err
    as_schema = '{"type": "object", "properties": {"total": {"type": "integer"}}, "required": ["total"]}'
    by_schema = row(moot("negotiate", "bob", *NEED, as_schema, *at, "--json"))
    assert (by_schema["protocol"], by_schema["source"]) == (by_example["protocol"], "negotiated")


def test_with_a_model_words_are_enough(moot: Moot, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    code = spoken(tmp_path, monkeypatch, "MODEL")
    at = ("--node", code, "--data", tmp_path / "data")
    asked = ["negotiate", "bob", "how many courses did the student complete", "--call", "student=u-1001", *at]
    made = row(moot(*asked, "--json"))
    assert (made["source"], made["answer"]) == ("negotiated", 1)
    shown = row(moot("protocols", "show", made["protocol"], *at, "--json"))
    assert "courses that a student completed" in shown["document"]
