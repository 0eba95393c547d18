"""Capabilities whose body a language model writes: how they are declared, and who sees them before it was published."""

from __future__ import annotations

import pytest

from moothall.capability.agents import Agent
from moothall.capability.decorators import capability, llm_generated
from moothall.capability.options import OptionError
from moothall.capability.registry import Registry
from moothall.capability.snapshot import describe
from moothall.capability.spec import Made, Provenance

ORIGIN = Provenance(prompt_hash=f"sha256:{'a' * 64}", model="scripted", version="1.2.0")


@llm_generated(prompt="Rate the trend of a stock", auto_publish=True)
@capability(source="llm", expose_to="network", access="authenticated", description="A trend")
async def stacked(symbol: str, days: int = 30) -> dict[str, object]:
    """Rate a trend."""


@llm_generated(prompt="Rate the trend of a stock")
async def alone(symbol: str) -> str:
    """Rate a trend."""


@capability(source="llm", expose_to="network", auto_publish=True)
async def without_prompt(data: dict[str, object]) -> dict[str, object]:
    """Analyse the data."""


@capability(source="llm", expose_to="network")
async def planned(user_request: str) -> str:
    """Plan the calls that answer a request."""


def registry(*functions: object) -> Registry:
    held = Registry()
    Agent("stocks", *functions).join(held)
    return held


@pytest.mark.requirement("GEN-02", "DEC-20")
def test_the_decorator_stands_over_a_capability_of_a_model_and_keeps_its_options() -> None:
    spec = registry(stacked).snapshot.resolve("stocks.stacked").spec
    assert (spec.source, spec.access, spec.description) == ("llm", "authenticated", "A trend")
    assert spec.generated
    assert spec.auto_publish
    assert spec.remote["prompt"] == "Rate the trend of a stock"


@pytest.mark.requirement("DEC-20")
def test_it_is_not_published_by_itself_unless_that_is_said() -> None:
    spec = registry(alone).snapshot.resolve("stocks.alone").spec
    assert spec.generated
    assert not spec.auto_publish


def test_without_a_prompt_the_docstring_is_one_where_it_is_to_be_published() -> None:
    snapshot = registry(without_prompt, planned).snapshot
    assert snapshot.resolve("stocks.without_prompt").spec.generated
    assert not snapshot.resolve("stocks.planned").spec.generated


@pytest.mark.requirement("GEN-07", "DEC-20")
def test_the_network_sees_it_only_once_it_is_published_and_no_more_when_that_is_taken_back() -> None:
    held = registry(stacked)
    seen = [held.snapshot.resolve("stocks.stacked").spec.exposure]
    for made in (Made(ORIGIN), Made(ORIGIN, published=True), Made(ORIGIN)):
        held.made("stocks.stacked", made)
        seen.append(held.snapshot.resolve("stocks.stacked").spec.exposure)
    assert seen == [{"local"}, {"local"}, {"net"}, {"local"}]


@pytest.mark.requirement("GEN-07")
def test_options_of_the_file_and_of_run_time_do_not_publish_it() -> None:
    held = Registry(options={"stacked": {"expose_to": "both"}})
    Agent("stocks", stacked).join(held)
    held.configure("stocks.stacked", expose_to="both")
    assert held.snapshot.resolve("stocks.stacked").spec.exposure == {"local"}


@pytest.mark.requirement("DEC-13")
def test_its_description_tells_where_its_body_comes_from() -> None:
    held = registry(stacked)
    assert "provenance" not in describe(held.snapshot.resolve("stocks.stacked"))
    held.made("stocks.stacked", Made(ORIGIN))
    assert describe(held.snapshot.resolve("stocks.stacked"))["provenance"] == {
        "prompt_hash": f"sha256:{'a' * 64}",
        "model": "scripted",
        "version": "1.2.0",
    }


def test_what_is_known_of_it_stays_when_options_change_and_its_state_stays_when_that_changes() -> None:
    held = registry(stacked)
    held.made("stocks.stacked", Made(ORIGIN, published=True))
    held.configure("stocks.stacked", description="Another")
    entry = held.snapshot.resolve("stocks.stacked")
    assert (entry.spec.description, entry.spec.provenance, entry.spec.exposure) == ("Another", ORIGIN, {"net"})
    held.disable("stocks.stacked")
    held.made("stocks.stacked", Made())
    assert held.snapshot.find("stocks.stacked").state == "disabled"  # type: ignore[union-attr]


@pytest.mark.requirement("DEC-20")
def test_publication_is_for_bodies_of_a_model_alone() -> None:
    with pytest.raises(OptionError, match="source='llm'"):
        capability(auto_publish=True)(_nothing)
    with pytest.raises(OptionError, match="stands over"):
        llm_generated(prompt="anything")(capability(source="did", did="did:wba:example.com")(_other))


async def _nothing(text: str) -> str:
    return text


async def _other(text: str) -> str:
    """Elsewhere."""
