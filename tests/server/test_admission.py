"""A web page cannot drive the node: pure rules first, then browser-like attacks over a real server (row NEG-API-29)."""

from __future__ import annotations

import json

import pytest

from moothall.errors import HostRefused, OriginRefused, UnsupportedMediaType
from moothall.server.admission import Admission, host_name, is_loopback
from tests.server.door import DEMAND, SUBMIT, Door, stream_of

HERE = Admission.of(bound="127.0.0.1", public_url="https://moot.example.org")
BODY = json.dumps({"raw_input": DEMAND}).encode()


def check(method: str = "POST", *, body: bool = True, **headers: str) -> None:
    named = {name.replace("_", "-"): [value] for name, value in headers.items()}
    HERE.check(method, {"host": ["127.0.0.1:8420"], "content-type": ["application/json"], **named}, has_body=body)


@pytest.mark.parametrize(
    "host",
    ["127.0.0.1", "127.0.0.1:8420", "127.8.8.8:1", "localhost:8420", "LocalHost", "localhost.", "[::1]:8420", "::1"],
)
def test_loopback_names_are_this_node_whatever_the_port(host: str) -> None:
    if host == "::1":
        assert host_name(host) is None
    else:
        assert is_loopback(host_name(host) or "")
        check(host=host)


def test_the_public_address_is_this_node() -> None:
    check(host="moot.example.org", origin="https://moot.example.org")


@pytest.mark.parametrize(
    "host",
    ["", "evil.example", "127.0.0.1.evil.example", "evil.example:8420", "localhost@evil.example", "0.0.0.0:8420",
     "[::]:8420", "localhost:8420:1", "local host", "2130706433", "moot.example.org.evil.example"],
)  # fmt: skip
def test_any_other_name_is_refused(host: str) -> None:
    with pytest.raises(HostRefused):
        check(host=host)


def test_a_wildcard_that_was_bound_is_no_name() -> None:
    with pytest.raises(HostRefused):
        Admission.of(bound="0.0.0.0", public_url="").check("GET", {"host": ["0.0.0.0:8420"]}, has_body=False)


@pytest.mark.parametrize("hosts", [[], ["localhost", "evil.example"], ["localhost", "localhost"]])
def test_there_is_exactly_one_host(hosts: list[str]) -> None:
    with pytest.raises(HostRefused):
        HERE.check("GET", {"host": hosts}, has_body=False)


@pytest.mark.parametrize(
    "headers",
    [
        {"origin": "https://evil.example"},
        {"origin": "null"},
        {"origin": "http://127.0.0.1:3000"},
        {"origin": "http://localhost:8420"},
        {"origin": "http://127.0.0.1:8420.evil.example"},
        {"sec_fetch_site": "cross-site"},
        {"sec_fetch_site": "same-site"},
        {"origin": "http://127.0.0.1:8420", "sec_fetch_site": "cross-site"},
    ],
)
def test_a_change_from_another_origin_is_refused(headers: dict[str, str]) -> None:
    for method in ("POST", "PUT", "PATCH", "DELETE"):
        with pytest.raises(OriginRefused):
            check(method, **headers)


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"origin": "http://127.0.0.1:8420"},
        {"origin": "http://127.0.0.1:8420", "sec_fetch_site": "same-origin"},
        {"sec_fetch_site": "none"},
    ],
)
def test_curl_and_the_nodes_own_page_may_change_things(headers: dict[str, str]) -> None:
    check(**headers)


def test_a_page_elsewhere_may_link_here_but_not_load_from_here() -> None:
    check("GET", body=False, sec_fetch_site="cross-site", sec_fetch_mode="navigate")
    with pytest.raises(OriginRefused):
        check("GET", body=False, sec_fetch_site="cross-site", sec_fetch_mode="no-cors")


@pytest.mark.parametrize(
    "kind", ["application/json", "application/json; charset=utf-8", "application/merge-patch+json"]
)
def test_json_may_be_sent(kind: str) -> None:
    check(content_type=kind)


@pytest.mark.parametrize(
    "kind", ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x", "", "text/json",
             "text/plain; a=application/json", "application/jsonp"],
)  # fmt: skip
def test_a_body_of_another_type_is_refused(kind: str) -> None:
    with pytest.raises(UnsupportedMediaType):
        check(content_type=kind)
    check(body=False, content_type=kind)


@pytest.mark.requirement("NEG-API-29")
@pytest.mark.parametrize(
    ("headers", "status", "code"),
    [
        ({"Origin": "https://evil.example", "Sec-Fetch-Site": "cross-site"}, 403, "ORIGIN_REFUSED"),
        ({"Host": "rebound.example:8420", "Origin": "http://rebound.example:8420"}, 421, "HOST_REFUSED"),
        ({"Content-Type": "text/plain"}, 415, "UNSUPPORTED_MEDIA_TYPE"),
        ({"Content-Type": "application/x-www-form-urlencoded"}, 415, "UNSUPPORTED_MEDIA_TYPE"),
    ],
)
async def test_a_browser_like_attack_starts_nothing(
    door: Door, headers: dict[str, str], status: int, code: str
) -> None:
    answer = await door.client.post(SUBMIT, content=BODY, headers={"Content-Type": "application/json", **headers})
    assert answer.status_code == status
    assert answer.json()["error"]["code"] == code
    assert "access-control-allow-origin" not in answer.headers
    assert await door.node.log.runs() == []


@pytest.mark.requirement("NEG-API-29")
async def test_a_rebound_name_reads_nothing_either(door: Door) -> None:
    demand_id = await door.submit()
    for path in ("/", "/health", "/openapi.json", stream_of(demand_id), "/api/v1/admin/agents"):
        answer = await door.client.get(path, headers={"Host": "rebound.example"})
        assert answer.status_code == 421, path


@pytest.mark.requirement("NEG-API-29")
async def test_curl_and_the_page_work(door: Door) -> None:
    own = {"Origin": door.address.url, "Sec-Fetch-Site": "same-origin", "Sec-Fetch-Mode": "cors"}
    for headers in ({}, own):
        answer = await door.client.post(SUBMIT, json={"raw_input": DEMAND}, headers=headers)
        assert answer.status_code == 200
    assert (await door.client.get("/", headers={"Sec-Fetch-Site": "none"})).status_code == 200


async def test_answers_forbid_guessing_and_embedding(door: Door) -> None:
    headers = (await door.client.get("/health")).headers
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["cross-origin-resource-policy"] == "same-origin"
    assert len(headers["x-request-id"]) == 16
