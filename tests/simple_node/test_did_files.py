"""DIDs in files, as spec A keeps them (rows META-ALICE-04, META-BOB-04)."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from moothall.errors import InvalidInput, StorageError, UsageError
from moothall.simple_node.did_info import DidInfo
from moothall.simple_node.node import SimpleNegotiationNode, generate_did_info
from tests.simple_node.pair import simple

Damage = Callable[[str], str]


def node(folder: Path, port: int = 18_451) -> SimpleNegotiationNode:
    return SimpleNegotiationNode("localhost", None, port, "/ws", folder)


@pytest.mark.requirement("META-ALICE-04", "META-BOB-04")
def test_the_first_run_writes_a_file_for_its_owner_alone_and_the_second_has_the_same_did(tmp_path: Path) -> None:
    file = tmp_path / "alice.json"
    first, second = node(tmp_path / "one"), node(tmp_path / "two")
    generate_did_info(first, file)
    content = file.read_bytes()
    generate_did_info(second, file)
    assert first.did == second.did != ""
    assert file.read_bytes() == content
    assert file.stat().st_mode & 0o777 == 0o600
    assert "PRIVATE KEY" in json.loads(content)["private_key"]


def _of_another(text: str) -> str:
    other = SimpleNegotiationNode("localhost", None, 18_452, "/ws", Path()).generate_did_document()
    return json.dumps(json.loads(text) | {"private_key": other.private_key})


@pytest.mark.requirement("META-ALICE-04", "META-BOB-04")
@pytest.mark.parametrize(
    "damage",
    [
        lambda text: text[: len(text) // 2],
        lambda _: "",
        lambda text: text.replace("e1_", "e1_x", 1),
        lambda text: text.replace("agents", "agenten"),
        _of_another,
        lambda _: "[]",
    ],
    ids=["cut", "empty", "did", "document", "key", "list"],
)
def test_a_damaged_file_raises_and_stays_as_it_is(tmp_path: Path, damage: Damage) -> None:
    file = tmp_path / "alice.json"
    generate_did_info(node(tmp_path / "one"), file)
    damaged = damage(file.read_text())
    file.write_text(damaged)
    again = node(tmp_path / "two")
    with pytest.raises(StorageError):
        generate_did_info(again, file)
    assert file.read_text() == damaged
    assert again.did == ""


@pytest.mark.requirement("META-ALICE-04")
def test_a_file_that_others_can_read_raises_and_stays_as_it_is(tmp_path: Path) -> None:
    file = tmp_path / "alice.json"
    generate_did_info(node(tmp_path), file)
    content = file.read_bytes()
    file.chmod(0o644)
    with pytest.raises(StorageError):
        generate_did_info(node(tmp_path), file)
    assert file.read_bytes() == content


@pytest.mark.requirement("META-BOB-04")
def test_a_did_of_another_address_is_not_taken(tmp_path: Path) -> None:
    made = node(tmp_path).generate_did_document()
    with pytest.raises(InvalidInput):
        node(tmp_path, 18_452).set_did_info(made.private_key, made.did, made.did_document)


@pytest.mark.requirement("META-BOB-04")
async def test_the_did_of_a_node_that_runs_stays(tmp_path: Path) -> None:
    async with simple(tmp_path) as running:
        other = DidInfo.made("localhost:1", "http://localhost:1/ad.json", running._clock)
        with pytest.raises(UsageError):
            running.set_did_info(other.private_key, other.did, other.did_document)


def test_a_key_is_in_no_log(tmp_path: Path) -> None:
    made = node(tmp_path).generate_did_document()
    assert "PRIVATE" not in repr(made)
