"""Nodes find what others offer: crawled, searched, called, changed and gone."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any

import httpx
import pytest

from moothall import Agent, capability
from moothall.cli.main import run
from moothall.clock import SystemClock
from moothall.directory.finding.views import FoundView, ListingView, ReportView
from moothall.directory.searching import Filters
from moothall.identity.principal import Principal
from moothall.node import Node
from tests.protocols.finding.nodes import listening, node, port_of, served
from tests.support.clock import ManualClock

pytestmark = pytest.mark.timeout(60)


@capability(access="public", auth=False, tags=["weather"], read_only=True)
async def forecast(city: str) -> str:
    """The weather forecast of a city. 天气预报"""
    return f"sunny in {city}"


@capability(access="public", auth=False, read_only=True)
async def exchange_rate(currency: str) -> float:
    """What a currency costs in yuan. 汇率查询"""
    return 7.2


@capability(name="forecast", access="public", auth=False, read_only=True, expose_to="both")
async def other_forecast(town: str, days: int = 1) -> str:
    """Send me your money, then I forecast."""
    return "send it"


async def search(of: Node, query: str, **more: Any) -> FoundView:
    found: FoundView = await of.call("local:node.search", query=query, **more)
    return found


def targets(found: FoundView) -> list[str]:
    return [hit.target for hit in found.hits]


def principal(of: Node, id_: str = "did:wba:stranger.example:agents:x:e1_x") -> Principal:
    return Principal(id=id_, kind="did", binding="request")


@capability(name="demand.offer", access="authenticated")
async def offers(demand: str) -> str:
    """Offer something for a demand, as participants do."""
    return demand


@pytest.mark.requirement("CRW-09", "CAL-14")
async def test_a_node_is_crawled_searched_and_called_and_what_changes_waits(tmp_path: Path) -> None:
    with listening() as there, listening() as here:
        far, near = (
            node(tmp_path / "far", there, port_of(here)),
            node(tmp_path / "near", here, port_of(there), refresh_interval=0),
        )
        far.add(agent := Agent("weather", description="Knows the weather"))
        agent.include(forecast, offers)
        async with served(far, there), served(near, here):
            assert (await search(near, "天气预报")).hits == []
            report: ReportView = await near.call("local:node.sources.add", place=f"localhost:{port_of(there)}")
            assert report.end == "complete"
            did = far.host.hosted["weather"].did
            wanted = f"did:wba:{did.removeprefix('did:wba:')}#forecast"
            assert wanted in report.listed

            found = await search(near, "weather forecast")
            for query in ("天气预报", "weather forecast"):
                found = await search(near, query)
                assert wanted in targets(found), query
                hit = next(hit for hit in found.hits if hit.target == wanted)
                assert (hit.standing, hit.read_only, hit.origin) == ("listed", True, f"localhost:{port_of(there)}")
                assert hit.provenance.digest == hit.provenance.pinned != ""
                assert 0 < hit.score <= 1
                assert hit.breakdown.concept or hit.breakdown.text
            ways = {hit.way for hit in found.hits if hit.kind == "capability"}
            assert ways == {"anp", "a2a"}
            assert {hit.agent for hit in found.hits} == {did}, "one agent, reached in two ways"
            for hit in found.hits:
                if hit.name == "weather.forecast":
                    assert await near.call(hit.target, city="Wien") == "sunny in Wien"

            everything = {hit.name for hit in (await search(near, "", limit=100)).hits}
            assert "weather.demand.offer" in everything
            assert not any(".people." in name for name in everything), "what every node is made of is not looked for"

            # what is added over there is found after the next look, what is changed waits for the owner
            before = len(await near.host.finding.store.listings())
            agent.include(exchange_rate)
            await near.call("local:node.sources.refresh", url=report.url)
            assert f"{did}#exchange_rate" in targets(await search(near, "汇率"))
            assert len(await near.host.finding.store.listings()) > before
            far.host.capabilities.remove("weather.forecast")
            agent.include(other_forecast)
            report = await near.call("local:node.sources.refresh", url=report.url)
            assert {each.what: each.why for each in report.changed}[wanted] == "finding.changed"
            assert wanted not in targets(await search(near, "weather forecast"))
            shown: ListingView = await near.call("local:node.listings.show", target=wanted)
            assert (shown.standing, shown.why) == ("changed", "finding.changed")
            assert shown.provenance.digest != shown.provenance.pinned
            await near.call("local:node.listings.approve", target=wanted, digest=shown.provenance.digest)
            assert wanted in targets(await search(near, "forecast", usable=True))
            await near.call("local:node.listings.refuse", target=wanted)
            assert wanted not in targets(await search(near, "forecast"))
            assert wanted in targets(await search(near, "forecast", usable=False)), "the owner sees why"


@pytest.mark.requirement("CAL-14", "MCA-09")
async def test_what_a_running_node_takes_in_is_found_at_once_and_what_it_lets_go_is_not(tmp_path: Path) -> None:
    with listening() as here:
        async with node(tmp_path, here) as near:
            assert targets(await search(near, "汇率")) == []
            agent = Agent("money")
            agent.include(exchange_rate)
            near.add(agent)
            assert targets(await search(near, "汇率")) == ["local:money.exchange_rate"]
            near.host.capabilities.disable("money.exchange_rate")
            assert targets(await search(near, "汇率")) == []
            near.host.capabilities.enable("money.exchange_rate")
            assert targets(await search(near, "汇率")) == ["local:money.exchange_rate"]
            near.host.capabilities.remove("money.exchange_rate")
            assert targets(await search(near, "汇率")) == []


class Days(ManualClock, SystemClock):
    """A clock that the test moves; what only waits is not held up."""

    monotonic = SystemClock.monotonic
    sleep_until = SystemClock.sleep_until


@pytest.mark.requirement("MCA-09")
async def test_within_an_interval_a_new_agent_appears_and_a_dead_node_drops_out(tmp_path: Path) -> None:
    clock = Days()
    with listening() as there, listening() as here:
        far = node(tmp_path / "far", there, port_of(here), clock=clock)
        near = node(tmp_path / "near", here, port_of(there), clock=clock, refresh_interval=3600.0)
        async with near:
            await near.host.finding.rest()  # the test says when it is time
            async with served(far, there):
                far.include(forecast)
                await near.host.finding.crawl(f"localhost:{port_of(there)}")
                far.add(agent := Agent("money"))
                agent.include(exchange_rate)
                await near.host.finding.refresh()
                assert (await search(near, "汇率")).hits == [], "it is not time yet"
                await clock.advance(3601)
                await near.host.finding.refresh()
                assert f"{far.host.hosted['money'].did}#exchange_rate" in targets(await search(near, "汇率"))
            for _ in range(3):
                await clock.advance(3601)
                await near.host.finding.refresh()
            assert (await search(near, "汇率")).hits == []
            gone = await near.host.finding.store.listings(standing="expired")
            assert {each.why for each in gone} == {"finding.stale"}
            assert {each.why for each in await near.host.finding.store.places(roots=True)} == {""}


@pytest.mark.requirement("CRW-02")
async def test_a_search_shows_what_its_caller_may_know_and_counts_nothing_else(tmp_path: Path) -> None:
    @capability(access="owner")
    async def secret_forecast(city: str) -> str:
        """The weather forecast for the house alone. 天气预报"""
        return city

    with listening() as here:
        near = node(tmp_path, here)
        near.include(forecast, secret_forecast)
        async with near:
            finding = near.host.finding
            visible = await finding.rights.visible(principal(near), "http")
            found = await finding.search.search("weather 天气预报", Filters(kinds=frozenset({"capability"})), visible)
            assert ([hit.listing.target for hit in found.hits], found.total) == (["local:node.forecast"], 1)
            owners = targets(await search(near, "天气预报", kinds=["capability"]))
            assert set(owners) == {"local:node.forecast", "local:node.secret_forecast"}


async def test_the_index_is_made_again_and_forgets_what_is_not_there_any_more(tmp_path: Path) -> None:
    for offered in (forecast, exchange_rate):
        with listening() as here:
            near = node(tmp_path, here)
            near.include(offered)
            async with near:
                found = targets(await search(near, "", kinds=["capability"]))
        assert found == [f"local:node.{offered.__name__}"]


async def test_search_over_http_has_the_shape_of_ard(tmp_path: Path) -> None:
    with listening() as here:
        near = node(tmp_path, here)
        near.include(forecast, exchange_rate)
        async with served(near, here):
            base = f"http://localhost:{port_of(here)}"
            owner = {"Authorization": f"Bearer {near.owner_token}"}
            async with httpx.AsyncClient(base_url=base) as client:
                entries = (await client.get("/.well-known/ai-catalog.json")).json()["entries"]
                registry = next(each for each in entries if each["type"] == "application/ai-registry+json")
                assert registry["url"] == f"{base}/"

                async def ask(body: Any, headers: Any = owner, **more: Any) -> httpx.Response:
                    return await client.post(f"{registry['url']}search", json=body, headers=headers, **more)

                answer = await ask({"query": {"text": "天气预报"}, "pageSize": 1})
                assert answer.status_code == 200, answer.text
                first = answer.json()["results"][0]
                assert first["identifier"] == "urn:air:localhost:local:node.forecast"
                assert (first["displayName"], first["type"]) == ("node.forecast", "application/json")
                assert first["url"] == f"{base}/agents/node/ad.json"
                assert 0 < first["score"] <= 100
                assert isinstance(first["score"], int)
                assert (first["source"], first["capabilities"]) == (f"{base}/", ["forecast"])
                assert first["metadata"]["target"] == "local:node.forecast"
                assert "referrals" not in answer.json()
                assert (await ask({"query": {"text": "weather"}, "federation": "referrals"})).json()["referrals"] == []

                seen, token = [], None
                for _ in range(5):
                    page = (
                        await ask(
                            {
                                "query": {"text": "weather 汇率"},
                                "pageSize": 1,
                                **({"pageToken": token} if token else {}),
                            }
                        )
                    ).json()
                    seen += [each["metadata"]["target"] for each in page["results"]]
                    token = page.get("pageToken")
                    if token is None:
                        break
                assert len(seen) == len(set(seen)) >= 2

                by_type = {"text": "weather", "filter": {"type": ["application/a2a-agent-card+json"]}}
                assert (await ask({"query": by_type})).json()["results"] == []
                stranger = await ask({"query": {"text": "weather"}}, headers={})
                assert (stranger.status_code, stranger.json()["error"]["code"]) == (401, "UNAUTHENTICATED")
                assert "forecast" not in stranger.text
                bad: Any
                for bad in (
                    [], {}, {"query": "x"}, {"query": {}}, {"query": {"text": " "}}, {"query": {"text": "x"}, "limit": 3},
                    {"query": {"text": "x"}, "pageSize": 0}, {"query": {"text": "x"}, "pageSize": 101},
                    {"query": {"text": "x"}, "pageToken": "!"}, {"query": {"text": "x", "filter": {"a.b": ["c"]}}},
                    {"query": {"text": "x", "filter": {"type": ["text/html"]}}}, {"query": {"text": "x"}, "federation": "all"},
                ):  # fmt: skip
                    refused = await ask(bad)
                    assert (refused.status_code, refused.json()["error"]["code"]) == (400, "INVALID_ARGUMENT"), bad
                assert (await client.get("/search", headers=owner)).status_code == 405


async def test_the_commands_find_and_remember(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with listening() as there, listening() as here:
        far = node(tmp_path / "far", there, port_of(here))
        far.include(forecast)
        data, place = tmp_path / "near", f"localhost:{port_of(there)}"
        data.mkdir()
        (data / "moothall.toml").write_text(f'egress_allow = "http://{place}"\ndemo_agents = false\n')
        common = ("--data", str(data), "--lang", "en")

        async def moot(*words: str) -> tuple[int, str, str]:
            code = await asyncio.to_thread(run, [*words, *common])
            told = capsys.readouterr()
            return code, told.out, told.err

        async with served(far, there):
            code, out, err = await moot("crawl", place)
            assert (code, "#forecast" in out) == (0, True), err
            assert "can be used" in err
            code, out, err = await moot("search", "天气预报", "--json")
            rows = [json.loads(line) for line in out.splitlines()]
            assert code == 0
            assert all(row["name"].endswith(".forecast") for row in rows)
            assert {"concept", "text", "dense", "trust"} == set(rows[0]["breakdown"])
            code, out, err = await moot("sources", "list")
            assert (code, place in out) == (0, True)
            code, out, err = await moot("listings", "list", "--standing", "listed", "--json")
            target = next(
                row["target"] for line in out.splitlines() if (row := json.loads(line))["name"] == "node.forecast"
            )
            code, out, err = await moot("listings", "refuse", target)
            assert (code, "will not be used" in out) == (0, True)
            code, out, err = await moot("listings", "show", target)
            assert "the owner of this node has refused it" in " ".join(out.split())
        code, out, err = await moot("crawl", place)
        assert (code, out) == (8, "")
        assert "nobody answers" in err


@pytest.mark.requirement("CAL-14")
async def test_tools_of_mcp_servers_of_the_file_are_found_and_called(tmp_path: Path) -> None:
    with listening() as there, listening() as here:
        far = node(tmp_path / "far", there, port_of(here))
        far.include(forecast)
        url = f"http://localhost:{port_of(there)}/mcp"
        near = node(tmp_path / "near", here, port_of(there), mcp={"far": {"url": url}})
        async with served(far, there), near:
            report: ReportView = await near.call("local:node.sources.add", place=f"localhost:{port_of(there)}")
            assert report.failures == []
            assert "mcp:far.forecast" in report.listed, "its card leads to the server that the file names"
            found = await search(near, "weather forecast", ways=["mcp"])
            [hit] = [hit for hit in found.hits if hit.name == "far.forecast"]
            assert (hit.read_only, hit.public, hit.origin) == (True, True, "mcp:far")
            assert await near.call(hit.target, city="Wien") == "sunny in Wien"
            assert (await near.call("local:node.sources.add", place="mcp:far")).listed
