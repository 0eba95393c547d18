"""The examples run, and the README's Python lines do what they say."""

from __future__ import annotations

import asyncio
import json
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import httpx2
import pytest
from mcp import Client
from mcp.client.streamable_http import streamable_http_client
from mcp_types import ElicitResult

from moothall.cli import nodefile
from tests.support.program import ENVIRONMENT, Served, moot, serving

ROOT = Path(__file__).parents[1]
MOOT = Path(sys.executable).with_name("moot")


async def test_a_node_from_a_file_lets_its_own_code_speak_for_an_agent(tmp_path: Path) -> None:
    data = tmp_path / "data"
    server = await asyncio.create_subprocess_exec(
        MOOT, "serve", ROOT / "examples" / "remote_participant.py", "--port", "0", "--data", data,
        stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.DEVNULL,
    )  # fmt: skip
    assert server.stdout is not None
    try:
        await server.stdout.readline()
        client = await asyncio.create_subprocess_exec(
            MOOT, "demand", "在北京办一场30人的AI聚会，需要场地", "--data", data, "--json", "--watch",
            stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.DEVNULL,
        )  # fmt: skip
        out, _ = await client.communicate()
    finally:
        server.terminate()
        await server.wait()
    events = [json.loads(line) for line in out.decode().splitlines()]
    assert events, out
    offers = {item["payload"]["agent_id"]: item["payload"] for item in events if "offer" in item["event_type"]}
    assert offers["user_agent_qingshe_space"]["contribution"] == "可提供60人活动空间"


async def test_the_lines_of_the_readme(tmp_path: Path) -> None:
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    block = readme.partition("## In Python\n\n")[2].partition("\n\nAn agent need not")[0]
    lines = [line.removeprefix("    ") for line in block.splitlines()]
    body = "\n".join(f"    {line}" for line in lines)
    script = tmp_path / "lines.py"
    script.write_text(f"import asyncio\n\nasync def main():\n{body}\n\nasyncio.run(main())\n", encoding="utf-8")
    process = await asyncio.create_subprocess_exec(
        sys.executable, script, cwd=tmp_path, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.DEVNULL
    )
    out, _ = await process.communicate()
    assert process.returncode == 0
    assert "towow.proposal.finalized" in out.decode()


@pytest.fixture(scope="module")
def weather(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    place = tmp_path_factory.mktemp("weather")
    with serving(
        ROOT / "examples" / "weather_agent.py", cwd=place, data="data", MOOTHALL_EGRESS_ALLOW="http://localhost"
    ) as node:
        yield node


def post(node: Served, name: str, body: object, *, owner: bool = False, **headers: str) -> httpx.Response:
    known = nodefile.read(node.data)
    assert known is not None
    proof = {"Authorization": f"Bearer {known.owner_token}"} if owner else {}
    return httpx.post(f"{node.url}{name}", json=body, headers=proof | headers, trust_env=False)


def capability(name: str) -> str:
    return f"/api/v1/capabilities/{name}"


def value(answer: httpx.Response) -> Any:
    return answer.json()["data"]


def test_the_commands_of_the_agent_with_methods(weather: Served) -> None:
    text = (ROOT / "examples" / "weather_agent.py").read_text(encoding="utf-8")
    commands = [line.split()[1:] for line in re.findall(r"^moot (?:call|tools) .*$", text, re.MULTILINE)]
    assert len(commands) == 3
    done = [moot(*words, "--data", weather.data, cwd=weather.data.parent) for words in commands]
    described, forecast, hours = [one.stdout for one in done]
    assert "weather.forecast" in described
    assert len(json.loads(forecast)) == 2
    assert len(hours.splitlines()) == 24


def test_the_agent_with_methods_lets_in_whom_it_says(weather: Served) -> None:
    days = value(post(weather, capability("weather.forecast"), {"city": "上海"}))
    assert [sorted(day) for day in days] == [["date", "degrees", "sky"]] * 3
    assert post(weather, capability("weather.forecast"), {"city": "上海", "days": 15}).status_code == 400
    assert post(weather, capability("weather.hours"), {"city": "上海"}).status_code == 401
    assert post(weather, capability("weather.statistics"), {}).status_code == 401
    assert len(value(post(weather, capability("weather.hours"), {"city": "上海"}, owner=True))) == 24


def test_the_agent_with_methods_tells_progress_and_remembers_who_asked(weather: Served) -> None:
    compare = capability("weather.compare")
    answer = post(weather, compare, {"cities": ["Paris", "上海"]}, owner=True, Accept="text/event-stream")
    events = re.findall(r"event: (\w+)\ndata: (.*)", answer.text)
    assert [kind for kind, _ in events] == ["progress", "progress", "end"]
    assert json.loads(events[1][1]) == {"done": 2, "total": 2, "message": "上海"}
    assert json.loads(events[2][1])["data"] in {"Paris", "上海"}
    assert value(post(weather, capability("weather.statistics"), {}, owner=True)) == {"owner": 1}
    assert post(weather, compare, {"cities": []}, owner=True).json()["error"]["code"] == "VALIDATION_ERROR"


def test_two_nodes_in_one_program(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, ROOT / "examples" / "two_nodes.py"],
        cwd=tmp_path, env=ENVIRONMENT, capture_output=True, text=True, check=False,
    )  # fmt: skip
    greeting, refusal = done.stdout.splitlines()
    assert re.fullmatch(r"hello, did:wba:localhost%3A\d+:agents:guest:e1_[\w-]{43}", greeting)
    assert refusal == "refused: PERMISSION_DENIED"


@pytest.mark.timeout(120)  # it starts several programs, one after another
def test_every_decorator_of_the_specification(weather: Served, tmp_path: Path) -> None:
    (tmp_path / "translator.py").write_text(
        "from moothall import Node, capability\n\n@capability(access='public')\n"
        "def translate(text: str, target_lang: str) -> str:\n    return f'{target_lang}: {text.upper()}'\n\n"
        "node = Node()\nnode.include(translate)\n",
        encoding="utf-8",
    )
    reach = {"MOOTHALL_EGRESS_ALLOW": "http://localhost", "WEATHER": weather.did("weather")}
    with serving("translator.py", cwd=tmp_path, data="there", **reach) as there:
        reach["TRANSLATOR"] = f"http://localhost:{there.url.rpartition(':')[2]}{capability('translate')}"
        with serving(ROOT / "examples" / "decorators.py", cwd=tmp_path, data="here", **reach) as here:
            calls: dict[str, tuple[dict[str, object], object]] = {
                "add_numbers": ({"a": 1, "b": 2}, 3),
                "calculate": ({"params": {"a": 6, "b": 7, "op": "multiply"}}, 42.0),
                "admin_function": ({"action": "x"}, {"action": "x", "status": "executed"}),
                "network_only_api": ({"param": "x"}, "Network response: x"),
                "calculate_service": ({"a": 1, "b": 2, "operation": "add"}, 3.0),
                "translate": ({"text": "x", "target_lang": "en"}, "en: X"),
                "translate_or_quote": ({"text": "x", "target_lang": "en"}, "en: X"),
                "advanced_service": ({"text": "x"}, "zh: X"),
                "shop.buy": ({"item": "tea"}, "1 × tea"),
            }
            for name, (arguments, expected) in calls.items():
                answer = post(here, capability(name), arguments, owner=True)
                assert value(answer) == expected, name
            assert len(value(post(here, capability("get_weather"), {"city": "Paris"}, owner=True))) == 3
            assert post(here, capability("private_note"), {}, owner=True).status_code == 404
            assert post(here, capability("admin_function"), {"action": "x"}).status_code == 401
            assert moot("call", "local:private_note", "--data", here.data, cwd=tmp_path).stdout.startswith("nobody")
            assert moot("call", "local:network_only_api", "param=x", "--data", here.data, cwd=tmp_path).returncode == 5
            own = httpx.get(f"{here.url}/calculate?a=2&b=3&operation=multiply", trust_env=False).json()
            assert (own["data"], "rate_limit_remaining" in own["metadata"]) == (6.0, True)
            assert value(post(here, "/shop/buy", {"item": "tea", "number": 2})) == "2 × tea"
        reach["TRANSLATOR"] = reach["TRANSLATOR"].replace("translate", "nothing_there")
        with serving(ROOT / "examples" / "decorators.py", cwd=tmp_path, data="again", **reach) as here:
            quoted = post(here, capability("translate_or_quote"), {"text": "x", "target_lang": "en"}, owner=True)
            assert value(quoted) == "[en] x"
            assert post(here, capability("translate"), {"text": "x", "target_lang": "en"}, owner=True).is_error


def test_who_may_do_what_is_denied_explained_opened_and_on_record(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, ROOT / "examples" / "who_may_do_what.py"],
        cwd=tmp_path, env=ENVIRONMENT, capture_output=True, text=True, check=False,
    )  # fmt: skip
    *said, verified = done.stdout.splitlines()
    assert said == [
        "local:diary.today: denied",
        "why: No sufficient authorization",
        "local:diary.today: {'what': 'dentist at 9'}",
        "local:diary.note: denied",
        "local:diary.note: 1 noted",
        "local:diary.note: denied",
        "pay: waits for an approval",
        "pay: paid 80 to the dentist",
    ], done.stderr
    assert re.fullmatch(r"node-[0-9a-f]+: records 1 to (\d+) are sound; signed up to \1", verified)
    assert done.returncode == 0


@pytest.mark.parametrize("name", ["policy.md", "policy.zh-CN.md"], ids=["en", "zh"])
def test_the_files_that_the_document_of_policies_shows_are_accepted(tmp_path: Path, name: str) -> None:
    text = (ROOT / "docs" / name).read_text(encoding="utf-8")
    shown = [
        "".join(line[4:] + "\n" for line in block.splitlines()).lstrip()
        for block in re.findall(r"(?:^ {4}.*\n|^\n(?= {4}))+", text, re.MULTILINE)
    ]
    beginnings = {
        "policy/people.toml": "[[person]]",
        "policy/policy.toml": "[[resource]]",
        "policy/own.cedar": "@id",
        "cases.toml": "[[case]]",
    }
    (tmp_path / "policy").mkdir()
    for file, beginning in beginnings.items():
        [block] = [block for block in shown if block.startswith(beginning)]
        (tmp_path / file).write_text(block, encoding="utf-8")
    checked = moot("policy", "check", "policy", cwd=tmp_path)
    assert checked.returncode == 0, checked.stderr
    tried = moot("policy", "test", "cases.toml", "--policies", "policy", cwd=tmp_path)
    assert tried.returncode == 0, tried.stdout


def test_an_a2a_agent_and_a_node_that_calls_it(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, ROOT / "examples" / "a2a_agents.py"],
        cwd=tmp_path, env=ENVIRONMENT, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.stdout.splitlines() == ["[zh] hello", "[fr] hello", "['one', 'by', 'one']"], done.stderr


async def test_the_restaurant_over_mcp(tmp_path: Path) -> None:
    async def fill_in(_: Any, params: Any) -> ElicitResult:
        assert params.message == "A table for Ada on friday: how large?"
        return ElicitResult(action="accept", content={"people": 3, "outside": True})

    with serving(ROOT / "examples" / "mcp_tools.py", cwd=tmp_path, data="data") as node:
        async with (
            httpx2.AsyncClient(timeout=20, trust_env=False) as http,
            Client(
                streamable_http_client(f"{node.url}/mcp", http_client=http),
                mode="2026-07-28", elicitation_callback=fill_in,
            ) as client,
        ):  # fmt: skip
            booked = await client.call_tool("book", {"name": "Ada", "day": "friday"})
            assert booked.structured_content == {"result": "Ada, friday: 3 people, outside"}
            [content] = (await client.read_resource("menu://friday")).contents
            assert json.loads(content.text) == ["noodles", "fish"]
            assert {str(one.uri) for one in (await client.list_resources()).resources} == {"menu://days"}
            asked = await client.get_prompt("recommend", {"day": "friday"})
            assert "menu://friday" in asked.messages[0].content.text
        dishes = moot("call", "local:dishes", "day=friday", "--data", node.data, "--json", cwd=tmp_path)
        assert json.loads(dishes.stdout) == ["noodles", "fish"]
