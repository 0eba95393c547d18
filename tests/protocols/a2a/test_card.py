"""Cards: what they show and to whom, their signatures, and how they are kept (A2A 1.0 §8)."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from a2a.client.card_resolver import A2ACardResolver
from a2a.utils.signing import SignatureVerificationError, create_signature_verifier
from jsonschema import Draft202012Validator
from jwt import PyJWK

from moothall.identity.keys import Algorithm, PrivateKey, Signer
from moothall.protocols.a2a.card_signing import key_set, signatures
from tests.protocols.a2a.hall import ANNA, Place, call, place
from tests.protocols.anp.hall import identity

pytestmark = pytest.mark.asyncio(loop_scope="module")

PATH = "/agents/hall/.well-known/agent-card.json"


def skills(card: dict[str, Any]) -> set[str]:
    return {skill["id"] for skill in card["skills"]}


async def test_the_card_of_the_node_is_that_of_its_own_agent(hall: Place) -> None:
    whole = await hall.client.get(f"{hall.url}/.well-known/agent-card.json")
    assert whole.headers["content-type"] == "application/json"
    assert whole.json() == (await hall.client.get(hall.url + PATH)).json()


async def test_the_public_card_shows_what_anybody_may_call_and_how(hall: Place) -> None:
    card = (await hall.client.get(hall.url + PATH)).json()
    assert skills(card) == {"echo"}
    assert [(each["protocolBinding"], each["protocolVersion"]) for each in card["supportedInterfaces"]] == [
        ("JSONRPC", "1.0"), ("HTTP+JSON", "1.0"), ("JSONRPC", "0.3"),
    ]  # fmt: skip
    assert {each["url"] for each in card["supportedInterfaces"]} == {hall.at()}
    capabilities = card["capabilities"]
    assert [capabilities[name] for name in ("streaming", "pushNotifications", "extendedAgentCard")] == [True] * 3
    assert set(card["securitySchemes"]) == {"didwba", "bearer"}
    assert "securityRequirements" not in card
    quiet = (await hall.client.get(f"{hall.url}/agents/quiet/.well-known/agent-card.json")).json()
    assert (quiet["skills"], len(quiet["securityRequirements"])) == ([], 2)


async def test_the_extended_card_shows_what_its_reader_may_call(hall: Place) -> None:
    card = (await hall.rpc("GetExtendedAgentCard"))["result"]
    assert skills(card) == {"echo", "add", "room", "rooms", "count", "held", "effect", "leaky", "refuses"}
    by_id = {skill["id"]: skill for skill in card["skills"]}
    assert "securityRequirements" not in by_id["echo"]
    assert len(by_id["add"]["securityRequirements"]) == 2
    assert by_id["room"]["tags"] == ["rooms"]
    assert card == (await hall.get("/extendedAgentCard")).json()
    assert (await hall.get("/extendedAgentCard", who="")).status_code == 401
    assert (await hall.rpc("GetExtendedAgentCard", id=2, who=""))["error"]["code"] == -32036


async def test_schemas_stand_in_an_extension(hall: Place) -> None:
    card = (await hall.rpc("GetExtendedAgentCard"))["result"]
    (extension,) = card["capabilities"]["extensions"]
    assert extension["uri"] == "urn:moothall:a2a:capabilities:v1"
    schemas = extension["params"]["skills"]
    assert set(schemas) == skills(card)
    for each in schemas.values():
        for schema in each.values():
            Draft202012Validator.check_schema(schema)
    rooms = Draft202012Validator(schemas["rooms"]["output_schema"])
    assert rooms.is_valid([{"name": "blue", "next": {"name": "red"}}])
    assert not rooms.is_valid([{"name": "blue", "next": {"name": 7}}])


async def test_a_card_that_is_known_is_not_sent_again(hall: Place) -> None:
    first = await hall.client.get(hall.url + PATH)
    assert "max-age" in first.headers["cache-control"]
    for condition in (
        {"if-none-match": first.headers["etag"]},
        {"if-none-match": f'"x", W/{first.headers["etag"]}'},
        {"if-modified-since": first.headers["last-modified"]},
    ):
        again = await hall.client.get(hall.url + PATH, headers=condition)
        assert (again.status_code, again.content) == (304, b"")
        assert again.headers["etag"] == first.headers["etag"]
    for condition in (
        {"if-none-match": '"other"', "if-modified-since": first.headers["last-modified"]},
        {"if-modified-since": "Thu, 01 Jan 1970 00:00:00 GMT"},
        {"if-modified-since": "yesterday"},
    ):
        assert (await hall.client.get(hall.url + PATH, headers=condition)).status_code == 200
    own = await hall.get("/extendedAgentCard")
    assert "private" in own.headers["cache-control"]
    assert (await hall.get("/extendedAgentCard", **{"if-none-match": own.headers["etag"]})).status_code == 304


async def test_a_card_is_read_and_nothing_else(hall: Place) -> None:
    assert (await hall.client.head(hall.url + PATH)).content == b""
    refused = await hall.client.post(hall.url + PATH)
    assert (refused.status_code, refused.headers["allow"]) == (405, "GET, HEAD, OPTIONS")
    assert (await hall.client.options(hall.url + PATH)).headers["allow"] == "GET, HEAD, OPTIONS"
    missing = await hall.client.get(f"{hall.url}/agents/nobody/.well-known/agent-card.json")
    assert missing.status_code == 404


@pytest.mark.parametrize(("path", "agent"), [("", "hall"), ("/agents/hall", "hall"), ("/agents/quiet", "quiet")])
async def test_the_official_verifier_accepts_the_signature(hall: Place, path: str, agent: str) -> None:
    keys = (await hall.client.get(f"{hall.url}/agents/{agent}/.well-known/jwks.json")).json()

    def key(kid: str | None, jku: str | None) -> PyJWK:
        assert jku is not None
        assert jku.startswith(hall.url)
        return PyJWK(next(each for each in keys["keys"] if each["kid"] == kid))

    verifier = create_signature_verifier(key, ["EdDSA"])
    resolver = A2ACardResolver(hall.client, f"{hall.url}{path}")
    card = await resolver.get_agent_card(signature_verifier=verifier)
    card.description = "another one"
    with pytest.raises(SignatureVerificationError):
        verifier(card)


async def test_the_extended_card_is_signed_too(hall: Place) -> None:
    from a2a.client.card_resolver import parse_agent_card

    key = PyJWK(key_set(identity("hall").signer)["keys"][0])
    card = parse_agent_card((await hall.rpc("GetExtendedAgentCard"))["result"])
    create_signature_verifier(lambda _kid, _jku: key, ["EdDSA"])(card)


@pytest.mark.parametrize(("algorithm", "name"), [("Ed25519", "EdDSA"), ("P-256", "ES256"), ("secp256k1", "ES256K")])
async def test_every_kind_of_key_signs(algorithm: Algorithm, name: str) -> None:
    from a2a.types import AgentCard
    from google.protobuf.json_format import ParseDict

    signer = Signer("did:wba:x#key-1", PrivateKey.generate(algorithm))
    card = {"name": "n", "description": "d", "version": "1", "skills": []}
    signed = {**card, "signatures": signatures([card], signer, "https://x/jwks")}
    key = PyJWK(key_set(signer)["keys"][0])
    create_signature_verifier(lambda _kid, _jku: key, [name])(ParseDict(signed, AgentCard()))


async def test_cards_that_are_not_public_are_for_those_who_prove_something(tmp_path: Path) -> None:
    async with place(tmp_path, open_documents=False) as closed:
        refused = await closed.client.get(closed.url + PATH)
        assert refused.status_code == 401
        assert "www-authenticate" in refused.headers
        read = await closed.client.get(closed.url + PATH, headers={"x-test-caller": ANNA})
        assert read.status_code == 200
        assert "private" in read.headers["cache-control"]
        assert "Authorization" in read.headers["vary"]
        assert (await closed.post(call("ListTasks"))).status_code == 200
