"""Which route asks its caller for what (rows NEG-API-01 and -09).

Who a caller is says the verifier of the node; here is decided only whether that is enough for an address. A node
without keys asks nobody: it listens on loopback only, and who proves nothing there is its `LOCAL` caller. With keys
every call of the API carries one, or a signature of an agent that was granted ``demand``.
"""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Mapping, Sequence
from urllib.parse import parse_qs

from moothall.errors import Forbidden, PermissionDeniedError, Told, Unauthenticated
from moothall.identity.apikeys import LOCAL
from moothall.identity.principal import ANONYMOUS, EVERYTHING, Principal
from moothall.identity.request import HttpRequest
from moothall.negotiation.demand.callers import NO_KEY
from moothall.negotiation.demand.capabilities import PERMISSION

API = "/api/v1"
ADMIN = f"{API}/admin"
APPROVALS = f"{API}/approvals"
METRICS = "/metrics"

TOKEN = "token"  # noqa: S105 - the name of a query parameter
"""The query parameter with a demand's stream token: a browser's EventSource can send no header."""

_BY_TOKEN = re.compile(rf"{API}/events/.+")
_PEOPLE = {
    "POST": re.compile(rf"{API}/channels/[^/]+/(?:offer|feedback)"),
    "GET": re.compile(rf"{API}/channels/[^/]+/invitation"),
}
_PROOFS = ("signature-input", "signature")

Headers = Mapping[str, Sequence[str]]
"""Lower-case names to all their values."""

Authenticate = Callable[[HttpRequest], Awaitable[Principal]]
"""The verifier of the node, as `Gateway.authenticate` describes it."""


class Access:
    """Lets requests in, each with its caller.

    ``keyless``: the node asks nobody who they are; ``admin_key``: it has a key for admins.
    """

    def __init__(self, authenticate: Authenticate, *, keyless: bool, admin_key: bool) -> None:
        self._authenticate = authenticate
        self._keyless = keyless
        self._admin_key = admin_key

    async def admit(self, request: HttpRequest, path: str, query: bytes, headers: Headers) -> Principal:
        """Let a request in, or refuse it; only addresses of the API and the figures ask who calls.

        Raises:
            Unauthenticated: the address asks for a key and the request carries none or a wrong one, or it carries a
                signature that does not hold.
            Forbidden: the caller is not allowed to use the address.
        """
        if not (_below(path, API) or path == METRICS):
            return ANONYMOUS
        caller = await self._caller(request, headers)
        if _below(path, ADMIN):
            self._only_admins(caller, headers)
            return caller
        if _below(path, APPROVALS) and caller.verified:
            return caller
        if self._keyless and not caller.verified:
            return LOCAL
        if not (caller.holds(PERMISSION) or _may_carry_token(request.method, path, query, caller)):
            raise _denied() if caller.verified else _missing(path)
        return caller

    async def _caller(self, request: HttpRequest, headers: Headers) -> Principal:
        """Who sent a request; a wrong key is no key, a signature that does not hold is refused."""
        try:
            return await self._authenticate(request)
        except Unauthenticated:
            if signed(headers):
                raise
            return ANONYMOUS

    def _only_admins(self, caller: Principal, headers: Headers) -> None:
        proved = caller.operator or caller.binding == "request"  # as capabilities that change the node ask
        if proved and (caller.owner or caller.holds((EVERYTHING,))):
            return
        hint = "why.rule.admin_key"
        if not self._admin_key:
            raise Forbidden("this node has no admin key", told=Told("why.admin_key_unset"))
        if not (caller.verified or _bearer(headers) or _admin_key(headers)):
            raise Unauthenticated("no admin key in X-Admin-Key", told=Told("why.no_admin_key", hint=hint))
        raise Forbidden("not the admin key of this node", told=Told("why.wrong_admin_key", hint=hint))


def signed(headers: Headers) -> bool:
    """Whether a request carries a proof that may cover its body, so that it must be read to know who calls."""
    return any(name in headers for name in _PROOFS) or _first(headers, "authorization")[:7].lower() == "didwba "


def token_of(query: bytes) -> str:
    """The stream token in a query; empty for none."""
    return parse_qs(query.decode("latin-1")).get(TOKEN, [""])[0]


def by_token(path: str) -> bool:
    """Whether a demand's stream token opens the address, in place of a key."""
    return _BY_TOKEN.fullmatch(path) is not None


def for_people(method: str, path: str) -> bool:
    """Whether the route asks for the token of a person who takes part, and checks it itself."""
    pattern = _PEOPLE.get("GET" if method == "HEAD" else method)
    return pattern is not None and pattern.fullmatch(path) is not None


def _may_carry_token(method: str, path: str, query: bytes, caller: Principal) -> bool:
    """Whether the route compares a token with the demand's before it shows anything."""
    if for_people(method, path):
        return True
    return method in {"GET", "HEAD"} and by_token(path) and (caller.verified or bool(token_of(query)))


def _missing(path: str) -> Unauthenticated:
    if by_token(path):
        told = Told("why.no_key_or_token", hint=NO_KEY.hint)
        return Unauthenticated(f"no valid API key in Authorization: Bearer, nor a stream token in ?{TOKEN}=", told=told)
    return Unauthenticated("no valid API key in Authorization: Bearer", told=NO_KEY)


def _denied() -> PermissionDeniedError:
    told = Told("why.not_granted", {"permission": PERMISSION[0]})
    return PermissionDeniedError("the caller was not granted this", told=told)


def _bearer(headers: Headers) -> bool:
    """Whether ``Authorization: Bearer`` shows anything."""
    scheme, _, token = _first(headers, "authorization").partition(" ")
    return scheme.lower() == "bearer" and bool(token.strip())


def _admin_key(headers: Headers) -> bool:
    """Whether ``X-Admin-Key`` shows anything."""
    return bool(_first(headers, "x-admin-key").strip())


def _first(headers: Headers, name: str) -> str:
    return next(iter(headers.get(name, ())), "")


def _below(path: str, prefix: str) -> bool:
    return path == prefix or path.startswith(f"{prefix}/")
