"""``interface.json``: an agent's methods as OpenRPC 1.3.2, in the form that ANP-07 gives it. Pure."""

from __future__ import annotations

from dataclasses import asdict
from typing import Final

from moothall.capability.effects import effects
from moothall.capability.entry import Entry
from moothall.capability.spec import JsonObject
from moothall.protocols.anp.addresses import path_of
from moothall.protocols.anp.hosted import HostedAgent
from moothall.protocols.anp.methods import Methods
from moothall.protocols.anp.schemas import Components

VERSION: Final = "1.3.2"
PROTOCOL_VERSION: Final = "1.0.0"
"""The version of ANP's documents."""

_SECURITY: Final = {
    "didwba": {
        "type": "http",
        "scheme": "bearer",
        "bearerFormat": "DID-WBA",
        "description": "HTTP message signature (RFC 9421) by a key of the caller's did:wba document",
    }
}


def interface(agent: HostedAgent, methods: Methods, base: str) -> JsonObject:
    """The document (row WIRE-RPC-01).

    Args:
        agent: whose methods they are.
        methods: what it exposes on the network.
        base: the address of the node, ``https://HOST[:PORT]``, without a slash at its end.
    """
    components = Components()
    described = [_method(name, entry, components) for name, entry in methods.items()]
    return {
        "openrpc": VERSION,
        "info": {
            "title": agent.name,
            "version": PROTOCOL_VERSION,
            "description": agent.description or f"The methods of {agent.name}",
            "x-anp-protocol-type": "ANP",
            "x-anp-protocol-version": PROTOCOL_VERSION,
        },
        "security": [{"didwba": []}],
        "servers": [
            {
                "name": agent.name,
                "url": f"{base}{path_of(agent.name, 'rpc')}",
                "description": "JSON-RPC 2.0 over HTTP POST; with Accept: text/event-stream, progress and streams",
            }
        ],
        "methods": described,
        "components": {"securitySchemes": _SECURITY, "schemas": dict(sorted(components.schemas.items()))},
    }


def _method(name: str, entry: Entry, components: Components) -> JsonObject:
    spec = entry.spec
    description = spec.description or f"{spec.name} of {entry.agent}"  # an empty one makes peers refuse the agent
    method: JsonObject = {
        "name": name,
        "summary": description.splitlines()[0],
        "description": description,
        "tags": [{"name": tag} for tag in spec.tags],
        "paramStructure": "either",
        "params": _params(entry, components),
        "result": _result(entry, components),
        "x-version": spec.version,
    }
    if entry.state == "deprecated":
        method["deprecated"] = True
    if entry.streams:
        method["x-stream"] = True
    if spec.public:
        method["x-security"] = []
    if hints := effects(entry):
        method["x-annotations"] = hints
    if spec.approval:
        method["x-human-authorization"] = True
    if spec.provenance is not None:
        method["x-provenance"] = asdict(spec.provenance)
    return method


def _params(entry: Entry, components: Components) -> list[JsonObject]:
    schema = components.adopt(entry.input_schema, entry.spec.name)
    required = set(schema.get("required", ()))
    return [
        {
            "name": name,
            **({"description": each["description"]} if each.get("description") else {}),
            "required": name in required,
            "schema": each,
        }
        for name, each in schema.get("properties", {}).items()
    ]


def _result(entry: Entry, components: Components) -> JsonObject:
    schema = components.adopt(entry.output_schema or {}, entry.spec.name)
    if entry.streams:
        schema = {"type": "array", "items": schema}
    return {"name": "result", "schema": schema}
