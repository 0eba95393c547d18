"""The capabilities of a snapshot in OpenAPI 3.1, an operation for each that the network can call (rows DEC-38, -58).

The ``operationId`` is what stands after ``local:`` in a target; a version that is not the newest has ``@version``.
"""

from __future__ import annotations

import re
from collections.abc import Container, Iterator, Mapping
from typing import Any, Final

from moothall.capability.entry import Entry
from moothall.capability.snapshot import Snapshot
from moothall.capability.spec import JsonObject
from moothall.protocols.http.routes import BELOW, CALL, CAPABILITIES

_TAG: Final = "capabilities"
_DEFS: Final = "#/$defs/"
_SCHEMAS: Final = "#/components/schemas/"
_UNFIT: Final = re.compile(r"[^A-Za-z0-9._-]")
_READ: Final = frozenset({"GET", "DELETE"})
_STAMPED: Final[JsonObject] = {
    "request_id": {"type": "string", "format": "uuid"},
    "timestamp": {"type": "string", "format": "date-time"},
}
_METADATA: Final[JsonObject] = {
    "type": "object",
    "properties": {
        "processing_time": {"type": "number", "description": "seconds"},
        "api_version": {"type": "string"},
        "rate_limit_remaining": {"type": ["integer", "null"]},
        "degraded": {"type": "boolean", "description": "there, and true, where a fallback answered"},
        "chosen": {"type": "object", "description": "what a request in words led to"},
    },
    "required": ["processing_time", "api_version", "rate_limit_remaining"],
}
_FAILURE: Final[JsonObject] = {
    "type": "object",
    "description": "The envelope of a call that failed; `status_code` is the HTTP status.",
    "properties": {
        "success": {"const": False},
        "error": {
            "type": "object",
            "properties": {
                "code": {"type": "string"},
                "message": {"type": "string"},
                "type": {"type": "string"},
                "details": {"type": "object"},
            },
            "required": ["code", "message", "type"],
        },
        **_STAMPED,
        "status_code": {"type": "integer"},
        "challenge": {"type": "object", "description": "What was wrong with the proof of identity."},
    },
    "required": ["success", "error", "request_id", "timestamp", "status_code"],
}
_FAILED: Final[JsonObject] = {"$ref": "#/components/responses/CallFailure"}
_LISTING: Final[JsonObject] = {
    "tags": [_TAG],
    "summary": "The capabilities that the caller may call",
    "operationId": "capabilities",
    "responses": {
        "200": {
            "description": "The capabilities",
            "content": {
                "application/json": {
                    "schema": {
                        "type": "object",
                        "properties": {"capabilities": {"type": "array", "items": {"type": "object"}}},
                        "required": ["capabilities"],
                    }
                }
            },
        },
        "304": {"description": "They are those of `If-None-Match`"},
        "default": _FAILED,
    },
}
COMPONENTS: Final[JsonObject] = {
    "parameters": {
        "IdempotencyKey": {
            "name": "Idempotency-Key",
            "in": "header",
            "description": "Makes a repetition harmless for 24 hours.",
            "schema": {"type": "string", "maxLength": 255},
        },
        "Approval": {
            "name": "X-Moothall-Approval",
            "in": "header",
            "description": "The approval that this very call was given, when it is made again.",
            "schema": {"type": "string", "maxLength": 128},
        },
        "Purpose": {
            "name": "X-Moothall-Purpose",
            "in": "header",
            "description": "What the call is for; policies may ask.",
            "schema": {"type": "string", "maxLength": 200},
        },
        "Timeout": {
            "name": "X-Moothall-Timeout",
            "in": "header",
            "description": "Seconds that the caller will wait.",
            "schema": {"type": "number", "minimum": 0.001},
        },
    },
    "responses": {
        "CallPending": {
            "description": "Somebody has to approve the call first; it is made again with `X-Moothall-Approval`",
            "headers": {
                "Location": {"description": "Where it is told how far that is", "schema": {"type": "string"}},
                "Retry-After": {"description": "Seconds", "schema": {"type": "integer"}},
            },
            "content": {"application/json": {"schema": {"$ref": f"{_SCHEMAS}CallFailure"}}},
        },
        "CallFailure": {
            "description": "An error",
            "content": {"application/json": {"schema": {"$ref": f"{_SCHEMAS}CallFailure"}}},
        },
    },
    "schemas": {"CallFailure": _FAILURE},
    "securitySchemes": {
        "didSignature": {
            "type": "apiKey",
            "in": "header",
            "name": "Signature",
            "description": "A signature of the request by a key of a did:wba identity (RFC 9421).",
        },
        "accessToken": {
            "type": "http",
            "scheme": "bearer",
            "bearerFormat": "JWT",
            "description": "What `Authentication-Info` gave after a signed request.",
        },
    },
}
"""What the operations refer to."""

_BY_SIGNATURE: Final[list[JsonObject]] = [{"didSignature": []}, {"ownerToken": []}]
_BY_TOKEN: Final[list[JsonObject]] = [{"accessToken": []}, {"apiKey": []}, {"adminKey": []}]


def described(snapshot: Snapshot, seen: Container[str]) -> tuple[JsonObject, JsonObject]:
    """The paths of those capabilities whose ids are ``seen``, and the schemas that they refer to."""
    paths: JsonObject = {CAPABILITIES: {"get": _LISTING}}
    schemas: JsonObject = {}
    for name, entry in sorted(snapshot.entries.items()):
        newest = snapshot.entries[entry.id] is entry
        shown = (
            entry.id in seen
            and "net" in entry.spec.exposure
            and entry.state != "disabled"
            and (name == entry.id or not newest)
        )
        for path, verb, operation_id in _addresses(name, entry) if shown else ():
            paths.setdefault(path, {})[verb] = _operation(entry, operation_id, verb, schemas)
    return paths, schemas


def _addresses(name: str, entry: Entry) -> Iterator[tuple[str, str, str]]:
    """Path, verb and id of each operation; a capability with several verbs tells the later ones apart."""
    if not entry.spec.path:
        yield f"{BELOW}{name}", CALL.lower(), name
        return
    for number, verb in enumerate(entry.spec.methods):
        yield entry.spec.path, verb.lower(), f"{name}/{verb.lower()}" if number else name


def _operation(entry: Entry, operation_id: str, verb: str, schemas: JsonObject) -> JsonObject:
    spec = entry.spec
    prefix = _UNFIT.sub("-", f"{entry.id}-{spec.version}")
    given = _hoisted(entry.input_schema, f"{prefix}.in", schemas)
    operation: JsonObject = {
        "tags": [_TAG, *spec.tags],
        "summary": spec.description.partition("\n")[0] or entry.id,
        "operationId": operation_id,
        "parameters": [{"$ref": f"#/components/parameters/{name}"} for name in ("Timeout", "Purpose")],
        "responses": {
            "200": _answer(entry, prefix, schemas),
            "default": _FAILED,
        },
        "security": _security(entry),
    }
    if spec.approval:
        operation["parameters"].append({"$ref": "#/components/parameters/Approval"})
        operation["responses"]["202"] = {"$ref": "#/components/responses/CallPending"}
    if spec.description:
        operation["description"] = spec.description
    if entry.state == "deprecated":
        operation["deprecated"] = True
    if verb.upper() in _READ:
        operation["parameters"] += _in_query(given)
    else:
        operation["parameters"].append({"$ref": "#/components/parameters/IdempotencyKey"})
        body = {"required": bool(given.get("required")), "content": {"application/json": {"schema": given}}}
        operation["requestBody"] = body
    return operation


def _answer(entry: Entry, prefix: str, schemas: JsonObject) -> JsonObject:
    value = {} if entry.output_schema is None else _hoisted(entry.output_schema, f"{prefix}.out", schemas)
    data = {"type": "array", "items": value} if entry.streams else value
    envelope: JsonObject = {
        "type": "object",
        "properties": {"success": {"const": True}, "data": data, **_STAMPED},
        "required": ["success", "data", *_STAMPED],
    }
    if entry.spec.include_metadata:
        envelope["properties"]["metadata"] = _METADATA
        envelope["required"].append("metadata")
    content: JsonObject = {"application/json": {"schema": envelope}}
    if entry.streams:
        content["text/event-stream"] = {
            "schema": {"type": "string", "description": "Events `item`, `progress` and, last, `end` with the envelope."}
        }
    return {"description": "The value", "content": content}


def _security(entry: Entry) -> list[JsonObject]:
    if entry.spec.public:
        return []
    return [*_BY_SIGNATURE, *([] if entry.spec.binding == "request" else _BY_TOKEN)]


def _in_query(given: JsonObject) -> list[JsonObject]:
    required = set(given.get("required", ()))
    properties: Mapping[str, JsonObject] = given.get("properties", {})
    return [
        {"name": name, "in": "query", "required": name in required, "schema": schema}
        for name, schema in properties.items()
    ]


def _hoisted(schema: JsonObject, prefix: str, schemas: JsonObject) -> JsonObject:
    """A schema whose definitions stand among the document's; their names are ours alone."""
    definitions: Mapping[str, Any] = schema.get("$defs", {})
    for name, definition in definitions.items():
        schemas[_UNFIT.sub("-", f"{prefix}.{name}")] = _led(definition, prefix)
    led: JsonObject = _led({name: part for name, part in schema.items() if name != "$defs"}, prefix)
    return led


def _led(part: Any, prefix: str) -> Any:  # noqa: ANN401 - JSON of any shape
    """A part of a schema whose references lead to where the definitions stand now."""
    if isinstance(part, dict):
        return {name: _led(inner, prefix) for name, inner in part.items()}
    if isinstance(part, list):
        return [_led(inner, prefix) for inner in part]
    if isinstance(part, str) and part.startswith(_DEFS):
        return _SCHEMAS + _UNFIT.sub("-", f"{prefix}.{part.removeprefix(_DEFS)}")
    return part
