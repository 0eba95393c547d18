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

from moothall.errors import Forbidden, SettingsError, Told, Unauthenticated
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
_NO_KEY = Told("why.no_key", hint="why.rule.user_key")

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
        raise Unauthenticated("no API key in Authorization: Bearer", told=_NO_KEY)
    if user_id and user_id != caller.user:
        told = Told("why.other_user", hint="why.rule.other_user")
        raise Forbidden("user_id is not the user of this key", told=told)
    return caller.user


class Access:
    """The keys of a node, kept as hashes; comparing takes as long for a wrong key as for a right one."""

    def __init__(self, keys: Mapping[bytes, str], owner: bytes, admin: bytes | None) -> None:
        """Use `of`. ``keys`` maps hashes to users; ``owner`` and ``admin`` are hashes; None: no admin key is set."""
        self._keys = dict(keys)
        self._owner = owner
        self._admin = admin

    @classmethod
    def of(cls, settings: Settings, owner_token: str) -> Self:
        """The access that the settings describe.

        Raises:
            SettingsError: the list of keys is malformed, names a key twice or has one that is too short. No key is
                repeated.
        """
        admin = _hash(settings.admin_api_key) if settings.admin_api_key else None
        return cls(parse_keys(settings.api_keys), _hash(owner_token), admin)

    @property
    def open(self) -> bool:
        """Whether the node asks nobody who they are."""
        return not self._keys

    def identify(self, headers: Headers) -> Caller:
        """Who a request comes from; a wrong key is no key.

        ``Authorization: Bearer`` takes a user's key, ``X-Admin-Key`` the admins', and either the owner's token.
        """
        user, admin = None, False
        for hashed in map(_hash, _bearer(headers)):
            for known, name in self._keys.items():
                user = name if hmac.compare_digest(hashed, known) else user
            admin = hmac.compare_digest(hashed, self._owner)
        for hashed in map(_hash, _admin_key(headers)):
            for known in (self._owner, self._admin or self._owner):
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
                raise _missing(path)
        return caller

    def _only_admins(self, caller: Caller, headers: Headers) -> None:
        if caller.admin:
            return
        hint = "why.rule.admin_key"
        if self._admin is None:
            raise Forbidden("this node has no admin key", told=Told("why.admin_key_unset"))
        if not (_bearer(headers) or _admin_key(headers)):
            raise Unauthenticated("no admin key in X-Admin-Key", told=Told("why.no_admin_key", hint=hint))
        raise Forbidden("not the admin key of this node", told=Told("why.wrong_admin_key", hint=hint))


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


def _missing(path: str) -> Unauthenticated:
    if by_token(path):
        told = Told("why.no_key_or_token", hint=_NO_KEY.hint)
        return Unauthenticated(f"no valid API key in Authorization: Bearer, nor a stream token in ?{TOKEN}=", told=told)
    return Unauthenticated("no valid API key in Authorization: Bearer", told=_NO_KEY)


def _bearer(headers: Headers) -> list[str]:
    """What ``Authorization: Bearer`` shows, if it does."""
    scheme, _, token = _first(headers, "authorization").partition(" ")
    return [token.strip()] if scheme.lower() == "bearer" and token.strip() else []


def _admin_key(headers: Headers) -> list[str]:
    """What ``X-Admin-Key`` shows, if it does."""
    key = _first(headers, "x-admin-key").strip()
    return [key] if key else []


def _first(headers: Headers, name: str) -> str:
    return next(iter(headers.get(name, ())), "")


def _below(path: str, prefix: str) -> bool:
    return path == prefix or path.startswith(f"{prefix}/")


def _same(given: str, expected: str) -> bool:
    return bool(given and expected) and hmac.compare_digest(_hash(given), _hash(expected))


def _hash(secret: str) -> bytes:
    return hashlib.sha256(secret.encode("utf-8", "surrogatepass")).digest()
