from __future__ import annotations

import json
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from moothall.calls.ports import CallFacts, Outgoing
from moothall.calls.reply import Progress, Reply
from moothall.calls.request_ids import fresh
from moothall.calls.target import Target
from moothall.capability.context import CallContext
from moothall.capability.decorators import capability
from moothall.errors import (
    Conflict,
    InvalidInput,
    MoothallError,
    PermissionDeniedError,
    ServiceNotFoundError,
    Told,
    Unauthenticated,
    ValidationError,
)
from moothall.identity.principal import ANONYMOUS, Principal
from tests.protocols.anp import hall
from tests.protocols.anp.town import House, house, identity_at


@capability(access="authenticated")
async def whoami(ctx: CallContext) -> dict[str, Any]:
    """Who calls."""
    return {
        "id": ctx.principal.id,
        "kind": ctx.principal.kind,
        "door": ctx.door,
        "hops": ctx.hops,
        "key": ctx.idempotency_key,
    }


@capability(access="authenticated")
def far(n: int) -> int:
    """One more."""
    return n + 1


@capability(access="owner")
def closed() -> int:
    """Only for the owner."""
    return 1


@capability(access="authenticated")
def clash() -> int:
    """Clash."""
    raise Conflict("the words of the far side", details={"secret": "of the far side"})


FUNCTIONS = (hall.add, hall.count, hall.transfer, hall.reserve, whoami, far, closed, clash)


@pytest.fixture
async def there(tmp_path: Path) -> AsyncIterator[House]:
    async with house(tmp_path / "there", {"bob": FUNCTIONS}) as found:
        yield found


@pytest.fixture
async def here(tmp_path: Path) -> AsyncIterator[House]:
    async with house(
        tmp_path / "here", {"alice": (hall.hello, whoami, closed), "anna": ()}, names=["alice", "anna"]
    ) as found:
        yield found


@pytest.mark.requirement("CAL-04", "WIRE-AD-06")
async def test_a_call_finds_its_way_from_the_did_to_the_method(here: House, there: House) -> None:
    assert await here.call(f"{there.did('bob')}#add", {"a": 2, "b": 3}) == 5
    assert [path for _, path in there.asked] == [
        there.agents["bob"].document_path,
        "/agents/bob/ad.json",
        "/agents/bob/interface.json?humanAuthorization=false",
        "/agents/bob/interface.json?humanAuthorization=true",
        "/agents/bob/rpc",
    ]
    assert await here.call(f"{there.did('bob')}#add", {"a": 2}) == 3
    assert len(there.asked) == 6  # the documents are kept


@pytest.mark.requirement("CAL-04")
async def test_the_call_is_signed_by_the_agent_that_makes_it(here: House, there: House) -> None:
    seen = await here.call(f"{there.did('bob')}#whoami", idempotency_key="k", hops=2)
    assert len(seen.pop("key")) == 64  # not the caller's own: that one means something among its keys only
    assert seen == {"id": here.did("alice"), "kind": "did", "door": "anp", "hops": 3}
    assert (await here.call(f"{there.did('bob')}#whoami", agent="anna"))["id"] == here.did("anna")


@pytest.mark.requirement("CAL-04")
async def test_a_wrong_signature_gives_401(here: House, there: House, tmp_path: Path) -> None:
    other = identity_at("alice", here.base)
    here.room.connector._sessions("alice")._signer = other.signer  # type: ignore[union-attr]
    with pytest.raises(Unauthenticated):
        await here.call(f"{there.did('bob')}#add", {"a": 1})


@pytest.mark.requirement("CAL-04")
async def test_a_bare_did_describes_the_agent(here: House, there: House) -> None:
    told = await here.call(there.did("bob"))
    assert (told["name"], told["did"], told["proof"]) == ("bob", there.did("bob"), "signed")
    operations = {each["name"]: each for each in told["operations"]}
    assert set(operations) == {"add", "count", "transfer", "reserve", "whoami", "far", "clash"}
    assert operations["transfer"]["human_authorization"] is True
    assert operations["add"]["input_schema"]["required"] == ["a"]
    assert operations["reserve"]["input_schema"]["$defs"]["Room"]["properties"]["next"]
    json.dumps(told)


async def test_an_own_agent_is_called_without_a_request_and_with_every_check(here: House) -> None:
    seen = await here.call(f"{here.did('alice')}#whoami", agent="anna")
    assert seen == {"id": "owner", "kind": "owner", "door": "anp", "hops": 1, "key": None}
    assert (await here.call(here.did("alice")))["proof"] == "signed"
    assert here.asked == []
    with pytest.raises(ServiceNotFoundError):
        await here.call(f"{here.did('anna')}#whoami")
    with pytest.raises(ServiceNotFoundError):
        await here.call(f"{here.did('alice')}#nothing")


STRANGER = Principal(id="did:wba:far.example:agents:bob:e1_x", kind="did", binding="request")


@capability(access="public")
async def passing(ctx: CallContext, target: str, agent: bool = False) -> Any:
    """Call whatever it is told to."""
    return await ctx.call(target, as_agent=agent)


@capability(access="public")
async def pouring(ctx: CallContext, target: str) -> AsyncIterator[Any]:
    """Stream whatever it is told to."""
    async for value in ctx.stream(target):
        yield value


@pytest.mark.parametrize("caller", [STRANGER, ANONYMOUS])
async def test_the_did_of_an_own_agent_makes_nobody_more_than_it_is(tmp_path: Path, caller: Principal) -> None:
    functions = (whoami, closed, passing, pouring, hall.hello)
    async with house(tmp_path, {"alice": functions}) as here:

        async def through(target: str, name: str = "passing", **params: Any) -> Reply[Any]:
            facts = CallFacts(door="anp", principal=caller, request_id=fresh(), address="192.0.2.1")
            return await here.path.call(
                Target.parse(f"local:alice.{name}"), {"target": f"{here.did()}#{target}", **params}, facts
            )

        assert (await through("hello")).data == "hello world"
        for name in ("passing", "pouring"):
            assert not (await through("closed", name)).success
        if caller.verified:
            assert (await through("whoami")).data["id"] == caller.id
        as_agent = (await through("whoami", agent=True)).data
        assert (as_agent["id"], as_agent["door"]) == (here.did(), "anp")
        assert (await through("closed", agent=True)).data == 1


async def test_a_proxy_of_an_own_agent_is_called_by_the_agent_that_has_it(tmp_path: Path) -> None:
    registry = hall.registry({"alice": (whoami,)})
    async with house(tmp_path, registry, names=["alice", "anna"]) as here:

        @capability(source="did", did=here.did(), method="whoami", access="public")
        async def caller() -> dict[str, Any]:  # type: ignore[empty-body]
            """Who calls."""

        registry.add("anna", hall.members(caller))
        facts = CallFacts(door="anp", principal=STRANGER, request_id=fresh())
        reply = await here.path.call(Target.parse("local:anna.caller"), {}, facts)
        assert reply.data["id"] == here.did("anna")


async def test_streams_of_an_own_agent_and_of_others_are_alike(tmp_path: Path, there: House) -> None:
    async with house(tmp_path / "here", {"alice": (hall.count,)}) as here:
        for did in (here.did("alice"), there.did("bob")):
            seen: list[Progress] = []

            async def report(progress: Progress, seen: list[Progress] = seen) -> None:
                seen.append(progress)

            connector = here.room.connector
            target = Target.parse(f"{did}#count")
            outgoing = Outgoing(target=target, params={"to": 2}, agent="alice", timeout=5.0, report=report)
            assert [value async for value in connector.stream(outgoing)] == [1, 2]
            assert [each.done for each in seen] == [1, 2]
            assert await connector.call(outgoing) == [1, 2]
            for params, operation in (({"to": "x"}, "count"), ({}, "nothing"), ({}, "no name")):
                wrong = replace(outgoing, params=params, target=replace(target, operation=operation))
                with pytest.raises(ValidationError if operation == "count" else ServiceNotFoundError):
                    assert [value async for value in connector.stream(wrong)]


async def test_a_list_is_a_stream_where_the_far_side_does_not_stream(here: House, there: House) -> None:
    outgoing = Outgoing(target=Target.parse(f"{there.did('bob')}#far"), params={"n": 1}, agent="alice", timeout=5.0)
    assert [value async for value in here.room.connector.stream(outgoing)] == [2]


@pytest.mark.parametrize(
    ("operation", "params", "error"),
    [
        ("nothing", {}, ServiceNotFoundError),
        ("add", {"a": "x"}, ValidationError),
        ("add", {}, ValidationError),
        ("closed", {}, PermissionDeniedError),
        ("clash", {}, Conflict),
    ],
)
async def test_errors_of_the_far_side_are_ours_in_our_words(
    here: House, there: House, operation: str, params: dict[str, Any], error: type[MoothallError]
) -> None:
    with pytest.raises(error) as raised:
        await here.call(f"{there.did('bob')}#{operation}", params)
    assert "far side" not in json.dumps(raised.value.details)
    assert "words" not in str(raised.value)
    if operation == "add":
        assert raised.value.details["errors"][0]["loc"] == ["a"]
        assert raised.value.told == Told("remote.arguments", {"places": "a"})


async def test_streams_and_progress_cross_the_network(here: House, there: House) -> None:
    seen: list[Progress] = []

    async def report(progress: Progress) -> None:
        seen.append(progress)

    assert await here.call(f"{there.did('bob')}#count", {"to": 2}, report=report) == [1, 2]
    assert seen == [Progress(1.0, 2.0, "counting"), Progress(2.0, 2.0, "counting")]
    assert await here.call(f"{there.did('bob')}#count", {"to": 3}) == [1, 2, 3]


async def test_integers_beyond_what_json_can_count_arrive_as_text(here: House, there: House) -> None:
    assert await here.call(f"{there.did('bob')}#far", {"n": str(2**70)}) == str(2**70 + 1)


@pytest.mark.requirement("DEC-15")
async def test_a_proxy_function_returns_the_result_of_a_remote_agent(tmp_path: Path, there: House) -> None:
    @capability(source="did", did=there.did("bob"), method="far", access="authenticated")
    async def next_one(n: int) -> int:  # type: ignore[empty-body]
        """The next number, from somebody who knows."""

    @capability(source="did", did=f"{there.did('bob')}#whoami", access="authenticated")
    async def caller() -> dict[str, Any]:  # type: ignore[empty-body]
        """Who calls."""

    @capability(source="did", did=there.did("bob"), method="count", access="authenticated")
    async def counted(to: int) -> AsyncIterator[int]:  # type: ignore[empty-body]
        """Count, elsewhere."""

    async with house(tmp_path / "here", {"alice": (next_one, caller, counted)}) as here:
        assert await here.call("local:next_one", {"n": 2**60}) == 2**60 + 1
        assert (await here.call("local:caller"))["id"] == here.did("alice")
        assert await here.call("local:counted", {"to": 3}) == [1, 2, 3]


async def test_descriptions_that_are_not_for_everybody_are_read_with_a_signature(tmp_path: Path, here: House) -> None:
    async with house(tmp_path / "there", {"bob": (hall.add,)}, open_documents=False) as there:
        assert await here.call(f"{there.did('bob')}#add", {"a": 1}) == 2
        got = await here.egress.request("GET", f"{there.base}/agents/bob/ad.json")
        assert got.status == 401
        assert "www-authenticate" in got.headers


async def test_a_new_method_is_found_although_the_documents_are_kept(
    here: House, there: House, monkeypatch: Any
) -> None:
    monkeypatch.setattr("moothall.protocols.anp.fetched.LEAST", 0.0)
    await here.call(f"{there.did('bob')}#add", {"a": 1})
    there.registry.add("bob", hall.members(hall.hello))
    assert await here.call(f"{there.did('bob')}#hello") == "hello world"


@pytest.mark.requirement("CAL-04")
@pytest.mark.parametrize("allowed", [True, False])
async def test_dids_without_a_fingerprint_work_only_where_they_are_allowed(tmp_path: Path, allowed: bool) -> None:
    async with (
        house(tmp_path / "there", {"bob": (hall.hello, hall.add)}, identities=old_identity) as there,
        house(tmp_path / "here", {"alice": ()}, names=["alice"], legacy=allowed) as here,
    ):
        did = there.did("bob")
        assert did == f"did:wba:localhost%3A{there.base.rpartition(':')[2]}:bob"
        if allowed:
            assert await here.call(f"{did}#hello") == "hello world"
        else:
            with pytest.raises(InvalidInput) as raised:
                await here.call(f"{did}#hello")
            assert raised.value.told is not None
            assert raised.value.told.why == "identity.did_legacy"


@pytest.mark.requirement("CAL-04")
@pytest.mark.parametrize("legacy", [True, False])
async def test_key_bound_dids_work_whatever_is_allowed(tmp_path: Path, legacy: bool) -> None:
    def deep(agent: str, base: str) -> Any:
        return identity_at(agent, base, "people", "of.the", "hall", agent)

    async with (
        house(tmp_path / "there", {"bob": (hall.hello,)}, identities=deep) as there,
        house(tmp_path / "here", {"alice": ()}, names=["alice"], legacy=legacy) as here,
    ):
        assert ":people:of.the:hall:bob:e1_" in there.did("bob")
        assert "%3A" in there.did("bob")
        assert await here.call(f"{there.did('bob')}#hello") == "hello world"


def old_identity(agent: str, base: str) -> Any:
    """An identity whose DID has a path without a fingerprint."""
    from moothall.canonical import dumps
    from moothall.identity.agent import AgentIdentity
    from moothall.identity.creation import KEY, new_document
    from moothall.identity.did import Did
    from moothall.identity.document import DidDocument
    from moothall.identity.keys import PrivateKey, Signer

    key, did = PrivateKey.generate(), Did.at(base.partition("://")[2], [agent])
    made = new_document(did, key, created=hall.WHEN, description_url=f"{base}/agents/{agent}/ad.json")
    document = DidDocument.load(did, made, allow_legacy=True)
    return AgentIdentity(agent, did, document, dumps(made), Signer(f"{did}#{KEY}", key))
