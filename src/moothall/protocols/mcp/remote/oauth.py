"""Tokens for MCP servers that want them (OAuth 2.1, by the SDK); they are kept in memory, and asked for again later."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final, Protocol

import httpx2
from mcp.client.auth import AuthorizationCodeResult, OAuthClientProvider
from mcp.client.auth.extensions.client_credentials import ClientCredentialsOAuthProvider
from mcp.shared.auth import OAuthClientInformationFull, OAuthClientMetadata, OAuthToken
from mcp.shared.exceptions import MCPDeprecationWarning
from pydantic import AnyUrl

from moothall.errors import SettingsError
from moothall.protocols.mcp.remote.servers import ANY_ISSUER, HttpServer

_NAME: Final = "Moothall"


class SignIn(Protocol):
    """Somebody who agrees, in a browser or otherwise, that this node acts for them."""

    @property
    def redirect_uri(self) -> str:
        """Where the authorization server sends the answer."""
        ...

    async def open(self, url: str) -> None:
        """Show the page on which they agree."""
        ...

    async def answer(self) -> Mapping[str, str]:
        """The answer: ``code``, ``state`` and, where the server tells it, ``iss``."""
        ...


@dataclass(slots=True)
class Kept:
    """Tokens and the client's registration, as long as this process runs."""

    tokens: OAuthToken | None = field(default=None, repr=False)
    client: OAuthClientInformationFull | None = field(default=None, repr=False)

    async def get_tokens(self) -> OAuthToken | None:
        """The tokens, if there are any."""
        return self.tokens

    async def set_tokens(self, tokens: OAuthToken) -> None:
        """Keep the tokens."""
        self.tokens = tokens

    async def get_client_info(self) -> OAuthClientInformationFull | None:
        """The registration, if there is one."""
        return self.client

    async def set_client_info(self, client_info: OAuthClientInformationFull) -> None:
        """Keep the registration."""
        self.client = client_info


def provider_of(server: HttpServer, environ: Mapping[str, str], sign_in: SignIn | None, kept: Kept) -> httpx2.Auth:
    """What gets the tokens of a server.

    Raises:
        SettingsError: a variable is not set, or nobody can agree.
    """
    oauth = server.oauth
    issuer = None if oauth.issuer in {"", ANY_ISSUER} else oauth.issuer
    client_id = secret_of(server, "client_id_env", oauth.client_id_env, environ) if oauth.client_id_env else ""
    secret = secret_of(server, "client_secret_env", oauth.client_secret_env, environ) if oauth.client_secret_env else ""
    if sign_in is not None:
        if client_id and kept.client is None:
            kept.client = _registered(client_id, secret, issuer, sign_in)
        return _by_code(server, sign_in, kept)
    if not client_id or not secret:
        raise SettingsError(
            f"the setting mcp.{server.name} does not fit",
            why="auth = 'oauth' needs client_id_env and client_secret_env: nobody can agree in a browser here",
            details={"setting": f"mcp.{server.name}.client_id_env"},
        )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", MCPDeprecationWarning)  # without an issuer the file leaves it to the server
        return ClientCredentialsOAuthProvider(
            server.url, kept, client_id, secret, scope=oauth.scope or None, issuer=issuer
        )


def _registered(client_id: str, secret: str, issuer: str | None, sign_in: SignIn) -> OAuthClientInformationFull:
    """A client that was registered before; bound to its issuer, another one never gets its secret."""
    return OAuthClientInformationFull(
        client_id=client_id,
        client_secret=secret or None,
        redirect_uris=[AnyUrl(sign_in.redirect_uri)],
        token_endpoint_auth_method="client_secret_basic" if secret else "none",
        issuer=issuer,
    )


def _by_code(server: HttpServer, sign_in: SignIn, kept: Kept) -> httpx2.Auth:
    async def answered() -> AuthorizationCodeResult:
        answer = await sign_in.answer()
        return AuthorizationCodeResult(code=answer.get("code", ""), state=answer.get("state"), iss=answer.get("iss"))

    return OAuthClientProvider(
        server_url=server.url,
        client_metadata=OAuthClientMetadata(
            client_name=_NAME,
            redirect_uris=[AnyUrl(sign_in.redirect_uri)],
            grant_types=["authorization_code", "refresh_token"],
            response_types=["code"],
            scope=server.oauth.scope or None,
        ),
        storage=kept,
        redirect_handler=sign_in.open,
        callback_handler=answered,
        client_metadata_url=server.oauth.metadata_url or None,
    )


def secret_of(server: HttpServer, key: str, variable: str, environ: Mapping[str, str]) -> str:
    """The value of an environment variable that the file names.

    Raises:
        SettingsError: it is not set.
    """
    value = environ.get(variable, "")
    if not value:
        raise SettingsError(
            f"the setting mcp.{server.name}.{key} does not fit",
            why=f"the environment variable {variable} is not set",
            hint="set it where the node is started; the file names the variable, never the secret",
            details={"setting": f"mcp.{server.name}.{key}"},
        )
    return value
