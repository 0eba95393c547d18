"""Two conversations joined in memory: each frame of one is handed to the other, in order."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any, Self

from moothall.codegen.generator import manifest_of
from moothall.codegen.module import Module, Provenance
from moothall.llm.base import BaseLLM
from moothall.llm.scripted import ScriptedLLM
from moothall.negotiation.protocol import document as documents
from moothall.negotiation.protocol.brain import Role
from moothall.negotiation.protocol.halves import half_task
from moothall.negotiation.protocol.limits import Limits
from moothall.negotiation.protocol.meta import MetaProtocol
from moothall.negotiation.protocol.meta_terms import Terms
from moothall.negotiation.protocol.module_files import write_module
from moothall.negotiation.protocol.needs import Need
from moothall.negotiation.protocol.provider_session import ProviderSession, provided
from moothall.negotiation.protocol.requester_session import RequesterSession, negotiated
from moothall.negotiation.protocol.workshop import Workshop
from tests.negotiation.protocol.sessions.joined import NEED, protocol

ALICE, BOB = "did:wba:alice.example", "did:wba:bob.example"
SCHOOLS = {"u1": ["Wuhan University"], "u2": ["Fudan University", "Tongji University"]}
CAPABILITY = "Get the schools of a user by user_id"


def scripted(**answers: Any) -> ScriptedLLM:
    """A model that proposes the usual protocol and agrees to everything, but where told otherwise."""
    usual: dict[str, Any] = {
        "propose": {"candidate_protocols": protocol()},
        "evaluate": {"status": "accepted"},
        "cases": {"cases": []},
        "judge_cases": {"status": "accepted"},
        "diagnose": {"confirmed": True},
        "answer": {"answer": "From the register."},
    }
    script = [(f"Prompt protocol_{name}\n", _answer(answer)) for name, answer in (usual | answers).items()]
    return ScriptedLLM(script)


def _answer(answer: Any) -> Any:
    return answer if isinstance(answer, Exception) else json.dumps(answer, ensure_ascii=False)


async def knows(requirement: str, input_description: str, output_description: str) -> str:
    return CAPABILITY


async def answers(request: dict[str, Any]) -> dict[str, Any]:
    return {"code": 200, "schools": SCHOOLS.get(request["user_id"], [])}


class Lane:
    """Frames on their way to one side; `change` may alter or drop them."""

    def __init__(self) -> None:
        self.sent: list[bytes] = []
        self.change: Callable[[bytes], bytes | None] = lambda data: data
        self._queue: asyncio.Queue[bytes] = asyncio.Queue()
        self._task: asyncio.Task[None] | None = None

    async def send(self, data: bytes) -> None:
        self.sent.append(data)
        changed = self.change(data)
        if changed is not None:
            self._queue.put_nowait(changed)

    def feed(self, handle: Callable[[bytes], Awaitable[None]]) -> None:
        async def pump() -> None:
            while True:
                await handle(await self._queue.get())

        self._task = asyncio.ensure_future(pump())

    async def aclose(self) -> None:
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)


class Pair:
    """A requester and a provider that talk to each other."""

    def __init__(
        self,
        path: Path,
        workshop: Workshop,
        *,
        llms: tuple[BaseLLM | None, BaseLLM | None] | None = None,
        limits: Limits | None = None,
        capability: Any = knows,
        **terms: Any,
    ) -> None:
        llms = (scripted(), scripted()) if llms is None else llms
        limits = limits or Limits(message_timeout=10, code_generation_timeout=20)
        self.up, self.down = Lane(), Lane()
        self.alice = MetaProtocol(
            self.up.send,
            None,
            llms[0],
            path / "alice",
            workshop=workshop,
            terms=Terms(limits=limits, own=ALICE, peer=BOB, **terms),
        )
        self.bob = MetaProtocol(
            self.down.send,
            capability,
            llms[1],
            path / "bob",
            workshop=workshop,
            terms=Terms(limits=limits, own=BOB, peer=ALICE, **terms),
        )

    async def __aenter__(self) -> Self:
        self.up.feed(self.bob.handle_meta_data)
        self.down.feed(self.alice.handle_meta_data)
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.alice.aclose()
        await self.bob.aclose()
        await self.up.aclose()
        await self.down.aclose()

    async def agree(self, need: Need = NEED) -> None:
        """Both sides agree and make their code."""
        (good, _), (fine, _) = await asyncio.gather(
            self.alice.negotiate_protocol(need.requirement, need=need), self.bob.wait_remote_negotiation()
        )
        assert (good, fine) == (True, True), (self.alice.reason, self.bob.reason)

    async def sessions(self, need: Need = NEED, callback: Any = answers) -> tuple[RequesterSession, ProviderSession]:
        """Both sides are ready."""

        async def new_session(session: ProviderSession) -> None:
            session.provider_instance.set_protocol_callback(callback)
            assert await session.code_generated()

        async def ask() -> RequesterSession:
            session = await negotiated(self.alice, need.requirement, need=need)
            assert await session.code_generated()
            return session

        return await asyncio.gather(ask(), provided(self.bob, new_session))


BUILD = """
def build(arguments: Arguments) -> Request:
    if not isinstance(arguments, dict) or not isinstance(arguments.get("user_id"), str):
        raise ValueError("user_id is missing")
    return {"user_id": arguments["user_id"]}


def parse(response: Response) -> Result:
    if not isinstance(response, dict) or response.get("code") != 200 or "schools" not in response:
        raise ValueError("no good response")
    return {"schools": response["schools"]}
"""
HANDLE = """
def handle(request: Request) -> Response:
    return call("callback", {"request": request})
"""
BUGGY = """
def handle(request: Request) -> Response:
    response = call("callback", {"request": request})
    return {"code": 200, "schools": response["schools"][:1]}
"""
"""Loses every school but the first: a bug that a single school does not show."""


def plant(root: Path, role: Role, source: str = "") -> Path:
    """Put a half where a side looks for its own, as if it had been made before."""
    document = documents.read(protocol())
    task = half_task(role, document, NEED if role == "requester" else None)
    manifest = manifest_of(task, Provenance(writer="person"))
    module = Module(manifest=manifest, source=source or (BUILD if role == "requester" else HANDLE), policy="gate-1")
    return write_module(root / ("alice" if role == "requester" else "bob"), document.text, role, module)


def listed(path: Path) -> list[str]:
    return sorted(each.name for each in path.iterdir())


def plant_both(root: Path) -> None:
    plant(root, "requester")
    plant(root, "provider")
