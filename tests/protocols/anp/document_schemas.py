"""JSON Schemas of ANP's documents, written from ANP-07, ANP-08 and the meta-schema of OpenRPC 1.3.2."""

from __future__ import annotations

from typing import Any

URL = {"type": "string", "pattern": "^https?://[^/]+/"}
TEXT = {"type": "string", "minLength": 1}


def closed(
    required: dict[str, Any], optional: dict[str, Any] | None = None, extensions: bool = False
) -> dict[str, Any]:
    schema: dict[str, Any] = {
        "type": "object",
        "required": list(required),
        "properties": {**required, **(optional or {})},
        "additionalProperties": False,
    }
    if extensions:
        schema["patternProperties"] = {"^x-": {}}
    return schema


INTERFACE = {
    "type": "object",
    "required": ["type", "protocol", "description"],
    "properties": {
        "type": {"enum": ["NaturalLanguageInterface", "StructuredInterface"]},
        "protocol": {"enum": ["YAML", "openrpc", "MCP", "WebRTC", "ANP"]},
        "version": TEXT,
        "url": URL,
        "content": {"type": "object"},
        "description": TEXT,
        "humanAuthorization": {"type": "boolean"},
    },
    "oneOf": [{"required": ["url"]}, {"required": ["content"]}],
    "additionalProperties": False,
}

DESCRIPTION = closed(
    {
        "protocolType": {"const": "ANP"},
        "protocolVersion": {"const": "1.0.0"},
        "type": {"const": "AgentDescription"},
        "url": URL,
        "name": TEXT,
        "did": {"type": "string", "pattern": "^did:wba:"},
        "owner": closed({"type": TEXT, "name": TEXT, "url": {"type": "string", "pattern": "^https?://"}}),
        "description": TEXT,
        "created": {"type": "string", "format": "date-time"},
        "securityDefinitions": closed(
            {
                "didwba_sc": closed(
                    {"scheme": {"const": "didwba"}, "in": {"const": "header"}, "name": {"const": "Authorization"}}
                )
            }
        ),
        "security": {"const": "didwba_sc"},
        "Infomations": {"type": "array", "items": closed({"type": TEXT, "description": TEXT, "url": URL})},
        "interfaces": {"type": "array", "items": INTERFACE},
        "proof": closed(
            {
                "type": TEXT,
                "created": {"type": "string", "format": "date-time"},
                "proofPurpose": {"const": "assertionMethod"},
                "verificationMethod": {"type": "string", "pattern": "^did:wba:.+#"},
                "domain": TEXT,
                "challenge": TEXT,
                "proofValue": {"type": "string", "pattern": "^[A-Za-z0-9_-]{86}$"},
            }
        ),
    },
    {"tags": {"type": "array", "items": TEXT}},  # ours, on top of ANP-07
)

PAGE = closed(
    {
        "@context": {"type": "object", "required": ["@vocab", "did", "ad"]},
        "@type": {"const": "CollectionPage"},
        "url": URL,
        "items": {
            "type": "array",
            "items": closed({"@type": {"const": "ad:AgentDescription"}, "name": TEXT, "@id": URL}),
        },
    },
    {"next": URL},
)

SCHEMA = {"$ref": "https://json-schema.org/draft/2020-12/schema"}
DESCRIPTOR = closed(
    {"name": TEXT, "schema": SCHEMA},
    {"description": TEXT, "summary": TEXT, "required": {"type": "boolean"}, "deprecated": {"type": "boolean"}},
    extensions=True,
)

OPENRPC = closed(
    {
        "openrpc": {"const": "1.3.2"},
        "info": closed(
            {
                "title": TEXT,
                "version": TEXT,
                "x-anp-protocol-type": {"const": "ANP"},
                "x-anp-protocol-version": {"const": "1.0.0"},
            },
            {"description": {"type": "string"}},
            extensions=True,
        ),
        "security": {"const": [{"didwba": []}]},  # ANP-07's, on top of OpenRPC
        "servers": {
            "type": "array",
            "minItems": 1,
            "items": closed({"name": TEXT, "url": URL}, {"description": TEXT, "summary": TEXT}, extensions=True),
        },
        "methods": {
            "type": "array",
            "items": closed(
                {
                    "name": TEXT,
                    "summary": TEXT,
                    "description": TEXT,
                    "params": {"type": "array", "items": DESCRIPTOR},
                    "result": DESCRIPTOR,
                },
                {
                    "tags": {"type": "array", "items": closed({"name": TEXT}, {"description": TEXT})},
                    "paramStructure": {"enum": ["by-position", "by-name", "either"]},
                    "deprecated": {"type": "boolean"},
                },
                extensions=True,
            ),
        },
        "components": {
            "type": "object",
            "required": ["schemas", "securitySchemes"],
            "properties": {
                "schemas": {
                    "type": "object",
                    "propertyNames": {"pattern": "^[A-Za-z0-9._-]+$"},
                    "additionalProperties": SCHEMA,
                },
                "securitySchemes": {"type": "object", "required": ["didwba"]},
            },
            "additionalProperties": False,
        },
    },
    extensions=True,
)
