"""Vectors of a provider: what is sent, what is taken for an answer, and how a node finds with them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest

from moothall import Agent, Node, capability
from moothall.errors import ModelTimeout, ModelUnavailable, SettingsError
from moothall.llm.embeddings import Embeddings, configured_embeddings
from moothall.settings import Settings
from tests.support.fake_llm import HANG, KEY, Asked, FakeLLM, Page, embeddings

SENT = {"host", "accept", "accept-encoding", "connection", "content-type", "content-length", "user-agent"}
MEANINGS = (("ale", "brew", "啤酒"), ("horse", "farrier"), ("key",))

Made = Callable[..., Embeddings]


def settings(llm: FakeLLM, **more: Any) -> Settings:
    given = {"embeddings_model": "embedder", "embeddings_base_url": f"{llm.url}/v1", "embeddings_api_key": KEY}
    return Settings(**{**given, "embeddings_size": 3, "embeddings_timeout": 20, **more})


@pytest.fixture
async def made(llm: FakeLLM) -> AsyncIterator[Made]:
    """Makes a model of vectors at the fake server; closed at the end."""
    found: list[Embeddings] = []

    def make(**more: Any) -> Embeddings:
        one = configured_embeddings(settings(llm, **more), asyncio.get_running_loop().time)
        assert one is not None
        found.append(one)
        return one

    yield make
    for one in found:
        await one.aclose()


def meant(asked: Asked) -> dict[str, Any]:
    """A direction for each meaning."""
    texts = [text.lower() for text in asked.body["input"]]
    return embeddings([[float(any(word in text for word in words)) for words in MEANINGS] for text in texts])


async def test_texts_go_to_the_address_with_the_key_in_one_header(llm: FakeLLM, made: Made) -> None:
    llm.script["embed"] = embeddings([[3, 4, 0], [0, 0, 7]])
    assert await made().embed(["one", "two"]) == [[0.6, 0.8, 0.0], [0.0, 0.0, 1.0]]
    (asked,) = llm.requests
    assert (asked.path, asked.body) == ("/v1/embeddings", {"model": "embedder", "input": ["one", "two"]})
    assert set(asked.headers) == SENT | {"authorization"}
    assert asked.headers["authorization"] == f"Bearer {KEY}"


@pytest.mark.parametrize(
    "reply",
    [
        Page(200, b""),
        Page(200, b"<html>portal</html>"),
        Page(200, b"{}"),
        Page(200, b'{"data": [{"index": 0, "embedding": ["x", 0, 0]}]}'),
        Page(200, b'{"data": [{"index": 0, "embedding": [NaN, 0, 0]}]}'),
        Page(200, b'{"data": [{"index": 5, "embedding": [1, 0, 0]}]}'),
        Page(307, b"", {"location": "/v1/messages"}),
        embeddings([]),
        embeddings([[1, 0]]),
        embeddings([[1, 0, 0], [1, 0, 0]]),
        401,
        429,
        500,
    ],
    ids=str,
)
async def test_what_is_no_vector_is_an_outage_that_tells_nothing_of_the_key(
    llm: FakeLLM, made: Made, reply: Any
) -> None:
    llm.script["embed"] = reply
    model = made(llm_failure_threshold=1)
    with pytest.raises(ModelUnavailable) as failed:
        await model.embed(["one"])
    assert KEY not in f"{failed.value!r} {failed.value} {failed.value.details}"
    llm.script["embed"] = embeddings([[1, 0, 0]])
    with pytest.raises(ModelUnavailable):
        await model.embed(["one"])
    assert len(llm.requests) == 1, "a provider that failed is left alone"


async def test_texts_that_are_refused_do_not_take_the_provider_away_from_others(llm: FakeLLM, made: Made) -> None:
    llm.script["embed"] = [400, embeddings([[1, 0, 0]])]
    model = made(llm_failure_threshold=1)
    with pytest.raises(ModelUnavailable):
        await model.embed(["one"])
    assert await model.embed(["two"]) == [[1, 0, 0]]


async def test_a_provider_that_takes_too_long_is_not_waited_for(llm: FakeLLM, made: Made) -> None:
    llm.script["embed"] = HANG
    with pytest.raises(ModelTimeout):
        await made(embeddings_timeout=0.2).embed(["one"])


async def test_a_provider_that_is_not_there_is_an_outage(llm: FakeLLM, made: Made) -> None:
    with pytest.raises(ModelUnavailable):
        await made(embeddings_base_url="http://127.0.0.1:1/v1").embed(["one"])


def test_without_a_model_there_is_none() -> None:
    assert configured_embeddings(Settings(openai_api_key=KEY), lambda: 0.0) is None


def test_the_key_of_openai_goes_to_its_address_alone() -> None:
    given = {"embeddings_model": "m", "openai_api_key": KEY}
    found = configured_embeddings(Settings(**given), lambda: 0.0)
    assert found is not None
    assert (found.name, found.size) == ("m", 1536)
    assert KEY not in repr(found)
    with pytest.raises(SettingsError) as failed:
        configured_embeddings(Settings(**given, embeddings_base_url="https://vectors.example/v1"), lambda: 0.0)
    assert failed.value.details["variable"] == "MOOTHALL_EMBEDDINGS_API_KEY"


@pytest.mark.parametrize(
    "more", [{"embeddings_base_url": "ftp://x"}, {"embeddings_api_key": "two\nlines"}, {"embeddings_api_key": ""}]
)
async def test_settings_that_make_no_sense_are_refused_when_a_node_starts(
    llm: FakeLLM, tmp_path: Path, more: dict[str, str]
) -> None:
    node = Node(settings(llm, data=tmp_path, **more))
    with pytest.raises(SettingsError):
        await node.start()


@capability(expose_to="both")
def casks() -> str:
    """We brew ale and stout."""
    return "done"


@capability(expose_to="both")
def locks() -> str:
    """Keys for old doors."""
    return "done"


async def found(node: Node, query: str) -> list[str]:
    return [hit.target for hit in (await node.call("local:search", query=query, kinds=["capability"])).hits]


async def test_a_node_finds_what_no_word_says_while_its_provider_answers(llm: FakeLLM, tmp_path: Path) -> None:
    llm.script["embed"] = meant
    node = Node(settings(llm, data=tmp_path, demo_agents=False, llm_provider="none"))
    node.add(Agent("cooper", casks, locks))
    async with node:
        assert await found(node, "brew") == ["local:cooper.casks"]
        await llm.got(1, "embed")
        while not (hits := await found(node, "啤酒")):  # noqa: ASYNC110 - its vectors come afterwards, and nobody is told
            await asyncio.sleep(0)
        assert hits == ["local:cooper.casks"]
        llm.script["embed"] = 500
        assert await found(node, "啤酒") == []
        assert await found(node, "brew") == ["local:cooper.casks"]
