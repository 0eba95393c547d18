"""``ad.json``: who an agent is and where its interfaces are (ANP-07, rows WIRE-AD-01 and 02). Pure."""

from __future__ import annotations

from typing import Final

from moothall.capability.spec import JsonObject
from moothall.clock import rfc3339
from moothall.protocols.anp.addresses import DISCOVERY, path_of
from moothall.protocols.anp.hosted import HostedAgent
from moothall.protocols.anp.meta_interface import frames_interface, rpc_interface
from moothall.protocols.anp.methods import Methods
from moothall.protocols.anp.openrpc import PROTOCOL_VERSION
from moothall.protocols.anp.openrpc import VERSION as OPENRPC_VERSION

AUTHORIZATION: Final = "humanAuthorization"
"""The member of an interface, and the query of `interface.json`, that tells of methods which wait for a person."""

_SECURITY: Final = "didwba_sc"

OPENAPI_VERSION: Final = "3.1.0"


def description(
    agent: HostedAgent, methods: Methods, base: str, *, openapi: str = "", negotiates: bool = False, frames: str = ""
) -> JsonObject:
    """The document, without its proof.

    Args:
        agent: whose it is.
        methods: what it exposes on the network.
        base: the address of the node, ``https://HOST[:PORT]``, without a slash at its end.
        openapi: the path of the document that describes the plain HTTP door; empty where there is none.
        negotiates: whether the node's agents negotiate at their call routes.
        frames: the address at which it does so in frames; empty where it does not.
    """
    owner = {"type": agent.owner.kind, "name": agent.owner.name}
    tags = sorted({tag for entry in methods.values() for tag in entry.spec.tags})
    return {
        "protocolType": "ANP",
        "protocolVersion": PROTOCOL_VERSION,
        "type": "AgentDescription",
        "url": f"{base}{path_of(agent.name, 'ad.json')}",
        "name": agent.name,
        "did": agent.did,
        "owner": owner | {"url": agent.owner.url or base},
        "description": agent.description or f"The agent {agent.name}",
        "created": rfc3339(agent.created),
        **({"tags": tags} if tags else {}),
        "securityDefinitions": {_SECURITY: {"scheme": "didwba", "in": "header", "name": "Authorization"}},
        "security": _SECURITY,
        "Infomations": [  # spelt so in the specification
            {
                "type": "Information",
                "description": "DID document: the keys and services of this agent",
                "url": f"{base}{agent.document_path}",
            },
            {
                "type": "Information",
                "description": "The agents of this domain",
                "url": f"{base}{DISCOVERY}",
            },
        ],
        "interfaces": [
            *_interfaces(agent, methods, base, openapi),
            *([rpc_interface(agent.did, f"{base}{path_of(agent.name, 'rpc')}", _SECURITY)] if negotiates else []),
            *([frames_interface(agent.did, frames, _SECURITY)] if frames else []),
        ],
    }


def authorized_by_people(methods: Methods, *, wanted: bool) -> Methods:
    """Those of the methods that wait for a person's approval, or those that do not."""
    return {name: entry for name, entry in methods.items() if entry.spec.approval is wanted}


def _interfaces(agent: HostedAgent, methods: Methods, base: str, openapi: str) -> list[JsonObject]:
    if not methods:
        return []
    document = f"{base}{path_of(agent.name, 'interface.json')}"
    waiting = len(authorized_by_people(methods, wanted=True))
    if waiting in {0, len(methods)}:
        found = [_openrpc(document, methods, asked=bool(waiting))]
    else:  # the flag belongs to an interface as a whole, so that each kind of method has one of its own
        found = [
            _openrpc(f"{document}?{AUTHORIZATION}={str(asked).lower()}", among, asked=asked)
            for asked in (False, True)
            for among in [authorized_by_people(methods, wanted=asked)]
        ]
    if openapi:
        found.append(
            {
                "type": "StructuredInterface",
                "protocol": "YAML",
                "version": OPENAPI_VERSION,
                "url": f"{base}{openapi}",
                "description": "The same methods over plain HTTP, as OpenAPI",
                AUTHORIZATION: bool(waiting),
            }
        )
    return found


def _openrpc(url: str, methods: Methods, *, asked: bool) -> JsonObject:
    names = ", ".join(methods)
    return {
        "type": "StructuredInterface",
        "protocol": "openrpc",
        "version": OPENRPC_VERSION,
        "url": url,
        "description": f"JSON-RPC methods{' that wait for a person' if asked else ''}: {names}",
        AUTHORIZATION: asked,
    }
