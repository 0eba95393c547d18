"""The catalogue door over ASGI: its documents fit their schemas, readers keep what has not changed."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

import httpx
import jsonschema
import pytest

from moothall.calls.path import CallPath
from moothall.calls.terms import Terms as CallTerms
from moothall.capability.registry import Registry
from moothall.identity.challenge import Challenger
from moothall.identity.server_nonces import ServerNonces
from moothall.messages import LANGS
from moothall.policy.engine import PolicyEngine
from moothall.protocols.catalogue.documents import ListedAgent, McpServer, Operator
from moothall.protocols.catalogue.door import CatalogueDoor, Terms
from moothall.protocols.catalogue.published import Published, Shown
from moothall.server.language import accepted
from tests.protocols.anp.desk import CALLER, HeaderVerifier
from tests.support.clock import ManualClock

BASE = "https://hall.example:8443"
DID = "did:wba:hall.example%3A8443:agents:node:e1_" + "B" * 43
CATALOGUE = "/.well-known/ai-catalog.json"
CARD = "/mcp/server-card"
SERVER = McpServer(
    name="moothall",
    title="Moothall",
    description="The capabilities of the agents of this node",
    version="0.5.0",
    protocol_versions=("2026-07-28", "2025-11-25"),
)
TEXT = {"type": "string", "minLength": 1}
PUBLISHER = {"identifier": TEXT, "displayName": TEXT, "identityType": {"const": "did"}}
ENTRY = {
    "identifier": {"type": "string", "pattern": r"^urn:air:[A-Za-z0-9.%-]+:(mcp|a2a|anp):[A-Za-z0-9._%-]+$"},
    "displayName": TEXT,
    "type": {"type": "string", "pattern": "^application/[a-z0-9+-]+$"},
    "url": {"type": "string", "pattern": "^https?://[^/]+/"},
    "description": TEXT,
    "publisher": {"type": "object", "properties": PUBLISHER, "required": list(PUBLISHER)},
}
AI_CATALOG: dict[str, Any] = {
    "type": "object",
    "required": ["specVersion", "entries", "host"],
    "properties": {
        "specVersion": {"type": "string", "pattern": r"^\d+\.\d+$"},
        "host": {
            "type": "object",
            "required": ["displayName"],
            "properties": {"displayName": TEXT, "identifier": {"type": "string", "pattern": "^did:"}},
            "additionalProperties": False,
        },
        "entries": {
            "type": "array",
            "items": {
                "type": "object",
                "required": ["identifier", "type", "url"],
                "properties": ENTRY,
                "additionalProperties": False,
            },
        },
    },
    "additionalProperties": False,
}
"""Written from the CDDL of AI Catalog 1.0, with those members that this node writes."""

SERVER_CARD: dict[str, Any] = {
    "type": "object",
    "required": ["$schema", "description", "name", "version"],
    "properties": {
        "$schema": {"const": "https://static.modelcontextprotocol.io/schemas/v1/server-card.schema.json"},
        "name": {
            "type": "string",
            "minLength": 3,
            "maxLength": 200,
            "pattern": "^[a-zA-Z0-9.-]+/[a-zA-Z0-9._-]+$",
        },
        "version": {"type": "string", "maxLength": 255},
        "description": {"type": "string", "minLength": 1, "maxLength": 100},
        "title": {"type": "string", "minLength": 1, "maxLength": 100},
        "remotes": {
            "type": "array",
            "items": {
                "type": "object",
                "required": ["type", "url"],
                "properties": {
                    "type": {"enum": ["streamable-http", "sse"]},
                    "url": {"type": "string", "pattern": r"^https?://[^\s]+$"},
                    "supportedProtocolVersions": {"type": "array", "items": {"type": "string"}},
                },
                "additionalProperties": False,
            },
        },
    },
    "additionalProperties": False,
}
"""Written from the schema of server cards (SEP-2127)."""


class Place:
    """A door, what it shows, and a client for it."""

    def __init__(self, base: str = BASE, *, open_documents: bool = True, origins: frozenset[str] = frozenset()) -> None:
        self.clock = ManualClock()
        self.agents = [ListedAgent("alice", "Knows the weather"), ListedAgent("bob", "")]
        published = Published(
            Shown(
                base=base,
                operator=lambda: Operator(base.partition("//")[2], DID),
                agents=lambda: self.agents,
                server=SERVER,
                clock=self.clock,
            )
        )
        path = CallPath(Registry(), PolicyEngine.usual(), verifier=HeaderVerifier(), terms=CallTerms())
        challenger = Challenger("hall.example", ServerNonces(b"s" * 32), lambda: self.clock.now().timestamp())
        terms = Terms(
            max_body=1024,
            lang="en",
            accepted=accepted,
            welcome=lambda principal: [("Authentication-Info", f'access_token="for {principal.kind}"')],
            challenge=challenger.of,
            open_documents=open_documents,
            origins=origins,
        )
        self.door = CatalogueDoor(path, published, terms)

    async def ask(self, path: str, headers: Mapping[str, str] | None = None, method: str = "GET") -> httpx.Response:
        assert self.door.claims(path)
        transport = httpx.ASGITransport(self.door)
        async with httpx.AsyncClient(transport=transport, base_url=BASE) as client:
            return await client.request(method, path, headers=headers)


async def test_the_catalogue_names_the_server_and_every_agent_twice() -> None:
    answer = await Place().ask(CATALOGUE)
    document = answer.json()
    assert (answer.status_code, answer.headers["Content-Type"]) == (200, "application/ai-catalog+json")
    jsonschema.validate(document, AI_CATALOG, cls=jsonschema.Draft202012Validator)
    assert document["host"] == {"displayName": "hall.example:8443", "identifier": DID}
    assert {(entry["identifier"], entry["type"], entry["url"]) for entry in document["entries"]} == {
        ("urn:air:hall.example%3A8443:mcp:moothall", "application/mcp-server-card+json", f"{BASE}{CARD}"),
        *(
            (f"urn:air:hall.example%3A8443:a2a:{name}", "application/a2a-agent-card+json",
             f"{BASE}/agents/{name}/.well-known/agent-card.json")
            for name in ("alice", "bob")
        ),
        *(
            (f"urn:air:hall.example%3A8443:anp:{name}", "application/json", f"{BASE}/agents/{name}/ad.json")
            for name in ("alice", "bob")
        ),
    }  # fmt: skip
    assert {entry["publisher"]["identifier"] for entry in document["entries"]} == {DID}
    assert answer.headers["Link"] == f'<{CATALOGUE}>; rel="ai-catalog"'


@pytest.mark.parametrize(("base", "name"), [
    (BASE, "example.hall/moothall"),
    ("http://localhost:8420", "localhost/moothall"),
    ("http://192.0.2.1", "192.0.2.1/moothall"),
    ("http://[2001:db8::1]:80", "2001-db8--1/moothall"),
])  # fmt: skip
async def test_the_card_says_how_to_connect_and_nothing_of_what_is_there(base: str, name: str) -> None:
    answer = await Place(base).ask(CARD, {"Accept": "application/mcp-server-card+json"})
    card = answer.json()
    assert (answer.status_code, answer.headers["Content-Type"]) == (200, "application/mcp-server-card+json")
    jsonschema.validate(card, SERVER_CARD, cls=jsonschema.Draft202012Validator)
    assert card["name"] == name
    assert card["remotes"] == [{
        "type": "streamable-http", "url": f"{base}/mcp", "supportedProtocolVersions": ["2026-07-28", "2025-11-25"],
    }]  # fmt: skip


async def test_an_agent_that_comes_or_goes_is_seen_at_once() -> None:
    place = Place()
    before = await place.ask(CATALOGUE)
    place.agents.append(ListedAgent("carol", ""))
    await place.clock.advance(timedelta(seconds=90))
    after = await place.ask(CATALOGUE, {"If-None-Match": before.headers["ETag"]})
    assert after.status_code == 200
    assert "carol" in after.text
    assert after.headers["Last-Modified"] > before.headers["Last-Modified"]
    del place.agents[-1]
    assert (await place.ask(CATALOGUE)).headers["ETag"] == before.headers["ETag"]
    assert (await place.ask(CARD)).headers["Last-Modified"] == before.headers["Last-Modified"]


@pytest.mark.parametrize("path", [CATALOGUE, CARD])
async def test_who_has_it_already_is_not_sent_it_again(path: str) -> None:
    place = Place()
    first = await place.ask(path)
    tag, date = first.headers["ETag"], first.headers["Last-Modified"]
    known = [
        {"If-None-Match": tag}, {"If-None-Match": f'"other", W/{tag}'}, {"If-None-Match": "*"},
        {"If-Modified-Since": date}, {"If-None-Match": tag, "If-Modified-Since": "Thu, 01 Jan 1970 00:00:00 GMT"},
    ]  # fmt: skip
    for headers in known:
        again = await place.ask(path, headers)
        assert (again.status_code, again.content, again.headers["ETag"]) == (304, b"", tag), headers
    unknown = [
        {"If-None-Match": '"other"', "If-Modified-Since": date}, {"If-Modified-Since": "yesterday"},
        {"If-Modified-Since": "Mon, 01 Jan 2020 00:00:00 +99999999999999999999"},
        {"If-Modified-Since": "Thu, 01 Jan 1970 00:00:00 GMT"}, {"If-Modified-Since": "Thu, 01 Jan 1970 00:00:00 -0000"},
    ]  # fmt: skip
    for headers in unknown:
        assert (await place.ask(path, headers)).status_code == 200, headers


async def test_its_head_can_be_asked_for_and_nothing_can_be_written() -> None:
    place = Place()
    head = await place.ask(CATALOGUE, method="HEAD")
    assert (head.status_code, head.content) == (200, b"")
    assert head.headers["Content-Length"] == str(len((await place.ask(CATALOGUE)).content))
    for lang in LANGS:
        refused = await place.ask(CATALOGUE, {"Accept-Language": lang}, "POST")
        assert (refused.status_code, refused.headers["Allow"]) == (405, "GET, HEAD")
        assert refused.json()["error"]["code"] == "METHOD_NOT_ALLOWED"
        assert refused.headers["Content-Language"] == lang


@pytest.mark.parametrize("path", [CATALOGUE, CARD])
async def test_where_descriptions_are_not_public_readers_prove_who_they_are(path: str) -> None:
    place = Place(open_documents=False)
    stranger = await place.ask(path)
    assert (stranger.status_code, stranger.json()["error"]["code"]) == (401, "UNAUTHENTICATED")
    assert "alice" not in stranger.text
    assert stranger.json()["challenge"]["nonce"]
    assert "www-authenticate" in stranger.headers
    assert (await place.ask(path, {"x-test-caller": "bad"})).status_code == 401
    known = await place.ask(path, {"x-test-caller": CALLER})
    assert known.status_code == 200
    assert known.headers["Cache-Control"] == "private, no-cache"
    assert "Authorization" in known.headers["Vary"]
    assert known.headers["Authentication-Info"]
    assert (await place.ask(path, {"x-test-caller": CALLER, "If-None-Match": known.headers["ETag"]})).status_code == 304


async def test_pages_of_listed_origins_may_read_it() -> None:
    place = Place(origins=frozenset({"https://page.example"}))
    shared = await place.ask(CATALOGUE, {"Origin": "https://page.example"})
    assert shared.headers["Access-Control-Allow-Origin"] == "https://page.example"
    assert shared.headers["Access-Control-Allow-Methods"] == "GET"
    other = await place.ask(CATALOGUE, {"Origin": "https://elsewhere.example"})
    assert "Access-Control-Allow-Origin" not in other.headers
    assert {shared.headers["Vary"], other.headers["Vary"]} == {"Origin"}
    assert "Vary" not in (await Place().ask(CATALOGUE, {"Origin": "https://page.example"})).headers


async def test_a_node_without_an_mcp_server_has_no_card() -> None:
    published = Published(
        Shown(base=BASE, operator=lambda: Operator("hall.example", DID), agents=tuple, server=None, clock=ManualClock())
    )
    assert published.has(CATALOGUE)
    assert not published.has(CARD)
    assert json.loads(published.at(CATALOGUE).body)["entries"] == []
    assert re.fullmatch(r'"[0-9a-f]{32}"', published.at(CATALOGUE).etag)
