"""What is said of capabilities: lint, breaking changes, services as the specification describes them."""

from __future__ import annotations

from collections.abc import AsyncIterator
from enum import Enum
from typing import Annotated, Any, Literal

import pytest
from pydantic import BaseModel, Field

from moothall.capability import lint
from moothall.capability.agents import Agent
from moothall.capability.business_handler import wrap_business_handler
from moothall.capability.compatibility import breaking
from moothall.capability.context import CallContext
from moothall.capability.decorators import capability
from moothall.capability.options import OptionError
from moothall.capability.registry import Registry
from moothall.capability.service_registry import ServiceRegistry
from moothall.errors import Conflict, ValidationError
from tests.capability.shop import entry_of, run


def snapshot_of(*names: str, **options: Any) -> Any:
    registry = Registry()
    Agent("a", *(capability(name=name, **options)(lambda: 1) for name in names)).join(registry)
    return registry.snapshot


@pytest.mark.requirement("DEC-34")
def test_names_that_sound_protected_are_only_warned_about() -> None:
    names = ("admin_reset", "get_private_notes", "adminPanel", "delete_account", "badminton_scores")
    snapshot = snapshot_of(*names)
    warned = [text.split()[0] for text in lint.warnings(snapshot)]
    assert warned == ["a.adminPanel", "a.admin_reset", "a.get_private_notes"]
    assert {(entry.spec.auth, entry.spec.access) for entry in snapshot.newest} == {(True, "owner")}
    assert lint.warnings(snapshot_of(*names, permissions=["x"])) == ()


def test_other_likely_mistakes_are_warned_about() -> None:
    assert "destructive" in lint.warnings(snapshot_of("wipe", auth=False, destructive=True))[0]
    assert "never repeated" in lint.warnings(snapshot_of("pay", retry=3))[0]
    assert lint.warnings(snapshot_of("pay", retry=3, idempotent=True)) == ()
    assert "prize" in lint.warnings(snapshot_of("price"), ["price", "a.price", "prize"])[0]


@pytest.mark.requirement("DEC-25")
def test_what_is_open_to_the_network_is_told_with_those_who_may_call_it() -> None:
    def told(**options: Any) -> str:
        return lint.exposed(snapshot_of("x", **options).newest[0])

    assert told(expose_to="local") == ""
    assert told() == "a.x@1.0.0 on the network for its owner"
    assert told(auth=False) == "a.x@1.0.0 on the network for anybody"
    assert told(permissions=["p", "q"]) == "a.x@1.0.0 on the network for its owner, or holders of p, q"


@pytest.mark.parametrize("open_to_all", [{"access": "public"}, {"auth": False}])
def test_permissions_of_what_is_open_to_everybody_are_refused_since_they_protect_nothing(open_to_all: Any) -> None:
    with pytest.raises(OptionError, match="protect nothing"):
        snapshot_of("x", permissions=["x"], **open_to_all)


class Size(Enum):
    S = "s"
    M = "m"


class Old(BaseModel):
    n: int
    note: str = ""


class Stricter(BaseModel):
    n: int
    note: str


class Fewer(BaseModel):
    n: int


def made(parameter: Any, result: Any = int, **options: Any) -> Any:
    def service(a=None):  # noqa: ANN001, ANN202
        return a

    service.__annotations__ = {"a": parameter, "return": result}
    return entry_of(capability(**options)(service))


@pytest.mark.requirement("SOA-01")
@pytest.mark.parametrize(
    ("old", "new"),
    [
        (int, str), (float, int), (int | None, int), (Any, int), (int, Annotated[int, Field(ge=0)]),
        (Annotated[int, Field(le=9)], Annotated[int, Field(le=8)]), (str, Literal["a"]), (Literal["a", "b"], Literal["a"]),
        (list[int], list[str]), (list[float], list[int]), (Old, Stricter), (str, Annotated[str, Field(pattern="a")]),
        (dict[str, int], list[int]), (str, Annotated[str, Field(max_length=3)]), (str, Size),
    ],
)  # fmt: skip
def test_an_argument_that_is_refused_now_breaks_callers(old: Any, new: Any) -> None:
    assert breaking(made(old), made(new))
    assert all(text.startswith("argument.a") for text in breaking(made(old), made(new)))


@pytest.mark.requirement("SOA-01")
@pytest.mark.parametrize(
    ("old", "new"),
    [
        (int, int), (int, float), (int, int | None), (int, Any), (Annotated[int, Field(ge=0)], int), (Literal["a"], str),
        (Literal["a"], Literal["a", "b"]), (Stricter, Old), (list[int], list[float]), (Old, Old),
    ],
)  # fmt: skip
def test_an_argument_that_is_accepted_more_widely_breaks_nobody(old: Any, new: Any) -> None:
    assert breaking(made(old), made(new)) == ()


@pytest.mark.requirement("SOA-01")
def test_results_may_be_promised_more_narrowly_only() -> None:
    assert breaking(made(int, int), made(int, str))
    assert breaking(made(int, str), made(int, str | None))
    assert breaking(made(int, Literal["a"]), made(int, Literal["a", "b"]))
    assert breaking(made(int, Old), made(int, Fewer)) == ("result.note: it is gone",)
    assert breaking(made(int, str | None), made(int, str)) == ()
    assert breaking(made(int, Literal["a", "b"]), made(int, Literal["a"])) == ()
    assert breaking(made(int, Fewer), made(int, Old)) == ()


@pytest.mark.requirement("SOA-01")
def test_parameters_doors_and_streams_count() -> None:
    def old(a: int, b: int = 1) -> int:
        return a

    def needs(a: int, b: int, c: int) -> int:
        return a

    def lacks(a: int) -> int:
        return a

    async def streams(a: int, b: int = 1) -> AsyncIterator[int]:
        yield a

    def more(a: int, b: int = 1, c: int = 2) -> int:
        return a

    base = entry_of(old)
    assert breaking(base, entry_of(needs)) == ("argument.b: it is needed now", "argument.c: it is needed now")
    assert breaking(base, entry_of(lacks)) == ("argument.b: it is gone",)
    assert breaking(base, entry_of(streams)) == ("result: it comes in one piece no more",)
    assert breaking(base, entry_of(capability(expose_to="local")(more))) == ("exposure: net is gone",)
    assert breaking(base, entry_of(lambda_more())) == ()


def lambda_more() -> Any:
    def more(a: int, b: int = 1, c: int = 2) -> int:
        return a

    return more


def test_a_breaking_change_within_a_major_version_is_warned_about(caplog: pytest.LogCaptureFixture) -> None:
    @capability(version="1.0.0")
    def price(item: str) -> int:
        return 1

    registry = Registry()
    Agent("a", price).join(registry)
    for version in ("1.1.0", "2.0.0"):

        @capability(name="price", version=version)
        def newer(item: int) -> int:
            return 1

        Agent("a", newer).join(registry)
    warned = [record.getMessage() for record in caplog.records]
    assert len(warned) == 1
    assert "a.price@1.1.0" in warned[0]
    assert "argument.item" in warned[0]


@capability(tags=["ai", "nlp"], idempotent=True, read_only=True, permissions=["p"])
def summarise(text: str, words: int = 50) -> str:
    """Make it short.

    Args:
        text: what to shorten
    """
    return text[:words]


@pytest.mark.requirement("SOA-07")
def test_a_service_is_registered_and_described_by_itself() -> None:
    services = ServiceRegistry()
    info = services.auto_register_service(summarise)
    assert info == {
        "name": "summarise",
        "description": "Make it short.",
        "parameters": entry_of(summarise).input_schema,
        "tags": ["ai", "nlp"],
        "capabilities": ["local", "net", "idempotent", "read_only"],
    }
    assert info["parameters"]["properties"]["text"] == {"type": "string", "description": "what to shorten"}
    assert services.get_registered_services() == [info]
    with pytest.raises(Conflict):
        services.auto_register_service(summarise)


@pytest.mark.requirement("DEC-41", "SOA-07")
async def test_a_function_is_registered_with_its_scope_and_permissions() -> None:
    def plain(a: int) -> int:
        return a

    services = ServiceRegistry()
    entry = services.register(plain, "local", ["read"])
    assert (entry.spec.exposure, entry.spec.permissions) == ({"local"}, ("read",))
    entry = services.register(summarise, scope="anp")
    assert (entry.spec.exposure, entry.spec.permissions, entry.spec.tags) == ({"net"}, ("p",), ("ai", "nlp"))
    assert [service["name"] for service in services.get_registered_services()] == ["plain", "summarise"]
    services.registry.disable("node.plain")
    services.registry.remove("node.summarise")
    assert [entry.state for entry in services.registry.snapshot.newest] == ["disabled"]
    assert await run(entry, {"text": "abc", "words": 1}) == "a"


class Desk:
    factor = 10

    @wrap_business_handler
    def times(self, a: int, b: int = 1) -> int:
        return self.factor * a * b

    def plainly(self, a: int) -> int:
        return self.factor * a


@wrap_business_handler
async def double(a: int) -> int:
    return 2 * a


@pytest.mark.requirement("DEC-03")
@pytest.mark.parametrize("request_", [{"params": {"a": 1}}, {"body": {"a": 1}}, {"a": 1}, {"params": {"a": "1"}}])
async def test_a_business_handler_finds_its_arguments(request_: dict[str, Any]) -> None:
    assert await double(request_) == 2
    assert Desk().times(request_) == 10
    assert wrap_business_handler(Desk().plainly)(request_) == 10


@pytest.mark.requirement("DEC-03")
async def test_a_business_handler_refuses_what_is_nowhere() -> None:
    with pytest.raises(ValidationError):
        await double({"params": {"b": 1}})
    with pytest.raises(ValidationError):
        Desk().times({})


async def test_a_business_handler_hands_the_context_on() -> None:
    @wrap_business_handler
    async def who(ctx: CallContext, a: int) -> Any:
        return ctx, a

    marker: Any = object()
    assert await who({"a": 1}, marker) == (marker, 1)


def test_who_may_call_is_one_decision_of_the_strongest_place_that_makes_it() -> None:
    def spec(options: dict[str, Any], file: dict[str, Any]) -> Any:
        registry = Registry(options={"x": file} if file else None)
        Agent("a", capability(name="x", **options)(lambda: 1)).join(registry)
        return registry.snapshot.newest[0].spec

    assert not spec({"auth": False}, {"access": "owner"}).public
    assert not spec({"access": "public"}, {"auth": True}).public
    assert spec({"access": "owner"}, {"auth": False}).public
    assert spec({"access": "owner"}, {"access": "public"}).public
    assert not spec({"auth": False}, {"access": "authenticated"}).public


def test_options_that_contradict_each_other_about_who_may_call_are_refused() -> None:
    with pytest.raises(OptionError, match="say one of them"):
        snapshot_of("x", auth=False, access="owner")
    assert snapshot_of("x", auth=False, access="public").newest[0].spec.public
