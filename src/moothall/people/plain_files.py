"""Reading a file that an operator wrote: a plain one, of a size that a person writes, and nothing that never ends."""

from __future__ import annotations

import os
import stat
from pathlib import Path
from typing import Final

MOST: Final = 4 * 1024 * 1024
"""Bytes of one file."""


def read_plain(path: Path) -> str:
    """The text of a file.

    Raises:
        OSError: it cannot be read, is no plain file (a pipe would be waited for, a device never ends), or is larger
            than `MOST` bytes.
        UnicodeDecodeError: it is no UTF-8.
    """
    with os.fdopen(os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC), "rb") as file:
        if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
            raise OSError("it is no plain file")
        content = file.read(MOST + 1)
    if len(content) > MOST:
        raise OSError(f"it is larger than {MOST} bytes")
    return content.decode("utf-8")
