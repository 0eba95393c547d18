"""Which protocol answered a need with a peer the last time (row META-GEN-06): a small file beside the modules."""

from __future__ import annotations

import asyncio
import logging
from pathlib import Path
from typing import Final

from moothall.canonical import canonical, loads, sha256
from moothall.negotiation.protocol.brain import Role
from moothall.negotiation.protocol.module_files import kept_module
from moothall.negotiation.protocol.needs import Need
from moothall.storage import private

FILE: Final = "agreed.json"
MOST: Final = 10_000

_log = logging.getLogger(__name__)


class Agreements:
    """Protocols by need and peer. Blocking.

    Args:
        root: the directory of the modules.
    """

    def __init__(self, root: Path) -> None:
        self._file = root / FILE

    def find(self, need: str, peer: str, role: Role) -> str:
        """``sha256:…`` of the protocol that was agreed on, or nothing. What cannot be read holds nothing."""
        return self._read().get(_key(need, peer, role), "")

    def put(self, need: str, peer: str, role: Role, protocol: str) -> None:
        """Remember one; the oldest are forgotten.

        Raises:
            OSError: it cannot be written.
        """
        key = _key(need, peer, role)
        with private.alone(self._file.parent):
            kept = self._read()
            if kept.get(key) == protocol:
                return
            kept.pop(key, None)
            kept[key] = protocol
            private.write(self._file, _listed(dict(list(kept.items())[-MOST:])))

    def _read(self) -> dict[str, str]:
        try:
            found = loads(self._file.read_bytes())
        except (OSError, ValueError):
            return {}
        rows = found.get("agreed") if isinstance(found, dict) else None
        pairs = rows if isinstance(rows, list) else []
        return {pair[0]: pair[1] for pair in pairs if isinstance(pair, list) and [*map(type, pair)] == [str, str]}


def _listed(kept: dict[str, str]) -> bytes:
    return canonical({"agreed": [list(pair) for pair in kept.items()]})


def _key(need: str, peer: str, role: Role) -> str:
    return sha256(canonical([need, peer, role]))


class Recollection:
    """What this side has of earlier negotiations with one peer: whole modules, and which needs they answered.

    Args:
        root: the directory of the modules.
        peer: the DID that the other side proved.
    """

    def __init__(self, root: Path, peer: str) -> None:
        self._root, self._peer = root, peer
        self._kept = Agreements(root)

    async def known(self, need: Need) -> str:
        """``sha256:…`` of the protocol that answered this need with this peer, if its code is still whole."""
        digest = await asyncio.to_thread(self._kept.find, need.digest, self._peer, "requester")
        return digest if digest and await self.text("requester", digest) else ""

    async def holds(self, digest: str) -> bool:
        """Whether this side has the provider's code for a protocol."""
        return bool(await self.text("provider", digest))

    async def text(self, role: Role, digest: str) -> str:
        """The document of a protocol of which this side has that half; else nothing."""
        found = await asyncio.to_thread(kept_module, self._root, digest)
        return found.document if found is not None and role in found.halves else ""

    async def opening(self, need: Need) -> str:
        """The document that answered this need with this peer the last time; else nothing."""
        digest = await self.known(need)
        return await self.text("requester", digest) if digest else ""

    async def remember(self, need: Need, digest: str) -> None:
        """Remember that a protocol answered a need; that it cannot be written is logged."""
        try:
            await asyncio.to_thread(self._kept.put, need.digest, self._peer, "requester", digest)
        except OSError:
            _log.warning("what was agreed on could not be remembered", exc_info=True)
