"""The MCP servers that the operator's file lists, and how this node proves to each who calls (tables ``[mcp.NAME]``).

A server is in the file or it is not called: no caller and no other server can name an address or a command. Pure.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final, Literal, NoReturn, get_args
from urllib.parse import urlsplit

from moothall.errors import SettingsError

Auth = Literal["none", "did", "bearer", "oauth"]

_NAME: Final = re.compile(r"[A-Za-z0-9_-]{1,64}")
_VARIABLE: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_HTTP: Final = frozenset(
    {"url", "auth", "timeout", "token_env", "client_id_env", "client_secret_env", "scope", "issuer", "metadata_url"}
)
_STDIO: Final = frozenset({"command", "args", "env", "cwd", "timeout"})
ANY_ISSUER: Final = "*"


@dataclass(frozen=True, slots=True, kw_only=True)
class OAuth:
    """How a token is got from the authorization server that the MCP server names (OAuth 2.1).

    Attributes:
        client_id_env, client_secret_env: the environment variables with the client's id and secret. With both, tokens
            are got by client credentials; otherwise somebody has to agree, by the authorization code.
        scope: what is asked for; empty: what the server says.
        issuer: the only authorization server that gets the secret; ``*``: whichever the MCP server names.
        metadata_url: the https address of a document about this client, for servers that know clients by it.
    """

    client_id_env: str = ""
    client_secret_env: str = ""
    scope: str = ""
    issuer: str = ""
    metadata_url: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class HttpServer:
    """A server at an address.

    Attributes:
        auth: ``none``; ``did``: every request is signed by the agent that calls; ``bearer``; ``oauth``.
        token_env: the environment variable with the bearer token.
        timeout: seconds after which a call is given up, also where its caller would wait longer; 0: as it likes.
    """

    name: str
    url: str
    auth: Auth = "none"
    token_env: str = ""
    oauth: OAuth = field(default_factory=OAuth)
    timeout: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class StdioServer:
    """A program that is started for it, and speaks over its standard streams; ``env`` is all that it is told."""

    name: str
    command: str
    args: tuple[str, ...] = ()
    env: Mapping[str, str] = field(default_factory=dict, repr=False)
    cwd: str = ""
    timeout: float = 0.0


Server = HttpServer | StdioServer


def servers_of(tables: Mapping[str, Mapping[str, Any]]) -> dict[str, Server]:
    """Read the tables ``[mcp.NAME]``.

    Raises:
        SettingsError: a name or a key does not fit; it is named, its value is not.
    """
    return {name: _server(name, table) for name, table in tables.items()}


def _server(name: str, table: Mapping[str, Any]) -> Server:
    if not _NAME.fullmatch(name):
        _refuse(f"mcp.{name[:64]!r}", "the name of a server has letters, digits, '_' and '-' only: a dot ends it")
    if not isinstance(table, Mapping):
        _refuse(f"mcp.{name}", "it is no table")
    if ("url" in table) == ("command" in table):
        _refuse(f"mcp.{name}", "it needs either url or command")
    known = _HTTP if "url" in table else _STDIO
    for key in table:
        if key not in known:
            _refuse(f"mcp.{name}.{key}", f"a server has no such key here; known are {', '.join(sorted(known))}")
    return _http(name, table) if "url" in table else _stdio(name, table)


def _http(name: str, table: Mapping[str, Any]) -> HttpServer:
    auth = table.get("auth", "none")
    if auth not in get_args(Auth):
        _refuse(f"mcp.{name}.auth", f"it is one of {', '.join(get_args(Auth))}")
    url = _text(name, table, "url")
    if not _is_address(url):
        _refuse(f"mcp.{name}.url", "it is no address http(s)://HOST/…; a password does not belong there")
    if auth == "bearer" and not table.get("token_env"):
        _refuse(f"mcp.{name}.token_env", "auth = 'bearer' needs it")
    variables = {key: _text(name, table, key) for key in ("token_env", "client_id_env", "client_secret_env")}
    for key, variable in variables.items():
        if variable and not _VARIABLE.fullmatch(variable):
            _refuse(f"mcp.{name}.{key}", "it is the name of an environment variable, never the secret itself")
    oauth = OAuth(
        client_id_env=variables["client_id_env"],
        client_secret_env=variables["client_secret_env"],
        scope=_text(name, table, "scope"),
        issuer=_text(name, table, "issuer"),
        metadata_url=_text(name, table, "metadata_url"),
    )
    if oauth.client_secret_env and not oauth.issuer:
        _refuse(f"mcp.{name}.issuer", "the secret goes to that authorization server alone; '*' lets the server choose")
    if oauth.issuer not in {"", ANY_ISSUER} and not _is_address(oauth.issuer):
        _refuse(f"mcp.{name}.issuer", "it is the address http(s)://HOST/… of an authorization server, or '*'")
    if oauth.metadata_url and urlsplit(oauth.metadata_url).path in {"", "/"}:
        _refuse(f"mcp.{name}.metadata_url", "it is an https address with a path")
    token = variables["token_env"]
    return HttpServer(name=name, url=url, auth=auth, token_env=token, oauth=oauth, timeout=_seconds(name, table))


def _stdio(name: str, table: Mapping[str, Any]) -> StdioServer:
    args, env = table.get("args", []), table.get("env", {})
    if not isinstance(args, list | tuple) or not all(isinstance(each, str) for each in args):
        _refuse(f"mcp.{name}.args", "it is a list of texts")
    if not isinstance(env, Mapping) or not all(isinstance(each, str) for pair in env.items() for each in pair):
        _refuse(f"mcp.{name}.env", "it is a table of texts")
    command = _text(name, table, "command")
    if not command or "\0" in "".join((command, *args, *env, *env.values())):
        _refuse(f"mcp.{name}.command", "it is empty, or what is beside it has a NUL")
    return StdioServer(
        name=name,
        command=command,
        args=tuple(args),
        env=dict(env),
        cwd=_text(name, table, "cwd"),
        timeout=_seconds(name, table),
    )


def _is_address(url: str) -> bool:
    try:
        parts = urlsplit(url)
    except ValueError:
        return False
    return parts.scheme in {"http", "https"} and bool(parts.hostname) and not parts.username


def _text(name: str, table: Mapping[str, Any], key: str) -> str:
    value = table.get(key, "")
    if not isinstance(value, str):
        _refuse(f"mcp.{name}.{key}", "it is no text")
    return value


def _seconds(name: str, table: Mapping[str, Any]) -> float:
    value = table.get("timeout", 0.0)
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value) or value < 0:
        _refuse(f"mcp.{name}.timeout", "it is no number of seconds")
    return float(value)


def _refuse(key: str, why: str) -> NoReturn:
    raise SettingsError(
        f"the setting {key} does not fit",
        why=why,
        hint='write [mcp.NAME] with url = "https://…" and auth, or with command, args, env and cwd',
        details={"setting": key},
    )
