"""The client of the conformance suite: it calls the suite's server as this node calls any MCP server.

The suite starts a program for every scenario, many at once. Ours only says which scenario and which server it is, to
the process of the test, where `visit` does the work: to start forty interpreters that import everything takes minutes.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qs, urlsplit

from moothall.calls.ports import Outgoing
from moothall.calls.target import Target
from moothall.capability.questions import Answers, Form, LogLevel, Questions
from moothall.errors import MoothallError, Unauthenticated
from moothall.identity.allowed import Allowed
from moothall.identity.egress import Egress
from moothall.protocols.mcp.remote.connector import McpConnector
from moothall.protocols.mcp.remote.servers import servers_of

ABOUT_US = "https://conformance-test.local/client-metadata.json"
SECONDS = 25.0
ARGUMENTS: Mapping[str, dict[str, Any]] = {"add_numbers": {"a": 5, "b": 3}}


class Agreeing:
    """Somebody who opens the page on which they are asked, and is sent back at once."""

    redirect_uri = "http://localhost:3000/callback"

    def __init__(self, egress: Egress) -> None:
        self._egress = egress
        self._answer: dict[str, str] = {}

    async def open(self, url: str) -> None:
        fetched = await self._egress.request("GET", url)
        given = parse_qs(urlsplit(fetched.headers["location"]).query)
        self._answer = {name: values[0] for name, values in given.items()}

    async def answer(self) -> Mapping[str, str]:
        return self._answer


class Accepting:
    """A person who fills a form in with what stands there already."""

    async def ask(self, questions: Questions) -> Answers:
        return {name: {"action": "accept", "content": self._filled(asked)} for name, asked in questions.items()}

    async def log(self, level: LogLevel, data: Any, topic: str) -> None:
        """Nobody reads it."""

    @staticmethod
    def _filled(asked: object) -> dict[str, Any]:
        assert isinstance(asked, Form)
        properties = asked.schema.get("properties", {})
        return {name: each.get("default", _any_of(each)) for name, each in properties.items()}


def _any_of(schema: Mapping[str, Any]) -> Any:
    return {"boolean": True, "integer": 1, "number": 1.0}.get(schema.get("type", ""), "x")


def table(url: str, scenario: str, context: Mapping[str, Any], environ: dict[str, str]) -> dict[str, Any]:
    """The server as an operator would list it; `environ` gets the secrets."""
    if not scenario.startswith("auth/"):
        return {"url": url}
    found = {"url": url, "auth": "oauth", "metadata_url": ABOUT_US, "issuer": "*"}
    for key in ("client_id", "client_secret"):
        if context.get(key):
            environ[key] = context[key]
            found[f"{key}_env"] = key
    return found


async def visit(url: str, scenario: str, context: Mapping[str, Any]) -> None:
    """Do what a scenario wants to see."""
    environ: dict[str, str] = {}
    egress = Egress(Allowed.parsed("http://localhost,http://127.0.0.1"))
    by_code = scenario.startswith("auth/") and not scenario.startswith("auth/client-credentials")
    connector = McpConnector(
        servers_of({"suite": table(url, scenario, context, environ)}),
        sessions=lambda _agent: egress,
        egress=egress,
        environ=environ,
        sign_in=Agreeing(egress) if by_code else None,
    )
    try:
        await _calls(connector, scenario, context)
    finally:
        await connector.aclose()
        await egress.aclose()


async def _calls(connector: McpConnector, scenario: str, context: Mapping[str, Any]) -> None:
    """List the tools, and call what the scenario wants called: every tool, with what its schema asks for."""
    listed = await connector.describe(Target("mcp", "suite"), "node")
    wanted = context.get("toolCalls") or [
        {"name": tool["name"], "arguments": ARGUMENTS.get(tool["name"]) or _arguments(tool["input_schema"])}
        for tool in listed["operations"]
        if scenario != "initialize"
    ]
    for each in wanted:
        outgoing = Outgoing(
            target=Target("mcp", "suite", each["name"]),
            params=each.get("arguments") or {},
            agent="node",
            timeout=SECONDS,
            partner=Accepting(),
        )
        try:
            await connector.call(outgoing)
        except Unauthenticated:
            raise
        except MoothallError:
            continue  # the suite offers tools that must fail


def _arguments(schema: Mapping[str, Any]) -> dict[str, Any]:
    properties = schema.get("properties", {})
    return {name: _any_of(properties.get(name, {})) for name in schema.get("required", [])}
