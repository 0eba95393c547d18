"""The ``MetaProtocolInterface`` of a description: that an agent negotiates, and where (row WIRE-NEGO-11). Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import urljoin

from moothall.capability.spec import JsonObject
from moothall.negotiation.protocol.bodies import METHODS, PROFILE
from moothall.negotiation.protocol.offers import security_of

KIND: Final = "MetaProtocolInterface"
VERSION: Final = "1.0"
FRAMES_PROFILE: Final = "moothall.frames.v1"
"""The profile of the older messages in frames, over WebSocket."""

NEGOTIATED: Final = (
    "profiles",
    "interfaces",
    "schemas",
    "security_profiles",
    "content_types",
    "execution_modes",
    "protocol_artifacts",
)


def rpc_interface(did: str, url: str, security: str) -> JsonObject:
    """The interface at an agent's call route; ``security`` is the name of a definition of the description."""
    return {
        "id": f"{did}#negotiation",
        "type": KIND,
        "protocol": "ANP",
        "version": VERSION,
        "profile": PROFILE,
        "binding": "jsonrpc-2.0",
        "url": url,
        "methods": list(METHODS),
        "security": security,
        "securityProfiles": list(security_of(url)),
        "negotiates": list(NEGOTIATED),
        "description": "Agree on interface, schemas and way of execution, or draft a protocol",
    }


def frames_interface(did: str, url: str, security: str) -> JsonObject:
    """The same over frames, at an address ``ws(s)://…``."""
    return {
        "id": f"{did}#frames",
        "type": KIND,
        "protocol": "ANP",
        "version": VERSION,
        "profile": FRAMES_PROFILE,
        "binding": "websocket-frames",
        "url": url,
        "security": security,
        "negotiates": list(NEGOTIATED),
        "description": "Negotiate and talk in the frames of the early meta-protocol",
    }


def negotiation_url(description: Mapping[str, Any], place: str) -> str:
    """Where an agent negotiates, as its description at ``place`` says; empty where it does not."""
    interfaces = description.get("interfaces")
    for each in interfaces if isinstance(interfaces, list) else ():
        if not isinstance(each, dict) or each.get("type") != KIND or each.get("profile") != PROFILE:
            continue
        where = each.get("url")
        if isinstance(where, str) and where and each.get("binding") == "jsonrpc-2.0":
            return urljoin(place, where)
    return ""
