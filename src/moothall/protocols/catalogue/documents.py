"""The AI Catalog of a node (AI Catalog 1.0) and the card of its MCP server (SEP-2127). Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from ipaddress import ip_address
from typing import Final
from urllib.parse import quote, urlsplit

from moothall.capability.spec import JsonObject

CATALOGUE: Final = "/.well-known/ai-catalog.json"
"""Where the catalogue of a domain is looked for."""

CATALOGUE_TYPE: Final = "application/ai-catalog+json"
CARD_TYPE: Final = "application/mcp-server-card+json"
CARD_LEAF: Final = "/server-card"
"""What the card's address has after the MCP server's: SEP-2127 reserves it."""

REGISTRY_TYPE: Final = "application/ai-registry+json"
"""Of what answers ``POST /search`` below its address (ARD)."""

_SPEC_VERSION: Final = "1.0"
_CARD_SCHEMA: Final = "https://static.modelcontextprotocol.io/schemas/v1/server-card.schema.json"
_A2A_TYPE: Final = "application/a2a-agent-card+json"
_ANP_TYPE: Final = "application/json"
_A2A_CARD: Final = "/agents/{name}/.well-known/agent-card.json"
_ANP_DESCRIPTION: Final = "/agents/{name}/ad.json"


@dataclass(frozen=True, slots=True)
class ListedAgent:
    """An agent that the catalogue names."""

    name: str
    description: str


@dataclass(frozen=True, slots=True, kw_only=True)
class McpServer:
    """The node's MCP server, as it tells about itself once a client is connected.

    Attributes:
        name: its name there.
        title: its name for people.
        description: what it is good for, in at most 100 characters.
        version: of the software.
        protocol_versions: revisions of MCP that it speaks, the newest first.
        path: its address at the node.
    """

    name: str
    title: str
    description: str
    version: str
    protocol_versions: Sequence[str]
    path: str = "/mcp"


@dataclass(frozen=True, slots=True)
class Operator:
    """Who answers for the catalogue: the domain, ``HOST[:PORT]``, and the DID of the node."""

    domain: str
    did: str


def server_card(server: McpServer, base: str) -> JsonObject:
    """How to connect to the MCP server; what it can do is asked of itself."""
    remote = {
        "type": "streamable-http",
        "url": f"{base}{server.path}",
        "supportedProtocolVersions": list(server.protocol_versions),
    }
    return {
        "$schema": _CARD_SCHEMA,
        "name": card_name(server, base),
        "title": server.title,
        "description": server.description,
        "version": server.version,
        "remotes": [remote],
    }


def card_name(server: McpServer, base: str) -> str:
    """The name of the server within the world: the node's domain backwards, then the server's own name."""
    host = urlsplit(base).hostname or ""
    return f"{_backwards(host)}/{server.name}"


def catalogue(
    operator: Operator, agents: Sequence[ListedAgent], server: McpServer | None, base: str, *, searched: bool = False
) -> JsonObject:
    """The catalogue: the MCP server, then each agent by A2A and by ANP; ``searched``: and where to search (ARD)."""
    publisher = {"identifier": operator.did, "displayName": operator.domain, "identityType": "did"}
    names = _Names(operator.domain, publisher)
    entries = [] if server is None else [names.entry("mcp", server.name, CARD_TYPE, f"{base}{server.path}{CARD_LEAF}")]
    for agent in agents:
        described = {"description": agent.description} if agent.description else {}
        entries += [
            names.entry("a2a", agent.name, _A2A_TYPE, f"{base}{_A2A_CARD.format(name=agent.name)}"),
            names.entry("anp", agent.name, _ANP_TYPE, f"{base}{_ANP_DESCRIPTION.format(name=agent.name)}") | described,
        ]
    if searched:
        entries.append(names.entry("registry", "search", REGISTRY_TYPE, f"{base}/"))
    host = {"displayName": operator.domain, "identifier": operator.did}
    return {"specVersion": _SPEC_VERSION, "host": host, "entries": entries}


@dataclass(frozen=True, slots=True)
class _Names:
    """Writes entries; what a card says of itself, its version among it, stands in the card alone."""

    domain: str
    publisher: JsonObject

    def entry(self, kind: str, name: str, media_type: str, url: str) -> JsonObject:
        return {
            "identifier": f"urn:air:{quote(self.domain, safe='.-')}:{kind}:{quote(name, safe='.-_')}",
            "displayName": name,
            "type": media_type,
            "url": url,
            "publisher": self.publisher,
        }


def _backwards(host: str) -> str:
    """A domain as reverse-DNS names begin with it; an address as it is."""
    try:
        ip_address(host)
    except ValueError:
        return ".".join(reversed(host.split(".")))
    return host.replace(":", "-").strip("-") or "localhost"
