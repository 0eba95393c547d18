"""What a caller may call, as JSON that is made once for all who may call the same."""

from __future__ import annotations

import hashlib
from collections import OrderedDict
from collections.abc import Sequence
from typing import Final

from moothall.calls.ports import Gateway
from moothall.canonical import dumps
from moothall.capability.entry import Entry
from moothall.capability.snapshot import describe
from moothall.capability.spec import JsonObject
from moothall.identity.principal import Principal
from moothall.protocols.headers import BY_READER, Headers, unchanged
from moothall.protocols.http.routes import BELOW, CALL

_KEPT: Final = 64
"""Listings that are kept ready; readers who may call the same things share one."""


class Listings:
    """The answers of ``GET /api/v1/capabilities``."""

    def __init__(self, gateway: Gateway) -> None:
        self._gateway = gateway
        self._ready: OrderedDict[tuple[Entry, ...], tuple[bytes, bytes]] = OrderedDict()

    async def answer(self, principal: Principal, asked: Sequence[tuple[bytes, bytes]]) -> tuple[int, Headers, bytes]:
        """Status, headers and body for a reader; ``asked`` are its own headers."""
        tag, body = self._listing(await self._gateway.visible(principal, "http"))
        head: Headers = [(b"etag", tag), (b"cache-control", b"private, no-cache"), BY_READER]
        if unchanged(asked, tag):
            return 304, head, b""
        return 200, [*head, (b"content-type", b"application/json"), (b"content-length", b"%d" % len(body))], body

    def _listing(self, entries: tuple[Entry, ...]) -> tuple[bytes, bytes]:
        ready = self._ready.get(entries)
        if ready is None:
            body = dumps({"capabilities": [_row(entry) for entry in entries]})
            ready = self._ready[entries] = (b'"%s"' % hashlib.sha256(body).hexdigest()[:32].encode(), body)
            if len(self._ready) > _KEPT:
                self._ready.popitem(last=False)
        else:
            self._ready.move_to_end(entries)
        return ready


def _row(entry: Entry) -> JsonObject:
    spec = entry.spec
    return {
        **describe(entry),
        "path": spec.path or f"{BELOW}{entry.id}",
        "methods": list(spec.methods) if spec.path else [CALL],
    }
