"""The registry: versions side by side, life cycle, names, listings, hooks."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from moothall.capability.agents import Agent
from moothall.capability.decorators import api_service, capability
from moothall.capability.options import OptionError
from moothall.capability.registry import Registry
from moothall.capability.snapshot import AgentRecord, Snapshot, describe
from moothall.capability.versions import is_version, precedence
from moothall.errors import Conflict, Gone, ServiceNotFoundError
from tests.capability.shop import run


def price_of(version: str, answer: int, **options: Any) -> Any:
    @capability(version=version, **options)
    def price() -> int:
        return answer

    return price


def shop(*included: object, name: str = "shop") -> Registry:
    registry = Registry()
    Agent(name, *included).join(registry)
    return registry


def ids(snapshot: Snapshot) -> list[str]:
    return [entry.key for entry in snapshot.newest]


@pytest.mark.requirement("DEC-31")
async def test_versions_stand_side_by_side_and_the_plain_name_is_the_newest() -> None:
    registry = shop(price_of("1.0.0", 1), price_of("1.10.0", 3), price_of("1.9.0", 2), price_of("2.0.0-rc.1", 4))
    resolve = registry.snapshot.resolve
    assert await run(resolve("price", "1.0.0"), {}) == 1
    assert await run(resolve("price"), {}) == 4
    registry.remove("shop.price@2.0.0-rc.1")
    assert await run(registry.snapshot.resolve("price"), {}) == 3
    registry.disable("shop.price@1.10.0")
    assert await run(registry.snapshot.resolve("price"), {}) == 2
    with pytest.raises(Gone):
        registry.snapshot.resolve("price", "1.10.0")
    with pytest.raises(ServiceNotFoundError):
        resolve("price", "9.0.0")


@pytest.mark.requirement("DEC-31")
def test_versions_are_ordered_as_semver_says() -> None:
    ordered = "1.0.0-alpha 1.0.0-alpha.1 1.0.0-alpha.beta 1.0.0-beta 1.0.0-beta.2 1.0.0-beta.11 1.0.0-rc.1 1.0.0 1.0.1 1.2.0 1.10.0 2.0.0".split()
    assert sorted(set(ordered), key=precedence) == ordered
    assert precedence("1.0.0+a") == precedence("1.0.0+b")
    with pytest.raises(ValueError, match="semantic"):
        precedence("1")


@given(st.tuples(*[st.integers(0, 10**6)] * 3), st.tuples(*[st.integers(0, 10**6)] * 3))
def test_numbers_of_versions_are_compared_as_numbers(one: Any, other: Any) -> None:
    first, second = (".".join(map(str, item)) for item in (one, other))
    assert is_version(first)
    assert (precedence(first) < precedence(second)) == (one < other)


@pytest.mark.requirement("DEC-41")
def test_a_disabled_capability_is_gone_and_a_removed_one_was_never_there() -> None:
    registry = shop(price_of("1.0.0", 1))
    registry.disable("shop.price")
    with pytest.raises(Gone):
        registry.snapshot.resolve("shop.price")
    registry.enable("shop.price")
    assert registry.snapshot.resolve("shop.price").state == "enabled"
    registry.deprecate("shop.price")
    assert registry.snapshot.resolve("shop.price").state == "deprecated"
    assert describe(registry.snapshot.resolve("price"))["deprecated"] is True
    registry.remove("shop.price")
    with pytest.raises(ServiceNotFoundError):
        registry.snapshot.resolve("shop.price")
    assert registry.snapshot.similar("price") == ()
    for change in (registry.enable, registry.disable, registry.deprecate, registry.remove):
        with pytest.raises(ServiceNotFoundError):
            change("shop.price")


def test_a_name_means_an_exact_one_then_the_default_agents_then_the_only_one() -> None:
    registry = Registry()
    for agent in ("a", "b", "node", "x"):
        Agent(agent, price_of("1.0.0", 1)).join(registry)
    Agent("a", price_of("1.0.0", 2, name="only")).join(registry)
    Agent("b", price_of("1.0.0", 2, name="deep.er")).join(registry)
    resolve = registry.snapshot.resolve
    assert resolve("price").id == "node.price"
    assert resolve("a.price").id == "a.price"
    assert resolve("x.price").id == "x.price"
    assert resolve("only").id == "a.only"
    assert resolve("deep.er").id == "b.deep.er"
    registry.remove("node.price")
    with pytest.raises(ServiceNotFoundError):
        registry.snapshot.resolve("price")
    assert [entry.id for entry in registry.snapshot.similar("onli")] == ["a.only"]


def test_a_snapshot_never_changes_and_every_change_publishes_a_higher_one() -> None:
    registry = Registry()
    seen: list[Snapshot] = []
    end = registry.on_change(seen.append)
    Agent("shop", price_of("1.0.0", 1)).join(registry)
    first = registry.snapshot
    registry.disable("shop.price")
    registry.configure("shop.price", timeout=1)
    assert [one.version for one in seen] == sorted({one.version for one in seen})
    assert seen[-1] is registry.snapshot
    assert first.resolve("shop.price").state == "enabled"
    with pytest.raises(TypeError):
        first.entries["x"] = first.resolve("price")  # type: ignore[index]
    end()
    registry.enable("shop.price")
    assert seen[-1] is not registry.snapshot


def test_two_of_the_same_name_and_version_are_refused_and_nothing_of_the_second_stays() -> None:
    registry = shop(price_of("1.0.0", 1))
    before = registry.snapshot
    with pytest.raises(Conflict, match=r"shop.price@1.0.0"):
        Agent("shop", price_of("3.0.0", 1), price_of("1.0.0", 1)).join(registry)
    assert registry.snapshot is before


@pytest.mark.requirement("TPL-47")
def test_two_with_the_same_path_and_verb_are_refused() -> None:
    def first() -> int:
        return 1

    def second() -> int:
        return 2

    registry = shop(api_service("/x", ["POST", "PUT"])(first))
    with pytest.raises(Conflict, match=r"PUT /x belongs to shop\.first"):
        Agent("b", api_service("/x", ["PUT"])(second)).join(registry)
    assert ids(registry.snapshot) == ["shop.first@1.0.0"]

    def third() -> int:
        return 3

    Agent("c", api_service("/x", ["GET"])(third)).join(registry)
    assert len(registry.snapshot.newest) == 2


def test_what_a_caller_reads_is_json_and_complete() -> None:
    registry = shop(price_of("1.0.0", 1, tags=["t"], read_only=True, permissions=["p"]))
    described = describe(registry.snapshot.resolve("price"))
    assert json.loads(json.dumps(described)) == described
    assert (described["id"], described["version"], described["tags"]) == ("shop.price", "1.0.0", ["t"])
    assert (described["expose_to"], described["access"], described["permissions"]) == (["local", "net"], "owner", ["p"])
    assert described["annotations"] == {
        "read_only": True,
        "destructive": False,
        "idempotent": False,
        "open_world": False,
    }
    assert described["input_schema"] == {"type": "object", "properties": {}, "additionalProperties": False}


@pytest.mark.requirement("DEC-17")
def test_the_three_names_of_the_network_give_the_same_listing() -> None:
    snapshots = [shop(price_of("1.0.0", 1, expose_to=name)).snapshot for name in ("net", "network", "anp")]
    first, *others = [[describe(entry) for entry in snapshot.newest] for snapshot in snapshots]
    assert others == [first, first]


@pytest.mark.requirement("DEC-41")
async def test_hooks_run_once_each_at_start_and_in_reverse_at_stop() -> None:
    ran: list[str] = []
    registry = Registry()
    agent = Agent("shop", price_of("1.0.0", 1))

    @agent.on_start
    async def open_till() -> None:
        ran.append("open")

    @agent.on_stop
    def close_till() -> None:
        ran.append("close")

    registry.on_start(lambda: ran.append("first"))
    registry.on_stop(lambda: ran.append("last"))
    agent.join(registry)
    agent.join(registry)
    await registry.start()
    await registry.start()
    await registry.stop()
    await registry.stop()
    assert ran == ["first", "open", "close", "last"]


async def test_every_stop_hook_runs_even_if_one_fails() -> None:
    ran: list[str] = []

    def fails() -> None:
        raise RuntimeError("till is stuck")

    registry = Registry()
    registry.on_stop(lambda: ran.append("last"))
    registry.on_stop(fails)
    await registry.start()
    with pytest.raises(RuntimeError, match="stuck"):
        await registry.stop()
    assert ran == ["last"]


def test_agents_are_known_with_their_descriptions_and_identities() -> None:
    registry = Registry()
    Agent("shop", price_of("1.0.0", 1), description="Sells").join(registry)
    Agent("empty").join(registry)
    registry.add_agent("shop", did="did:wba:x.example:agents:shop")
    assert registry.snapshot.agents["shop"] == AgentRecord("shop", "Sells", "did:wba:x.example:agents:shop")
    assert [entry.id for entry in registry.snapshot.of_agent("shop")] == ["shop.price"]
    assert registry.snapshot.of_agent("empty") == ()
    with pytest.raises(Conflict):
        registry.add_agent("shop", did="did:wba:y.example")
    registry.remove_agent("shop")
    assert set(registry.snapshot.agents) == {"empty"}
    assert ids(registry.snapshot) == []


@pytest.mark.requirement("DEC-51")
def test_options_at_run_time_reach_one_version_or_all() -> None:
    registry = shop(price_of("1.0.0", 1), price_of("2.0.0", 1))
    registry.disable("shop.price@1.0.0")
    registry.configure("shop.price@2.0.0", timeout=7)
    registry.configure("shop.price", cache_ttl=5)
    entries = registry.snapshot.entries
    assert [entries[f"shop.price@{v}"].spec.timeout for v in ("1.0.0", "2.0.0")] == [30, 7]
    assert [entries[f"shop.price@{v}"].spec.cache_ttl for v in ("1.0.0", "2.0.0")] == [5, 5]
    assert entries["shop.price@1.0.0"].state == "disabled"
    with pytest.raises(OptionError, match="nowhere else"):
        registry.configure("shop.price", name="cost")
    with pytest.raises(OptionError, match="timout"):
        registry.configure("shop.price", timout=1)
    with pytest.raises(ServiceNotFoundError):
        registry.configure("shop.none", timeout=1)


@pytest.mark.requirement("DEC-51")
def test_options_at_run_time_that_do_not_fit_every_version_leave_nothing_behind() -> None:
    registry = shop(price_of("1.0.0", 1), price_of("2.0.0", 1, permissions=("pay",)))
    with pytest.raises(OptionError, match="permissions"):
        registry.configure("shop.price", auth=False)
    registry.configure("shop.price", timeout=7)
    for version in ("1.0.0", "2.0.0"):
        spec = registry.snapshot.entries[f"shop.price@{version}"].spec
        assert (spec.timeout, spec.public) == (7, False)
