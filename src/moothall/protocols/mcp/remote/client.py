"""One server as it is called: its client, its tools, and what its answers are to us."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any, Final, TypeVar, cast

import httpx2
import jsonschema
from mcp.client import Client
from mcp.client.streamable_http import streamable_http_client
from mcp.shared.exceptions import MCPError
from mcp_types import (
    CallToolRequest,
    CallToolRequestParams,
    Implementation,
    InputRequiredResult,
    InputResponses,
    RequestParamsMeta,
    ServerNotification,
    Tool,
    ToolListChangedNotification,
)
from mcp_types.jsonrpc import HEADER_MISMATCH
from pydantic import RootModel

from moothall.calls.ports import Outgoing
from moothall.capability.spec import JsonObject
from moothall.capability.unstructured import Unstructured
from moothall.errors import InputRequired, MoothallError
from moothall.protocols.approving import metadata_of
from moothall.protocols.failures import remote_error
from moothall.protocols.mcp.remote.asking import Asked, answers_to, left_open
from moothall.protocols.mcp.remote.carriage import MOST_ANSWERED, Contained, GuardedCarriage, Session
from moothall.protocols.mcp.remote.child import child
from moothall.protocols.mcp.remote.exchange import Exchange
from moothall.protocols.mcp.remote.failures import FAILURES, failure_in, failure_of, pending_in, unanswered, unknown
from moothall.protocols.mcp.remote.link import Link, Pinned
from moothall.protocols.mcp.remote.oauth import Kept, SignIn, provider_of, secret_of
from moothall.protocols.mcp.remote.progress import Telling
from moothall.protocols.mcp.remote.servers import HttpServer, Server, StdioServer
from moothall.protocols.mcp.remote.tools import Tools, described, wraps
from moothall.telemetry import logger
from moothall.tracing import HEADER, current

_IDLE_SECONDS: Final = 300.0
_ROUNDS: Final = 10
_PAUSE_SECONDS: Final = 0.05
_SHOWN: Final = 500
_OURSELVES: Final = Implementation(name="moothall", version="1")
_KEY, _TIMEOUT, _HOPS = "moothall/idempotencyKey", "moothall/timeout", "moothall/hops"
_WRAPPED: Final = "moothall/wrapped"
_WRAP: Final = "result"
_LISTED_SECONDS: Final = 5.0
"""For the list of tools, once a call has succeeded."""

_log = logger("mcp")
for _name in ("client", "mcp.client"):  # they write a traceback for every odd event: the far side would fill the log
    logging.getLogger(_name).setLevel(logging.CRITICAL)
T = TypeVar("T")


class _Answer(RootModel[JsonObject]):
    """A result as it came; which kind it is shows when it is read."""


class RemoteServer:
    """A server, for one agent where requests are signed.

    Args:
        server: its table.
        session: the way out to it.
        environ: where its secrets are.
        sign_in: who agrees to an authorization, if anybody can.
    """

    def __init__(
        self, server: Server, session: Session, environ: Mapping[str, str], sign_in: SignIn | None = None
    ) -> None:
        self._server = server
        self._session = session
        self._environ = environ
        self._sign_in = sign_in
        self._tokens = Kept()
        self._asked = Asked()
        self._link = Link(server.name, self._opened, _IDLE_SECONDS, starts=isinstance(server, StdioServer))
        self._tools = Tools(self._link.start)

    async def call(self, outgoing: Outgoing) -> Any:  # noqa: ANN401 - JSON of any shape
        """Call a tool and return its value; raises as `Connector.call`."""
        seconds = min(outgoing.timeout, self._server.timeout or outgoing.timeout)
        exchange = Exchange(seconds, partner=outgoing.partner, target=str(outgoing.target), about=outgoing.params)

        async def work(client: Client) -> Any:  # noqa: ANN401 - JSON of any shape
            listed = self._tools.known(outgoing.target.operation)  # it may change while the tool works
            try:
                with self._asked.during(exchange):
                    result = await self._answered(client, outgoing, exchange)
            except MCPError as error:
                if not unknown(error) or exchange.failure is not None:
                    raise
                self._tell(outgoing, error.message)
                known = outgoing.target.operation in await self._tools.all(client, fresh=True)
                raise remote_error("VALIDATION_ERROR" if known else "NOT_FOUND") from error
            if left_open(exchange):
                raise exchange.failure or unanswered()
            if result.get("isError") is True and (exchange.asked or exchange.failure is not None):
                raise exchange.failure or unanswered()
            return await self._value(client, outgoing, result, exchange, listed)

        return await self._within(exchange, work)

    async def describe(self, seconds: float) -> JsonObject:
        """The tools with their schemas."""

        async def work(client: Client) -> JsonObject:
            tools = await self._tools.all(client, fresh=True)
            about = client.server_info
            return {
                "server": self._server.name,
                "name": (about.title or about.name) if about else "",
                "protocol": client.protocol_version,
                "description": (client.instructions or "")[:_SHOWN],
                "operations": [described(tool) for tool in tools.values()],
            }

        return await self._within(Exchange(seconds), work)

    async def aclose(self) -> None:
        """End the connection, and the program behind it."""
        await self._link.aclose()

    async def _within(self, exchange: Exchange, work: Callable[[Client], Awaitable[T]]) -> T:
        try:
            return await self._link.run(work, exchange)
        except (MoothallError, *FAILURES) as error:
            found = failure_of(error, exchange)
            if found is error:
                raise
            _log.debug("MCP server %s: %s", self._server.name, str(error)[:_SHOWN])
            raise found from (found.__cause__ or error)

    async def _answered(self, client: Client, outgoing: Outgoing, exchange: Exchange) -> JsonObject:
        """The result of a call, once the server's questions have been answered.

        Raises:
            ApprovalPending: it is another moothall node, and somebody has to approve the call first.
            InputRequired: it asks what cannot be passed on, or does not stop asking.
        """
        responses: InputResponses | None = None
        state: str | None = None
        telling = Telling(outgoing.report)
        for number in range(_ROUNDS):
            params = CallToolRequestParams(
                name=outgoing.target.operation,
                arguments=outgoing.params,
                input_responses=responses,
                request_state=state,
                meta=_meta(outgoing, exchange),
            )
            result = await self._sent(client, params, telling)
            if result.get("resultType") != "input_required":
                return result
            if (pending := pending_in(result)) is not None:
                raise pending
            asked = InputRequiredResult.model_validate(result, by_name=False)
            responses = await answers_to(asked, exchange) or None
            state = asked.request_state
            if responses is None:
                await asyncio.sleep(_PAUSE_SECONDS * (number + 1))  # it only wants to be asked again
        raise InputRequired("the MCP server does not stop asking")

    async def _sent(self, client: Client, params: CallToolRequestParams, telling: Telling) -> JsonObject:
        """One exchange; a server that misses headers, which its list of tools explains, gets them the second time."""
        on_progress = telling if telling.wanted else None
        request = CallToolRequest(params=params)
        try:
            answer = await client.session.send_request(request, _Answer, progress_callback=on_progress)
        except MCPError as error:
            if error.code != HEADER_MISMATCH or client.session.discover_result is None:
                raise
            await self._tools.all(client, fresh=True)
            answer = await client.session.send_request(request, _Answer, progress_callback=on_progress)
        return answer.root

    async def _value(
        self, client: Client, outgoing: Outgoing, result: JsonObject, exchange: Exchange, listed: Tool | None
    ) -> Any:  # noqa: ANN401
        """What a result holds.

        Raises:
            MoothallError: it is an error (row TPL-06).
        """
        content = result.get("content")
        blocks: Sequence[Any] = content if isinstance(content, list) else []
        if result.get("isError") is True:
            self._tell(outgoing, str(blocks))
            raise failure_in(result)
        value = result.get("structuredContent")
        if value is not None:
            if not isinstance(value, dict) or list(value) != [_WRAP]:
                return value
            wrapped = _marked(result)
            if wrapped is None:
                listed = listed or await self._listed(client, outgoing.target.operation, exchange)
                wrapped = wraps(listed) if listed is not None else _unlike(outgoing.returns, value)
            return value[_WRAP] if wrapped else value
        if not blocks:
            return None
        if len(blocks) == 1 and blocks[0].get("type") == "text":
            return Unstructured(blocks[0].get("text", ""))
        return list(blocks)

    async def _listed(self, client: Client, name: str, exchange: Exchange) -> Tool | None:
        """A tool as the server lists it now; None where it does not: the call has succeeded all the same."""
        try:
            async with asyncio.timeout(min(_LISTED_SECONDS, exchange.left / 2)):
                return (await self._tools.all(client)).get(name)
        except (MoothallError, *FAILURES) as error:
            _log.info("MCP server %s does not list its tools: %s", self._server.name, type(error).__name__)
            return None

    def _tell(self, outgoing: Outgoing, text: str) -> None:
        """Write down what the server says; nobody else reads it."""
        _log.debug("MCP server %s says of %s: %s", self._server.name, outgoing.target.operation, text[:_SHOWN])

    def _opened(self, pinned: Pinned | None, ended: Callable[[], None]) -> Client:
        """A client that connects when it is entered.

        Raises:
            SettingsError: a secret is missing.
        """
        server = self._server
        transport: Any
        if isinstance(server, StdioServer):
            transport = child(server, self._environ, ended)
        else:
            transport = _Http(server.url, self._carried(server))
        return Client(
            transport,
            client_info=_OURSELVES,
            mode=pinned.version if pinned else "auto",
            prior_discover=pinned.discovered if pinned else None,
            elicitation_callback=self._asked,
            message_handler=self._noticed,
            cache=None,
        )

    def _carried(self, server: HttpServer) -> httpx2.AsyncClient:
        headers: dict[str, str] = {}
        if server.auth == "bearer":
            headers["authorization"] = f"Bearer {secret_of(server, 'token_env', server.token_env, self._environ)}"
        auth = None
        if server.auth == "oauth":
            auth = provider_of(server, self._environ, self._sign_in, self._tokens)
        carriage = Contained(GuardedCarriage(self._session, server.url, headers), auth)
        return httpx2.AsyncClient(transport=carriage, trust_env=False)

    async def _noticed(self, message: ServerNotification | Exception) -> None:
        if isinstance(message, ToolListChangedNotification):
            self._tools.forget()


class _Http:
    """The SDK's transport over HTTP together with the client it uses; entered and left as one."""

    def __init__(self, url: str, client: httpx2.AsyncClient) -> None:
        self._client = client
        self._streams = streamable_http_client(url, http_client=client, max_sse_event_size=MOST_ANSWERED)

    async def __aenter__(self) -> Any:  # noqa: ANN401 - the SDK's own
        await self._client.__aenter__()
        try:
            return await self._streams.__aenter__()
        except BaseException:
            await self._client.aclose()
            raise

    async def __aexit__(self, *error: Any) -> bool | None:  # noqa: ANN401, PYI036 - the SDK's own
        try:
            return await self._streams.__aexit__(*error)
        finally:
            await self._client.aclose()


def _marked(result: JsonObject) -> bool | None:
    """Whether another moothall node says that it has put the value under ``result``; None: it says nothing."""
    meta = result.get("_meta")
    mark = meta.get(_WRAPPED) if isinstance(meta, dict) else None
    return mark if isinstance(mark, bool) else None


def _unlike(returns: JsonObject | None, value: JsonObject) -> bool:
    """Whether what came is not what we declare, where the server does not say what it gives."""
    return returns is not None and not jsonschema.Draft202012Validator(returns).is_valid(value)


def _meta(outgoing: Outgoing, exchange: Exchange) -> RequestParamsMeta:
    """What another moothall node wants to know of a call; to others it means nothing."""
    meta: dict[str, Any] = {_TIMEOUT: round(exchange.left, 3), _HOPS: outgoing.hops}
    if trace := current.get():
        meta[HEADER] = trace
    if outgoing.idempotency_key is not None:
        meta[_KEY] = outgoing.idempotency_key
    meta |= metadata_of(outgoing.approval, outgoing.purpose)
    return cast("RequestParamsMeta", meta)
