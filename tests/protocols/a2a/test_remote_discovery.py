"""Who may be called, where its card is, and to whom it is shown who calls."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from types import SimpleNamespace
from typing import Any

import pytest

from moothall.canonical import canonical
from moothall.errors import (
    InvalidInput,
    PermissionDeniedError,
    ServiceNotFoundError,
    SettingsError,
    UpstreamInvalid,
)
from moothall.identity import base64url
from moothall.identity.egress import Egress
from moothall.identity.keys import PrivateKey
from moothall.identity.principal import ANONYMOUS, OWNER, Principal
from moothall.protocols.a2a.remote.connector import A2aConnector
from tests.protocols.a2a.remote_town import (
    Documents,
    HurriedClock,
    ScriptedAgent,
    card,
    connecting,
    declared,
    ground,
    listening,
    outgoing,
    reply,
    task,
)

NAMED = {"auth": "bearer", "token_env": "TOKEN"}
ENVIRON = {"TOKEN": "s3cret"}
STRANGER = Principal(id="did:wba:far.example:agents:bob:e1_x", kind="did", binding="request")


class Site:
    """Answers each path with what a test put there; anything else is a plain JSON service."""

    def __init__(self) -> None:
        self.pages: dict[str, Any] = {}
        self.asked: list[tuple[str, str, dict[str, str]]] = []
        self.url = ""

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        body, more = b"", True
        while more:
            message = await receive()
            body += message.get("body", b"")
            more = message.get("more_body", False)
        headers = {name.decode(): value.decode() for name, value in scope["headers"]}
        method, path = scope["method"], scope["path"]
        self.asked.append((method, path, headers))
        page = self.pages.get(path)
        if isinstance(page, tuple):
            await reply(send, page[0], None, **page[1])
        elif page is not None:
            await reply(send, 200, page)
        elif method == "POST" and body and "jsonrpc" in json.loads(body):
            result = {"task": task("COMPLETED", path)}
            await reply(send, 200, {"jsonrpc": "2.0", "id": json.loads(body)["id"], "result": result})
        elif method == "POST":
            await reply(send, 200, {"result": f"plain {path}"})
        else:
            await reply(send, 404, {"detail": "not here"})

    def asked_for(self) -> list[str]:
        return [path for method, path, _ in self.asked if method == "GET"]


@pytest.fixture
async def site() -> AsyncIterator[Site]:
    made = Site()
    async with listening(made) as url:
        made.url = url
        yield made


@pytest.fixture
async def near() -> AsyncIterator[A2aConnector]:
    async with connecting() as made:
        yield made


KNOWN = "/.well-known/agent-card.json"


@pytest.mark.requirement("TPL-30", "CAL-06")
@pytest.mark.parametrize(
    ("endpoint", "at", "interface", "value"),
    [
        ("", KNOWN, "/a2a", "/a2a"),
        ("/", KNOWN, "/a2a", "/a2a"),
        (KNOWN, KNOWN, "/a2a", "/a2a"),
        ("/bob", f"/bob{KNOWN}", "/bob/a2a", "/bob/a2a"),
        ("/bob/a2a", f"/bob{KNOWN}", "/bob/a2a", "/bob/a2a"),
        ("/bob", KNOWN, "/bob", "/bob"),
        ("/translate", KNOWN, "/a2a", "plain /translate"),
        ("/translate", "/nowhere", "/a2a", "plain /translate"),
    ],
    ids=["host", "root", "itself", "below", "beside", "at-its-host", "of-another", "none"],
)
async def test_the_card_of_an_endpoint_is_found(
    site: Site, near: A2aConnector, endpoint: str, at: str, interface: str, value: str
) -> None:
    site.pages[at] = card(site.url + interface)
    assert await near.call(outgoing(f"a2a:{site.url}{endpoint}#forecast")) == value
    assert await near.call(outgoing(f"a2a:{site.url}{endpoint}#forecast")) == value
    assert len(site.asked_for()) <= 3


async def test_a_profile_that_is_chosen_needs_no_guess(site: Site) -> None:
    site.pages[KNOWN] = card(f"{site.url}/a2a")
    named = {
        "plain": {"url": site.url, "profile": "legacy"},
        "agent": {"url": f"{site.url}/translate", "profile": "a2a"},
        "none": {"url": f"{site.url}/x.json", "profile": "a2a"},
    }
    async with connecting(named) as near:
        assert await near.call(outgoing("a2a:plain#forecast")) == "plain /"
        assert site.asked_for() == []
        assert await near.call(outgoing("a2a:agent#forecast")) == "/a2a"
        with pytest.raises(UpstreamInvalid):
            await near.call(outgoing("a2a:none#forecast"))
        assert await near.call(declared("agent", profile="legacy")) == "plain /translate"


@pytest.mark.parametrize(
    "page",
    [{"result": 1}, ["card"], {"name": "x"}, {"name": "x", "pad": "y" * 2_000_000}, {"name": [[[]]] * 300_000}],
    ids=["json", "list", "name", "huge", "crowded"],
)
async def test_what_is_no_card_is_none(site: Site, near: A2aConnector, page: Any) -> None:
    site.pages[KNOWN] = page
    assert await near.call(outgoing(f"a2a:{site.url}#forecast")) == "plain /"


async def test_a_card_is_kept_and_asked_for_again_by_its_tag(site: Site) -> None:
    agent, clock = ScriptedAgent(card_headers={"etag": '"1"', "cache-control": "max-age=60"}), HurriedClock()
    agent.answers["SendMessage"] = {"task": task("COMPLETED", 1)}
    async with listening(agent) as url, connecting(clock=clock) as near:
        agent.url = url
        for seconds in (0, 59, 2, 61):
            await clock.advance(seconds)
            assert await near.call(outgoing(f"a2a:{url}#forecast")) == 1
    tags = [each.headers.get("if-none-match") for each in agent.asked if each.method == "GET"]
    assert tags == [None, '"1"', '"1"']


async def test_that_there_is_no_card_is_remembered_for_a_while(site: Site) -> None:
    clock = HurriedClock()
    async with connecting(clock=clock) as near:
        for seconds in (0, 299, 2):
            await clock.advance(seconds)
            await near.call(outgoing(f"a2a:{site.url}"))
    assert site.asked_for() == [KNOWN, KNOWN]


@pytest.mark.parametrize(
    "other",
    ["http://127.0.0.1:1/a2a", "https://agent.example/a2a", "file:///etc/passwd", "", "http://[", "http://\u2100.x/"],
    ids=["port", "host", "file", "empty", "broken", "odd"],
)
@pytest.mark.parametrize("path", ["", "/x"], ids=["host", "path"])
async def test_a_card_that_points_elsewhere_is_refused(site: Site, near: A2aConnector, other: str, path: str) -> None:
    site.pages[path + KNOWN] = card(other)
    with pytest.raises(UpstreamInvalid):
        await near.call(outgoing(f"a2a:{site.url}{path}#forecast"))
    assert {method for method, _, _ in site.asked} == {"GET"}


async def test_a_card_at_the_host_that_names_no_address_is_not_the_endpoints(site: Site, near: A2aConnector) -> None:
    for broken in ("http://[", "http://\u2100.x/", ""):
        site.pages[KNOWN] = card(broken)
        assert await near.call(outgoing(f"a2a:{site.url}/x{len(broken)}")) == f"plain /x{len(broken)}"


async def test_an_operator_may_name_where_else_an_agent_answers(site: Site) -> None:
    other = Site()
    async with listening(other) as elsewhere:
        site.pages[KNOWN] = card(f"{elsewhere}/a2a")
        named = {"weather": {"url": site.url, "origins": [elsewhere]}}
        async with connecting(named) as near:
            assert await near.call(outgoing("a2a:weather#forecast")) == "/a2a"


async def test_an_interface_that_is_not_spoken_is_passed_over(site: Site, near: A2aConnector) -> None:
    made = card(f"{site.url}/grpc", binding="GRPC")
    made["supportedInterfaces"] += [
        {"url": f"{site.url}/new", "protocolBinding": "JSONRPC", "protocolVersion": "9.0"},
        {"url": f"{site.url}/old", "protocolBinding": "JSONRPC", "protocolVersion": "0.3"},
        {"url": f"{site.url}/rpc", "protocolBinding": "JSONRPC", "protocolVersion": "1.0"},
    ]
    site.pages[KNOWN] = made
    assert await near.call(outgoing(f"a2a:{site.url}#forecast")) == "/rpc"


class TestWhoMayBeCalled:
    @pytest.mark.requirement("WIRE-NET-03", "CAL-06")
    @pytest.mark.parametrize("caller", [None, OWNER, STRANGER, ANONYMOUS], ids=["agent", "owner", "stranger", "nobody"])
    async def test_an_address_that_is_not_listed_is_refused_without_a_connection(
        self, site: Site, caller: Principal | None
    ) -> None:
        async with connecting(allow="http://localhost:1") as near:
            for address in (site.url, "https://api.service.example/x", f"{site.url}/{KNOWN}"):
                with pytest.raises(PermissionDeniedError) as raised:
                    await near.call(outgoing(f"a2a:{address}#x", principal=caller))
                assert raised.value.told is not None
                assert raised.value.told.hint == "a2a.remote.hint"
                with pytest.raises(PermissionDeniedError):
                    assert [each async for each in near.stream(outgoing(f"a2a:{address}", principal=caller))]
                with pytest.raises(PermissionDeniedError):
                    await near.describe(outgoing(f"a2a:{address}").target, "node")
        assert site.asked == []

    @pytest.mark.requirement("CAL-06")
    async def test_a_listed_address_and_a_name_of_the_file_can_be_called(self, site: Site) -> None:
        async with connecting({"here": {"url": site.url}}, allow=site.url) as near:
            assert await near.call(outgoing(f"a2a:{site.url}", principal=STRANGER)) == "plain /"
            assert await near.call(outgoing("a2a:here", principal=STRANGER)) == "plain /"
            with pytest.raises(ServiceNotFoundError):
                await near.call(outgoing("a2a:there"))

    async def test_what_a_developer_declared_needs_only_to_pass_the_guard(self, site: Site) -> None:
        async with connecting(allow="http://localhost:1") as near:
            with pytest.raises(InvalidInput):
                await near.call(declared(site.url))
        assert site.asked == []

    async def test_the_node_itself_is_called_by_its_owner_only(self, site: Site) -> None:
        async with connecting(own={site.url.removeprefix("http://")}) as near:
            with pytest.raises(PermissionDeniedError):
                await near.call(outgoing(f"a2a:{site.url}", principal=STRANGER))
            assert await near.call(outgoing(f"a2a:{site.url}", principal=OWNER)) == "plain /"

    @pytest.mark.parametrize(
        ("table", "key"),
        [
            ({}, "url"),
            ({"url": 1}, "url"),
            ({"url": "ftp://x.example"}, "url"),
            ({"url": "http://x.example"}, "url"),
            ({"url": "https://x.example", "uri": ""}, "uri"),
            ({"url": "https://x.example", "profile": "old"}, "profile"),
            ({"url": "https://x.example", "auth": "basic"}, "auth"),
            ({"url": "https://x.example", "auth": "bearer"}, "token_env"),
            ({"url": "https://x.example", "auth": "bearer", "token_env": "EMPTY"}, "token_env"),
            ({"url": "https://x.example", "token_env": "TOKEN"}, "token_env"),
            ({"url": "https://x.example", "origins": "https://y.example"}, "origins"),
            ({"url": "https://x.example", "origins": ["http://y.example"]}, "origins"),
            ({"url": "https://x.example", "http_method": "HEAD"}, "http_method"),
        ],
        ids=str,
    )
    async def test_a_wrong_table_is_named(self, table: dict[str, Any], key: str) -> None:
        egress = Egress()
        with pytest.raises(SettingsError) as raised:
            A2aConnector(ground(egress, {"weather": table}, environ={"TOKEN": "SECRET", "EMPTY": " "}))
        await egress.aclose()
        assert raised.value.details["setting"] == f"a2a.weather.{key}"
        assert "SECRET" not in str(raised.value)


class TestCredentials:
    async def test_a_token_goes_to_its_agent_and_into_no_search_for_a_card(self, site: Site) -> None:
        async with connecting({"it": {"url": site.url, **NAMED}}, environ=ENVIRON) as near:
            await near.call(outgoing("a2a:it"))
        assert [headers.get("authorization") for _, _, headers in site.asked] == [None, "Bearer s3cret"]

    async def test_a_card_that_is_not_for_everybody_is_asked_for_with_the_token(self, site: Site) -> None:
        site.pages[KNOWN] = (401, {"www_authenticate": "Bearer"})
        async with connecting({"it": {"url": site.url, **NAMED}}, environ=ENVIRON) as near:
            await near.call(outgoing("a2a:it"))
        shown = [headers.get("authorization") for _, _, headers in site.asked]
        assert shown == [None, "Bearer s3cret", "Bearer s3cret"]

    @pytest.mark.requirement("TPL-19")
    @pytest.mark.parametrize("verb", ["GET", "POST"])
    async def test_a_redirect_to_another_origin_gets_nothing(self, site: Site, verb: str) -> None:
        other = Site()
        async with listening(other) as elsewhere:
            site.pages["/w"] = (307, {"location": f"{elsewhere}/taken"})
            named = {"it": {"url": f"{site.url}/w", "http_method": verb, "profile": "legacy", **NAMED}}
            async with connecting(named, environ=ENVIRON) as near:
                with pytest.raises(UpstreamInvalid):
                    await near.call(outgoing("a2a:it"))
        assert other.asked == []


class TestSignatures:
    def signed(self, url: str, key: PrivateKey, keyid: str, changed: bool) -> dict[str, Any]:
        made: dict[str, Any] = card(f"{url}/a2a")
        protected = base64url.encode(json.dumps({"alg": "EdDSA", "kid": keyid, "typ": "JOSE"}).encode())
        signature = key.sign(f"{protected}.{base64url.encode(canonical(made))}".encode())
        made["signatures"] = [{"protected": protected, "signature": base64url.encode(signature)}]
        return {**made, "description": "changed"} if changed else made

    @pytest.mark.parametrize(
        "header",
        [b"[" * 100_000, b"{}", b"7", b'{"alg":"none","kid":"did:wba:x.example#1"}', b'{"crit":["x"]}', b"\xff"],
        ids=["deep", "empty", "number", "none", "critical", "bytes"],
    )
    async def test_a_signature_of_no_form_is_worth_nothing(self, site: Site, near: A2aConnector, header: bytes) -> None:
        made = card(f"{site.url}/a2a")
        made["signatures"] = [{"protected": base64url.encode(header), "signature": "AAAA"}]
        site.pages[KNOWN] = made
        try:
            described = await near.call(outgoing(f"a2a:{site.url}"))
        except UpstreamInvalid:
            return
        assert described["signature"] == "unknown"

    @pytest.mark.parametrize(
        ("known", "changed", "verdict"),
        [(True, False, "signed"), (False, False, "unknown"), (True, True, "invalid")],
        ids=["signed", "unknown", "invalid"],
    )
    async def test_a_card_is_judged_by_the_key_of_a_did(
        self, site: Site, known: bool, changed: bool, verdict: str
    ) -> None:
        key, did = PrivateKey.generate(), "did:wba:far.example:agents:bob:e1_x"
        site.pages[KNOWN] = self.signed(site.url, key, f"{did}#key-1", changed)
        document = SimpleNamespace(assertion={f"{did}#key-1": key.public}, authentication={})
        documents = Documents(**({did: document} if known else {}))  # type: ignore[arg-type]
        async with connecting(resolver=documents) as near:
            if verdict == "invalid":
                with pytest.raises(UpstreamInvalid):
                    await near.call(outgoing(f"a2a:{site.url}#forecast"))
                return
            described = await near.call(outgoing(f"a2a:{site.url}"))
            assert (described["signature"], described["signed_by"]) == (verdict, did)
            assert await near.call(outgoing(f"a2a:{site.url}#forecast")) == "/a2a"


async def test_one_search_serves_everybody_who_waits(site: Site, near: A2aConnector) -> None:
    calls = [near.call(outgoing(f"a2a:{site.url}")) for _ in range(5)]
    assert await asyncio.gather(*calls) == ["plain /"] * 5
    assert site.asked_for() == [KNOWN]
