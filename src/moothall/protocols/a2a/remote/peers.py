"""Whom this node may call over A2A: the names of the operator's file, listed addresses, and those of a decorator.

::

    [a2a.weather]
    url = "https://api.example.com/weather"
    profile = "auto"            # or "a2a": there must be an agent card; "legacy": plain JSON, no card is looked for
    auth = "did"                # signed by the agent that calls; or "none", or "bearer" with token_env
    token_env = "WEATHER_TOKEN" # the environment variable that holds the token
    origins = []                # where else the agent of this card may answer
    http_method = "POST"        # of plain JSON
"""

from __future__ import annotations

from collections.abc import Container, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Final, Literal, cast, get_args

import httpx

from moothall.calls.ports import Outgoing
from moothall.errors import (
    InvalidInput,
    PermissionDeniedError,
    ServiceNotFoundError,
    SettingsError,
    Told,
)
from moothall.identity.destination import Origin
from moothall.identity.egress import Egress

Profile = Literal["auto", "a2a", "legacy"]
Auth = Literal["did", "none", "bearer"]

_KEYS: Final = frozenset({"url", "profile", "auth", "token_env", "origins", "http_method"})
_VERBS: Final = ("GET", "POST", "PUT", "PATCH", "DELETE")
_HINT: Final = 'write [a2a.NAME] with url = "https://…"; the guide lists the other keys'


@dataclass(frozen=True, slots=True, kw_only=True)
class Peer:
    """Somebody who may be called.

    Attributes:
        url: of the agent, of its card, or of the JSON service.
        origins: where requests may go that show who calls; a card can name no other.
        verb: of requests in plain JSON.
        inferred: whether the operation is the name of a function, which the agent need not know.
    """

    url: str
    origins: frozenset[Origin]
    profile: Profile = "auto"
    auth: Auth = "did"
    token: str = field(default="", repr=False)
    verb: str = "POST"
    inferred: bool = False

    @property
    def shown(self) -> str:
        """The address for logs: without its query, which may hold a key."""
        return self.url.partition("?")[0].partition("#")[0]


class Peers:
    """Those whom a node may call.

    Args:
        aliases: the tables of the file.
        environ: where tokens are.
        egress: knows which hosts are listed.
        own: the authorities of this very node.

    Raises:
        SettingsError: a table has a wrong key or value; it is named.
    """

    def __init__(
        self,
        aliases: Mapping[str, Mapping[str, Any]],
        environ: Mapping[str, str],
        egress: Egress,
        own: Container[str] = (),
    ) -> None:
        self._egress = egress
        self._own = own
        self._peers = {name: _alias(name, table, environ, egress) for name, table in aliases.items()}

    def strange(self, address: str) -> bool:
        """Whether an address is one that the operator has not listed, so that somebody else has to vouch for it."""
        return address not in self._peers and address.startswith(("http://", "https://")) and not self._listed(address)

    def of(self, outgoing: Outgoing, *, found: bool = False) -> Peer:
        """Whom a call goes to; ``found``: the owner has looked at what is called there.

        Raises:
            ServiceNotFoundError: the file has no such name.
            PermissionDeniedError: an address that is not listed, or the node's own for somebody else than its owner.
            InvalidInput: an address that nothing may be sent to.
        """
        peer = self.at(outgoing.target.address, declared=found or "endpoint" in outgoing.remote)
        caller = outgoing.principal
        if caller is not None and not caller.owner and httpx.URL(peer.url).netloc.decode("ascii").lower() in self._own:
            raise PermissionDeniedError("the address of this very node", told=Told("remote.own_address"))
        remote = outgoing.remote
        return replace(
            peer,
            profile=cast("Profile", remote.get("profile", peer.profile)),
            verb=remote.get("http_method", peer.verb).upper() if "endpoint" in remote else peer.verb,
            inferred="endpoint" in remote and "method" not in remote,
        )

    def at(self, address: str, *, declared: bool = False) -> Peer:
        """The peer of a name or an address; ``declared``: a developer or the owner vouches for it. Raises as `of`."""
        peer = self._peers.get(address)
        if peer is not None:
            return peer
        if not address.startswith(("http://", "https://")):
            raise ServiceNotFoundError("no such A2A agent", told=Told("a2a.remote.no_alias", hint="a2a.remote.hint"))
        if not declared and not self._listed(address):
            raise PermissionDeniedError("not listed", told=Told("a2a.remote.unlisted", hint="a2a.remote.hint"))
        place = self._egress.destination(address)
        return Peer(url=str(place.url), origins=frozenset({place.origin}))

    def _listed(self, address: str) -> bool:
        try:
            url = httpx.URL(address)
        except httpx.InvalidURL:
            return False
        port = url.port or {"http": 80, "https": 443}[url.scheme]
        return self._egress.allowed.may_be_private(url.raw_host.decode("ascii"), port)


def _alias(name: str, table: Mapping[str, Any], environ: Mapping[str, str], egress: Egress) -> Peer:
    unknown = sorted(set(table) - _KEYS)
    if unknown:
        raise _unfit(name, unknown[0], f"there is no such key; there are {', '.join(sorted(_KEYS))}")
    url = _text(name, table, "url", "")
    home = _origin(name, "url", url, egress)
    more = table.get("origins", [])
    if not isinstance(more, list) or not all(isinstance(each, str) for each in more):
        raise _unfit(name, "origins", "it must be a list of addresses")
    auth = _text(name, table, "auth", "did")
    if auth not in get_args(Auth):
        raise _unfit(name, "auth", f"it must be one of {', '.join(get_args(Auth))}")
    profile = _text(name, table, "profile", "auto")
    if profile not in get_args(Profile):
        raise _unfit(name, "profile", f"it must be one of {', '.join(get_args(Profile))}")
    verb = _text(name, table, "http_method", "POST").upper()
    if verb not in _VERBS:
        raise _unfit(name, "http_method", f"it must be one of {', '.join(_VERBS)}")
    return Peer(
        url=url,
        origins=frozenset({home, *(_origin(name, "origins", each, egress) for each in more)}),
        profile=cast("Profile", profile),
        auth=cast("Auth", auth),
        token=_token(name, table, auth, environ),
        verb=verb,
    )


def _token(name: str, table: Mapping[str, Any], auth: str, environ: Mapping[str, str]) -> str:
    variable = _text(name, table, "token_env", "")
    if bool(variable) != (auth == "bearer"):
        raise _unfit(name, "token_env", 'auth = "bearer" needs it, and nothing else does')
    token = environ.get(variable, "").strip() if variable else ""
    if variable and not (token and token.isascii() and token.isprintable()):
        raise _unfit(name, "token_env", "the environment variable that it names holds no token")
    return token


def _text(name: str, table: Mapping[str, Any], key: str, default: str) -> str:
    value = table.get(key, default)
    if not isinstance(value, str):
        raise _unfit(name, key, "it must be a text")
    return value


def _origin(name: str, key: str, url: str, egress: Egress) -> Origin:
    try:
        return egress.destination(url).origin
    except InvalidInput as error:
        raise _unfit(name, key, "only https may be called, and http only for hosts that are listed so") from error


def _unfit(name: str, key: str, why: str) -> SettingsError:
    setting = f"a2a.{name}.{key}"
    return SettingsError(
        f"the setting {setting} does not fit", why=why, hint=_HINT, details={"setting": setting, "alias": name}
    )
