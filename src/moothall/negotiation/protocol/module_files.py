"""Generated halves of a protocol as directories (rows META-GEN-01, 02): their layout, their hashes, reading them back.

The directory is named after the hash of the protocol's document: nothing that a peer wrote is part of a path. A module
is written beside its place and moved there whole, by one writer at a time; what a writer left that died in the middle
is put right by whoever comes next. Reading checks every byte, that of `meta_data.json` included.
"""

from __future__ import annotations

import logging
import os
import shutil
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import pydantic

from moothall.canonical import canonical, loads, sha256
from moothall.codegen.module import Module
from moothall.errors import IntegrityError, StorageError, Told
from moothall.negotiation.protocol.brain import Role
from moothall.negotiation.protocol.needs import JsonObject
from moothall.negotiation.protocol.results import protocol_hash
from moothall.storage import private

META_DATA: Final = "meta_data.json"
DOCUMENT: Final = "protocol_document.md"
INIT: Final = "__init__.py"
AROUND: Final = "interface"
"""A directory for code that uses the module and is none of it (`interfaces`); it stays when the module is replaced."""

ROLES: Final[tuple[Role, ...]] = ("requester", "provider")

_log = logging.getLogger(__name__)
_INIT_TEXT: Final = b'"""Generated code of an agreed protocol. It is read and run in the sandbox, never imported."""\n'
_LARGEST: Final = 1024 * 1024
"""Bytes of one file of a module."""


@dataclass(frozen=True, slots=True)
class ModuleFiles:
    """A module directory that was read and is whole: the agreed text and the halves that it holds."""

    path: Path
    document: str = field(repr=False)
    digest: str
    halves: dict[Role, Module] = field(repr=False)


def module_name(digest: str) -> str:
    """What the directory for a protocol is called, from ``sha256:…`` of its document.

    Raises:
        IntegrityError: it is no such hash.
    """
    algorithm, _, digits = digest.partition(":")
    if algorithm != "sha256" or len(digits) != 64 or set(digits) - set("0123456789abcdef"):  # noqa: PLR2004 - of SHA-256
        raise _broken("the hash of a protocol is none")
    return f"protocol_{digits[:32]}"


def write_module(root: Path, document: str, role: Role, module: Module) -> Path:
    """Write one half; the other one stays where it is whole. Blocking.

    Returns:
        The directory.

    Raises:
        IntegrityError: the module belongs to another protocol.
        StorageError: it cannot be written.
    """
    digest = protocol_hash(document)
    if module.manifest.protocol != digest:
        raise _broken("the code belongs to another protocol")
    place = root / module_name(digest)
    try:
        root.mkdir(parents=True, exist_ok=True)
        with private.alone(root):
            _put_right(place)
            files = _other_half(place, role) | _half(role, module)
            files[INIT] = _INIT_TEXT
            files[DOCUMENT] = document.encode("utf-8", "surrogatepass")
            files[META_DATA] = _meta_data(digest, files)
            _move_in(place, files)
    except OSError as error:
        raise StorageError("the generated code could not be written") from error
    return place


def read_module(path: Path) -> ModuleFiles:
    """Read a module directory. Blocking.

    Raises:
        IntegrityError: a byte is not as it was written, or a file is missing or was added.
    """
    files = _read_all(path)
    meta = _checked_meta(files)
    listed = meta["files"]
    if listed.keys() != files.keys() - {META_DATA}:
        raise _broken("files of the module are missing or were added")
    for name, entry in listed.items():
        if entry != {"hash": sha256(files[name])}:
            raise _broken("a file of the module was changed")
    document = _text(files[DOCUMENT])
    if meta["protocol_hash"] != protocol_hash(document):
        raise _broken("the protocol of the module was changed")
    halves = {role: _read_half(role, files, meta["protocol_hash"]) for role in ROLES if f"{role}.py" in files}
    if not halves:
        raise _broken("the module has no code")
    return ModuleFiles(path, document, meta["protocol_hash"], halves)


def kept_module(root: Path, digest: str) -> ModuleFiles | None:
    """The module directory of a protocol, where there is one that is whole; else that is logged. Blocking."""
    try:
        path = root / module_name(digest)
        if not root.is_dir():
            return None
        with private.alone(root):
            _put_right(path)
            return read_module(path) if path.is_dir() else None
    except (IntegrityError, OSError):
        _log.exception("a module directory was changed and is not used")
        return None


def _half(role: Role, module: Module) -> dict[str, bytes]:
    described = module.model_dump(mode="json", exclude={"source"}) | {"hash": module.hash}
    return {f"{role}.py": module.source.encode(), f"{role}_description.json": canonical(described)}


def _other_half(place: Path, role: Role) -> dict[str, bytes]:
    """The files of the half that is not written now, where there is one that can be trusted."""
    other: Role = "provider" if role == "requester" else "requester"
    try:
        found = read_module(place)
    except IntegrityError:
        return {}
    return _half(other, found.halves[other]) if other in found.halves else {}


def _read_half(role: Role, files: dict[str, bytes], digest: str) -> Module:
    try:
        described = loads(files[f"{role}_description.json"])
        expected = described.pop("hash")
        module = Module.of(described | {"source": _text(files[f"{role}.py"])})
    except (KeyError, ValueError, AttributeError, TypeError, pydantic.ValidationError) as error:
        raise _broken("the description of the module's code cannot be read") from error
    if module.hash != expected or module.manifest.protocol != digest:
        raise _broken("the code of the module was changed")
    return module


def _meta_data(digest: str, files: dict[str, bytes]) -> bytes:
    body: JsonObject = {
        "module_name": module_name(digest),
        "protocol_hash": digest,
        "files": {name: {"hash": sha256(data)} for name, data in files.items() if name != META_DATA},
    }
    return canonical(body | {"hash": sha256(canonical(body))})


def _checked_meta(files: dict[str, bytes]) -> JsonObject:
    data = files.get(META_DATA, b"")
    try:
        meta: Any = loads(data)
        own = meta.pop("hash")
        whole = canonical(meta | {"hash": own}) == data and own == sha256(canonical(meta))
        known = {*meta} == {"module_name", "protocol_hash", "files"} and {INIT, DOCUMENT} <= {*meta["files"]}
    except (KeyError, ValueError, AttributeError, TypeError) as error:
        raise _broken("the meta data of the module cannot be read") from error
    if not (whole and known):
        raise _broken("the meta data of the module was changed")
    return dict(meta)


def _read_all(path: Path) -> dict[str, bytes]:
    known = {INIT, META_DATA, DOCUMENT} | {f"{role}{end}" for role in ROLES for end in (".py", "_description.json")}
    files: dict[str, bytes] = {}
    try:
        for entry in sorted(path.iterdir()):
            if entry.name in {"__pycache__", AROUND} and entry.is_dir():
                continue
            if entry.name not in known or entry.is_symlink() or entry.stat().st_size > _LARGEST:
                raise _broken("files of the module are missing or were added")
            files[entry.name] = entry.read_bytes()
    except OSError as error:
        raise _broken("the module cannot be read") from error
    return files


def _made(place: Path) -> Path:
    return place.with_name(f".{place.name}.making")


def _old(place: Path) -> Path:
    return place.with_name(f".{place.name}.old")


def _move_in(place: Path, files: dict[str, bytes]) -> None:
    """Make the directory beside its place and exchange it for what is there; to be called by one at a time."""
    made, old = _made(place), _old(place)
    made.mkdir(mode=0o700)
    try:
        for name, data in files.items():
            with (made / name).open("wb") as file:
                file.write(data)
                file.flush()
                os.fsync(file.fileno())
        if place.exists():
            place.rename(old)
        made.rename(place)
    finally:
        _put_right(place)


def _put_right(place: Path) -> None:
    """End what was begun by `_move_in`, wherever it stopped: what is there afterwards is whole, old or new."""
    made, old = _made(place), _old(place)
    if old.is_dir():
        if not place.exists():
            old.rename(place)
        elif (old / AROUND).is_dir() and not (place / AROUND).exists():
            (old / AROUND).rename(place / AROUND)
    shutil.rmtree(made, ignore_errors=True)
    shutil.rmtree(old, ignore_errors=True)


def _text(data: bytes) -> str:
    try:
        return data.decode("utf-8", "surrogatepass")
    except UnicodeDecodeError as error:
        raise _broken("a file of the module is no text") from error


def _broken(message: str) -> IntegrityError:
    return IntegrityError(message, told=Told("agreeing.module_changed"))
