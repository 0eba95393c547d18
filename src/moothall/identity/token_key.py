"""The node's own secret: the key that signs access tokens, kept in its data directory and read once."""

from __future__ import annotations

import hmac
import os
from pathlib import Path
from typing import Final

from moothall.errors import InvalidInput, StorageError
from moothall.identity.keys import PrivateKey
from moothall.storage import private

FILE: Final = "tokens.pem"

_OTHERS: Final = 0o077
_LONGEST: Final = 4096
_HINT: Final = "remove the file: the node makes a new one, and who has an access token signs once more"


class TokenKey:
    """The key, and a secret derived from it that seals the nonces of challenges.

    Several nodes behind one address share both by sharing the file.
    """

    def __init__(self, key: PrivateKey) -> None:
        """Take the key; `load` reads the one of a node."""
        self.private: Final = key
        self.nonce_secret: Final = hmac.digest(key.pem(), b"moothall server nonces", "sha256")

    @classmethod
    def load(cls, data: Path) -> TokenKey:
        """Read the key of the node in `data`; make one where there is none.

        Raises:
            StorageError: the file cannot be read or written, is damaged, or open to others.
        """
        path = data / FILE
        try:
            mode = path.lstat().st_mode
            descriptor = private.opened(path, os.O_RDONLY)
        except FileNotFoundError:
            return _made(data, path)
        except OSError as error:
            raise StorageError(f"cannot use the file {path}", why=str(error)) from error
        with os.fdopen(descriptor, "rb") as file:
            content = file.read(_LONGEST)
        if mode & _OTHERS:
            raise StorageError(f"cannot use the file {path}", why="others could read it", hint=_HINT)
        try:
            return cls(PrivateKey.from_pem(content))
        except InvalidInput as error:
            raise StorageError(f"cannot use the file {path}", why="it is damaged", hint=_HINT) from error

    def __repr__(self) -> str:
        """Its kind; nothing of the key."""
        return f"TokenKey({self.private.public.algorithm})"


def _made(data: Path, path: Path) -> TokenKey:
    """A new key, in a file that appears whole."""
    private.directory(data)
    made = TokenKey(PrivateKey.generate())
    staged = path.with_name(f".{FILE}")
    staged.unlink(missing_ok=True)
    descriptor = private.opened(staged, os.O_WRONLY | os.O_CREAT | os.O_EXCL)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(made.private.pem())
            file.flush()
            os.fsync(file.fileno())
        staged.rename(path)
    except OSError as error:
        raise StorageError(f"cannot write the file {path}", why=str(error)) from error
    return made
