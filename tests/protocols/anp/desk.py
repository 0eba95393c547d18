"""An ANP door over the real call path, asked over ASGI without a network; who calls is what a test header says."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Coroutine, Mapping
from dataclasses import dataclass
from typing import Any

from moothall.calls.path import CallPath
from moothall.calls.terms import Terms as CallTerms
from moothall.capability.registry import Registry
from moothall.errors import Overloaded
from moothall.identity.challenge import Challenger
from moothall.identity.principal import ANONYMOUS, Principal
from moothall.identity.refusal import refused, suspended
from moothall.identity.request import HttpRequest
from moothall.identity.server_nonces import ServerNonces
from moothall.policy.engine import PolicyEngine
from moothall.protocols.anp.door import AnpDoor
from moothall.protocols.anp.published import Published
from moothall.protocols.anp.terms import Terms
from moothall.protocols.house import REQUEST_ID, STREAMS
from moothall.protocols.intake import ClientLeft
from moothall.server.language import accepted
from moothall.storage.store import Store
from tests.protocols.anp import hall
from tests.support.clock import ManualClock

CALLER = "did:wba:caller.example:agents:carol:e1_" + "A" * 43
MAX_BODY = 65_536
REQUEST = "00000000-0000-4000-8000-000000000001"


class HeaderVerifier:
    """Stands in for the verifier: ``x-test-caller`` is proof of an identity, ``bad`` a proof that does not hold."""

    def __init__(self) -> None:
        self.asked = 0

    async def verify(self, request: HttpRequest) -> Principal:
        self.asked += 1
        shown = request.values(b"x-test-caller")
        if not shown:
            return ANONYMOUS
        if shown == ["bad"]:
            raise refused("invalid_signature", "the signature does not hold")
        if shown == ["suspended"]:
            raise suspended()
        return Principal(id=shown[0], kind="did", binding="request")


class OpenStreams:
    def __init__(self) -> None:
        self.full = False
        self.tasks: list[asyncio.Task[None]] = []

    def open(self, run: Callable[[], Coroutine[None, None, None]]) -> asyncio.Task[None]:
        if self.full:
            raise Overloaded("too many event streams are open")
        self.tasks.append(asyncio.create_task(run()))
        return self.tasks[-1]


@dataclass(frozen=True)
class Got:
    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)

    @property
    def messages(self) -> list[dict[str, Any]]:
        """Of an event stream."""
        frames = [frame for frame in self.body.decode().split("\n\n") if frame and not frame.startswith(":")]
        return [json.loads(frame.removeprefix("data: ")) for frame in frames]


class Desk:
    def __init__(
        self,
        registry: Registry,
        *names: str,
        open_documents: bool = True,
        store: Store | None = None,
        heartbeat: float = 15.0,
    ) -> None:
        self.clock = ManualClock()
        self.registry = registry
        self.agents = hall.hosted(*(names or ("alice",)))
        self.verifier = HeaderVerifier()
        self.streams = OpenStreams()
        self.path = CallPath(registry, PolicyEngine.usual(), verifier=self.verifier, store=store, terms=CallTerms())
        self.published = Published(lambda: registry.snapshot, lambda: self.agents, hall.BASE, self.clock)
        challenger = Challenger("hall.example", ServerNonces(b"s" * 32), lambda: self.clock.now().timestamp())
        terms = Terms(
            max_body=MAX_BODY,
            heartbeat=heartbeat,
            lang="en",
            accepted=accepted,
            welcome=lambda principal: [("Authentication-Info", f'access_token="for {principal.kind}"')],
            challenge=challenger.of,
            open_documents=open_documents,
        )
        self.door = AnpDoor(self.path, self.published, terms)

    async def ask(
        self,
        method: str,
        target: str,
        body: bytes = b"",
        headers: Mapping[str, str] | None = None,
        *,
        left: asyncio.Event | None = None,
        on_body: Callable[[bytes], None] | None = None,
    ) -> Got:
        """Make a request; ``left`` tells when the client goes away, ``on_body`` sees what comes as it comes."""
        path, _, query = target.partition("?")
        given = [(name.lower().encode(), value.encode()) for name, value in (headers or {}).items()]
        if body:
            given.append((b"content-length", str(len(body)).encode()))
        scope = {
            "type": "http",
            "method": method,
            "path": path,
            "raw_path": path.encode(),
            "query_string": query.encode(),
            "headers": given,
            "client": ("192.0.2.7", 5000),
            REQUEST_ID: REQUEST,
            STREAMS: self.streams,
        }
        assert self.door.claims(path)
        pending = [{"type": "http.request", "body": body, "more_body": False}]
        sent: list[Any] = []

        async def receive() -> Any:
            if pending:
                return pending.pop()
            await (left or asyncio.Event()).wait()
            return {"type": "http.disconnect"}

        async def send(message: Any) -> None:
            sent.append(message)
            if on_body is not None and message.get("body"):
                on_body(message["body"])

        await self.door(scope, receive, send)
        if not sent:
            raise ClientLeft
        start, parts = sent[0], [message for message in sent[1:] if message["type"] == "http.response.body"]
        names = {name.decode(): value.decode() for name, value in start["headers"]}
        return Got(start["status"], names, b"".join(part["body"] for part in parts))

    async def post(
        self,
        body: object,
        *,
        agent: str = "alice",
        caller: str = CALLER,
        headers: Mapping[str, str] | None = None,
        **more: Any,
    ) -> Got:
        """Send a call, or several, as JSON."""
        content = body if isinstance(body, bytes) else json.dumps(body).encode()
        given = {"content-type": "application/json", **({"x-test-caller": caller} if caller else {}), **(headers or {})}
        return await self.ask("POST", f"/agents/{agent}/rpc", content, given, **more)


def call(method: str, params: object = None, call_id: object = 1) -> dict[str, object]:
    message: dict[str, object] = {"jsonrpc": "2.0", "method": method, "id": call_id}
    if params is not None:
        message["params"] = params
    return message


def notification(method: str, params: object) -> dict[str, object]:
    return {"jsonrpc": "2.0", "method": method, "params": params}
