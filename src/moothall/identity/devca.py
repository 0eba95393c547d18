"""`moot serve --tls`: an authority of the node's own and a certificate by it, in ``<data>/tls``, made when they lack.

The authority stays, so that whoever was told to trust it goes on doing so; it is made anew only when it would end, when
the node gets a name that it may not vouch for, or when others could have read its key.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Final

from moothall.errors import InvalidInput, StorageError, Told
from moothall.identity.addresses import is_host, parse
from moothall.identity.certificates import (
    Credential,
    authority_fits,
    new_authority,
    new_server,
    server_fits,
)
from moothall.storage import private

_ALWAYS: Final = ("localhost", "127.0.0.1", "::1")
_OTHERS: Final = 0o077
_LONGEST: Final = 1 << 18


@dataclass(frozen=True, slots=True)
class TlsFiles:
    """Where the certificates of a node are (PEM).

    Attributes:
        chain: the server's certificate and the authority's.
        key: the server's private key.
        authority: the authority's certificate, for those who are to trust the node.
    """

    chain: Path
    key: Path
    authority: Path


def development_tls(data: Path, names: Iterable[str], now: datetime) -> TlsFiles:
    """The certificates of a node, made or renewed as needed; a blocking file operation, for the start.

    Args:
        data: the node's directory.
        names: host names and addresses besides ``localhost`` and loopback; those that mean every interface
            (``0.0.0.0``) name nobody and are left out.
        now: the time of day.

    Raises:
        InvalidInput: one of the names is none.
        StorageError: the files cannot be read or written, or belong to somebody else.
    """
    wanted = _wanted(names)
    folder = data / "tls"
    private.directory(folder)
    files = TlsFiles(folder / "server.pem", folder / "server.key", folder / "ca.pem")
    authority = _read(files.authority, folder / "ca.key")
    if authority is None or not authority_fits(authority, wanted, now):
        authority = new_authority(wanted, now)
        _write(folder / "ca.key", authority.key_pem())
        _write(files.authority, authority.certificate_pem())
    server = _read(files.chain, files.key)
    if server is None or not server_fits(server, authority, wanted, now):
        server = new_server(wanted, authority, now)
        _write(files.key, server.key_pem())
        _write(files.chain, server.certificate_pem() + authority.certificate_pem())
    return files


def _wanted(names: Iterable[str]) -> frozenset[str]:
    found = set(_ALWAYS)
    for name in map(str.lower, names):
        address = parse(name)
        if not is_host(name):
            raise InvalidInput("not a host name", told=Told("egress.tls_name"))
        if address is None or not address.is_unspecified:
            found.add(str(address or name))
    return frozenset(found)


def _read(certificate: Path, key: Path) -> Credential | None:
    """The pair in two files; None if there is none that nobody else could have."""
    try:
        return Credential.read(_content(certificate, secret=False), _content(key, secret=True))
    except FileNotFoundError:
        return None


def _content(path: Path, *, secret: bool) -> bytes:
    """The content of a file; empty where it was open to others and must not be."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK)
        with os.fdopen(descriptor, "rb") as file:
            found = os.fstat(descriptor)
            if not stat.S_ISREG(found.st_mode) or found.st_uid != os.geteuid():
                raise _unusable(path)
            return b"" if secret and found.st_mode & _OTHERS else file.read(_LONGEST)
    except FileNotFoundError:
        raise
    except OSError as error:
        raise _unusable(path) from error


def _write(path: Path, content: bytes) -> None:
    try:
        private.write(path, content)
    except OSError as error:
        raise _unusable(path) from error


def _unusable(path: Path) -> StorageError:
    return StorageError("cannot use a file of the node's certificates", told=Told("egress.tls_file", {"path": path}))
