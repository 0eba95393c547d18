"""The node's own secret: the key that signs access tokens, kept in its data directory and read once."""

from __future__ import annotations

import hmac
from pathlib import Path
from typing import Final

from moothall.errors import InvalidInput, StorageError
from moothall.identity.keys import PrivateKey
from moothall.storage import private

FILE: Final = "tokens.pem"

_LONGEST: Final = 4096
_HINT: Final = "remove the file: the node makes a new one, and who has an access token signs once more"


class TokenKey:
    """The key of a node's access tokens, and secrets derived from it.

    They seal the nonces of challenges, the answers kept for repetitions, and what clients keep for us between requests.
    Several nodes behind one address share all of them by sharing the file.
    """

    def __init__(self, key: PrivateKey) -> None:
        """Take the key; `load` reads the one of a node."""
        self.private: Final = key
        self.nonce_secret: Final = hmac.digest(key.pem(), b"moothall server nonces", "sha256")
        self.state_secret: Final = hmac.digest(key.pem(), b"moothall sealed states", "sha256")
        self.reply_secret: Final = hmac.digest(key.pem(), b"moothall kept replies", "sha256")

    @classmethod
    def load(cls, data: Path) -> TokenKey:
        """Read the key of the node in `data`; make one where there is none.

        Raises:
            StorageError: the file cannot be read or written, is damaged, or open to others.
        """
        path = data / FILE
        try:
            return cls(_read(path))
        except FileNotFoundError:
            return cls(_made(data, path))

    def __repr__(self) -> str:
        """Its kind; nothing of the key."""
        return f"TokenKey({self.private.public.algorithm})"


def _read(path: Path) -> PrivateKey:
    try:
        return PrivateKey.from_pem(private.secret(path, _LONGEST, _HINT))
    except InvalidInput as error:
        raise StorageError(f"cannot use the file {path}", why="it is damaged", hint=_HINT) from error


def _made(data: Path, path: Path) -> PrivateKey:
    """A new key, in a file that appears whole; the one of another start of the node where that was faster."""
    private.directory(data)
    try:
        with private.alone(data):
            try:
                return _read(path)
            except FileNotFoundError:
                made = PrivateKey.generate()
                private.write(path, made.pem())
                return made
    except OSError as error:
        raise StorageError(f"cannot write the file {path}", why=str(error)) from error
