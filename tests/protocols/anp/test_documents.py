from __future__ import annotations

import json
from typing import Any

import pytest
from jsonschema import Draft202012Validator, FormatChecker

from moothall.capability.decorators import capability
from moothall.capability.registry import Registry
from moothall.identity.description_proof import check_description
from moothall.protocols.anp.published import Document, Published
from tests.protocols.anp import document_schemas as schemas
from tests.protocols.anp import hall
from tests.support.clock import ManualClock


class Everything:
    """The ids that a reader may know of who may know of all."""

    def __contains__(self, name: object) -> bool:
        return True


ALL = Everything()


def valid(document: object, schema: dict[str, Any]) -> None:
    checker = FormatChecker()
    errors = [
        f"{'/'.join(map(str, e.absolute_path))}: {e.message}"
        for e in Draft202012Validator(schema, format_checker=checker).iter_errors(document)
    ]
    assert errors == []


def published(registry: Registry, *names: str, openapi: str = "/openapi.json", **options: Any) -> Published:
    agents = hall.hosted(*names, **options)
    return Published(lambda: registry.snapshot, lambda: agents, hall.BASE, ManualClock(), openapi=openapi)


def loaded(document: Document | None) -> dict[str, Any]:
    assert document is not None
    value: dict[str, Any] = json.loads(document.body)
    return value


def of(documents: Published, agent: str) -> hall.HostedAgent:
    found = documents.agent(agent)
    assert found is not None
    return found


def methods_behind(documents: Published, agent: str, interface: dict[str, Any]) -> list[str]:
    """The methods of the document that an interface of the description points to."""
    path, _, query = interface["url"].removeprefix(hall.BASE).partition("?")
    assert path == f"/agents/{agent}/interface.json"
    waiting = {"": None, "humanAuthorization=true": True, "humanAuthorization=false": False}[query]
    return [
        method["name"] for method in loaded(documents.interface(of(documents, agent), ALL, waiting=waiting))["methods"]
    ]


@pytest.mark.requirement("WIRE-AD-01")
def test_a_description_has_every_field_and_the_did_of_its_agent() -> None:
    documents = published(hall.registry({"alice": (hall.add,)}), "alice")
    description = loaded(documents.description(of(documents, "alice"), ALL))
    valid(description, schemas.DESCRIPTION)
    assert description["did"] == hall.identity("alice").did.text
    assert description["url"] == f"{hall.BASE}/agents/alice/ad.json"
    assert description["url"] == hall.identity("alice").document.description_url
    assert {each["url"] for each in description["Infomations"]} == {
        hall.identity("alice").did.document_url(),
        f"{hall.BASE}/.well-known/agent-descriptions",
    }


@pytest.mark.requirement("WIRE-AD-02")
def test_every_capability_of_the_network_is_reached_through_the_interfaces() -> None:
    registry = hall.registry({"alice": (hall.add, hall.transfer, hall.reserve, hall.secret, hall.count, hall.old_add)})
    documents = published(registry, "alice")
    interfaces = loaded(documents.description(of(documents, "alice"), ALL))["interfaces"]
    rpc = [each for each in interfaces if each["protocol"] == "openrpc"]
    reached = {name: each["humanAuthorization"] for each in rpc for name in methods_behind(documents, "alice", each)}
    assert reached == {"add": False, "add@0.9.0": False, "count": False, "reserve": False, "transfer": True}
    http = [each for each in interfaces if each["protocol"] == "YAML"]
    assert [each["url"] for each in http] == [f"{hall.BASE}/openapi.json"]


@pytest.mark.requirement("WIRE-AD-02")
@pytest.mark.parametrize(("functions", "waits"), [((hall.add,), False), ((hall.transfer,), True)])
def test_one_kind_of_methods_has_one_interface(functions: tuple[Any, ...], waits: bool) -> None:
    documents = published(hall.registry({"alice": functions}), "alice", openapi="")
    (interface,) = loaded(documents.description(of(documents, "alice"), ALL))["interfaces"]
    assert interface["humanAuthorization"] is waits
    assert interface["url"] == f"{hall.BASE}/agents/alice/interface.json"


def test_an_agent_without_methods_has_no_interface() -> None:
    documents = published(hall.registry({"alice": (hall.secret,)}), "alice")
    assert loaded(documents.description(of(documents, "alice"), ALL))["interfaces"] == []


@pytest.mark.requirement("WIRE-AD-03")
def test_a_description_is_signed_for_its_domain() -> None:
    documents = published(hall.registry({"alice": (hall.add,)}), "alice")
    description = loaded(documents.description(of(documents, "alice"), ALL))
    document = hall.identity("alice").document
    assert check_description(description, document, domains={"hall.example:8443"}) == "signed"
    assert check_description(description, document, domains={"other.example"}) == "invalid"
    assert check_description({**description, "name": "alise"}, document, domains={"hall.example:8443"}) == "invalid"


@pytest.mark.requirement("WIRE-RPC-01")
def test_an_interface_is_openrpc_with_the_address_of_its_agent() -> None:
    functions = (hall.add, hall.old_add, hall.transfer, hall.reserve, hall.count, hall.undescribed, hall.hello)
    documents = published(hall.registry({"alice": functions}), "alice")
    interface = loaded(documents.interface(of(documents, "alice"), ALL))
    valid(interface, schemas.OPENRPC)
    assert [server["url"] for server in interface["servers"]] == [f"{hall.BASE}/agents/alice/rpc"]
    assert all(method["description"].strip() for method in interface["methods"])


@pytest.mark.requirement("WIRE-RPC-01")
def test_parameters_and_results_are_described_by_their_schemas() -> None:
    documents = published(hall.registry({"alice": (hall.add, hall.old_add, hall.reserve, hall.count)}), "alice")
    interface = loaded(documents.interface(of(documents, "alice"), ALL))
    methods = {method["name"]: method for method in interface["methods"]}
    assert set(methods) == {"add", "add@0.9.0", "reserve", "count"}
    assert [(each["name"], each["required"]) for each in methods["add"]["params"]] == [("a", True), ("b", False)]
    assert [(each["name"], each["required"]) for each in methods["add@0.9.0"]["params"]] == [("a", True), ("b", True)]
    assert methods["add"]["params"][0]["description"] == "the first one."
    assert methods["reserve"]["params"][0]["schema"] == {"$ref": "#/components/schemas/Room"}
    assert methods["count"]["result"]["schema"]["type"] == "array"
    assert methods["count"]["x-stream"] is True
    assert "$defs" not in json.dumps(interface)
    whole = {"$ref": "#/components/schemas/Room", "components": interface["components"]}
    good, bad = {"kind": "double", "next": {"price": 3}}, {"next": {"price": -1}}
    assert Draft202012Validator(whole).is_valid(good)
    assert not Draft202012Validator(whole).is_valid(bad)


def test_definitions_of_one_name_and_different_content_stand_side_by_side() -> None:
    documents = published(hall.registry({"alice": (hall.reserve, suite)}), "alice")
    interface = loaded(documents.interface(of(documents, "alice"), ALL))
    assert {name for name in interface["components"]["schemas"] if name.endswith("Room")} == {"Room", "suite.Room"}
    methods = {method["name"]: method for method in interface["methods"]}
    assert methods["suite"]["params"][0]["schema"] == {"$ref": "#/components/schemas/suite.Room"}
    valid(interface, schemas.OPENRPC)


def other_room() -> type:
    from pydantic import BaseModel

    return type("Room", (BaseModel,), {"__annotations__": {"beds": int}, "__module__": __name__})


Other = other_room()


@capability(access="authenticated")
def suite(room: Other) -> str:  # type: ignore[valid-type]
    """Reserve a suite."""
    return "suite"


def test_bounds_beyond_what_others_can_count_are_published() -> None:
    from typing import Annotated

    from pydantic import Field

    def far(n: Annotated[int, Field(le=2**70)]) -> int:
        """Go far."""
        return n

    far.__annotations__ = {"n": Annotated[int, Field(le=2**70)], "return": int}
    documents = published(hall.registry({"alice": (capability(access="authenticated")(far),)}), "alice")
    assert documents.interface(of(documents, "alice"), ALL).body


@pytest.mark.requirement("WIRE-AD-04")
def test_250_agents_stand_on_three_pages_once_each() -> None:
    names = [f"agent-{number:03}" for number in range(250)]
    registry = hall.registry(dict.fromkeys(names, (hall.add,)) | {"closed": (hall.secret,), "hidden": (hall.add,)})
    agents = hall.hosted(*names, "closed", "empty") | hall.hosted("hidden", listed=False)
    documents = Published(lambda: registry.snapshot, lambda: agents, hall.BASE, ManualClock())
    found, address, sizes = [], f"{hall.BASE}/.well-known/agent-descriptions", []
    while address:
        number = int(address.partition("?page=")[2] or 1)
        page = loaded(documents.page(number))
        valid(page, schemas.PAGE)
        assert page["url"] == address
        sizes.append(len(page["items"]))
        found += [item["@id"] for item in page["items"]]
        address = page.get("next", "")
    assert sizes == [100, 100, 50]
    assert found == [f"{hall.BASE}/agents/{name}/ad.json" for name in names]
    assert documents.page(4) is None


def test_a_list_of_nobody_is_one_empty_page() -> None:
    documents = published(hall.registry({}), "alice")
    assert loaded(documents.page(1))["items"] == []
    assert documents.page(2) is None


def test_documents_are_made_once_until_something_changes() -> None:
    registry = hall.registry({"alice": (hall.add,)})
    documents = published(registry, "alice")
    before = documents.description(of(documents, "alice"), ALL)
    interface = documents.interface(of(documents, "alice"), ALL)
    assert documents.description(of(documents, "alice"), ALL) is before
    registry.add("alice", hall.members(hall.hello))
    after = documents.description(of(documents, "alice"), ALL)
    assert after.etag != before.etag
    assert documents.interface(of(documents, "alice"), ALL).etag != interface.etag
    assert documents.open_methods("alice") == {"hello"}
    registry.add("bob", hall.members(hall.add))
    assert documents.description(of(documents, "alice"), ALL) is after


def test_what_is_disabled_is_not_shown() -> None:
    registry = hall.registry({"alice": (hall.add, hall.hello)})
    documents = published(registry, "alice")
    registry.disable("alice.hello")
    assert [m["name"] for m in loaded(documents.interface(of(documents, "alice"), ALL))["methods"]] == ["add"]
    assert documents.open_methods("alice") == frozenset()
    registry.deprecate("alice.add")
    assert loaded(documents.interface(of(documents, "alice"), ALL))["methods"][0]["deprecated"] is True


@pytest.mark.requirement("WIRE-DOC-06")
def test_a_did_document_stands_at_the_path_of_its_did() -> None:
    documents = published(hall.registry({"alice": (hall.add,)}), "alice")
    path = hall.identity("alice").did.document_url().removeprefix(hall.BASE)
    assert loaded(documents.identity(path))["id"] == hall.identity("alice").did.text
    assert documents.identity("/agents/alice/did.json") is None
