"""Addresses, versions, types, requests and the forms of 0.3, without a server."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from moothall.errors import MoothallError
from moothall.identity.principal import ANONYMOUS
from moothall.messages import Lang
from moothall.protocols.a2a import jsonrpc, rest
from moothall.protocols.a2a.addresses import Place, call_path, card_path, keys_path, place_at
from moothall.protocols.a2a.failures import ProtocolError, VersionNotSupported
from moothall.protocols.a2a.faults import described
from moothall.protocols.a2a.requests import READERS
from moothall.protocols.a2a.v03 import modern
from moothall.protocols.a2a.v03_answers import answer
from moothall.protocols.a2a.versions import extensions_of, version_of
from moothall.protocols.a2a.visits import Visitor, tenant_of

NAMES = (
    "message messageId role parts text raw url data kind file bytes uri metadata configuration contextId taskId id"
    " taskPushNotificationConfig pushNotificationConfig authentication schemes scheme historyLength pageSize status"
    " tenant blocking extensions value data_part_compat moothall/hops moothall/timeout moothall/idempotencyKey"
).split()
LEAVES = st.sampled_from([None, True, 0, -1, 2**70, 1.5, "", "x", "user", "ROLE_USER", "text", "data", "file"])
JSON = st.recursive(
    LEAVES,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(NAMES), inner, max_size=6),
    max_leaves=25,
)


LANGS: tuple[Lang, ...] = ("en", "zh")


def told(error: MoothallError, status: int) -> None:
    for lang in LANGS:
        form, message, details = described(error, "r", lang)
        assert (form.http, details[0]["domain"]) == (status, "a2a-protocol.org")
        assert message


@pytest.mark.parametrize(("path", "place"), [
    ("/.well-known/agent-card.json", Place("", "card")), (card_path("hall"), Place("hall", "card")),
    (keys_path("hall"), Place("hall", "keys")), (call_path("hall"), Place("hall", "call")),
    ("/agents/hall/a2a/", Place("hall", "call")), ("/agents/hall/a2a/tasks/x:cancel", Place("hall", "call", "/tasks/x:cancel")),
    ("/agents/hall/ad.json", None), ("/agents/hall/a2ab", None), ("/agents//a2a", None), ("/agents/hall", None),
    ("/.well-known/agent-card.json/", None), ("/agents/hall/rpc", None), ("/", None), ("/agents/a/b/a2a", None),
])  # fmt: skip
def test_an_address_names_one_place_or_none(path: str, place: Place | None) -> None:
    assert place_at(path) == place


@pytest.mark.parametrize(("header", "query", "version"), [
    (b"1.0", b"", "1.0"), (b"0.3", b"", "0.3"), (b"1.0.7", b"", "1.0"), (b"", b"", None), (None, b"", None),
    (None, b"A2A-Version=1.0", "1.0"), (None, b"x=1&a2a-version=0.3.0", "0.3"), (b"1.0", b"A2A-Version=0.3", "1.0"),
    (None, b"A2A-Version=", None),
])  # fmt: skip
def test_a_version_is_read_from_header_or_query(header: bytes | None, query: bytes, version: str | None) -> None:
    assert version_of([] if header is None else [(b"a2a-version", header)], query) == version


@pytest.mark.parametrize("header", [b"1", b"1.0.0.0", b"1.1", b"2.0", b"1.0, 0.3", b"v1.0", b"\xff", b"01.0"])
def test_a_version_that_is_none_of_ours_is_refused(header: bytes) -> None:
    with pytest.raises(VersionNotSupported):
        version_of([(b"a2a-version", header)], b"")


def test_two_versions_are_none() -> None:
    with pytest.raises(VersionNotSupported):
        version_of([(b"a2a-version", b"1.0"), (b"a2a-version", b"0.3")], b"")


def test_extensions_are_a_list_in_one_header_or_many() -> None:
    headers = [(b"a2a-extensions", b"urn:a, urn:b,,"), (b"x-a2a-extensions", b"urn:c"), (b"other", b"urn:d")]
    assert extensions_of(headers) == {"urn:a", "urn:b", "urn:c"}


@settings(max_examples=100, deadline=None)
@given(operation=st.sampled_from(sorted(READERS)), params=JSON, old=st.booleans())
def test_whatever_comes_is_read_or_refused_with_its_place(operation: str, params: Any, old: bool) -> None:
    visitor = Visitor(agent="hall", principal=ANONYMOUS, request_id="r", address="", extensions=frozenset(), lang="en")
    try:
        request = READERS[operation](modern(operation, params) if old else params)
        visitor.visit(request, tenant_of(params))
    except ProtocolError as error:
        told(error, 400)


@settings(max_examples=50, deadline=None)
@given(body=JSON | st.fixed_dictionaries({"jsonrpc": st.just("2.0"), "id": JSON, "method": JSON, "params": JSON}))
def test_whatever_comes_as_json_rpc_is_a_request_or_refused(body: Any) -> None:
    try:
        request = jsonrpc.read(body)
    except jsonrpc.Refused as refused:
        told(refused.error, 400)
    else:
        assert isinstance(request.method, str)


@settings(max_examples=50, deadline=None)
@given(query=st.binary(max_size=30), body=JSON)
def test_whatever_stands_in_an_address_is_read_or_refused(query: bytes, body: Any) -> None:
    route = rest.route_at("/blue/tasks/x/pushNotificationConfigs")
    assert (route.tenant, route.named) == ("blue", {"taskId": "x"})
    try:
        assert rest.request_of("list_push", route, query, body)["taskId"] == "x"
    except ProtocolError as error:
        told(error, 400)


PARTS = [
    {"text": "hello", "metadata": {"a": 1}}, {"raw": "aGk=", "mediaType": "text/plain", "filename": "n"},
    {"url": "https://files.example/x"}, {"data": {"k": [1]}}, {"data": [1, None]}, {"data": None},
]  # fmt: skip


def test_what_goes_out_in_the_old_form_comes_back_as_it_was() -> None:
    message = {"messageId": "m", "role": "ROLE_USER", "parts": PARTS}
    old = answer("send_message", {"message": message})
    assert [part["kind"] for part in old["parts"]] == ["text", "file", "file", "data", "data", "data"]
    back = READERS["send_message"](modern("send_message", {"message": old}))["message"]
    assert [{name: value for name, value in part.items() if value != {}} for part in back["parts"]] == PARTS


def test_a_push_configuration_keeps_its_parts_in_the_old_form() -> None:
    config = {"taskId": "t", "id": "c", "url": "https://x/", "token": "s",
              "authentication": {"scheme": "Bearer", "credentials": "k"}}  # fmt: skip
    old = answer("create_push", config)
    assert old["pushNotificationConfig"]["authentication"] == {"schemes": ["Bearer"], "credentials": "k"}
    assert READERS["create_push"](modern("create_push", old)) == config
    assert answer("list_push", {"configs": [config]}) == [old]
