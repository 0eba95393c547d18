"""The file of signed statements, outside the database: one JSON object in each line, only ever appended to."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from moothall.storage import private

FILE: Final = "audit-anchors.jsonl"
"""Its name in the data directory."""

_TAIL: Final = 16_384
"""Bytes that hold more than the longest line."""


def append(path: Path, token: str) -> None:
    """Add a statement; it lasts when this returns. A line that a crash left half written goes.

    Raises:
        StorageError: the file is a link, or belongs to somebody else.
        OSError: it cannot be written.
    """
    descriptor = private.opened(path, os.O_RDWR | os.O_CREAT)
    with os.fdopen(descriptor, "r+b") as file:
        tail, end = _tail(file.fileno())
        whole = end - len(tail) + tail.rfind(b"\n") + 1
        if whole < end:
            file.truncate(whole)
        file.seek(whole)
        file.write(json.dumps({"anchor": token}).encode() + b"\n")
        file.flush()
        os.fsync(file.fileno())
    if not end:
        private.settle(path.parent)


def last(path: Path) -> str:
    """The newest statement; empty where there is none.

    Raises:
        StorageError: as `append`, or the newest line is no statement.
    """
    try:
        descriptor = private.opened(path, os.O_RDONLY)
    except FileNotFoundError:
        return ""
    with os.fdopen(descriptor, "rb") as file:
        lines = _tail(file.fileno())[0].split(b"\n")[:-1]
    return token_of(lines[-1]) if lines else ""


def tokens(lines: Iterator[bytes]) -> Iterator[str]:
    """The statements of such a file; empty for a line that is none. A last line without an end is left out."""
    for line in lines:
        if line.endswith(b"\n"):
            yield token_of(line)


def token_of(line: bytes) -> str:
    """The statement of a line; empty where it is none."""
    try:
        said = json.loads(line)
    except ValueError:
        return ""
    token = said.get("anchor") if isinstance(said, dict) else None
    return token if isinstance(token, str) else ""


def _tail(descriptor: int) -> tuple[bytes, int]:
    end = os.fstat(descriptor).st_size
    start = max(0, end - _TAIL)
    return os.pread(descriptor, end - start, start), end
