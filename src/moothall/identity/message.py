"""What a signature can cover: the parts of a message under the names of RFC 9421 §2. Pure."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Final, Protocol

from moothall.identity.request import HttpRequest
from moothall.identity.site import Origin


class Message(Protocol):
    """A message whose signature is to be checked."""

    @property
    def body(self) -> bytes:
        """What ``content-digest`` must fit; empty for none."""
        ...

    def component(self, name: str) -> str | None:
        """The value that a signature covers under this name; None when the message has no such part."""
        ...


class HttpMessage:
    """An HTTP request, received at one address of this node."""

    __slots__ = ("_origin", "_request")

    def __init__(self, request: HttpRequest, origin: Origin) -> None:
        """Take the request as received; what it says of its host is not used."""
        self._request, self._origin = request, origin

    @property
    def body(self) -> bytes:
        """The whole body."""
        return self._request.body

    def component(self, name: str) -> str | None:
        """As `Message.component`; of a header with several lines, its values joined by commas (RFC 9421 §2.1)."""
        if not name.startswith("@"):
            return ", ".join(values) if (values := self._request.values(name.encode())) else None
        derive = _DERIVED.get(name)
        return derive(self._request, self._origin) if derive and self._request.target.startswith("/") else None


_DERIVED: Final[Mapping[str, Callable[[HttpRequest, Origin], str]]] = MappingProxyType(
    {
        "@method": lambda request, _: request.method,
        "@target-uri": lambda request, origin: origin.url + request.target,
        "@authority": lambda _, origin: origin.authority,
        "@scheme": lambda _, origin: origin.scheme,
        "@request-target": lambda request, _: request.target,
        "@path": lambda request, _: request.target.partition("?")[0],
        "@query": lambda request, _: f"?{request.target.partition('?')[2]}",
    }
)
"""The parts that no header holds (RFC 9421 §2.2). A target that is no path would move the end of the host name."""
