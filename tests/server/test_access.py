"""Who may do what: keys of users, the admin key, the token of the owner, and how often (row NEG-API-01)."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from moothall.errors import Forbidden, SettingsError, Unauthenticated
from moothall.events.model import RunRecord
from moothall.server.access import Access, Caller, may_see, parse_keys, submitting_user
from moothall.settings import Settings
from tests.server.door import DEMAND, SUBMIT, Door, opened, served, stream_of
from tests.support.clock import ManualClock
from tests.support.demand import running

ALICE, BOB, ADMIN_KEY = "alice-key-0123456789", "bob-key-0123456789ab", "admin-key"
KEYS = {"api_keys": f"alice:{ALICE}, bob:{BOB}", "admin_api_key": ADMIN_KEY}
AGENTS = "/api/v1/admin/agents"
GUARDED = ("/api/v1/demand/submit", "/api/v1/demand", "/api/v1/channels/collab-00000000", "/api/v1/nothing", "/api/v1",
           "/metrics")  # fmt: skip
TOKEN = "owner-token-0123456789"


def bearer(key: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {key}"}


def shown(key: str) -> dict[str, str]:
    """The header that a key belongs into."""
    return {"X-Admin-Key": key} if key == ADMIN_KEY else bearer(key)


def access(**values: Any) -> Access:
    return Access.of(Settings(**(KEYS | values)), TOKEN)


def identified(of: Access, **headers: str) -> Caller:
    return of.identify({name.replace("_", "-"): [value] for name, value in headers.items()})


def demand_of(user: str, *, token: str = "") -> RunRecord:
    when = ManualClock().now()
    meta = {"requester_id": user, "stream_token": token}
    return RunRecord("d-00000000", "demand", "open", None, 1, None, when, None, None, meta)


@pytest.fixture
async def door(tmp_path: Path) -> AsyncIterator[Door]:
    async with served(tmp_path, settings=KEYS) as door:
        yield door


def test_a_key_names_its_user_and_nothing_else_does() -> None:
    of = access()
    assert identified(of, authorization=f"Bearer {ALICE}") == Caller(user="alice")
    assert identified(of, authorization=f"bearer  {BOB} ") == Caller(user="bob")
    for wrong in (f"Basic {ALICE}", ALICE, f"Bearer {ALICE}x", "Bearer ", "Bearer alice", ""):
        assert identified(of, authorization=wrong) == Caller()


def test_each_key_counts_in_its_own_header_and_the_owners_token_in_either() -> None:
    of = access()
    for admin in ({"x_admin_key": ADMIN_KEY}, {"x_admin_key": TOKEN}, {"authorization": f"Bearer {TOKEN}"}):
        assert identified(of, **admin) == Caller(admin=True)
    for nobody in ({"authorization": f"Bearer {ADMIN_KEY}"}, {"x_admin_key": ALICE}, {"x_admin_key": "wrong"}):
        assert identified(of, **nobody) == Caller()
    assert identified(of, authorization=f"Bearer {ALICE}", x_admin_key=ADMIN_KEY) == Caller(user="alice", admin=True)
    assert not identified(access(admin_api_key=""), x_admin_key="").admin


def test_a_node_without_keys_asks_nobody_but_still_knows_its_admins() -> None:
    of = access(api_keys="")
    assert identified(of) == Caller(open=True)
    assert identified(of, x_admin_key=ADMIN_KEY) == Caller(admin=True, open=True)


@pytest.mark.parametrize(
    ("listed", "why"),
    [
        ("alice", "entry 1: it is not user:key"),
        (f"alice:{ALICE},:{BOB}", "entry 2: it is not user:key"),
        ("alice:", "entry 1: it is not user:key"),
        ("alice:tooshort-secret", "entry 1: its key is not made of 16"),
        ("alice:with a space in it", "entry 1: its key is not made of 16"),
        ("alice:schlüssel-0123456789", "entry 1: its key is not made of 16"),
        (f"alice:{ALICE},bob:{ALICE}", "entry 2: its key stands in the list already"),
        (f"alice:{ALICE},alice:{ALICE}", "entry 2: its key stands in the list already"),
        (",", "entry 1: there is none"),
    ],
)
def test_a_list_of_keys_that_does_not_fit_is_refused_without_repeating_a_key(listed: str, why: str) -> None:
    with pytest.raises(SettingsError) as caught:
        access(api_keys=listed)
    assert caught.value.why.startswith(why)
    told = f"{caught.value} {caught.value.hint} {caught.value.details}"
    assert not any(secret in told for secret in (ALICE, BOB, "tooshort", "with a space", "schlüssel"))


def test_a_user_may_have_several_keys_and_a_key_may_hold_a_colon() -> None:
    assert sorted(parse_keys(f"alice:{ALICE}, alice:second:key:0123456789,").values()) == ["alice", "alice"]


def test_a_demand_is_seen_by_its_user_an_admin_and_who_has_its_token() -> None:
    record = demand_of("alice", token="t" * 32)
    for caller in (Caller(user="alice"), Caller(admin=True), Caller(open=True), Caller(user="bob", token="t" * 32)):
        assert may_see(caller, record)
    for caller in (Caller(), Caller(user="bob"), Caller(user="Alice"), Caller(token="t" * 31), Caller(token="")):
        assert not may_see(caller, record)
    assert not may_see(Caller(token=""), demand_of("alice"))
    assert not may_see(Caller(), RunRecord("d-0", "demand", "open", None, 1, None, record.created_at, None))


def test_a_key_submits_for_its_own_user_only() -> None:
    assert submitting_user(Caller(user="alice"), None) == "alice"
    assert submitting_user(Caller(user="alice"), "alice") == "alice"
    assert submitting_user(Caller(open=True), "anybody") == "anybody"
    assert submitting_user(Caller(open=True), None) is None
    assert submitting_user(Caller(admin=True), "anybody") == "anybody"
    with pytest.raises(Forbidden):
        submitting_user(Caller(user="alice"), "bob")
    with pytest.raises(Unauthenticated):
        submitting_user(Caller(), "alice")


def test_no_secret_is_shown_by_a_caller() -> None:
    assert "secret" not in repr(Caller(token="secret"))


@pytest.mark.requirement("NEG-API-01")
@pytest.mark.parametrize("path", GUARDED)
async def test_without_a_key_or_with_a_wrong_one_nothing_of_the_api_answers(door: Door, path: str) -> None:
    for headers in ({}, bearer("wrong"), {"X-Participant-Token": "x"}):
        for method in ("GET", "POST"):
            answer = await door.client.request(method, f"{path}?token=x", headers=headers)
            assert answer.status_code == 401, (method, path)
            assert answer.headers["www-authenticate"] == "Bearer"
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
    async with running(tmp_path, [], api_keys="alice") as node:
        with pytest.raises(SettingsError):
            node.app()
