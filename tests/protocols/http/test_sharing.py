"""Which pages of other origins may use a capability."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from moothall.capability.decorators import api_service, capability
from moothall.errors import SettingsError
from moothall.server.cors import Cors
from tests.protocols.http.hall import ORIGIN, PREFIX, Hall, hall

EVIL = "https://evil.example"


@capability(access="public")
async def closed() -> str:
    return "closed"


@capability(access="public", enable_cors=True)
async def shared() -> str:
    return "shared"


@capability(enable_cors=True)
async def owned() -> str:
    return "owned"


@api_service(path="/shared", methods=["GET"], access="public", enable_cors=True)
async def at_a_path() -> str:
    return "there"


@pytest.fixture
async def room() -> AsyncIterator[Hall]:
    async with hall(closed, shared, owned, at_a_path) as opened:
        yield opened


def cors(headers: dict[str, str] | object) -> dict[str, str]:
    return {name: value for name, value in dict(headers).items() if name.startswith("access-control-")}  # type: ignore[call-overload]


@pytest.mark.requirement("TPL-43")
async def test_a_capability_that_does_not_ask_for_it_is_not_shared(room: Hall) -> None:
    answer = await room.post("closed", headers={"Origin": ORIGIN})
    assert (answer.status_code, cors(answer.headers)) == (200, {})
    asked = await room.client.options(
        f"{PREFIX}/closed", headers={"Origin": ORIGIN, "Access-Control-Request-Method": "POST"}
    )
    assert (asked.status_code, cors(asked.headers)) == (204, {})


@pytest.mark.requirement("TPL-43")
async def test_a_listed_origin_may_use_what_is_shared_and_others_may_not(room: Hall) -> None:
    answer = await room.post("shared", headers={"Origin": ORIGIN})
    given = cors(answer.headers)
    assert answer.status_code == 200
    assert given["access-control-allow-origin"] == ORIGIN
    assert given["access-control-allow-methods"] == "GET, POST, PUT, DELETE, OPTIONS"
    assert given["access-control-allow-headers"] == "Content-Type, Authorization"
    assert "access-control-allow-credentials" not in given
    assert answer.headers["Vary"] == "Origin"
    refused = await room.post("shared", headers={"Origin": EVIL})
    assert (refused.status_code, cors(refused.headers)) == (403, {})


@pytest.mark.requirement("TPL-43")
@pytest.mark.parametrize(("path", "verb"), [(f"{PREFIX}/shared", "POST"), ("/shared", "GET")])
async def test_a_browser_that_asks_first_is_told(room: Hall, path: str, verb: str) -> None:
    answer = await room.client.options(path, headers={"Origin": ORIGIN, "Access-Control-Request-Method": verb})
    assert (answer.status_code, answer.content) == (204, b"")
    assert answer.headers["Access-Control-Allow-Origin"] == ORIGIN
    refused = await room.client.options(path, headers={"Origin": EVIL, "Access-Control-Request-Method": verb})
    assert "Access-Control-Allow-Origin" not in refused.headers


@pytest.mark.requirement("TPL-43")
def test_every_origin_is_none() -> None:
    with pytest.raises(SettingsError):
        Cors.of("*")


async def test_a_page_can_read_why_it_was_refused(room: Hall) -> None:
    answer = await room.post("owned", headers={"Origin": ORIGIN})
    assert answer.status_code == 401
    assert answer.headers["Access-Control-Allow-Origin"] == ORIGIN
    assert "WWW-Authenticate" in answer.headers["Access-Control-Expose-Headers"]


async def test_a_cache_keeps_the_answers_of_origins_apart(room: Hall) -> None:
    assert (await room.post("shared")).headers["Vary"] == "Origin"
