"""The OpenAPI document: what FastAPI derives from the routes, the event streams (plain ASGI), the events, the keys.

What a node serves has its capabilities beside that, as they are at the moment.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from typing import Any

from fastapi import FastAPI
from pydantic.json_schema import models_json_schema
from starlette.requests import Request
from starlette.responses import Response

from moothall.calls.ports import Gateway
from moothall.canonical import dumps
from moothall.capability.snapshot import Snapshot
from moothall.negotiation.demand.payloads import PAYLOADS
from moothall.protocols.headers import BY_READER, unchanged
from moothall.protocols.http.openapi import COMPONENTS, described
from moothall.protocols.intake import received
from moothall.protocols.readers import reader_of, seen_by
from moothall.server.access import ADMIN, API, APPROVALS, METRICS, TOKEN, by_token, for_people
from moothall.server.replies import ErrorBody
from moothall.server.streams import ALIAS_PATH, STREAM_PATH

_TEXT = {"schema": {"type": "string"}}
_LAST = "The id of the last event seen; only later ones are sent. An unknown id means from the beginning."
_OPENS = "The demand's stream token, in place of a key."
_FRAME = {
    "type": "object",
    "description": "One server-sent event as its client sees it: `data` is a JSON object, see `PublicEvent`.",
    "properties": {"id": {"type": "string"}, "data": {"type": "string"}},
    "required": ["data"],
}
_STREAM: dict[str, Any] = {
    "tags": ["demands"],
    "summary": "Follow a demand",
    "operationId": "stream",
    "description": "History first, then live: an `id:` and a `data:` line for each event, and a comment while nothing "
    "happens. The stream closes after the event that ends the negotiation.",
    "parameters": [
        {"name": "demand_id", "in": "path", "required": True, **_TEXT},
        {"name": "token", "in": "query", "required": False, "description": _OPENS, **_TEXT},
        {"name": "last_event_id", "in": "query", "required": False, "description": _LAST, **_TEXT},
        {"name": "Last-Event-ID", "in": "header", "required": False, "description": _LAST, **_TEXT},
    ],
    "responses": {
        "200": {"description": "The events", "content": {"text/event-stream": {"schema": _FRAME}}},
        "204": {"description": "The negotiation has ended and the client has seen every event"},
        "default": {
            "description": "An error",
            "content": {"application/json": {"schema": {"$ref": f"#/components/schemas/{ErrorBody.__name__}"}}},
        },
    },
}
_CHANNEL = {"name": "channel_id", "in": "query", "required": True, **_TEXT}
_ALIAS: dict[str, Any] = {
    **_STREAM,
    "summary": "Follow a demand by its channel",
    "operationId": "channel_stream",
    "parameters": [_CHANNEL, *_STREAM["parameters"][1:]],
}
_STREAMS = {STREAM_PATH: _STREAM, ALIAS_PATH: _ALIAS}


_SCHEMES: dict[str, Any] = {
    "apiKey": {"type": "http", "scheme": "bearer", "description": "A user's key; nobody needs one on a node without."},
    "adminKey": {"type": "apiKey", "in": "header", "name": "X-Admin-Key"},
    "ownerToken": {"type": "http", "scheme": "bearer", "description": "What the node's node.json holds."},
    "streamToken": {"type": "apiKey", "in": "query", "name": TOKEN, "description": _OPENS},
    "didSignature": COMPONENTS["securitySchemes"]["didSignature"],
    "participantToken": {"type": "apiKey", "in": "header", "name": "X-Participant-Token"},
}
"""How a caller shows who it is."""

_ADMINS: list[dict[str, list[str]]] = [{"adminKey": []}, {"ownerToken": []}]


def _security(method: str, path: str) -> list[dict[str, list[str]]] | None:
    """What opens an address, one of the entries; an empty entry is a node without keys. None where nothing is asked."""
    if path.startswith(ADMIN):
        return _ADMINS
    if for_people(method.upper(), path):
        return [{"participantToken": []}]
    if path.startswith(APPROVALS):
        return [{"didSignature": []}, {"apiKey": []}, *_ADMINS]
    if by_token(path):
        return [{}, {"apiKey": []}, {"streamToken": []}, *_ADMINS]
    if path.startswith(API) or path == METRICS:
        return [{}, {"apiKey": []}, *_ADMINS]
    return None


_REFERENCE = "#/components/schemas/{model}"


def event_schemas() -> dict[str, Any]:
    """The schemas of the payloads of all public events, and ``EventPayloads``, which maps a type to its payload.

    Of a payload only the specification's keys are required: an older recording may lack the others.
    """
    models = list(PAYLOADS.values())
    references, written = models_json_schema([(one, "serialization") for one in models], ref_template=_REFERENCE)
    schemas: dict[str, Any] = written["$defs"]
    for model in models:
        schemas[model.__name__]["required"] = model.model_json_schema().get("required", [])
    schemas["EventPayloads"] = {
        "type": "object",
        "description": "The payload of every public event, by `event_type`.",
        "properties": {name: references[model, "serialization"] for name, model in PAYLOADS.items()},
        "required": list(PAYLOADS),
    }
    return schemas


def encoded(document: dict[str, Any]) -> str:
    """A document as it is kept in a file: the same text for the same content."""
    return json.dumps(document, ensure_ascii=False, indent=1, sort_keys=True) + "\n"


class DescribedApi(FastAPI):
    """FastAPI with the streams and their events in its description, and who may call what."""

    def openapi(self) -> dict[str, Any]:
        """The document, built once."""
        if self.openapi_schema is None:
            document = super().openapi()
            for path in {getattr(route, "path", "") for route in self.routes} & _STREAMS.keys():
                document["paths"][path] = {"get": dict(_STREAMS[path])}
            document["components"]["securitySchemes"] = _SCHEMES
            document["components"]["schemas"] = event_schemas() | document["components"]["schemas"]
            for path, operations in document["paths"].items():
                for method, operation in operations.items():
                    if (asked := _security(method, path)) is not None:
                        operation["security"] = asked
        return super().openapi()


_KEPT = 16
"""Documents that are kept, for the addresses that clients use and for readers who may call other things."""


class ApiDocument:
    """``GET /openapi.json``: the routes, and the capabilities that its reader may call.

    Args:
        describe: the document of the routes.
        gateway: the call path.
        public_url: the address of the node; empty where it does not know its own.
        open_to_all: everybody reads of the capabilities; otherwise only who proves an identity does.
    """

    def __init__(
        self, describe: Callable[[], dict[str, Any]], gateway: Gateway, public_url: str, *, open_to_all: bool
    ) -> None:
        self._describe = describe
        self._gateway = gateway
        self._public_url = public_url.rstrip("/")
        self._open = open_to_all
        self._snapshot: Snapshot | None = None
        self._ready: dict[tuple[str, frozenset[str]], tuple[str, bytes]] = {}

    async def answer(self, request: Request) -> Response:
        """The document, with the address by which the client came where the node does not know its own.

        Raises:
            Unauthenticated: it is not for everybody, and the request carries a proof that does not hold.
        """
        base = self._public_url or f"{request.url.scheme}://{request.url.netloc}"
        principal = await reader_of(self._gateway, received(request.scope, b""), everybody=self._open)
        proved = principal.verified
        seen = await seen_by(self._gateway, principal, "http") if self._open or proved else frozenset[str]()
        tag, body = self._document(base, seen)
        vary = f"Host, {BY_READER[1].decode()}"
        headers = {"ETag": tag, "Cache-Control": "private, no-cache" if proved else "no-cache", "Vary": vary}
        if unchanged(request.headers.raw, tag.encode()):
            return Response(status_code=304, headers=headers)
        return Response(body, headers=headers, media_type="application/json")

    def _document(self, base: str, seen: frozenset[str]) -> tuple[str, bytes]:
        snapshot = self._gateway.snapshot
        if snapshot is not self._snapshot or len(self._ready) >= _KEPT:
            self._snapshot, self._ready = snapshot, {}
        ready = self._ready.get((base, seen))
        if ready is None:
            body = dumps(self._with_capabilities(snapshot, seen, base))
            ready = self._ready[base, seen] = (f'"{hashlib.sha256(body).hexdigest()[:32]}"', body)
        return ready

    def _with_capabilities(self, snapshot: Snapshot, seen: frozenset[str], base: str) -> dict[str, Any]:
        document = {**self._describe(), "servers": [{"url": base}]}
        paths, schemas = described(snapshot, seen)
        components = dict(document["components"])
        for kind, parts in COMPONENTS.items():
            components[kind] = {**components.get(kind, {}), **parts}
        components["schemas"] = {**components["schemas"], **schemas}
        whole: dict[str, Any] = _fit({**document, "paths": {**document["paths"], **paths}, "components": components})
        return whole


def _fit(part: Any) -> Any:  # noqa: ANN401 - JSON of any shape
    """The document without defaults that only stand for "left out" and are no value of their own schema."""
    if isinstance(part, list):
        return [_fit(inner) for inner in part]
    if not isinstance(part, dict):
        return part
    empty = part.get("default") in ("", []) and (part.get("minLength") or part.get("minItems"))
    return {name: _fit(inner) for name, inner in part.items() if not (empty and name == "default")}
