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

    __slots__ = ("_digest", "_origin", "_request", "body")

    def __init__(self, request: HttpRequest, origin: Origin, digest: str | None) -> None:
        """Take the request as received, and its ``Content-Digest``; what it says of its host is not used."""
        self._request, self._origin, self._digest = request, origin, digest
        self.body = request.body

    def component(self, name: str) -> str | None:
        """As `Message.component`; of a header with several lines, its values joined by commas (RFC 9421 §2.1)."""
        if name == "content-digest":
            return self._digest
        if not name.startswith("@"):
            return ", ".join(values) if (values := self._request.values(name.encode())) else None
        if name == "@method":
            return self._request.method
        if name == "@authority":
            return self._origin.authority
        return self._of_target(name, self._request.target)

    def _of_target(self, name: str, target: str) -> str | None:
        if not target.startswith("/"):  # it would move the end of the host name
            return None
        if name == "@target-uri":
            return self._origin.url + target
        derive = _DERIVED.get(name)
        return derive(target, self._origin) if derive else None


_DERIVED: Final[Mapping[str, Callable[[str, Origin], str]]] = MappingProxyType(
    {
        "@scheme": lambda _, origin: origin.scheme,
        "@request-target": lambda target, _: target,
        "@path": lambda target, _: target.partition("?")[0],
        "@query": lambda target, _: f"?{target.partition('?')[2]}",
    }
)
"""The parts that few signatures cover (RFC 9421 §2.2)."""
