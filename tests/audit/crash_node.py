"""A writer of records to be killed: says on stdout what was settled.

python crash_node.py DATA URL
"""

from __future__ import annotations

import asyncio
import os
import sys
from itertools import count
from pathlib import Path

from moothall.audit.anchor_file import FILE
from moothall.audit.record import AuditRecord
from moothall.audit.trail import AuditTrail, Terms
from moothall.clock import SystemClock
from moothall.identity.keystore import Keystore
from moothall.storage.store import Store


async def main(data: Path, url: str) -> None:
    """Write until somebody kills us."""
    store = await Store.open(data, url)
    me = Keystore.open(data).ensure("node", "node.example")
    trail = await AuditTrail.open(store, SystemClock(), me.signer, data / FILE, Terms(every=40))
    for number in count():
        for part in range(30):
            details = {"n": number, "part": part}
            trail.put(AuditRecord(kind="call", action="read", actor="user:bob", details=details))
        name = f"{os.getpid()}-{number}"
        await trail.settle(AuditRecord(kind="decision", action="read", actor="user:bob", request_id=name))
        os.write(1, f"{name}\n".encode())


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1]), sys.argv[2]))
