"""What a caller is told that it may call, and the OpenAPI description."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest
from openapi_spec_validator import validate
from pydantic import BaseModel

from moothall.capability.decorators import api_service, capability
from moothall.protocols.http.openapi import COMPONENTS, described
from tests.protocols.http.hall import ANNA, PREFIX, Hall, hall, of


class Room(BaseModel):
    name: str
    inner: Room | None = None


@capability(access="public")
async def hello(name: str = "world") -> str:
    """Greet somebody.

    Args:
        name: whom.
    """
    return f"hello {name}"


@capability(access="authenticated")
async def book(room: Room, nights: int) -> list[Room]:
    """Book a room."""
    return [room] * nights


@capability()
async def owned() -> str:
    return "mine"


@capability(permissions=["read"], name="readers-only", binding="request")
async def readers() -> dict[str, Any]:
    return {}


@capability(access="public", name="hello", version="0.9.0")
async def old_hello() -> str:
    return "hi"


@capability(expose_to="local")
async def inside() -> str:
    return "inside"


@capability(access="public", include_metadata=True)
async def count(to: int) -> AsyncIterator[int]:
    """Count."""
    for number in range(to):
        yield number


@api_service(path="/look", methods=["GET", "POST"], access="public")
async def look(names: list[str], n: int = 0) -> int:
    """Look at names."""
    return len(names) + n


@capability(access="public")
async def gone() -> str:
    return "gone"


FUNCTIONS = (hello, book, owned, readers, old_hello, inside, count, look, gone)


@pytest.fixture
async def room() -> AsyncIterator[Hall]:
    async with hall(*FUNCTIONS) as opened:
        opened.registry.disable("node.gone")
        yield opened


async def listed(room: Hall, **headers: str) -> dict[str, dict[str, Any]]:
    answer = await room.client.get(PREFIX, headers=headers)
    assert answer.status_code == 200
    return {row["id"]: row for row in answer.json()["capabilities"]}


async def test_a_caller_is_told_of_what_it_may_call(room: Hall) -> None:
    public = {"node.hello", "node.count", "node.look"}
    assert set(await listed(room)) == public
    assert set(await listed(room, **of(ANNA))) == public | {"node.book"}
    assert set(await listed(room, **of(ANNA, "read"))) == public | {"node.book", "node.readers-only"}
    assert set(await listed(room, **of("owner"))) == public | {"node.book", "node.owned", "node.readers-only"}


async def test_a_row_says_how_to_call_it(room: Hall) -> None:
    rows = await listed(room)
    assert rows["node.hello"]["path"] == f"{PREFIX}/node.hello"
    assert rows["node.hello"]["version"] == "1.0.0"
    assert rows["node.hello"]["input_schema"]["properties"]["name"]["description"] == "whom."
    assert (rows["node.look"]["path"], rows["node.look"]["methods"]) == ("/look", ["GET", "POST"])
    assert rows["node.count"]["streams"] is True


async def test_a_listing_that_is_known_is_not_sent_again(room: Hall) -> None:
    first = await room.client.get(PREFIX)
    again = await room.client.get(PREFIX, headers={"If-None-Match": first.headers["ETag"]})
    assert (again.status_code, again.content) == (304, b"")
    tag = first.headers["ETag"]
    for known, status in ((f'"x", W/{tag}', 304), ("*", 304), (tag.strip('"'), 200), (f'"x{tag[1:]}', 200)):
        assert (await room.client.get(PREFIX, headers={"If-None-Match": known})).status_code == status, known
    room.registry.disable("node.hello")
    changed = await room.client.get(PREFIX, headers={"If-None-Match": first.headers["ETag"]})
    assert changed.status_code == 200
    assert changed.headers["ETag"] != first.headers["ETag"]


async def test_a_listing_names_every_header_that_says_who_reads_it(room: Hall) -> None:
    first = await room.client.get(PREFIX)
    again = await room.client.get(PREFIX, headers={"If-None-Match": first.headers["ETag"]})
    for answer in (first, again):
        named = {name.strip() for name in answer.headers["Vary"].split(",")}
        assert named == {"Authorization", "Signature", "Signature-Input", "X-Admin-Key"}


async def test_readers_of_the_same_things_share_one_listing(room: Hall) -> None:
    tags = [(await room.client.get(PREFIX, headers=of(name))).headers["ETag"] for name in (ANNA, "did:wba:b.example")]
    assert tags[0] == tags[1]
    assert tags[0] != (await room.client.get(PREFIX)).headers["ETag"]


async def test_only_get_reads_the_listing(room: Hall) -> None:
    answer = await room.client.post(PREFIX, json={})
    assert (answer.status_code, answer.headers["Allow"]) == (405, "GET, HEAD")
    assert (await room.client.head(PREFIX)).content == b""


@pytest.fixture
def document(room: Hall) -> dict[str, Any]:
    snapshot = room.registry.snapshot
    paths, schemas = described(snapshot, {entry.id for entry in snapshot.newest})
    components = {**COMPONENTS, "schemas": {**COMPONENTS["schemas"], **schemas}}
    return {
        "openapi": "3.1.0",
        "info": {"title": "a node", "version": "1"},
        "servers": [{"url": "http://hall.example"}],
        "paths": paths,
        "components": components,
    }


def operations(document: dict[str, Any]) -> dict[str, tuple[str, str, dict[str, Any]]]:
    return {
        operation["operationId"]: (path, verb, operation)
        for path, verbs in document["paths"].items()
        for verb, operation in verbs.items()
    }


@pytest.mark.requirement("DEC-38")
def test_the_description_is_valid_and_has_exactly_what_the_network_can_call(document: dict[str, Any]) -> None:
    validate(document)
    assert set(operations(document)) == {
        "capabilities", "node.hello", "node.hello@0.9.0", "node.book", "node.owned", "node.readers-only", "node.count",
        "node.look", "node.look/post",
    }  # fmt: skip


@pytest.mark.requirement("DEC-58")
async def test_who_reads_the_description_can_call_without_guessing(room: Hall, document: dict[str, Any]) -> None:
    path, verb, operation = operations(document)["node.hello"]
    schema = operation["requestBody"]["content"]["application/json"]["schema"]
    assert set(schema["properties"]) == {"name"}
    answer = await room.client.request(verb, path, json={"name": "anna"})
    assert answer.json()["data"] == "hello anna"
    envelope = operation["responses"]["200"]["content"]["application/json"]["schema"]
    assert set(envelope["required"]) == set(answer.json()) == {"success", "data", "request_id", "timestamp"}
    path, verb, _ = operations(document)["node.hello@0.9.0"]
    assert (await room.client.request(verb, path)).json()["data"] == "hi"


@pytest.mark.requirement("DEC-58", "TPL-47")
async def test_an_address_of_its_own_is_described_as_it_is(room: Hall, document: dict[str, Any]) -> None:
    path, verb, operation = operations(document)["node.look"]
    assert (path, verb) == ("/look", "get")
    assert f"{PREFIX}/node.look" not in document["paths"]
    query = {one["name"]: one for one in operation["parameters"] if one.get("in") == "query"}
    assert {name: one["required"] for name, one in query.items()} == {"names": True, "n": False}
    assert (await room.client.get(path, params={"names": ["a", "b"], "n": 3})).json()["data"] == 5


def test_the_description_says_who_may_call(document: dict[str, Any]) -> None:
    found = operations(document)
    assert found["node.hello"][2]["security"] == []
    assert {"didSignature": []} in found["node.owned"][2]["security"]
    assert {"accessToken": []} in found["node.owned"][2]["security"]
    assert {"accessToken": []} not in found["node.readers-only"][2]["security"]


def test_what_refers_to_itself_is_described(document: dict[str, Any]) -> None:
    schema = operations(document)["node.book"][2]["requestBody"]["content"]["application/json"]["schema"]
    name = schema["properties"]["room"]["$ref"].rsplit("/", 1)[1]
    assert document["components"]["schemas"][name]["properties"]["inner"]["anyOf"][0]["$ref"].endswith(name)
