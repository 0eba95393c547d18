"""``<data>/node.json``: where the running node is, and the token of its owner. Only its owner can read it."""

from __future__ import annotations

import json
import os
from dataclasses import asdict, dataclass
from pathlib import Path

NAME = "node.json"


@dataclass(frozen=True, slots=True)
class NodeFile:
    """What a running node tells its owner's other processes; ``authority``: a file that vouches for its certificate."""

    url: str
    pid: int
    owner_token: str
    authority: str = ""


def read(data: Path) -> NodeFile | None:
    """The node that wrote itself down in ``data``; None when there is none, or what is there is no such file."""
    try:
        row = json.loads((data / NAME).read_text(encoding="utf-8"))
        return NodeFile(
            url=str(row["url"]),
            pid=int(row["pid"]),
            owner_token=str(row["owner_token"]),
            authority=str(row.get("authority", "")),
        )
    except (OSError, ValueError, KeyError, TypeError):
        return None


def write(data: Path, node: NodeFile) -> None:
    """Write a node down, readable by its owner only; a reader sees the old file or the new one, never a part."""
    partial = data / f"{NAME}.{node.pid}"
    partial.unlink(missing_ok=True)
    with os.fdopen(os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as file:
        json.dump(asdict(node), file)
    partial.replace(data / NAME)


def remove(data: Path, node: NodeFile) -> None:
    """Take a node's own file away; another node's stays."""
    if read(data) == node:
        (data / NAME).unlink(missing_ok=True)
