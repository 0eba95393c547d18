"""Agents: what they include, methods with their own state, options from four places."""

from __future__ import annotations

import types
from typing import Any, ClassVar

import pytest

from moothall.capability.agents import Agent, register_local_methods_to_agent
from moothall.capability.anp_user import ANPUser, AutonomousAgent
from moothall.capability.decorators import capability, local_method
from moothall.capability.options import OptionError
from moothall.capability.registry import Registry
from moothall.errors import InvalidInput
from tests.capability.shop import run

KEY = "e1_" + "A" * 43


@local_method()
def add(a: int, b: int) -> int:
    return a + b


def joined(*agents: Agent, **registry: Any) -> Registry:
    kept = Registry(**registry)
    for agent in agents:
        agent.join(kept)
    return kept


def names(registry: Registry) -> list[str]:
    return [entry.id for entry in registry.snapshot.newest]


def module_with(**contents: object) -> types.ModuleType:
    module = types.ModuleType("tools")
    for name, item in contents.items():
        setattr(module, name, item)
    return module


@pytest.mark.requirement("DEC-02")
@pytest.mark.parametrize("kind", ["module", "dict"])
async def test_local_methods_are_registered_from_a_module_and_from_a_dict(kind: str) -> None:
    def undecorated(a: int) -> int:
        return a

    contents = {"add": add, "undecorated": undecorated, "number": 3}
    module = module_with(**contents)
    module.__name__ = __name__
    agent = Agent("tools")
    assert register_local_methods_to_agent(agent, module if kind == "module" else contents) == ("add",)
    registry = joined(agent)
    assert names(registry) == ["tools.add"]
    assert await run(registry.snapshot.resolve("tools.add"), {"a": 1, "b": 2}) == 3


def test_what_a_module_only_imports_is_not_its_own() -> None:
    with pytest.raises(OptionError, match="tools"):
        Agent("a", module_with(add=add))


def test_a_key_of_a_dict_names_a_function_that_says_no_name() -> None:
    named = capability(name="fixed")(lambda: 1)
    assert names(joined(Agent("a", {"plus": add, "other": named}))) == ["a.fixed", "a.plus"]


def test_a_function_that_is_included_by_itself_needs_no_decorator() -> None:
    def bare(a: int) -> int:
        return a

    class Till:
        def count(self, a: int) -> int:
            return a

    assert names(joined(Agent("a", bare, Till().count))) == ["a.bare", "a.count"]


@pytest.mark.parametrize("nothing", [{}, object(), 3, "text", module_with()])
def test_what_holds_no_capability_is_refused(nothing: object) -> None:
    with pytest.raises(OptionError, match="decorated"):
        Agent("a", nothing)


class Counter(AutonomousAgent):
    def __init__(self, name: str) -> None:
        super().__init__(name)
        self.count = 0

    @capability()
    def my_service(self, by: int = 1) -> int:
        """Count."""
        self.count += by
        return self.count


@pytest.mark.requirement("DEC-53")
async def test_methods_of_an_agents_class_are_its_capabilities_with_a_state_of_their_own() -> None:
    one, two = Counter("one"), Counter("two")
    snapshot = joined(one, two).snapshot
    first, second = snapshot.resolve("one.my_service"), snapshot.resolve("two.my_service")
    assert list(first.input_schema["properties"]) == ["by"]
    assert [await run(first, {}), await run(first, [5]), await run(second, {})] == [1, 6, 1]
    assert (one.count, two.count) == (6, 1)


class Weather:
    capability_defaults: ClassVar[dict[str, Any]] = {"access": "authenticated", "timeout": 4, "tags": ["w"]}

    def __init__(self, answer: str) -> None:
        self.answer = answer

    @capability
    async def now(self, city: str) -> str:
        return f"{city}: {self.answer}"

    @capability(timeout=2)
    def soon(self, city: str) -> str:
        return self.answer

    @staticmethod
    @capability
    def fixed(city: str) -> str:
        return city

    @capability
    @classmethod
    def kind(cls, city: str) -> str:
        return cls.__name__

    def private(self) -> None:
        raise AssertionError


class Quiet(Weather):
    def soon(self, city: str) -> str:
        return "nothing"


@pytest.mark.requirement("DEC-53")
async def test_methods_of_any_object_are_bound_to_it() -> None:
    snapshot = joined(Agent("a", Weather("sun")), Agent("b", Weather("rain"))).snapshot
    assert await run(snapshot.resolve("a.now"), {"city": "X"}) == "X: sun"
    assert await run(snapshot.resolve("b.now"), {"city": "X"}) == "X: rain"
    assert await run(snapshot.resolve("a.fixed"), {"city": "X"}) == "X"
    assert await run(snapshot.resolve("a.kind"), {"city": "X"}) == "Weather"
    assert [entry.id for entry in snapshot.of_agent("a")] == ["a.fixed", "a.kind", "a.now", "a.soon"]


def test_a_method_that_a_subclass_replaces_without_decorating_it_is_no_capability() -> None:
    assert "a.soon" not in names(joined(Agent("a", Quiet("x"))))


def test_a_class_is_not_an_object_of_it() -> None:
    with pytest.raises(OptionError, match=r"Weather\(\)"):
        Agent("a", Weather)


@pytest.mark.requirement("DEC-51")
def test_a_class_attribute_applies_to_all_methods_of_the_class() -> None:
    snapshot = joined(Agent("a", Weather("sun"))).snapshot
    assert {entry.spec.access for entry in snapshot.newest} == {"authenticated"}
    assert {entry.spec.tags for entry in snapshot.newest} == {("w",)}
    assert {entry.id: entry.spec.timeout for entry in snapshot.newest}["a.now"] == 4
    (bound,) = joined(Agent("b", Weather("sun").now)).snapshot.newest
    assert bound.spec.access == "authenticated"


@pytest.mark.requirement("DEC-51")
@pytest.mark.parametrize("places", range(5))
def test_the_highest_place_that_says_an_option_wins(places: int) -> None:
    said = {place: number + 1 for number, place in enumerate(["class", "decorator", "file", "run time"][:places])}

    class Till:
        capability_defaults = {"timeout": said["class"]} if "class" in said else {}

        @capability(**({"timeout": said["decorator"]} if "decorator" in said else {}))
        def count(self) -> int:
            return 1

    registry = joined(Agent("a", Till()), options={"count": {"timeout": said["file"]}} if "file" in said else {})
    if "run time" in said:
        registry.configure("a.count", timeout=said["run time"])
    assert registry.snapshot.resolve("a.count").spec.timeout == (places or 30)


@pytest.mark.requirement("DEC-51")
def test_the_file_knows_aliases_and_the_longer_name_goes_before_the_shorter() -> None:
    options = {"count": {"scope": "local", "timeout": 1}, "a.count": {"timeout": 2}}

    def count() -> int:
        return 1

    def other() -> int:
        return 1

    registry = joined(Agent("a", count), Agent("b", {"count": capability(other)}), options=options)
    entries = registry.snapshot.entries
    assert entries["a.count"].spec.timeout == 2
    assert entries["b.count"].spec.timeout == 1
    assert {entry.spec.exposure for entry in registry.snapshot.newest} == {frozenset({"local"})}
    with pytest.raises(OptionError, match=r"configuration of count.*timout"):
        Registry(options={"count": {"timout": 1}})


def test_what_is_included_later_joins_too_until_the_agent_leaves() -> None:
    agent = Agent("a")
    registry = joined(agent)
    assert agent.include(add) is agent
    assert names(registry) == ["a.add"]
    agent.leave(registry)
    agent.leave(registry)
    agent.include({"later": add})
    assert names(registry) == ["a.add"]
    assert repr(agent) == "Agent('a')"


def test_a_method_that_is_bound_already_is_not_decorated_but_included() -> None:
    with pytest.raises(OptionError, match="bound method"):
        capability(Weather("sun").private)


@pytest.mark.parametrize("name", ["", "a b", "a/b", ".a", "a.", "Ünal", "a" * 65, "a@1", "-a", "node.demand"])
def test_the_name_of_an_agent_can_stand_in_a_did_and_in_one_way_in_an_id(name: str) -> None:
    with pytest.raises(OptionError, match="name of an agent"):
        Agent(name)
    registry = Registry()
    with pytest.raises(OptionError, match="name of an agent"):
        registry.add_agent(name)
    with pytest.raises(OptionError, match="name of an agent"):
        registry.add(name, Agent("a", add).members)
    assert not registry.snapshot.agents


def test_a_user_of_the_specification_is_an_agent() -> None:
    user = ANPUser.from_did(f"did:wba:x.example:agents:shop:{KEY}", add, description="Sells")
    assert (user.name, user.id, user.did, user.description) == (
        "shop",
        user.did,
        f"did:wba:x.example:agents:shop:{KEY}",
        "Sells",
    )
    assert ANPUser.from_did("did:wba:x.example").name == "x-example"
    assert ANPUser("plain").id == "plain"
    with pytest.raises(InvalidInput):
        ANPUser.from_did("did:key:z6Mk")

    @user.expose_api("/sum", methods=["POST"], access="public")
    def total(a: int) -> int:
        return a

    assert total(1) == 1
    spec = joined(user).snapshot.resolve("shop.total").spec
    assert (spec.path, spec.methods, spec.public) == ("/sum", ("POST",), True)
    assert [service["name"] for service in user.get_registered_services()] == ["add", "total"]
