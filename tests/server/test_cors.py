"""Pages of listed origins may use the API, all others may not (row NEG-API-24)."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest

from moothall.errors import SettingsError
from moothall.server.cors import Cors
from tests.server.door import DEMAND, SUBMIT, Door, served, stream_of

LISTED, OTHER = "http://localhost:5173", "https://evil.example"
PAGE = {"Origin": LISTED, "Sec-Fetch-Site": "same-site", "Sec-Fetch-Mode": "cors"}
HEADERS = "authorization,content-type,last-event-id,x-participant-token,x-admin-key"


def asks(origin: str, method: str = "POST") -> dict[str, str]:
    """What a browser sends before the page's own request."""
    return {
        "Origin": origin,
        "Sec-Fetch-Site": "cross-site",
        "Sec-Fetch-Mode": "cors",
        "Access-Control-Request-Method": method,
        "Access-Control-Request-Headers": HEADERS,
    }


def named(answer: httpx.Response, header: str) -> set[str]:
    return {part.strip().lower() for part in answer.headers.get(header, "").split(",") if part.strip()}


@pytest.fixture
async def keyed(tmp_path: Path) -> AsyncIterator[Door]:
    async with served(tmp_path, settings={"api_keys": "alice:alice-key-0123456789"}) as door:
        yield door


@pytest.mark.requirement("NEG-API-24", "NEG-OPS-05")
@pytest.mark.parametrize("origin", ["http://localhost:3000", LISTED])
@pytest.mark.parametrize(
    ("method", "path"),
    [("POST", SUBMIT), ("GET", stream_of("d-00000000")), ("DELETE", "/api/v1/admin/agents/x"), ("PUT", "/nothing")],
)
async def test_the_preflight_of_a_listed_origin_passes_before_any_key_is_asked(
    keyed: Door, origin: str, method: str, path: str
) -> None:
    answer = await keyed.client.options(path, headers=asks(origin, method))
    assert answer.status_code == 204
    assert answer.headers["access-control-allow-origin"] == origin
    assert method.lower() in named(answer, "access-control-allow-methods")
    assert set(HEADERS.split(",")) <= named(answer, "access-control-allow-headers")
    assert "origin" in named(answer, "vary")
    assert "access-control-allow-credentials" not in answer.headers


@pytest.mark.requirement("NEG-API-24", "NEG-API-29")
@pytest.mark.parametrize(
    "origin", [OTHER, "null", "http://localhost:3001", "https://localhost:5173", "http://localhost:5173.evil.example"]
)
async def test_any_other_origin_is_refused_and_reads_nothing(door: Door, origin: str) -> None:
    asked = await door.client.options(SUBMIT, headers=asks(origin))
    body = {"content": json.dumps({"raw_input": DEMAND}), "headers": {"Content-Type": "application/json"}}
    sent = await door.client.post(SUBMIT, content=body["content"], headers={**body["headers"], "Origin": origin})
    loaded = await door.client.get("/health", headers={"Origin": origin, "Sec-Fetch-Site": "cross-site"})
    for answer in (asked, sent, loaded):
        assert answer.status_code == 403
        assert answer.json()["error"]["code"] == "ORIGIN_REFUSED"
        assert not [name for name in answer.headers if name.startswith("access-control-")]
        assert answer.headers["cross-origin-resource-policy"] == "same-origin"
    assert await door.node.log.runs() == []


@pytest.mark.requirement("NEG-API-24")
async def test_a_page_of_a_listed_origin_submits_and_follows(door: Door) -> None:
    answer = await door.client.post(SUBMIT, json={"raw_input": DEMAND}, headers=PAGE)
    assert answer.status_code == 200
    assert answer.headers["access-control-allow-origin"] == LISTED
    assert answer.headers["cross-origin-resource-policy"] == "cross-origin"
    path = stream_of(answer.json()["demand_id"])
    async with door.client.stream("GET", path, headers={**PAGE, "Sec-Fetch-Site": "cross-site"}) as stream:
        assert stream.headers["access-control-allow-origin"] == LISTED
        assert "origin" in named(stream, "vary")
        assert "event: " not in (await stream.aread()).decode()


@pytest.mark.requirement("NEG-API-24")
async def test_a_page_of_a_listed_origin_can_read_why_it_was_refused(keyed: Door) -> None:
    for path, status in ((SUBMIT, 401), ("/api/v1/admin/agents", 403), ("/nothing", 404)):
        answer = await keyed.client.get(path, headers=PAGE)
        assert answer.status_code == status
        assert answer.headers["access-control-allow-origin"] == LISTED
        assert {"retry-after", "www-authenticate"} <= named(answer, "access-control-expose-headers")
    large = await keyed.client.post(SUBMIT, json={"raw_input": "x" * 200_000}, headers=PAGE | {
        "Authorization": "Bearer alice-key-0123456789"
    })  # fmt: skip
    assert large.status_code == 400
    assert large.headers["access-control-allow-origin"] == LISTED


@pytest.mark.requirement("NEG-OPS-05")
async def test_the_setting_says_which_origins(tmp_path: Path) -> None:
    async with served(tmp_path, settings={"cors_origins": "https://App.example.org/ , http://[::1]:9"}) as door:
        for origin, status in (("https://app.example.org", 204), ("http://[::1]:9", 204), (LISTED, 403)):
            assert (await door.client.options(SUBMIT, headers=asks(origin))).status_code == status


async def test_without_listed_origins_no_answer_speaks_of_any(tmp_path: Path) -> None:
    async with served(tmp_path, settings={"cors_origins": ","}) as door:
        answer = await door.client.get("/health")
        assert "vary" not in answer.headers
        assert (await door.client.options(SUBMIT, headers=asks(LISTED))).status_code == 403


@pytest.mark.parametrize("listed", ["*", "https://a.example,*", "localhost:3000", "https://a.example/path", "null"])
def test_what_is_no_origin_cannot_be_listed(listed: str) -> None:
    with pytest.raises(SettingsError):
        Cors.of(listed)


async def test_asking_twice_for_an_origin_is_asking_for_none(door: Door) -> None:
    twice = [("Origin", LISTED), ("Origin", LISTED)]
    answer = await door.client.post(SUBMIT, json={"raw_input": DEMAND}, headers=twice)
    assert answer.status_code == 403
