"""``POST /search`` in the shape of ARD (Agentic Resource Discovery, drafts 0.9 and 0.91 §5.3.1 and §5.3.2).

It is the node's capability ``search`` in other words: who may call that may ask here, and sees the same. A score says
how well an entry fits the words, nothing about trust. Registries elsewhere are not asked (``federation``), and none
is referred to.

::

    {"query": {"text": "…", "filter": {"type": ["…"], "tags": ["…"]}}, "pageSize": 10, "pageToken": "…"}
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import quote, urlsplit

from moothall.calls.target import Target
from moothall.capability.spec import JsonObject
from moothall.errors import InvalidInput, Told
from moothall.identity.keystore import DEFAULT_AGENT

PATH: Final = "/search"
TARGET: Final = Target("local", f"{DEFAULT_AGENT}.search")

_PAGE: Final = 10
_MOST: Final = 100
_LONGEST: Final = 4096
_MODES: Final = frozenset({"auto", "referrals", "none"})
_CARD: Final = "application/a2a-agent-card+json"
_TYPES: Final[Mapping[str, tuple[str, ...]]] = {
    _CARD: ("a2a",),
    "application/mcp-server-card+json": ("mcp",),
    "application/json": ("anp", "local"),
}
"""Types of artifacts, and the ways of calling what they describe."""

_TYPE_OF: Final = {way: kind for kind, ways in _TYPES.items() for way in ways}
_FIELDS: Final = frozenset({"query", "federation", "pageSize", "pageToken"})


@dataclass(frozen=True, slots=True)
class Asked:
    """A request as it was understood: the arguments of the capability, and which part of its answer is meant."""

    params: JsonObject
    start: int
    size: int
    federation: str


def asked(body: object) -> Asked:
    """Read a request.

    Raises:
        InvalidInput: it does not have that shape, or filters by something that cannot be filtered by.
    """
    request = _object(body, "body")
    query = _object(request.get("query"), "query")
    text = query.get("text")
    if not isinstance(text, str) or not text.strip() or len(text) > _LONGEST:
        raise _unfit("query.text")
    federation = request.get("federation", "auto")
    if federation not in _MODES:
        raise _unfit("federation")
    size = request.get("pageSize", _PAGE)
    if isinstance(size, bool) or not isinstance(size, int) or not 1 <= size <= _MOST:
        raise _unfit("pageSize")
    start = _start(request.get("pageToken"))
    params: JsonObject = {"query": text, **_filters(_object(query.get("filter", {}), "query.filter"))}
    return Asked({**params, "limit": min(start + size + 1, _MOST)}, start, size, str(federation))


def answered(found: Mapping[str, Any], request: Asked, base: str) -> JsonObject:
    """The answer, of what the capability gave."""
    hits: Sequence[Mapping[str, Any]] = found["hits"]
    end = request.start + request.size
    answer: JsonObject = {"results": [_entry(hit, base) for hit in hits[request.start : end]]}
    if request.federation == "referrals":
        answer["referrals"] = []
    if len(hits) > end:
        answer["pageToken"] = base64.urlsafe_b64encode(str(end).encode()).decode()
    return answer


def _filters(given: Mapping[str, Any]) -> JsonObject:
    found: JsonObject = {}
    for name, value in given.items():
        values = value if isinstance(value, list) else [value]
        if not values or not all(isinstance(each, str) for each in values):
            raise _unfit(f"query.filter.{name}")
        if name == "type":
            found["ways"] = sorted({way for each in values for way in _TYPES.get(each, ())})
            if not found["ways"]:
                raise _unfit("query.filter.type")
        elif name == "tags" and len(values) == 1:
            found["tags"] = values
        elif name in {"metadata.place", "metadata.day", "metadata.agent", "metadata.owner"} and len(values) == 1:
            found[name.removeprefix("metadata.")] = values[0]
        else:
            raise _unfit(f"query.filter.{name}")
    return found


def _entry(hit: Mapping[str, Any], base: str) -> JsonObject:
    """A hit as an entry; what its author says of it, and what this node says, apart."""
    publisher = urlsplit(f"//{hit['origin']}" if hit["origin"] else base).hostname or "localhost"
    name = quote(hit["name"], safe=".-_")
    entry: JsonObject = {
        "identifier": f"urn:air:{publisher}:{hit['way']}:{name}",
        "displayName": hit["name"],
        "type": _TYPE_OF.get(hit["way"], "application/json"),
        "description": hit["description"],
        "tags": hit["tags"],
        "score": round(100 * hit["score"]),
        "source": f"{base}/",
        "metadata": {
            "target": hit["target"],
            "kind": hit["kind"],
            "agent": hit["agent"],
            "owner": hit["owner"],
            "standing": hit["standing"],
            "provenance": hit["provenance"],
            "scoreBreakdown": hit["breakdown"],
            "looksLike": hit["looks_like"],
        },
    }
    if hit["version"]:
        entry["version"] = hit["version"]
    if hit["kind"] == "capability":
        entry["capabilities"] = [hit["name"].partition(".")[2] or hit["name"]]
    if url := _url(hit, base):
        entry["url"] = url
    return entry


def _url(hit: Mapping[str, Any], base: str) -> str:
    """Where the document is that describes it; empty where others cannot read one."""
    source: str = hit["provenance"]["source"]
    if source.startswith(("https://", "http://")):
        return source
    local = not source and hit["target"].startswith(("local:", "did:"))
    return f"{base}/agents/{quote(hit['agent'])}/ad.json" if local else ""


def _start(token: object) -> int:
    if token is None:
        return 0
    try:
        start = int(base64.urlsafe_b64decode(str(token)))
    except (ValueError, binascii.Error) as error:
        raise _unfit("pageToken") from error
    if not 0 < start < _MOST:
        raise _unfit("pageToken")
    return start


def _object(value: object, name: str) -> Mapping[str, Any]:
    if not isinstance(value, dict) or (name == "body" and not value.keys() <= _FIELDS):
        raise _unfit(name)
    return value


def _unfit(name: str) -> InvalidInput:
    return InvalidInput(f"{name} does not fit", told=Told("catalogue.search_field", {"name": name[:100]}))
