"""Keys that a node gave out by its settings: users' keys, the admins' key, and its owner's token. Pure.

They are kept as hashes; comparing takes as long for a wrong key as for a right one.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Mapping
from typing import Final

from moothall.errors import SettingsError
from moothall.identity.principal import EVERYTHING, OWNER_BY_TOKEN, Principal
from moothall.settings import Settings, variable

KEY_LENGTH: Final = 16
"""Characters that a key has at least."""

DEMAND: Final = "demand"
"""The permission that every user of a key has: to submit demands, and to see and steer their own."""

ADMIN: Final = Principal(id="admin", kind="admin", binding="token", permissions=frozenset({EVERYTHING}), owner=True)
"""Whoever shows the admins' key."""

LOCAL: Final = Principal(id="local", kind="local", verified=False, permissions=frozenset({DEMAND}))
"""The caller of a node without keys, which listens on loopback and asks nobody; only routes that say so take it."""

_HINT: Final = f"set {variable('api_keys')} to a comma list of user:key, each key with {KEY_LENGTH} characters or more"


class ApiKeys:
    """The keys of a node."""

    def __init__(self, users: Mapping[bytes, str], owner: bytes, admin: bytes | None) -> None:
        """Use `of`. `users` maps hashes to users; `owner` and `admin` are hashes; None: no admin key is set."""
        self._users = {hashed: _user(name) for hashed, name in users.items()}
        self._owner, self._admin = owner, admin

    @classmethod
    def of(cls, settings: Settings, owner_token: str) -> ApiKeys:
        """The keys that the settings name, and the owner's token.

        Raises:
            SettingsError: as `parse_keys`.
        """
        admin = _hash(settings.admin_api_key) if settings.admin_api_key else None
        return cls(parse_keys(settings.api_keys), _hash(owner_token), admin)

    def bearer(self, token: str) -> Principal | None:
        """Who shows this in ``Authorization: Bearer``: a user or the node's owner; None for a wrong key."""
        hashed, found = _hash(token), None
        for known, user in self._users.items():
            found = user if hmac.compare_digest(hashed, known) else found
        return OWNER_BY_TOKEN if hmac.compare_digest(hashed, self._owner) else found

    def admin(self, key: str) -> Principal | None:
        """Who shows this in ``X-Admin-Key``: an admin or the node's owner; None for a wrong key."""
        hashed = _hash(key)
        is_admin = hmac.compare_digest(hashed, self._admin or self._owner)
        if hmac.compare_digest(hashed, self._owner):
            return OWNER_BY_TOKEN
        return ADMIN if is_admin else None

    def has(self, user: str) -> bool:
        """Whether there is a key of this user (``user:NAME``)."""
        return any(known.id == user for known in self._users.values())

    def __repr__(self) -> str:
        """How many there are; nothing of them."""
        return f"ApiKeys({len(self._users)})"


def parse_keys(listed: str) -> dict[bytes, str]:
    """The hashes of the keys in a comma list of ``user:key``, with their users; a user may have several.

    Raises:
        SettingsError: the list is malformed, names a key twice or has one that is too short. No key is repeated.
    """
    found: dict[bytes, str] = {}
    for number, entry in enumerate(filter(None, map(str.strip, listed.split(","))), start=1):
        user, colon, key = (part.strip() for part in entry.partition(":"))
        if not (user and colon and key):
            raise _bad(number, "it is not user:key")
        if len(key) < KEY_LENGTH or not key.isascii() or not key.isprintable() or " " in key:
            raise _bad(number, f"its key is not made of {KEY_LENGTH} or more ASCII characters without a space")
        found.setdefault(_hash(key), user)
        if len(found) < number:
            raise _bad(number, "its key stands in the list already")
    if listed.strip() and not found:
        raise _bad(1, "there is none")
    return found


def _user(name: str) -> Principal:
    return Principal(id=f"user:{name}", kind="user", binding="token", permissions=frozenset({DEMAND}))


def _bad(number: int, why: str) -> SettingsError:
    return SettingsError(
        "the setting api_keys does not fit",
        why=f"entry {number}: {why}",
        hint=_HINT,
        details={"setting": "api_keys", "variable": variable("api_keys")},
    )


def _hash(secret: str) -> bytes:
    return hashlib.sha256(secret.encode("utf-8", "surrogatepass")).digest()
