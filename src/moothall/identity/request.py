"""An HTTP request as the verifier needs it: as received, never normalised. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class HttpRequest:
    """A request.

    Attributes:
        method: the verb.
        target: path and query exactly as they stood in the request line.
        headers: lower-case names and values, in the order received; a name may occur several times.
        body: the whole body; empty for none.
        address: the client's network address.
    """

    method: str
    target: str
    headers: Sequence[tuple[bytes, bytes]]
    body: bytes = b""
    address: str = ""

    def values(self, name: bytes) -> list[str]:
        """Every value of a header, without surrounding space."""
        return [value.decode("latin-1").strip(" \t") for key, value in self.headers if key == name]
