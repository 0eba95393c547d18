"""Everything around the routes: the index, the description, unknown addresses, faults, polling."""

from __future__ import annotations

import logging
from pathlib import Path

import pytest

from moothall.server.language import accepted
from tests.server.door import DEMAND, SUBMIT, Door, served, stream_of


async def test_the_root_lists_the_endpoints_for_programs(door: Door) -> None:
    answer = await door.client.get("/")
    assert answer.headers["content-type"] == "application/json"
    paths = {row["path"] for row in answer.json()["endpoints"]}
    assert {SUBMIT, stream_of("{demand_id}"), "/health/ready"} <= paths


@pytest.mark.parametrize(("language", "word"), [("zh", "提交需求"), ("en", "Submit a demand")])
async def test_the_root_is_a_page_for_people_in_their_language(tmp_path: Path, language: str, word: str) -> None:
    async with served(tmp_path, agents=False, page=tmp_path / "not_built") as door:
        answer = await door.client.get("/", headers={"Accept": "text/html,*/*", "Accept-Language": language})
    assert answer.headers["content-type"].startswith("text/html")
    assert word in answer.text
    assert f'lang="{language}"' in answer.text
    assert "default-src 'none'" in answer.headers["content-security-policy"]


async def test_the_listed_endpoints_exist(door: Door) -> None:
    demand_id = await door.submit()
    await door.stream(demand_id)
    for row in (await door.client.get("/")).json()["endpoints"]:
        path = (
            row["path"]
            .replace("{demand_id}", demand_id)
            .replace("{channel_id}", f"collab-{demand_id[2:]}")
            .replace("{name}", "relay.tools")
        )
        answer = await door.client.request(row["method"], path, json={} if row["method"] == "POST" else None)
        assert answer.status_code not in {404, 405}, path


async def test_the_description_names_every_route_and_no_422(door: Door) -> None:
    document = (await door.client.get("/openapi.json")).json()
    assert stream_of("{demand_id}") in document["paths"]
    assert "text/event-stream" in str(document["paths"][stream_of("{demand_id}")])
    operations = [operation for path in document["paths"].values() for operation in path.values()]
    assert all("422" not in operation["responses"] for operation in operations)
    admin = [operation for path, row in document["paths"].items() if "/admin/" in path for operation in row.values()]
    assert all(operation["security"] for operation in admin)
    identities = [operation["operationId"] for operation in operations]
    assert len(identities) == len(set(identities))


@pytest.mark.parametrize(("method", "path", "status", "code"), [
    ("GET", "/nothing", 404, "NOT_FOUND"),
    ("DELETE", "/health", 405, "METHOD_NOT_ALLOWED"),
    ("PUT", SUBMIT, 405, "METHOD_NOT_ALLOWED"),
    ("POST", "/api/v1/events/negotiations/d-00000000/stream", 405, "METHOD_NOT_ALLOWED"),
    ("GET", "/api/v1/events/negotiations/d-00000000/recent", 404, "E002"),
    ("GET", "/api/v1/events/negotiations/d-00000000/recent?count=0", 400, "INVALID_INPUT"),
    ("GET", "/api/v1/events/negotiations/d-0000000%00/stream", 400, "INVALID_INPUT"),
])  # fmt: skip
async def test_every_refusal_has_the_same_shape(door: Door, method: str, path: str, status: int, code: str) -> None:
    answer = await door.client.request(method, path)
    assert answer.status_code == status
    assert answer.json()["error"].keys() == {"code", "message", "why", "hint"}
    assert answer.json()["error"]["code"] == code


@pytest.mark.parametrize("path", ["/", "/health", "/openapi.json"])
async def test_head_is_get_without_the_body(door: Door, path: str) -> None:
    head, get = await door.client.head(path), await door.client.get(path)
    assert head.status_code == get.status_code == 200
    assert head.content == b""
    assert head.headers["content-type"] == get.headers["content-type"]


async def test_options_tells_what_is_allowed(door: Door) -> None:
    answer = await door.client.options(SUBMIT)
    assert answer.status_code == 204
    assert "POST" in answer.headers["allow"]


async def test_a_fault_is_logged_under_the_id_of_the_answer_and_leaks_nothing(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async def broken(*_: object, **__: object) -> None:
        raise RuntimeError("the secret of the house")

    logging.getLogger("moothall").propagate = True
    async with served(tmp_path) as door:
        door.node.demands.submit = broken  # type: ignore[method-assign,assignment]
        door.node.demands.stream = broken  # type: ignore[method-assign,assignment]
        for answer in (
            await door.client.post(SUBMIT, json={"raw_input": DEMAND}),
            await door.client.get(stream_of("x")),
        ):
            assert answer.status_code == 500
            assert answer.json()["error"]["code"] == "INTERNAL_ERROR"
            assert "secret" not in answer.text
            logged = [record for record in caplog.records if answer.headers["x-request-id"] in record.getMessage()]
            assert len([record for record in logged if record.exc_info]) == 1


@pytest.mark.requirement("NEG-API-20")
async def test_polling_gives_slices_of_the_stream(door: Door) -> None:
    demand_id = await door.submit()
    whole = await door.stream(demand_id)
    path = f"/api/v1/events/negotiations/{demand_id}/recent"
    polled: list[object] = []
    after = ""
    while page := (await door.client.get(path, params={"count": 3, "after": after})).json()["events"]:
        assert len(page) <= 3
        polled += page
        after = page[-1]["event_id"]
    assert polled == whole


@pytest.mark.parametrize(
    ("header", "lang"),
    [
        ("zh", "zh"), ("zh-CN,zh;q=0.9,en;q=0.8", "zh"), ("en-US,en;q=0.9,zh;q=0.8", "en"), ("EN", "en"),
        ("de,fr;q=0.8", None), ("", None), ("*", None), ("zh;q=0", None), ("zh;q=0.1,en;q=0.9", "en"),
        ("zh;q=nonsense,en", "en"), ("zh,en", "zh"), ("de;q=1,zh;q=0.2", "zh"), (";;;,,,=", None), ("zh ; q=1", "zh"),
    ],
)  # fmt: skip
def test_the_better_liked_language_is_chosen(header: str, lang: str | None) -> None:
    assert accepted(header) == lang
