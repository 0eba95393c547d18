from __future__ import annotations

import pytest

from moothall.identity.did import Did
from tests.protocols.anp import hall
from tests.protocols.anp.desk import Desk


@pytest.fixture
def desk() -> Desk:
    return Desk(hall.registry({"alice": (hall.add, hall.transfer)}), "alice")


@pytest.mark.requirement("WIRE-DOC-06")
async def test_a_get_of_the_did_url_returns_the_document(desk: Desk) -> None:
    did = hall.identity("alice").did
    got = await desk.ask("GET", Did.parse(did.text).document_url().removeprefix(hall.BASE))
    assert (got.status, got.headers["content-type"], got.json["id"]) == (200, "application/json", did.text)
    assert got.body == hall.identity("alice").body


@pytest.mark.requirement("WIRE-AD-01", "WIRE-AD-04", "WIRE-RPC-01")
async def test_documents_are_served_to_everybody(desk: Desk) -> None:
    for path, member in {
        "/agents/alice/ad.json": "interfaces",
        "/agents/alice/interface.json": "methods",
        "/.well-known/agent-descriptions": "items",
    }.items():
        got = await desk.ask("GET", path)
        assert (got.status, got.headers["content-type"]) == (200, "application/json")
        assert got.json[member]


async def test_interfaces_can_be_read_by_whether_a_person_must_agree(desk: Desk) -> None:
    for query, names in {
        "": ["add", "transfer"],
        "?humanAuthorization=true": ["transfer"],
        "?humanAuthorization=false": ["add"],
        "?humanAuthorization=maybe": ["add", "transfer"],
    }.items():
        got = await desk.ask("GET", f"/agents/alice/interface.json{query}")
        assert [method["name"] for method in got.json["methods"]] == names


async def test_a_document_that_is_known_is_not_sent_again(desk: Desk) -> None:
    first = await desk.ask("GET", "/agents/alice/ad.json")
    again = await desk.ask("GET", "/agents/alice/ad.json", headers={"if-none-match": first.headers["etag"]})
    assert (again.status, again.body, again.headers["etag"]) == (304, b"", first.headers["etag"])
    tag = first.headers["etag"]
    for known, status in ((f'"x", W/{tag}', 304), ("*", 304), (tag.strip('"'), 200), (f'"x{tag[1:]}', 200), ("", 200)):
        got = await desk.ask("GET", "/agents/alice/ad.json", headers={"if-none-match": known})
        assert got.status == status, known
    desk.registry.add("alice", hall.members(hall.hello))
    changed = await desk.ask("GET", "/agents/alice/ad.json", headers={"if-none-match": first.headers["etag"]})
    assert changed.status == 200


async def test_head_has_no_body(desk: Desk) -> None:
    got = await desk.ask("HEAD", "/agents/alice/ad.json")
    assert (got.status, got.body) == (200, b"")
    assert int(got.headers["content-length"]) > 100


@pytest.mark.parametrize(
    ("method", "target", "status", "code"),
    [
        ("GET", "/agents/nobody/ad.json", 404, "NOT_FOUND"),
        ("GET", "/agents/nobody/interface.json", 404, "NOT_FOUND"),
        ("GET", "/.well-known/agent-descriptions?page=2", 404, "NOT_FOUND"),
        ("GET", "/.well-known/agent-descriptions?page=0", 404, "NOT_FOUND"),
        ("GET", "/.well-known/agent-descriptions?page=x", 404, "NOT_FOUND"),
        ("GET", f"/.well-known/agent-descriptions?page={'9' * 5000}", 404, "NOT_FOUND"),
        ("POST", "/agents/alice/ad.json", 405, "METHOD_NOT_ALLOWED"),
        ("DELETE", "/.well-known/agent-descriptions", 405, "METHOD_NOT_ALLOWED"),
    ],
)
async def test_what_is_not_there_is_said_to_be_so(desk: Desk, method: str, target: str, status: int, code: str) -> None:
    got = await desk.ask(method, target)
    assert (got.status, got.json["error"]["code"]) == (status, code)
    if status == 405:
        assert got.headers["allow"] == "GET, HEAD"


@pytest.mark.requirement("WIRE-RPC-04")
async def test_descriptions_may_be_kept_from_strangers() -> None:
    desk = Desk(hall.registry({"alice": (hall.add,)}), "alice", open_documents=False)
    for path in ("/agents/alice/ad.json", "/agents/alice/interface.json", "/.well-known/agent-descriptions"):
        refused = await desk.ask("GET", path)
        assert (refused.status, refused.json["challenge"]["error"]) == (401, "invalid_request")
        assert "accept-signature" in refused.headers
        known = await desk.ask("GET", path, headers={"x-test-caller": "did:wba:somebody.example"})
        assert (known.status, known.headers["cache-control"]) == (200, "private, no-cache")
        assert known.headers["vary"] == "Authorization, Signature, Signature-Input, X-Admin-Key"
    document = hall.identity("alice").did.document_url().removeprefix(hall.BASE)
    assert (await desk.ask("GET", document)).status == 200


def test_the_door_claims_its_own_addresses_only(desk: Desk) -> None:
    for path in (
        "/",
        "/agents",
        "/agents/",
        "/agents/alice",
        "/agents//ad.json",
        "/agents/alice/rpc/",
        "/agents/a/b/rpc",
        "/api",
    ):
        assert not desk.door.claims(path), path
    for path in ("/agents/alice/rpc", "/agents/any.one/ad.json", "/.well-known/agent-descriptions"):
        assert desk.door.claims(path), path
