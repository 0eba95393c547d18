"""What others add or replace: sources, templates, adapters, templates of options."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from importlib.metadata import EntryPoint
from typing import Any

import pytest

from moothall.capability import plugins
from moothall.capability.adapters import AdapterLayer, DocumentGenerator, ErrorHandler, TypeConverter, ValidationLayer
from moothall.capability.agents import Agent
from moothall.capability.decorators import capability
from moothall.capability.entry import Arguments, Entry
from moothall.capability.options import OptionError
from moothall.capability.plugins import Shelf, Source, Template, register_source, register_template
from moothall.capability.registry import Registry
from moothall.capability.service_template import ServiceTemplate
from moothall.capability.shape import Shape
from moothall.errors import Conflict, MoothallError, PermissionDeniedError
from tests.capability.shop import entry_of, run


@pytest.fixture
def echo() -> Iterator[None]:
    register_source("echo")
    register_template(Template("echo", source="echo"))
    yield
    plugins.SOURCES.remove("echo")
    plugins.TEMPLATES.remove("echo")


def proxied(text: str) -> str: ...  # type: ignore[empty-body]


@pytest.mark.requirement("DEC-49")
@pytest.mark.usefixtures("echo")
def test_a_registered_source_and_template_are_as_good_as_the_others() -> None:
    entry = entry_of(capability(source="echo", endpoint="here")(proxied))
    assert (entry.spec.source, entry.providers[0].source, entry.providers[0].remote) == (
        "echo",
        "echo",
        {"endpoint": "here"},
    )
    entry = entry_of(capability(template="echo")(proxied))
    assert (entry.spec.template, entry.spec.source) == ("echo", "echo")
    assert [source.name for source in plugins.SOURCES.added()] == ["echo"]


@pytest.mark.requirement("DEC-49")
def test_an_unknown_source_or_template_is_refused_where_it_stands() -> None:
    for option in ({"source": "echo"}, {"template": "echo"}):
        with pytest.raises(OptionError, match="registered first"):
            capability(**option)(proxied)


@pytest.mark.usefixtures("echo")
def test_a_name_is_given_once() -> None:
    register_source(Source("echo"))
    with pytest.raises(Conflict, match="echo"):
        register_source(Source("echo", required=("endpoint",)))
    with pytest.raises(Conflict, match="mcp"):
        register_source("mcp")
    plugins.SOURCES.remove("mcp")
    assert plugins.SOURCES.find("mcp")


FOUND = Source("found", required=("endpoint",))


def make_source() -> Source:
    return Source("made")


@pytest.mark.requirement("DEC-49")
def test_entry_points_are_found_when_an_unknown_name_is_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    points = [
        EntryPoint(name, f"{__name__}:{value}", "moothall.sources")
        for name, value in (("found", "FOUND"), ("made", "make_source"))
    ]
    asked: list[str] = []
    monkeypatch.setattr(EntryPoint, "load", lambda self: globals()[self.attr])

    def entry_points(group: str) -> list[EntryPoint]:
        asked.append(group)
        return points

    monkeypatch.setattr(plugins, "entry_points", entry_points)
    shelf = Shelf("moothall.sources", Source, {"local": Source("local")})
    assert shelf.find("local")
    assert asked == []
    assert (shelf.find("found"), shelf.find("made"), shelf.find("none")) == (FOUND, Source("made"), None)
    assert asked == ["moothall.sources"]
    points.append(EntryPoint("wrong", f"{__name__}:proxied", "moothall.sources"))
    monkeypatch.setitem(globals(), "proxied", lambda: 3)
    with pytest.raises(TypeError, match="wrong"):
        Shelf("moothall.sources", Source, {}).find("x")


class Shouting(TypeConverter):
    def result(self, shape: Shape) -> Callable[[Any], Any]:
        write = super().result(shape)
        return lambda value: str(write(value)).upper()

    def arguments(self, shape: Shape) -> Callable[[Arguments], dict[str, Any]]:
        write = super().arguments(shape)
        return lambda arguments: {name.upper(): value for name, value in write(arguments).items()}

    def received(self, shape: Shape) -> Callable[[Any], Any]:
        return str.lower


class Suspicious(ValidationLayer):
    def arguments(self, shape: Shape) -> Callable[[Any], Arguments]:
        bind = super().arguments(shape)

        def bound(params: Any) -> Arguments:
            arguments = bind(params)
            if "drop table" in str(arguments.named):
                raise PermissionDeniedError("suspicious")
            return arguments

        return bound


class Brief(DocumentGenerator):
    def page(self, entry: Entry) -> str:
        return f"see {entry.id}"


class Polite(ErrorHandler):
    def handle(self, capability: str, error: Exception) -> MoothallError:
        return PermissionDeniedError(f"{capability}: sorry, {type(error).__name__}")


LAYER = AdapterLayer(Shouting(), Suspicious(), Brief(), Polite())


@capability
async def greet(name: str) -> str:
    if name == "nobody":
        raise KeyError(name)
    return f"hello {name}"


@pytest.mark.requirement("DEC-48")
@pytest.mark.parametrize("place", ["agent", "registry"])
async def test_each_adapter_can_be_replaced_and_is_used(place: str) -> None:
    registry = Registry(adapters=LAYER if place == "registry" else None)
    Agent("a", greet, adapters=LAYER if place == "agent" else None).join(registry)
    entry = registry.snapshot.resolve("a.greet")
    arguments = entry.bind({"name": "x"})
    assert entry.encode("hello") == "HELLO"
    assert entry.wire(arguments) == {"NAME": "x"}
    assert entry.decode("HELLO") == "hello"
    assert entry.document(entry) == "see a.greet"
    with pytest.raises(PermissionDeniedError, match="suspicious"):
        entry.bind({"name": "drop table"})
    with pytest.raises(PermissionDeniedError, match=r"a.greet: sorry, KeyError") as raised:
        await run(entry, {"name": "nobody"})
    assert isinstance(raised.value.__cause__, KeyError)


@pytest.mark.requirement("DEC-48")
async def test_the_error_handler_speaks_for_streams_too() -> None:
    async def count() -> Any:
        yield 1
        raise KeyError("x")

    registry = Registry(adapters=LAYER)
    Agent("a", count).join(registry)
    entry = registry.snapshot.resolve("a.count")
    values = entry.iterate(entry.bind({}), None)  # type: ignore[arg-type]
    assert await anext(values) == 1
    with pytest.raises(PermissionDeniedError):
        await anext(values)


def test_an_error_handler_can_leave_the_rest_to_the_ordinary_one() -> None:
    ours, other = Conflict("there is one"), KeyError("SECRET")
    assert ErrorHandler().handle("a.greet", ours) is ours
    told = ErrorHandler().handle("a.greet", other)
    assert (told.code, "SECRET" in str(told)) == ("INTERNAL_ERROR", False)


async def test_agents_with_and_without_adapters_stand_side_by_side() -> None:
    registry = Registry()
    Agent("a", greet, adapters=AdapterLayer(converter=Shouting())).join(registry)
    Agent("b", greet).join(registry)
    assert registry.snapshot.resolve("a.greet").encode("x") == "X"
    assert registry.snapshot.resolve("b.greet").encode("x") == "x"
    with pytest.raises(KeyError):
        await run(registry.snapshot.resolve("a.greet"), {"name": "nobody"})


@pytest.mark.requirement("SOA-03")
def test_one_template_gives_two_sources_the_same_terms() -> None:
    careful = ServiceTemplate(timeout=5, retry=2, idempotent=True, cache_ttl=60, rate_limit="5/minute")

    @careful
    def here(a: int) -> int:
        return a

    @careful.using(source="did", did="did:wba:x.example")
    def there(a: int) -> int: ...  # type: ignore[empty-body]

    one, other = entry_of(here).spec, entry_of(there).spec
    assert (one.source, other.source) == ("local", "did")
    for field in ("timeout", "retry", "idempotent", "cache_ttl", "rate_limit"):
        assert getattr(one, field) == getattr(other, field)
    with pytest.raises(OptionError, match="ServiceTemplate"):
        ServiceTemplate(timeot=5)(proxied)  # type: ignore[call-arg]
