"""What `moot identity` makes, shows and checks."""

from __future__ import annotations

import io
import json
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from moothall.cli.main import run
from moothall.identity.document import DidDocument
from moothall.identity.keys import PrivateKey
from moothall.identity.keystore import Keystore


@pytest.fixture(autouse=True)
def _generous_umask() -> Iterator[None]:
    before = os.umask(0)
    yield
    os.umask(before)


@pytest.fixture
def data(tmp_path: Path) -> Path:
    return tmp_path / "data"


def moot(capsys: pytest.CaptureFixture[str], *argv: object, status: int = 0) -> str:
    """Run a command; what it says on stdout, or on stderr when it fails."""
    assert run([str(word) for word in argv] + ["--lang", "en"]) == status, capsys.readouterr()
    told = capsys.readouterr()
    if status:
        assert told.out == ""
        assert [line.split(":")[0] for line in told.err.splitlines()] == ["error", "why", "try"]
    return told.err if status else told.out


def row(capsys: pytest.CaptureFixture[str], *argv: object) -> dict[str, Any]:
    told: dict[str, Any] = json.loads(moot(capsys, *argv, "--json"))
    return told


@pytest.mark.requirement("WIRE-DID-06")
@pytest.mark.parametrize("group", ["identity", "did"])
@pytest.mark.parametrize(("flags", "kind"), [([], "e1"), (["--k1"], "k1"), (["--agreement"], "e1")])
def test_create_writes_document_and_private_key_for_their_owner_only(
    capsys: pytest.CaptureFixture[str], data: Path, group: str, flags: list[str], kind: str
) -> None:
    told = row(capsys, group, "create", "example.com:3000", "agents", "alice", *flags, "--data", data)
    document, key = Path(told["document_file"]), Path(told["key_file"])
    assert document.parent == key.parent == data / "identity" / "alice" / "example.com%3A3000"
    assert {path.stat().st_mode & 0o777 for path in key.parent.iterdir()} == {0o600}
    assert key.parent.stat().st_mode & 0o777 == 0o700
    loaded = DidDocument.load(told["did"], json.loads(document.read_bytes()))
    assert told["document"] == loaded.raw
    assert loaded.did.kind == kind
    assert loaded.authentication == {told["keyid"]: PrivateKey.from_pem(key.read_bytes()).public}
    assert loaded.description_url == "https://example.com:3000/agents/alice/ad.json"
    assert told["document_url"] == loaded.did.document_url()
    assert ("#key-3" in str(loaded.raw.get("keyAgreement"))) is ("--agreement" in flags)


@pytest.mark.requirement("WIRE-DID-06")
def test_create_without_a_path_makes_the_identity_of_the_domain(capsys: pytest.CaptureFixture[str], data: Path) -> None:
    told = row(capsys, "identity", "create", "example.com", "--data", data)
    assert (told["did"], told["agent"]) == ("did:wba:example.com", "node")
    assert told["document_url"] == "https://example.com/.well-known/did.json"


def test_a_domain_is_taken_as_a_did_has_it_too(capsys: pytest.CaptureFixture[str], data: Path) -> None:
    assert run(["identity", "create", "Local.Example%3A8550", "agents", "x", "--data", str(data), "--json"]) == 0
    made = json.loads(capsys.readouterr().out)
    assert made["did"].startswith("did:wba:local.example%3A8550:agents:x:e1_")
    document = json.loads(next(data.rglob("did.json")).read_text(encoding="utf-8"))
    assert document["service"][0]["serviceEndpoint"] == "https://local.example:8550/agents/x/ad.json"


@pytest.mark.requirement("WIRE-DID-06")
@pytest.mark.parametrize("domain", ["127.0.0.1", "192.0.2.7:443", "[::1]", "2130706433"])
def test_an_ip_host_is_refused_and_nothing_is_written(
    capsys: pytest.CaptureFixture[str], data: Path, tmp_path: Path, domain: str
) -> None:
    for place in (["--data", data], ["--out", tmp_path / "out"]):
        assert "domain" in moot(capsys, "identity", "create", domain, "user", "alice", *place, status=2)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("path", [["a b"], ["a/b"], [".."], ["user", ""], ["user:x"]])
def test_a_path_that_is_none_is_refused(capsys: pytest.CaptureFixture[str], data: Path, path: list[str]) -> None:
    moot(capsys, "identity", "create", "example.com", *path, "--data", data, status=2)
    assert not data.exists()


@pytest.mark.requirement("WIRE-DID-06")
def test_out_writes_into_a_folder_of_its_own(capsys: pytest.CaptureFixture[str], data: Path, tmp_path: Path) -> None:
    out = tmp_path / "deep" / "out"
    told = row(capsys, "identity", "create", "example.com", "alice", "--out", out, "--data", data)
    assert sorted(path.name for path in out.iterdir()) == ["did.json", "key-1.pem"]
    assert (out / "key-1.pem").stat().st_mode & 0o777 == 0o600
    assert told["key_file"] == str(out / "key-1.pem")
    assert not data.exists()


def test_nothing_that_is_there_is_replaced(capsys: pytest.CaptureFixture[str], data: Path, tmp_path: Path) -> None:
    place: list[object]
    for place in (["--data", data], ["--out", tmp_path / "out"]):
        first = row(capsys, "identity", "create", "example.com", "alice", *place)
        before = Path(first["key_file"]).read_bytes()
        assert "already" in moot(capsys, "identity", "create", "example.com", "alice", *place, status=2)
        assert Path(first["key_file"]).read_bytes() == before
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "file").write_text("precious")
    moot(capsys, "identity", "create", "example.com", "alice", "--out", tmp_path / "mine", status=2)
    assert [path.name for path in (tmp_path / "mine").iterdir()] == ["file"]


@pytest.mark.requirement("WIRE-DID-06")
def test_the_private_key_is_never_printed(capsys: pytest.CaptureFixture[str], data: Path) -> None:
    told = moot(capsys, "identity", "create", "example.com", "alice", "--data", data)
    told += moot(capsys, "identity", "show", "--data", data) + moot(
        capsys, "identity", "show", "--json", "--data", data
    )
    (key,) = data.rglob("key-1.pem")
    assert key.read_text().splitlines()[1] not in told
    assert str(key) in told


def test_show_lists_the_identities_of_all_agents_or_of_one(capsys: pytest.CaptureFixture[str], data: Path) -> None:
    keystore = Keystore.open(data)
    made = [keystore.create(agent, domain) for agent, domain in (("bob", "a.example"), ("node", "a.example"), ("node", "b.example"))]  # fmt: skip
    told = moot(capsys, "identity", "show", "--data", data)
    assert all(one.did.text in told for one in made)
    rows = [
        json.loads(line) for line in moot(capsys, "identity", "show", "node", "--json", "--data", data).splitlines()
    ]
    assert [found["did"] for found in rows] == [one.did.text for one in made[1:]]
    assert all(Path(found["document_file"]).is_file() for found in rows)


def test_show_finds_nobody(capsys: pytest.CaptureFixture[str], data: Path) -> None:
    assert moot(capsys, "identity", "show", "--data", data) == ""
    assert "zoe" in moot(capsys, "identity", "show", "zoe", "--data", data, status=5)
    assert not data.exists()


def test_verify_says_whether_a_document_holds(capsys: pytest.CaptureFixture[str], data: Path) -> None:
    made = row(capsys, "identity", "create", "example.com", "alice", "--data", data)
    file = Path(made["document_file"])
    assert made["did"] in moot(capsys, "identity", "verify", file)
    told = row(capsys, "identity", "verify", file)
    assert told == {"did": made["did"], "valid": True, "key_bound": True, "proof": True, "authentication": [made["keyid"]]}  # fmt: skip
    changed = json.loads(file.read_bytes()) | {"service": []}
    file.write_text(json.dumps(changed))
    assert "proof" in moot(capsys, "identity", "verify", file, status=2)


def test_verify_reads_standard_input(
    capsys: pytest.CaptureFixture[str], data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = Keystore.open(data).create("alice", "example.com")
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(made.body)))
    assert made.did.text in moot(capsys, "identity", "verify", "-")


def test_verify_takes_old_documents_only_when_told_so(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    file = tmp_path / "did.json"
    file.write_text('{"id": "did:wba:example.com:user:alice", "verificationMethod": [], "authentication": []}')
    moot(capsys, "identity", "verify", file, status=2)
    assert "only its domain" in moot(capsys, "identity", "verify", file, "--allow-legacy")
    assert row(capsys, "identity", "verify", file, "--allow-legacy")["key_bound"] is False


@pytest.mark.parametrize("content", ["", "{", "[]", "{}", '{"id": 5}', '{"id": "did:web:example.com"}', "5"])
def test_verify_refuses_what_is_no_document(capsys: pytest.CaptureFixture[str], tmp_path: Path, content: str) -> None:
    file = tmp_path / "did.json"
    file.write_text(content)
    moot(capsys, "identity", "verify", file, status=2)
    moot(capsys, "identity", "verify", tmp_path / "missing.json", status=2)
    moot(capsys, "identity", "verify", tmp_path, status=2)
