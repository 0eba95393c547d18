"""Module directories: the layout, the agreed text byte for byte, and no changed byte that goes unnoticed."""

from __future__ import annotations

import json
import shutil
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from moothall.codegen.module import Function, Manifest, Module, Provenance
from moothall.errors import IntegrityError, StorageError
from moothall.negotiation.protocol.brain import Role
from moothall.negotiation.protocol.module_files import kept_module, module_name, read_module, write_module
from moothall.negotiation.protocol.recalling import Agreements
from moothall.negotiation.protocol.results import protocol_hash

DOCUMENT = "# Requirements\n查询用户的教育经历\r\n\n# Protocol Flow\n…\n"

WRITERS: tuple[Role, ...] = ("requester", "provider") * 8


def half(kind: str, source: str = "def handle(request):\n    return request\n", document: str = DOCUMENT) -> Module:
    functions = (Function(name="handle", parameters={"type": "object"}),)
    manifest = Manifest(
        kind=kind,  # type: ignore[arg-type]
        name="education",
        functions=functions,
        protocol=protocol_hash(document),
        provenance=Provenance(writer="template"),
    )
    return Module(manifest=manifest, source=source, policy="gate-1")


@pytest.mark.requirement("META-GEN-01")
def test_a_module_has_its_files_and_the_agreed_text_byte_for_byte(tmp_path: Path) -> None:
    path = write_module(tmp_path, DOCUMENT, "provider", half("provider"))
    assert {each.name for each in path.iterdir()} == {
        "__init__.py",
        "meta_data.json",
        "protocol_document.md",
        "provider.py",
        "provider_description.json",
    }
    assert (path / "protocol_document.md").read_bytes() == DOCUMENT.encode()
    assert [each.name for each in tmp_path.iterdir()] == [path.name]


@pytest.mark.requirement("META-GEN-01")
def test_both_halves_live_beside_each_other_and_each_is_replaced_alone(tmp_path: Path) -> None:
    write_module(tmp_path, DOCUMENT, "provider", half("provider"))
    write_module(tmp_path, DOCUMENT, "requester", half("requester"))
    newer = half("provider", "def handle(request):\n    return {}\n")
    path = write_module(tmp_path, DOCUMENT, "provider", newer)
    found = read_module(path)
    assert found.halves == {"provider": newer, "requester": half("requester")}
    assert found.document == DOCUMENT
    assert found.digest == protocol_hash(DOCUMENT)


@pytest.mark.requirement("META-GEN-02")
def test_meta_data_names_the_hash_of_every_file_and_of_the_protocol(tmp_path: Path) -> None:
    path = write_module(tmp_path, DOCUMENT, "provider", half("provider"))
    meta = json.loads((path / "meta_data.json").read_bytes())
    assert meta["protocol_hash"] == protocol_hash(DOCUMENT)
    assert meta["files"].keys() == {each.name for each in path.iterdir()} - {"meta_data.json"}
    assert meta["files"]["protocol_document.md"]["hash"] == protocol_hash(DOCUMENT)


@pytest.mark.requirement("META-GEN-02")
def test_one_changed_byte_of_any_file_makes_reading_fail(tmp_path: Path) -> None:
    path = write_module(tmp_path, DOCUMENT, "provider", half("provider"))
    for file in sorted(path.iterdir()):
        whole = file.read_bytes()
        for at in range(0, len(whole), 7):
            file.write_bytes(whole[:at] + bytes([whole[at] ^ 1]) + whole[at + 1 :])
            with pytest.raises(IntegrityError):
                read_module(path)
        file.write_bytes(whole)
    read_module(path)


@pytest.mark.requirement("META-GEN-02")
@pytest.mark.parametrize("name", ["__init__.py", "meta_data.json", "protocol_document.md", "provider.py"])
def test_a_missing_file_makes_reading_fail(tmp_path: Path, name: str) -> None:
    path = write_module(tmp_path, DOCUMENT, "provider", half("provider"))
    (path / name).unlink()
    with pytest.raises(IntegrityError):
        read_module(path)


@pytest.mark.parametrize("name", ["extra.py", "requester.py"])
def test_an_added_file_makes_reading_fail(tmp_path: Path, name: str) -> None:
    path = write_module(tmp_path, DOCUMENT, "provider", half("provider"))
    (path / name).write_text("import os\n", encoding="utf-8")
    with pytest.raises(IntegrityError):
        read_module(path)


def test_a_file_that_leads_elsewhere_makes_reading_fail(tmp_path: Path) -> None:
    path = write_module(tmp_path, DOCUMENT, "provider", half("provider"))
    (path / "provider.py").rename(tmp_path / "elsewhere.py")
    (path / "provider.py").symlink_to(tmp_path / "elsewhere.py")
    with pytest.raises(IntegrityError):
        read_module(path)


def test_code_of_another_protocol_is_not_written(tmp_path: Path) -> None:
    with pytest.raises(IntegrityError):
        write_module(tmp_path, DOCUMENT, "provider", half("provider", document="another"))
    assert list(tmp_path.iterdir()) == []


def test_a_place_that_cannot_be_written_leaves_nothing(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("", encoding="utf-8")
    with pytest.raises(StorageError):
        write_module(tmp_path / "file", DOCUMENT, "provider", half("provider"))


def test_what_is_damaged_is_replaced_as_a_whole(tmp_path: Path) -> None:
    path = write_module(tmp_path, DOCUMENT, "requester", half("requester"))
    (path / "requester.py").write_text("import os\n", encoding="utf-8")
    write_module(tmp_path, DOCUMENT, "provider", half("provider"))
    assert read_module(path).halves.keys() == {"provider"}


@pytest.mark.parametrize("digest", ["", "sha256:", "sha256:../../etc", "md5:" + "0" * 64, "sha256:" + "G" * 64])
def test_no_path_is_made_of_what_is_no_hash(digest: str) -> None:
    with pytest.raises(IntegrityError):
        module_name(digest)


def test_many_who_write_one_module_at_once_leave_it_whole(tmp_path: Path) -> None:
    halves = [half(kind, f"def handle(request):\n    return {number}\n") for number, kind in enumerate(WRITERS)]
    with ThreadPoolExecutor(8) as pool:
        for role, module in zip(WRITERS, halves, strict=True):
            pool.submit(write_module, tmp_path, DOCUMENT, role, module)
    places = [tmp_path / module_name(protocol_hash(DOCUMENT))]
    assert [*tmp_path.iterdir()] == places
    found = read_module(places[0])
    assert {*found.halves} == {"requester", "provider"}
    assert all(each in halves for each in found.halves.values())


@pytest.mark.parametrize("stopped", ["before", "between", "after"])
def test_a_writer_that_died_in_the_middle_leaves_a_whole_module(tmp_path: Path, stopped: str) -> None:
    path = write_module(tmp_path, DOCUMENT, "provider", half("provider"))
    (path / "interface").mkdir()
    (path / "interface" / "requester_interface.py").write_text("kept")
    old, made = tmp_path / f".{path.name}.old", tmp_path / f".{path.name}.making"
    shutil.copytree(path, made)
    shutil.rmtree(made / "interface")
    if stopped in {"between", "after"}:
        path.rename(old)
    if stopped == "after":
        made.rename(path)
    found = kept_module(tmp_path, protocol_hash(DOCUMENT))
    assert found is not None
    assert found.halves == {"provider": half("provider")}
    assert (path / "interface" / "requester_interface.py").read_text() == "kept"
    assert [*tmp_path.iterdir()] == [path]
    write_module(tmp_path, DOCUMENT, "requester", half("requester"))
    assert {*read_module(path).halves} == {"provider", "requester"}


def test_needs_that_are_remembered_at_once_are_all_remembered(tmp_path: Path) -> None:
    kept = Agreements(tmp_path)
    with ThreadPoolExecutor(8) as pool:
        for number in range(16):
            pool.submit(kept.put, f"need {number}", "did:example:bob", "requester", f"sha256:{number}")
    assert [kept.find(f"need {number}", "did:example:bob", "requester") for number in range(16)] == [
        f"sha256:{number}" for number in range(16)
    ]
