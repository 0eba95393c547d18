"""Which route asks its caller for what, and how often it may be asked (row NEG-API-01)."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from moothall.errors import Forbidden, PermissionDeniedError, SettingsError, Unauthenticated
from moothall.identity.apikeys import ADMIN, LOCAL
from moothall.identity.principal import ANONYMOUS, OWNER, Principal
from moothall.identity.request import HttpRequest
from moothall.server.access import Access
from tests.server.door import DEMAND, SUBMIT, Door, opened, served, stream_of
from tests.support.clock import ManualClock
from tests.support.demand import running

ALICE, BOB, ADMIN_KEY = "alice-key-0123456789", "bob-key-0123456789ab", "admin-key"
KEYS = {"api_keys": f"alice:{ALICE}, bob:{BOB}", "admin_api_key": ADMIN_KEY}
AGENTS = "/api/v1/admin/agents"
GUARDED = ("/api/v1/demand/submit", "/api/v1/demand", "/api/v1/channels/collab-00000000", "/api/v1/nothing", "/api/v1",
           "/metrics")  # fmt: skip
STREAM = "/api/v1/events/negotiations/d-00000000/stream"
AGENT = Principal(id="did:wba:example.com", kind="did", binding="request")
GRANTED = Principal(id="did:wba:example.com", kind="did", binding="request", permissions=frozenset({"demand"}))
USER = Principal(id="user:alice", kind="user", binding="token", permissions=frozenset({"demand"}))


def bearer(key: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {key}"}


def shown(key: str) -> dict[str, str]:
    """The header that a key belongs into."""
    return {"X-Admin-Key": key} if key == ADMIN_KEY else bearer(key)


async def admitted(
    caller: Principal, path: str, *, method: str = "GET", keyless: bool = False, query: str = "", **headers: str
) -> Principal:
    """Who a request is let in as, when the verifier found ``caller`` behind it; it refuses whom it finds anonymous."""

    async def verify(_: HttpRequest) -> Principal:
        if caller is ANONYMOUS and headers:
            raise Unauthenticated("it does not hold")
        return caller

    shown = {name.replace("_", "-"): [value] for name, value in headers.items()}
    of = Access(verify, keyless=keyless, admin_key=True)
    return await of.admit(HttpRequest(method, path, ()), path, query.encode(), shown)


@pytest.fixture
async def door(tmp_path: Path) -> AsyncIterator[Door]:
    async with served(tmp_path, settings=KEYS) as door:
        yield door


@pytest.mark.parametrize("caller", [USER, GRANTED, OWNER, ADMIN])
async def test_who_holds_the_permission_is_let_in_as_who_it_is(caller: Principal) -> None:
    for path in GUARDED:
        assert await admitted(caller, path) is caller


async def test_an_agent_without_the_permission_may_only_knock_where_its_own_demands_are() -> None:
    for path in GUARDED:
        with pytest.raises(PermissionDeniedError):
            await admitted(AGENT, path)
    assert await admitted(AGENT, STREAM) is AGENT


async def test_a_node_without_keys_takes_strangers_for_its_local_caller() -> None:
    for path in GUARDED:
        assert await admitted(ANONYMOUS, path, keyless=True) is LOCAL
        assert await admitted(ANONYMOUS, path, keyless=True, authorization="Bearer wrong") is LOCAL
        assert await admitted(OWNER, path, keyless=True) is OWNER
    with pytest.raises(PermissionDeniedError):
        await admitted(AGENT, "/api/v1/demand", keyless=True)


@pytest.mark.parametrize("headers", [{"signature_input": "sig1=()"}, {"authorization": "DIDWba x"}])
async def test_a_signature_that_does_not_hold_is_refused_even_where_nobody_is_asked(headers: dict[str, str]) -> None:
    for keyless in (True, False):
        with pytest.raises(Unauthenticated, match="does not hold"):
            await admitted(ANONYMOUS, "/api/v1/demand", keyless=keyless, **headers)


async def test_addresses_outside_the_api_ask_nobody() -> None:
    for path in ("/", "/health", "/openapi.json", "/api/v10", "/metricsx"):
        assert await admitted(ANONYMOUS, path, authorization="Bearer wrong") is ANONYMOUS


async def test_a_token_opens_the_way_to_the_routes_that_compare_it_only() -> None:
    channel = "/api/v1/channels/collab-00000000"
    assert await admitted(ANONYMOUS, STREAM, query="token=x") is ANONYMOUS
    assert await admitted(ANONYMOUS, f"{channel}/offer", method="POST") is ANONYMOUS
    for path, method, query in (
        (STREAM, "GET", "token="),
        (STREAM, "POST", "token=x"),
        (channel, "GET", "token=x"),
        (f"{channel}/offer", "GET", "token=x"),
    ):
        with pytest.raises(Unauthenticated):
            await admitted(ANONYMOUS, path, method=method, query=query)


@pytest.mark.parametrize("kind", ["did", "user", "participant", "stream", "local"])
async def test_nobody_but_the_owner_and_admins_enters_the_admin_routes(kind: Any) -> None:
    caller = Principal(id="x", kind=kind, permissions=frozenset({"demand", "agents"}))
    for keyless in (True, False):
        with pytest.raises(Forbidden):
            await admitted(caller, AGENTS, keyless=keyless)
    for right in (OWNER, ADMIN):
        assert await admitted(right, AGENTS) is right


@pytest.mark.parametrize("binding", ["header", "token", "request"])
@pytest.mark.parametrize("may", [{"owner": True}, {"permissions": frozenset({"*"})}])
async def test_an_agent_enters_the_admin_routes_with_a_signed_request_only(binding: Any, may: dict[str, Any]) -> None:
    caller = Principal(id=AGENT.id, kind="did", binding=binding, **may)
    if binding == "request":
        assert await admitted(caller, AGENTS, method="POST") is caller
        return
    with pytest.raises(Forbidden):
        await admitted(caller, AGENTS, method="POST")


@pytest.mark.requirement("NEG-API-01")
@pytest.mark.parametrize("path", GUARDED)
async def test_without_a_key_or_with_a_wrong_one_nothing_of_the_api_answers(door: Door, path: str) -> None:
    for headers in ({}, bearer("wrong"), {"X-Participant-Token": "x"}):
        for method in ("GET", "POST"):
            answer = await door.client.request(method, f"{path}?token=x", headers=headers)
            assert answer.status_code == 401, (method, path)
            assert answer.headers.get_list("www-authenticate")[0] == "Bearer"
            assert answer.json()["error"]["code"] == "UNAUTHENTICATED"


async def test_a_person_who_takes_part_needs_no_key_but_the_token_of_the_demand(door: Door) -> None:
    path = "/api/v1/channels/collab-00000000"
    for method, name in (("GET", "invitation"), ("POST", "offer"), ("POST", "feedback")):
        body = {"json": {}} if method == "POST" else {}
        answer = await door.client.request(method, f"{path}/{name}", **body)
        assert answer.json()["error"]["why"] != "no valid API key in Authorization: Bearer", name
    assert (await door.client.get(f"{path}/other")).status_code == 401


async def test_health_the_index_and_the_description_ask_nobody(door: Door) -> None:
    for path in ("/", "/health", "/health/ready", "/openapi.json"):
        assert (await door.client.get(path)).status_code == 200


@pytest.mark.requirement("NEG-API-01")
async def test_a_demand_belongs_to_the_user_of_the_key(door: Door) -> None:
    async def submit(key: str, **more: str) -> int:
        answer = await door.client.post(SUBMIT, json={"raw_input": DEMAND, **more}, headers=shown(key))
        return answer.status_code

    assert await submit(ALICE) == 200
    assert await submit(ALICE, user_id="alice") == 200
    assert await submit(ALICE, user_id="bob") == 403
    assert await submit(ADMIN_KEY, user_id="carol") == 200
    assert await submit(door.node.owner_token, user_id="dave") == 200
    owners = [record.meta["requester_id"] for record in await door.node.log.runs(kind="demand")]
    assert sorted(owners) == ["alice", "alice", "carol", "dave"]


@pytest.mark.requirement("NEG-API-01", "NEG-API-09")
async def test_a_demand_of_another_user_does_not_exist(door: Door) -> None:
    reply = await door.client.post(SUBMIT, json={"raw_input": DEMAND}, headers=bearer(ALICE))
    demand_id = reply.json()["demand_id"]
    recent = f"/api/v1/events/negotiations/{demand_id}/recent"
    for path in (stream_of(demand_id), recent):
        for headers, token in ((bearer(BOB), ""), (bearer(BOB), "?token=wrong"), ({}, "?token=wrong")):
            answer = await door.client.get(f"{path}{token}", headers=headers)
            assert answer.status_code == 404, path
            assert answer.json()["error"]["code"] == "E002"
        assert (await door.client.get(path)).status_code == 401
        for headers in (bearer(ALICE), shown(ADMIN_KEY), bearer(door.node.owner_token)):
            assert (await door.client.get(path, headers=headers)).status_code == 200


@pytest.mark.requirement("NEG-API-01")
async def test_no_route_tells_or_changes_anything_of_another_users_demand(door: Door) -> None:
    reply = (await door.client.post(SUBMIT, json={"raw_input": DEMAND}, headers=bearer(ALICE))).json()
    ids = {"demand_id": reply["demand_id"], "channel_id": reply["channel_id"]}
    described = (await door.client.get("/openapi.json")).json()["paths"]
    routes = [
        (method, path)
        for path, row in described.items()
        for method, operation in row.items()
        if {"apiKey": []} in operation.get("security", []) and any(f"{{{name}}}" in path for name in ids)
    ]
    assert {method for method, _ in routes} == {"get", "post", "delete"}
    before = await door.stream(ids["demand_id"], headers=bearer(ALICE))
    for method, path in routes:
        answer = await door.client.request(method, path.format(**ids), headers=bearer(BOB))
        assert (answer.status_code, answer.json()["error"]["code"]) in {(404, "E002"), (404, "E007")}, path
        missing = await door.client.request(method, path.format(**ids))
        assert missing.status_code == 401, path
    assert await door.stream(ids["demand_id"], headers=bearer(ALICE)) == before
    alias = await door.client.get(f"/api/v1/events/stream?channel_id={ids['channel_id']}", headers=bearer(BOB))
    assert alias.status_code == 404
    for key, query, count in ((ALICE, "", 1), (BOB, "", 0), (ADMIN_KEY, "", 1), (ADMIN_KEY, "?user_id=alice", 1)):
        listed = await door.client.get(f"/api/v1/demand{query}", headers=shown(key))
        assert len(listed.json()["demands"]) == count
    assert (await door.client.get("/api/v1/demand?user_id=alice", headers=bearer(BOB))).status_code == 404


@pytest.mark.requirement("NEG-API-09")
async def test_a_stream_opens_with_its_own_token_and_nothing_else_does(door: Door) -> None:
    first, second = [
        (await door.client.post(SUBMIT, json={"raw_input": DEMAND}, headers=bearer(ALICE))).json() for _ in range(2)
    ]
    own = await door.stream(first["demand_id"], params={"token": first["stream_token"]})
    assert own[-1]["event_type"] == "towow.proposal.finalized"
    other = await door.client.get(stream_of(second["demand_id"]), params={"token": first["stream_token"]})
    assert other.status_code == 404
    for method, path in (("POST", SUBMIT), ("GET", f"/api/v1/demand/{first['demand_id']}"), ("GET", AGENTS)):
        answer = await door.client.request(method, path, params={"token": first["stream_token"]})
        assert answer.status_code == 401, path


@pytest.mark.requirement("NEG-API-01")
async def test_a_user_over_the_limit_is_told_when_to_come_back(tmp_path: Path) -> None:
    clock = ManualClock()
    async with (
        running(tmp_path, [], clock=clock, rate_limit=2, **KEYS) as node,
        opened(node) as door,
    ):

        async def submit(key: str, body: object = None) -> Any:
            return await door.client.post(SUBMIT, json=body or {"raw_input": ""}, headers=shown(key))

        assert [(await submit(ALICE)).status_code for _ in range(2)] == [400, 400]
        refused = await submit(ALICE)
        assert refused.status_code == 429
        assert refused.json()["error"]["code"] == "RATE_LIMITED"
        assert refused.headers["retry-after"] == "30"
        assert [(await submit(key)).status_code for key in (BOB, ADMIN_KEY, ADMIN_KEY, ADMIN_KEY)] == [400] * 4
        await clock.advance(30)
        assert (await submit(ALICE)).status_code == 400


async def test_a_node_without_keys_limits_nobody(tmp_path: Path) -> None:
    async with served(tmp_path, settings={"rate_limit": 1}) as door:
        for _ in range(3):
            assert (await door.client.post(SUBMIT, json={"raw_input": ""})).status_code == 400


@pytest.mark.requirement("NEG-OPS-08", "NEG-API-22")
async def test_every_admin_route_asks_for_the_admin_key_before_anything_else(door: Door) -> None:
    described = (await door.client.get("/openapi.json")).json()["paths"]
    routes = [(method, path) for path, row in described.items() if path.startswith("/api/v1/admin") for method in row]
    assert len(routes) > 20
    for method, path in [*routes, ("get", "/api/v1/admin/nothing"), ("get", "/api/v1/admin")]:
        bad: dict[str, Any] = {"content": b"no JSON"} if method != "get" else {}
        for headers, status in (({}, 401), ({"X-Admin-Key": "wrong"}, 403), (bearer(ALICE), 403)):
            kind = {"Content-Type": "application/json"} if bad else {}
            answer = await door.client.request(method, path, headers=headers | kind, **bad)
            assert answer.status_code == status, (method, path)


@pytest.mark.requirement("NEG-OPS-08")
async def test_without_an_admin_key_only_the_owner_enters(tmp_path: Path) -> None:
    async with served(tmp_path) as door:
        for headers in ({}, {"X-Admin-Key": ""}, {"X-Admin-Key": "any"}, {"Authorization": "Bearer any"}):
            assert (await door.client.get(AGENTS, headers=headers)).status_code == 403
        accented = {"X-Admin-Key": "\u00e9".encode()}
        assert (await door.client.get(AGENTS, headers=accented)).status_code == 403
        for right in (bearer(door.node.owner_token), {"X-Admin-Key": door.node.owner_token}):
            assert (await door.client.get(AGENTS, headers=right)).status_code == 200


async def test_the_admin_key_opens_the_admin_routes(door: Door) -> None:
    assert (await door.client.get(AGENTS, headers={"X-Admin-Key": ADMIN_KEY})).status_code == 200


async def test_a_list_of_keys_that_does_not_fit_stops_the_start(tmp_path: Path) -> None:
    with pytest.raises(SettingsError):
        async with running(tmp_path, [], api_keys="alice"):
            pass
