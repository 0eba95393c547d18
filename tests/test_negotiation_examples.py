"""Alice and Bob of the examples, two processes with two DIDs: with models, without, and where something goes wrong."""

from __future__ import annotations

import asyncio
import importlib.util
import json
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from moothall.errors import SettingsError
from moothall.hosting.frames import Spoken
from moothall.llm.named import AzureLLM, OpenRouterLLM
from moothall.negotiation.protocol.wire.hello import MetaProtocolOffer, destination_hello
from moothall.protocols.frames.door import Visit
from moothall.server.run import bind
from moothall.simple_node.did_info import DidInfo
from moothall.simple_node.node import SimpleNegotiationNode, generate_did_info
from tests.protocols.frames.town import served
from tests.simple_node.pair import said
from tests.simple_node.scripted import PROPOSAL, REASON, WEATHER, answer, kind
from tests.support.environment import bare_environment
from tests.support.fake_llm import HANG, FakeLLM, fake_llm_thread
from tests.support.program import ENVIRONMENT

EXAMPLES = Path(__file__).parents[1] / "examples"
CALLS = 1_000
pytestmark = pytest.mark.timeout(240)  # a process begins with seconds of imports, on a machine that others use
FIRST = [{"title": "Signals and systems", "year": 2021}, {"title": "Numerical methods", "year": 2022}]


def loaded(name: str) -> ModuleType:
    """An example as a module."""
    spec = importlib.util.spec_from_file_location(name, EXAMPLES / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


ALICE, BOB = loaded("negotiation_alice"), loaded("negotiation_bob")


def free_port() -> int:
    with bind("localhost", 0) as listener:
        return int(listener.getsockname()[1])


def program(name: str, folder: Path, *flags: str) -> list[str]:
    file = EXAMPLES / f"negotiation_{name}.py"
    return [sys.executable, str(file), "--folder", str(folder), *flags]


@dataclass
class Bob:
    """Bob's process: its DID, its files, and what it says."""

    did: str
    folder: Path
    process: subprocess.Popen[str]

    def says(self) -> str:
        assert self.process.stdout is not None
        return self.process.stdout.readline()

    @property
    def complaints(self) -> str:
        return (self.folder / "bob.log").read_text(encoding="utf-8")


@contextmanager
def bob_runs(folder: Path, *flags: str, **environment: str) -> Iterator[Bob]:
    """Bob, from when he takes connections to his end by Ctrl-C."""
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "bob.log").open("w") as log, subprocess.Popen(
        program("bob", folder, "--port", str(free_port()), *flags),
        env=ENVIRONMENT | environment, stdout=subprocess.PIPE, stderr=log, text=True,
    ) as process:  # fmt: skip
        bob = Bob("", folder, process)
        try:
            bob.did = bob.says().strip()
            assert bob.says().startswith("http://localhost:"), bob.complaints
            yield bob
        finally:
            process.send_signal(signal.SIGINT)
            process.wait(30)


def alice_begins(folder: Path, *flags: str, **environment: str) -> subprocess.Popen[str]:
    """Alice; she is the same one each time in the same folder."""
    kept = folder / "alice.port"
    port = kept.read_text() if kept.exists() else str(free_port())
    kept.write_text(port)
    return subprocess.Popen(
        program("alice", folder, "--port", port, *flags),
        env=ENVIRONMENT | environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip


def alice_runs(folder: Path, *flags: str, **environment: str) -> tuple[int, str, str]:
    """Alice to her end: her code, what she printed, and what she complained of."""
    with alice_begins(folder, *flags, **environment) as process:
        out, err = process.communicate(timeout=200)
    return process.returncode, out, err


def beside(bob: Bob, folder: Path) -> Path:
    """A folder for another Alice, who knows Bob's DID."""
    shutil.copy(bob.folder / "bob.json", folder)
    return folder


def azure(llm: FakeLLM) -> dict[str, str]:
    return llm.environment("azure") | {"AZURE_OPENAI_API_VERSION": "2024-10-21"}


def asked(llm: FakeLLM) -> list[tuple[str, str]]:
    return [(each.api, kind(each)) for each in llm.requests]


# With models


@dataclass
class Whole:
    """What came of the whole flow with models, once for this file."""

    code: int
    agreed: str
    response: Any
    rest: str
    before: list[tuple[str, str]]
    after: list[tuple[str, str]]


@pytest.fixture(scope="module")
def llm() -> Iterator[FakeLLM]:
    with fake_llm_thread() as server:
        server.script["text"] = answer
        yield server


@pytest.fixture(scope="module")
def bob(llm: FakeLLM, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bob]:
    with bob_runs(tmp_path_factory.mktemp("models"), **llm.environment("openrouter")) as running:
        yield running
    assert running.process.returncode == 0, running.complaints


@pytest.fixture(scope="module")
def whole(bob: Bob, llm: FakeLLM) -> Whole:
    with alice_begins(bob.folder, "--calls", str(CALLS), **azure(llm)) as alice:
        assert alice.stdout is not None
        assert alice.stderr is not None
        agreed, response = alice.stdout.readline(), alice.stdout.readline()
        before = asked(llm)
        rest, errors = alice.communicate(timeout=200)
    assert alice.returncode == 0, errors
    return Whole(alice.returncode, agreed.split()[-1], json.loads(response), rest, before, asked(llm))


@pytest.fixture
def scripted(llm: FakeLLM) -> Iterator[FakeLLM]:
    """The model with nothing asked of it yet; a test may have it say something else."""
    llm.requests.clear()
    yield llm
    llm.script["text"] = answer


@pytest.mark.requirement(
    "META-EX-01", "META-ALICE-01", "META-ALICE-02", "META-ALICE-03", "META-ALICE-08", "META-ALICE-09", "META-ALICE-10",
    "META-BOB-02", "META-BOB-07", "META-BOB-08", "META-BOB-10",
)  # fmt: skip
def test_alice_and_bob_agree_after_a_counter_proposal_write_code_and_talk(whole: Whole, bob: Bob) -> None:
    assert whole.code == 0
    assert whole.response == {"code": 200, "courses": FIRST, "total": 2}
    assert whole.rest == f"{CALLS} calls\n"
    mine = [prompt for api, prompt in whole.before if api == "azure"]
    his = [prompt for api, prompt in whole.before if api == "openrouter"]
    assert mine[:3] == ["protocol_propose", "protocol_evaluate", "protocol_cases"]  # the second: of what Bob changed
    assert {"code_write", "code_cases"} < set(mine)
    assert his == ["code_write", "code_cases"]  # what he can do stands in schemas, so that rules judge
    name = f"protocol_{whole.agreed.removeprefix('sha256:')[:32]}"
    for side, role in (("alice", "requester"), ("bob", "provider")):
        assert (bob.folder / side / name / f"{role}.py").is_file()
    assert (bob.folder / "alice" / name / "interface" / "requester_interface.py").is_file()
    assert (bob.folder / "bob" / name / "interface" / "provider_callback.py").is_file()


@pytest.mark.requirement("META-EX-01")
def test_a_thousand_business_calls_ask_no_model(whole: Whole) -> None:
    assert whole.rest == f"{CALLS} calls\n"
    assert whole.after == whole.before


@pytest.mark.requirement("META-GEN-06")
async def test_a_third_agent_reuses_the_code_by_its_hash_without_a_model(
    whole: Whole, bob: Bob, scripted: FakeLLM, tmp_path: Path
) -> None:
    name = f"protocol_{whole.agreed.removeprefix('sha256:')[:32]}"
    shutil.copytree(bob.folder / "alice" / name, tmp_path / name)
    carol = SimpleNegotiationNode("localhost", None, 0, "/ws", tmp_path)
    carol.generate_did_document()
    async with carol:
        session = await carol.connect_to_did_with_negotiation(
            bob.did, ALICE.REQUIREMENT, ALICE.INPUT, ALICE.OUTPUT, used_protocol_hash=whole.agreed
        )
        assert await session.code_generated()
        assert set(said(session)) == {"codeGeneration"}
        response = await session.requester_instance.send_request({"user_id": "u-1002"})
        assert response["courses"] == [{"title": "History of bridges", "year": 2020}]
        await session.close()
    assert asked(scripted) == []


@pytest.mark.requirement("META-EX-02", "META-ALICE-07")
def test_where_bob_rejects_alice_says_why_and_fails(bob: Bob, scripted: FakeLLM, tmp_path: Path) -> None:
    scripted.script["text"] = lambda each: answer(each, protocol_propose={"protocol": WEATHER})
    code, _, errors = alice_runs(beside(bob, tmp_path), **azure(scripted))
    assert code == 1
    assert errors.startswith("error: the two sides agree on no protocol")
    assert REASON in errors
    assert "Traceback" not in errors
    assert "NEGOTIATION_REJECTED" in bob.complaints


OTHER = PROPOSAL | {"requirements": "Completed courses of a user, once more."}
"""A protocol that Bob has no code for yet."""


@pytest.mark.requirement("META-EX-02", "META-ALICE-09", "META-BOB-07")
def test_where_bobs_model_writes_no_code_alice_says_so_and_fails(bob: Bob, scripted: FakeLLM, tmp_path: Path) -> None:
    def useless(each: Any) -> str:
        if each.api == "openrouter" and kind(each) == "code_write":
            return "I would rather not."
        return answer(each, protocol_propose={"protocol": OTHER})

    scripted.script["text"] = useless
    code, _, errors = alice_runs(beside(bob, tmp_path), **azure(scripted))
    assert code == 1
    assert errors.startswith("error: the other side could make no code"), errors
    assert "Traceback" not in errors
    assert "a negotiation with" in bob.complaints


@pytest.mark.requirement("META-EX-02")
async def test_where_bob_vanishes_in_mid_negotiation_alice_says_so_and_fails(scripted: FakeLLM, tmp_path: Path) -> None:
    scripted.script["text"] = lambda each: HANG if kind(each) == "protocol_evaluate" else answer(each)

    def whole_way() -> tuple[int, str]:
        with bob_runs(tmp_path, **scripted.environment("openrouter")) as bob, alice_begins(
            tmp_path, **azure(scripted)
        ) as alice:  # fmt: skip
            asyncio.run(scripted.got(2))
            bob.process.kill()
            _, errors = alice.communicate(timeout=200)
        return alice.returncode, errors

    code, errors = await asyncio.to_thread(whole_way)
    scripted.release()
    assert code == 1
    assert errors.startswith("error: "), errors
    assert "closed" in errors or "left" in errors
    assert "Traceback" not in errors


# Without a model


@pytest.mark.requirement("META-ALICE-01", "META-BOB-01", "META-BOB-06", "META-GEN-06")
def test_without_a_model_bob_serves_two_alices_one_after_another_and_ends_on_ctrl_c(
    scripted: FakeLLM, tmp_path: Path
) -> None:
    keys = azure(scripted) | scripted.environment("openrouter")  # which --offline does not use
    with bob_runs(tmp_path, "--offline", **keys) as bob:
        code, out, errors = alice_runs(tmp_path, "--offline", "--calls", "20", **keys)
        assert code == 0, errors
        agreed, response, rest = out.splitlines()
        assert json.loads(response) == {"code": 200, "courses": FIRST, "total": 2}
        assert rest == "20 calls"
        again = alice_runs(tmp_path, "--offline", **keys)
        assert again == (0, f"{agreed}\n{response}\n", "")
        assert [bob.says().endswith(": ready\n") for _ in range(2)] == [True, True]
    assert bob.process.returncode == 0
    assert bob.complaints == ""
    assert asked(scripted) == []


@pytest.mark.requirement("META-ALICE-05")
def test_bobs_did_is_in_the_file_that_he_wrote_without_which_he_has_to_be_started_first(tmp_path: Path) -> None:
    with pytest.raises(SystemExit, match=r"start negotiation_bob\.py first"):
        ALICE.load_bob_did(tmp_path)
    node = SimpleNegotiationNode("localhost", None, 18_451, "/ws", tmp_path)
    generate_did_info(node, tmp_path / "bob.json")
    assert ALICE.load_bob_did(tmp_path) == node.did


AZURE = ("AZURE_OPENAI_API_KEY", "AZURE_OPENAI_ENDPOINT", "AZURE_OPENAI_DEPLOYMENT", "AZURE_OPENAI_API_VERSION")
ROUTER = ("OPENROUTER_API_KEY", "OPENROUTER_MODEL")


@pytest.mark.parametrize(
    ("example", "kind", "names"),
    [
        pytest.param(ALICE, AzureLLM, AZURE, marks=pytest.mark.requirement("META-ALICE-02"), id="alice"),
        pytest.param(BOB, OpenRouterLLM, ROUTER, marks=pytest.mark.requirement("META-BOB-02"), id="bob"),
    ],
)
def test_the_model_is_that_of_the_environment_and_what_is_missing_is_named(
    monkeypatch: pytest.MonkeyPatch, example: ModuleType, kind: type[object], names: tuple[str, ...]
) -> None:
    for name in bare_environment().keys() ^ os.environ.keys():
        monkeypatch.delenv(name, raising=False)
    shown = {"ENDPOINT": "https://llm.example", "MODEL": "acme/model-1"}
    values = {name: shown.get(name.rpartition("_")[2], "secret-0123") for name in names}
    for name, value in values.items():
        monkeypatch.setenv(name, value)
    assert isinstance(example.get_llm_instance(), kind)
    for missing in names:
        with monkeypatch.context() as without:
            without.delenv(missing)
            with pytest.raises(SettingsError, match=missing) as error:
                example.get_llm_instance()
        assert "secret-0123" not in f"{error.value} {error.value.details}"


@pytest.mark.requirement("META-EX-02")
async def test_a_peer_that_sends_garbage_ends_alice_with_a_message(tmp_path: Path) -> None:
    async def receive(visit: Visit) -> None:
        while True:
            await visit.link.receive()
            await visit.link.send(b"\x00no json")

    async def introduce(agent: str, peer: str, _hello: Mapping[str, Any]) -> Mapping[str, Any]:
        return destination_hello(f"did:example:{agent}", peer, MetaProtocolOffer())

    async with served(tmp_path / "node", Spoken(reception=receive, introduces=introduce)) as node:
        identity = node.host.office.agent("node")
        assert identity is not None
        key = identity.signer.key.pem().decode()
        DidInfo(key, identity.did.text, identity.body.decode()).write(tmp_path / "bob.json")
        code, out, errors = await asyncio.to_thread(alice_runs, tmp_path, "--offline")
    assert (code, out) == (1, "")
    assert errors.splitlines()[-1].startswith("error: the other side broke the rules"), errors
    assert "Traceback" not in errors
