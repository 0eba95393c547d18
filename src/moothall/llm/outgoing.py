"""What goes out to a provider: to the configured address and nowhere else, with the key in one header and no more.

No proxy and no credentials file of the environment, no redirect, no telemetry, and of the SDKs' headers only those
that the API needs.
"""

from __future__ import annotations

from importlib.metadata import version
from typing import TYPE_CHECKING, Final

from moothall.llm.choice import Provider

if TYPE_CHECKING:
    import httpx2

_NEEDED: Final = frozenset(
    "accept accept-encoding anthropic-beta anthropic-version connection content-length content-type host".split()
)


def outgoing_client(provider: Provider) -> httpx2.AsyncClient:
    """The HTTP client that a provider's SDK is given."""
    import httpx2  # noqa: PLC0415 - comes with the SDKs, and is loaded with them

    return httpx2.AsyncClient(
        trust_env=False,  # neither a proxy nor a credentials file of the environment gets to see the key
        follow_redirects=False,  # nor does another host
        timeout=None,  # the runner holds the deadline, for the whole request
        limits=httpx2.Limits(max_connections=None, max_keepalive_connections=20),  # the runner bounds concurrency
        event_hooks={"request": [_Headers(provider)]},
    )


class _Headers:
    """Rewrites the headers of every request: what the API needs, our name, and the key in its place.

    The SDKs would add the machine's platform and Python version, and whatever variables like ``OPENAI_ORG_ID`` or
    ``ANTHROPIC_CUSTOM_HEADERS`` of other programs say.
    """

    def __init__(self, provider: Provider) -> None:
        self._own = {"user-agent": f"moothall/{version('moothall')}"}
        if provider.name == "anthropic":
            # The API takes the key as a bearer token, too; proxies of every age take it in this header.
            self._own["x-api-key"] = provider.key
        elif provider.name == "azure":
            self._own["api-key"] = provider.key
        else:
            self._own["authorization"] = f"Bearer {provider.key}"

    async def __call__(self, request: httpx2.Request) -> None:
        for name in set(request.headers):
            if name.lower() not in _NEEDED:
                del request.headers[name]
        request.headers.update(self._own)
