"""Where identities are kept: whole or not at all, and readable by their owner only."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from moothall.errors import Conflict, InvalidInput, StorageError
from moothall.identity.document import DidDocument
from moothall.identity.keys import PrivateKey
from moothall.identity.keystore import Keystore
from moothall.messages import LANGS, explain

DOMAIN = "localhost:8420"
URL = "http://localhost:8420/agents/node/ad.json"


@pytest.fixture(autouse=True)
def _generous_umask() -> Iterator[None]:
    before = os.umask(0)
    yield
    os.umask(before)


@pytest.fixture
def keystore(tmp_path: Path) -> Keystore:
    return Keystore.open(tmp_path / "data")


def modes(folder: Path) -> dict[str, int]:
    return {str(path.relative_to(folder)): path.stat().st_mode & 0o777 for path in folder.rglob("*")}


def test_nothing_is_made_by_looking(keystore: Keystore) -> None:
    assert keystore.load("node", DOMAIN) is None
    assert keystore.all() == ()
    assert not keystore.root.parent.exists()


@pytest.mark.requirement("WIRE-DID-06")
def test_an_identity_is_made_once_and_found_again(keystore: Keystore) -> None:
    made = keystore.ensure("node", DOMAIN, description_url=URL)
    found = keystore.load("node", DOMAIN)
    assert found is not None
    assert found.did == made.did == keystore.ensure("node", DOMAIN, description_url=URL).did
    assert found.body == made.body
    assert found.did.path[:2] == ("agents", "node")
    assert found.document.description_url == URL
    assert found.document.authentication[found.signer.keyid].verify(b"m", found.signer.sign(b"m"))
    assert DidDocument.load(found.did, json.loads(found.body)).authentication == found.document.authentication


@pytest.mark.requirement("WIRE-DID-06")
def test_its_files_are_its_owners_alone(keystore: Keystore) -> None:
    keystore.create("node", DOMAIN, agreement=True)
    assert modes(keystore.root.parent) == {
        "identity": 0o700,
        "identity/node": 0o700,
        "identity/node/localhost%3A8420": 0o700,
        **{f"identity/node/localhost%3A8420/{name}": 0o600 for name in ("did.json", "key-1.pem", "key-2.pem", "key-3.pem")},
    }  # fmt: skip


def test_the_private_key_is_never_shown(keystore: Keystore) -> None:
    identity = keystore.create("node", DOMAIN)
    secret = (keystore.folder("node", DOMAIN) / "key-1.pem").read_text().splitlines()[1]
    assert secret not in f"{identity!r} {identity} {identity.body!r} {keystore!r}"


def test_an_agent_has_an_identity_for_each_domain(keystore: Keystore) -> None:
    here, there = keystore.ensure("node", DOMAIN), keystore.ensure("node", "example.com")
    bob = keystore.create("bob", "example.com", algorithm="secp256k1", path=["user", "bob"])
    assert len({here.did, there.did, bob.did}) == 3
    assert bob.did.kind == "k1"
    assert [(found.agent, found.did) for found in keystore.all()] == [("bob", bob.did), ("node", there.did), ("node", here.did)]  # fmt: skip


def test_a_document_names_the_present_address_and_the_did_stays(keystore: Keystore) -> None:
    before = keystore.ensure("node", DOMAIN, description_url=URL)
    after = keystore.ensure("node", DOMAIN, description_url=URL.replace("http:", "https:"))
    assert after.did == before.did
    assert after.document.description_url.startswith("https:")
    assert keystore.ensure("node", DOMAIN).body == after.body
    assert modes(keystore.folder("node", DOMAIN)) == {"did.json": 0o600, "key-1.pem": 0o600}


def test_an_identity_is_never_replaced(keystore: Keystore) -> None:
    first = keystore.create("node", DOMAIN)
    with pytest.raises(Conflict):
        keystore.create("node", DOMAIN)
    found = keystore.load("node", DOMAIN)
    assert found is not None
    assert found.did == first.did
    assert [path.name for path in (keystore.root / "node").iterdir()] == ["localhost%3A8420"]


def test_of_two_processes_that_make_one_at_once_both_get_the_same(
    keystore: Keystore, monkeypatch: pytest.MonkeyPatch
) -> None:
    create = Keystore.create
    others: list[Any] = []

    def late(self: Keystore, *args: Any, **kwargs: Any) -> Any:
        others.append(create(self, *args, **kwargs))
        return create(self, *args, **kwargs)

    monkeypatch.setattr(Keystore, "create", late)
    assert keystore.ensure("node", DOMAIN).did == others[0].did


@pytest.mark.parametrize("fault", ["fsync", "rename"])
def test_a_write_that_fails_leaves_nothing_behind(
    keystore: Keystore, monkeypatch: pytest.MonkeyPatch, fault: str
) -> None:
    def fail(*_args: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(*((os, fault) if fault == "fsync" else (Path, fault)), fail)
    with pytest.raises(StorageError):
        keystore.create("node", DOMAIN)
    monkeypatch.undo()
    assert list((keystore.root / "node").iterdir()) == []
    assert keystore.load("node", DOMAIN) is None


def test_a_document_that_cannot_be_replaced_stays(keystore: Keystore, monkeypatch: pytest.MonkeyPatch) -> None:
    before = keystore.ensure("node", DOMAIN, description_url=URL)

    def fail(_descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", fail)
    with pytest.raises(StorageError):
        keystore.ensure("node", DOMAIN, description_url="https://example.com/ad.json")
    monkeypatch.undo()
    found = keystore.load("node", DOMAIN)
    assert found is not None
    assert found.body == before.body
    assert sorted(path.name for path in keystore.folder("node", DOMAIN).iterdir()) == ["did.json", "key-1.pem"]


def refused(keystore: Keystore) -> StorageError:
    with pytest.raises(StorageError) as caught:
        keystore.load("node", DOMAIN)
    for lang in LANGS:
        told = explain(caught.value, lang)
        assert "localhost%3A8420" in told.why
        assert told.hint
    return caught.value


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o620, 0o666])
def test_a_key_that_others_may_read_or_write_is_refused(keystore: Keystore, mode: int) -> None:
    keystore.create("node", DOMAIN)
    key = keystore.folder("node", DOMAIN) / "key-1.pem"
    key.chmod(mode)
    assert "chmod 600" in explain(refused(keystore), "en").hint
    assert key.stat().st_mode & 0o777 == mode
    key.chmod(0o600)
    assert keystore.load("node", DOMAIN)


@pytest.mark.parametrize("name", ["did.json", "key-1.pem"])
def test_a_link_or_what_is_no_plain_file_is_refused(keystore: Keystore, name: str) -> None:
    keystore.create("node", DOMAIN)
    path = keystore.folder("node", DOMAIN) / name
    moved = path.rename(keystore.root / name)
    path.symlink_to(moved)
    refused(keystore)
    path.unlink()
    os.mkfifo(path, 0o600)
    refused(keystore)


def test_a_key_of_somebody_else_is_refused(keystore: Keystore, monkeypatch: pytest.MonkeyPatch) -> None:
    keystore.create("node", DOMAIN)
    monkeypatch.setattr(os, "geteuid", lambda: os.getuid() + 1)
    refused(keystore)


@pytest.mark.parametrize("content", [b"", b"{}", b"[]", b"\xff", b'{"id": "did:wba:example.com"}', b"x" * (1 << 19)])
@pytest.mark.parametrize("name", ["did.json", "key-1.pem"])
def test_a_damaged_file_is_refused(keystore: Keystore, name: str, content: bytes) -> None:
    keystore.create("node", DOMAIN)
    (keystore.folder("node", DOMAIN) / name).write_bytes(content)
    refused(keystore)


def test_a_key_that_is_not_the_documents_is_refused(keystore: Keystore) -> None:
    keystore.create("node", DOMAIN)
    (keystore.folder("node", DOMAIN) / "key-1.pem").write_bytes(PrivateKey.generate().pem())
    refused(keystore)


@pytest.mark.parametrize("agent", ["", ".", "..", "../x", "a/b", ".hidden", "a b", "a\0", "ä", "a.b", "-a", "a" * 65])
def test_what_is_no_agents_name_reaches_no_file(keystore: Keystore, agent: str) -> None:
    for use in (keystore.load, keystore.create, keystore.ensure):
        with pytest.raises(InvalidInput):
            use(agent, DOMAIN)
    assert not keystore.root.parent.exists()


@pytest.mark.parametrize("domain", ["127.0.0.1", "../x", "a/b", "", "[::1]:80", "localhost:port"])
def test_what_is_no_domain_reaches_no_file(keystore: Keystore, domain: str) -> None:
    for use in (keystore.load, keystore.create, keystore.ensure):
        with pytest.raises(InvalidInput):
            use("node", domain)
    assert not keystore.root.parent.exists()
