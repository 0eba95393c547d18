from __future__ import annotations

from typing import Any

import pytest

from moothall.errors import UpstreamInvalid
from moothall.protocols.anp.remote import Room, links, methods

URL = "https://far.example/agents/bob/ad.json"


def interface(*listed: Any, **more: Any) -> dict[str, Any]:
    return {"openrpc": "1.3.2", "servers": [{"url": "https://far.example/rpc"}], "methods": list(listed), **more}


def parameters(*names: str | None, **more: Any) -> dict[str, Any]:
    params = [{"schema": {}} if name is None else {"name": name, "schema": {}} for name in names]
    return {"name": "m", "params": params, **more}


@pytest.mark.parametrize(
    ("method", "given", "sent"),
    [
        (parameters("a", "b"), {"b": 2, "a": 1}, {"b": 2, "a": 1}),
        (parameters("a", "b", paramStructure="by-position"), {"b": 2, "a": 1}, [1, 2]),
        (parameters("a", "b", "c", paramStructure="by-position"), {"a": 1}, [1]),
        (parameters("a", "b", "c", paramStructure="by-position"), {"c": 3}, [None, None, 3]),
        (parameters(None, None), {"x": 1, "y": 2}, [1, 2]),
        (parameters("p", "q", paramStructure="by-position"), {"x": 1, "y": 2}, [1, 2]),
        (parameters(), {"x": 1}, {"x": 1}),
        (parameters(paramStructure="by-position"), {}, []),
    ],
)
def test_arguments_are_sent_by_name_unless_only_their_order_is_known(method: Any, given: Any, sent: Any) -> None:
    assert methods(interface(method), URL, human=False)["m"].arguments(given) == sent


def test_addresses_may_be_relative_and_belong_to_a_method() -> None:
    listed = [{"name": "a", "params": []}, {"name": "b", "params": [], "servers": [{"url": "/other"}]}]
    found = methods(interface(*listed, servers=[{"url": "../rpc"}]), URL, human=False)
    assert {name: each.url for name, each in found.items()} == {
        "a": "https://far.example/agents/rpc",
        "b": "https://far.example/other",
    }


@pytest.mark.parametrize(
    "listed",
    [
        5,
        None,
        {},
        {"name": 5},
        {"name": ""},
        {"name": "m", "servers": 5},
        {"name": "m", "params": 7},
        {"name": "m", "params": [7, {"$ref": "#/x"}]},
    ],
)
def test_methods_that_make_no_sense_are_passed_over_or_read_as_far_as_they_go(listed: Any) -> None:
    found = methods(interface(listed, components=7), URL, human=False)
    assert set(found) <= {"m"}
    for each in found.values():
        assert each.described(Room())["name"] == "m"


@pytest.mark.parametrize(
    "document", [{}, {"openrpc": "1.3.2"}, {"openrpc": 5, "methods": []}, {"openrpc": "1", "methods": {}}]
)
def test_what_is_no_openrpc_is_refused(document: dict[str, Any]) -> None:
    with pytest.raises(UpstreamInvalid):
        methods(document, URL, human=False)


@pytest.mark.parametrize(
    ("flag", "human"),
    [
        ({"humanAuthorization": True}, True),
        ({"requiresHumanAuthorization": True}, True),
        ({"authorizationLevel": "human"}, True),
        ({"humanAuthorization": False}, False),
        ({"humanAuthorization": "yes"}, False),
        ({}, False),
    ],
)
def test_that_a_person_must_agree_has_three_names(flag: dict[str, Any], human: bool) -> None:
    each = {"type": "StructuredInterface", "protocol": "openrpc", "url": "interface.json", **flag}
    (link,) = links({"type": "AgentDescription", "interfaces": [each]}, URL)
    assert (link.url, link.human) == ("https://far.example/agents/bob/interface.json", human)
    assert methods(interface({"name": "m", **flag}), URL, human=False)["m"].human is human


def test_an_interface_may_stand_in_the_description() -> None:
    each = {"type": "StructuredInterface", "protocol": "OpenRPC", "content": interface()}
    others = [5, {"protocol": "MCP", "url": "https://far.example/mcp"}, {"protocol": "openrpc"}]
    (link,) = links({"type": "AgentDescription", "interfaces": [each, *others]}, URL)
    assert link.content == interface()


@pytest.mark.parametrize(
    "description", [{}, {"type": "Product", "interfaces": []}, {"type": "AgentDescription", "interfaces": {}}]
)
def test_what_is_no_description_is_refused(description: dict[str, Any]) -> None:
    with pytest.raises(UpstreamInvalid):
        links(description, URL)


def test_schemas_stand_alone_even_where_they_refer_to_themselves() -> None:
    schemas = {"Node": {"properties": {"next": {"$ref": "#/components/schemas/Node"}}}, "Other": {}}
    method = {
        "name": "m",
        "description": 5,
        "summary": "Walk",
        "params": [{"name": "start", "required": True, "schema": {"$ref": "#/components/schemas/Node"}}],
        "result": {"name": "r", "schema": {"type": "integer"}},
    }
    told = methods(interface(method, components={"schemas": schemas}), URL, human=False)["m"].described(Room())
    assert told["description"] == "Walk"
    assert told["input_schema"] == {
        "type": "object",
        "properties": {"start": {"$ref": "#/$defs/Node"}},
        "required": ["start"],
        "$defs": {"Node": {"properties": {"next": {"$ref": "#/$defs/Node"}}}},
    }
    assert told["output_schema"] == {"type": "integer"}


def test_endless_schemas_are_cut() -> None:
    deep: dict[str, Any] = {}
    for _ in range(500):
        deep = {"items": deep}
    method = {"name": "m", "params": [{"name": "x", "schema": deep}]}
    assert methods(interface(method), URL, human=False)["m"].described(Room())["input_schema"]


def test_schemas_that_refer_to_each_other_do_not_grow_without_end() -> None:
    schemas = {f"S{number}": {"allOf": [{"const": number}] * 100} for number in range(1000)}
    params = [{"name": name, "schema": {"$ref": f"#/components/schemas/{name}"}} for name in schemas]
    found = methods(
        interface(*({"name": f"m{n}", "params": params} for n in range(100)), components={"schemas": schemas}),
        URL,
        human=False,
    )
    room = Room()
    told = [each.described(room) for each in found.values()]
    assert len(told) == 100
    assert sum(len(str(each)) for each in told) < 5_000_000
