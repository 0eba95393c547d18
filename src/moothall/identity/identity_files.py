"""An identity as files in a folder of its own: ``did.json`` and a ``key-N.pem`` for every private key.

The folder appears whole or not at all, and only its owner can look into it (0700, files 0600). A key that others could
read is refused, not closed to them: somebody may have it already.
"""

from __future__ import annotations

import errno
import os
import secrets
import shutil
import stat
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from moothall.canonical import loads
from moothall.errors import Conflict, InvalidInput, StorageError, Told
from moothall.identity.agent import AgentIdentity, NewIdentity
from moothall.identity.creation import KEY
from moothall.identity.did import Did
from moothall.identity.document import DidDocument
from moothall.identity.keys import PrivateKey, Signer
from moothall.storage import private

DOCUMENT: Final = "did.json"
KEY_FILE: Final = f"{KEY}.pem"

_OTHERS: Final = 0o077
_LONGEST: Final = 1 << 18
"""Bytes of a document or key."""


def write(folder: Path, new: NewIdentity) -> None:
    """Write a new identity as `folder`, which may exist if it is empty.

    Raises:
        Conflict: there is something in the folder.
        StorageError: it cannot be written.
    """
    staged = folder.with_name(f".{secrets.token_hex(8)}")
    try:
        folder.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        staged.mkdir(mode=0o700)
        for name, content in _contents(new).items():
            private.write(staged / name, content)
        staged.rename(folder)
        private.settle(folder.parent)  # a power cut must not cost an agent its identity
    except OSError as error:
        if error.errno in {errno.ENOTEMPTY, errno.EEXIST, errno.ENOTDIR}:
            told = Told("identity.there", {"path": folder}, hint="identity.there_hint")
            raise Conflict("there is something already", told=told) from error
        raise _unusable(folder, "file_write") from error
    finally:
        shutil.rmtree(staged, ignore_errors=True)


def replace_document(folder: Path, body: bytes) -> None:
    """Write another document of the same identity; a reader sees the old one or the new one.

    Raises:
        StorageError: it cannot be written.
    """
    try:
        private.write(folder / DOCUMENT, body)
    except OSError as error:
        raise _unusable(folder / DOCUMENT, "file_write") from error


def read(folder: Path, agent: str) -> AgentIdentity:
    """Read an identity and check that its parts belong together.

    Raises:
        FileNotFoundError: there is none.
        StorageError: a file cannot be read, is no plain file, belongs to somebody else or is open to others, or the
            document does not hold or is of another key.
    """
    body, pem = _get(folder / DOCUMENT), _get(folder / KEY_FILE, secret=True)
    try:
        raw = loads(body)
        did = Did.parse(str(raw["id"]))
        document = DidDocument.load(did, raw, allow_legacy=True)
        signer = Signer(f"{did}#{KEY}", PrivateKey.from_pem(pem))
    except (InvalidInput, ValueError, TypeError, KeyError) as error:
        raise _unusable(folder, "file_damaged") from error
    if document.authentication.get(signer.keyid) != signer.key.public:
        raise _unusable(folder, "file_damaged")
    return AgentIdentity(agent, did, document, body, signer)


def _contents(new: NewIdentity) -> Mapping[str, bytes]:
    return {**{f"{name}.pem": pem for name, pem in new.keys.items()}, DOCUMENT: new.identity.body}


def _get(path: Path, *, secret: bool = False) -> bytes:
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK)
    except FileNotFoundError:
        raise
    except OSError as error:
        raise _unusable(path, "file_read") from error
    with os.fdopen(descriptor, "rb") as file:
        found = os.fstat(descriptor)
        if not stat.S_ISREG(found.st_mode) or found.st_uid != os.geteuid():
            raise _unusable(path, "file_foreign")
        if secret and found.st_mode & _OTHERS:
            raise _unusable(path, "file_open")
        return file.read(_LONGEST)


def _unusable(path: Path, why: str) -> StorageError:
    told = Told(f"identity.{why}", {"path": path}, hint=f"identity.{why}_hint")
    return StorageError(f"the identity in {path} cannot be used", told=told)
