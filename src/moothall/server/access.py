"""Who calls, and what of the node that caller may see (rows NEG-API-01 and -09). Pure.

A node without keys asks nobody: it listens on loopback only. With keys every call of the API carries one; a demand
belongs to the user whose key submitted it, and for everybody else but an admin it does not exist.
"""

from __future__ import annotations

import hashlib
import hmac
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Self
from urllib.parse import parse_qs

from moothall.errors import Forbidden, SettingsError, Unauthenticated
from moothall.events.model import RunRecord
from moothall.settings import Settings, variable

API = "/api/v1"
ADMIN = f"{API}/admin"
METRICS = "/metrics"
KEY_LENGTH = 16
"""Characters that a key has at least."""

TOKEN = "token"  # noqa: S105 - the name of a query parameter
"""The query parameter with a demand's stream token: a browser's EventSource can send no header."""

_BY_TOKEN = re.compile(rf"{API}/events/.+")
_PEOPLE = {
    "POST": re.compile(rf"{API}/channels/[^/]+/(?:offer|feedback)"),
    "GET": re.compile(rf"{API}/channels/[^/]+/invitation"),
}
_HINT = f"set {variable('api_keys')} to a comma list of user:key, each key with {KEY_LENGTH} characters or more"

Headers = Mapping[str, Sequence[str]]
"""Lower-case names to all their values."""


@dataclass(frozen=True, slots=True)
class Caller:
    """Who a request comes from; the boundary puts it into ``request.state.caller``.

    Attributes:
        user: whose key it carries; None for none.
        admin: it carries the admin key or the token of the node's owner.
        open: the node asks nobody who they are.
        token: the stream token it carries, where one counts; it opens its own demand only.
    """

    user: str | None = None
    admin: bool = False
    open: bool = False
    token: str = field(default="", repr=False)


def may_see(caller: Caller, record: RunRecord) -> bool:
    """Whether the caller may read and steer this demand; who may not is told that there is none."""
    if caller.open or caller.admin:
        return True
    meta = record.meta
    own = caller.user is not None and caller.user == meta.get("requester_id")
    return own or _same(caller.token, str(meta.get("stream_token") or ""))


def submitting_user(caller: Caller, user_id: str | None) -> str | None:
    """For whom the caller submits: ``user_id`` where anybody may say so, else the user of the key.

    Raises:
        Unauthenticated: the caller carries no key.
        Forbidden: the key is another user's.
    """
    if caller.open or caller.admin:
        return user_id or caller.user
    if caller.user is None:
        raise Unauthenticated("no API key in Authorization: Bearer")
    if user_id and user_id != caller.user:
        raise Forbidden("user_id is not the user of this key")
    return caller.user


class Access:
    """The keys of a node, kept as hashes; comparing takes as long for a wrong key as for a right one."""

    def __init__(self, keys: Mapping[bytes, str], admins: Sequence[bytes], *, admin_key: bool) -> None:
        """Use `of`. ``keys`` maps hashes to users; ``admins`` are hashes; ``admin_key``: one is configured."""
        self._keys = dict(keys)
        self._admins = tuple(admins)
        self._admin_key = admin_key

    @classmethod
    def of(cls, settings: Settings, owner_token: str) -> Self:
        """The access that the settings describe.

        Raises:
            SettingsError: the list of keys is malformed, names a key twice or has one that is too short. No key is
                repeated.
        """
        admins = [owner_token, settings.admin_api_key] if settings.admin_api_key else [owner_token]
        return cls(parse_keys(settings.api_keys), [_hash(key) for key in admins], admin_key=len(admins) > 1)

    @property
    def open(self) -> bool:
        """Whether the node asks nobody who they are."""
        return not self._keys

    def identify(self, headers: Headers) -> Caller:
        """Who a request comes from, by ``Authorization: Bearer`` and ``X-Admin-Key``; a wrong key is no key."""
        user, admin = None, False
        for credential in _credentials(headers):
            hashed = _hash(credential)
            for known, name in self._keys.items():
                user = name if hmac.compare_digest(hashed, known) else user
            for known in self._admins:
                admin = hmac.compare_digest(hashed, known) or admin
        return Caller(user=user, admin=admin, open=self.open)

    def admit(self, method: str, path: str, query: bytes, headers: Headers) -> Caller:
        """Let a request in, with its caller, or refuse it.

        Raises:
            Unauthenticated: the address asks for a key, and the request carries none or a wrong one.
            Forbidden: the address is the admins', and the caller is none.
        """
        caller = self.identify(headers)
        if _below(path, ADMIN):
            self._only_admins(caller, headers)
        elif _below(path, API) or path == METRICS:
            caller = replace(caller, token=_token(method, path, query))
            if not (caller.open or caller.admin or caller.user or caller.token or for_people(method, path)):
                raise Unauthenticated(_missing(path))
        return caller

    def _only_admins(self, caller: Caller, headers: Headers) -> None:
        if caller.admin:
            return
        if self._admin_key and not _credentials(headers):
            raise Unauthenticated("no admin key in X-Admin-Key")
        raise Forbidden("not the admin key of this node" if self._admin_key else "this node has no admin key")


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


def _bad(number: int, why: str) -> SettingsError:
    return SettingsError(
        "the setting api_keys does not fit",
        why=f"entry {number}: {why}",
        hint=_HINT,
        details={"setting": "api_keys", "variable": variable("api_keys")},
    )


def _token(method: str, path: str, query: bytes) -> str:
    """The stream token of a request, where one counts; the route compares it with the demand's."""
    if method not in {"GET", "HEAD"} or not by_token(path):
        return ""
    return parse_qs(query.decode("latin-1")).get(TOKEN, [""])[0]


def by_token(path: str) -> bool:
    """Whether a demand's stream token opens the address, in place of a key."""
    return _BY_TOKEN.fullmatch(path) is not None


def for_people(method: str, path: str) -> bool:
    """Whether the route asks for the token of a person who takes part, and checks it itself."""
    pattern = _PEOPLE.get("GET" if method == "HEAD" else method)
    return pattern is not None and pattern.fullmatch(path) is not None


def _missing(path: str) -> str:
    told = "no valid API key in Authorization: Bearer"
    return f"{told}, nor a stream token in ?{TOKEN}=" if by_token(path) else told


def _credentials(headers: Headers) -> list[str]:
    """What a request shows of itself, at most two texts."""
    scheme, _, token = _first(headers, "authorization").partition(" ")
    shown = [token.strip() if scheme.lower() == "bearer" else "", _first(headers, "x-admin-key").strip()]
    return [one for one in shown if one]


def _first(headers: Headers, name: str) -> str:
    return next(iter(headers.get(name, ())), "")


def _below(path: str, prefix: str) -> bool:
    return path == prefix or path.startswith(f"{prefix}/")


def _same(given: str, expected: str) -> bool:
    return bool(given and expected) and hmac.compare_digest(_hash(given), _hash(expected))


def _hash(secret: str) -> bytes:
    return hashlib.sha256(secret.encode("utf-8", "surrogatepass")).digest()
