"""Content blocks of the Model Context Protocol, from what capabilities return. Pure."""

from __future__ import annotations

from typing import Any

from moothall.canonical import dumps
from moothall.capability.content import BASE64
from moothall.capability.entry import Entry
from moothall.capability.spec import JsonObject


def blocks(data: Any) -> list[JsonObject]:  # noqa: ANN401 - JSON of any shape
    """The blocks of a result that is one, or a list of them."""
    if isinstance(data, list):
        return [block for item in data for block in blocks(item)]
    return [data]


def contents(entry: Entry, uri: str, data: Any) -> list[JsonObject]:  # noqa: ANN401 - JSON of any shape
    """What is read at the URI of a resource."""
    if entry.blocks:
        return [_shown(entry, uri, block) for block in blocks(data)]
    if (entry.output_schema or {}).get("contentEncoding") == BASE64["contentEncoding"]:
        return [_piece(entry, uri, "application/octet-stream", blob=data)]
    if isinstance(data, str):
        return [_piece(entry, uri, "text/plain", text=data)]
    return [_piece(entry, uri, "application/json", text=as_text(data))]


def messages(entry: Entry, data: Any) -> list[JsonObject]:  # noqa: ANN401 - JSON of any shape
    """What a prompt puts to a model."""
    if isinstance(data, list):
        return [message for item in data for message in messages(entry, item)]
    if isinstance(data, dict) and data.keys() == {"role", "content"}:
        return [data]
    block = data if entry.blocks else {"type": "text", "text": as_text(data)}
    return [{"role": "user", "content": block}]


def as_text(data: Any) -> str:  # noqa: ANN401 - JSON of any shape
    """A text as it is, anything else as JSON."""
    return data if isinstance(data, str) else dumps(data).decode()


def _shown(entry: Entry, uri: str, block: JsonObject) -> JsonObject:
    """A block as the contents of a resource, which are texts and bytes only."""
    kind = block["type"]
    if kind == "resource":
        resource: JsonObject = block["resource"]
        return resource
    if kind in {"image", "audio"}:
        return {"uri": uri, "mimeType": block["mimeType"], "blob": block["data"]}
    if kind == "resource_link":
        return _piece(entry, uri, "text/uri-list", text=block["uri"])
    return _piece(entry, uri, "text/plain", text=block["text"])


def _piece(entry: Entry, uri: str, usual: str, **held: str) -> JsonObject:
    return {"uri": uri, "mimeType": entry.spec.mime_type or usual, **held}
