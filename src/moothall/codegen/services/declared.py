"""Functions whose body a model writes (`llm_generated`): written once, kept, and answered by what is kept (GEN-02)."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Mapping
from typing import Any, Final

from moothall.capability.context import CallContext
from moothall.capability.entry import Entry
from moothall.capability.registry import Registry, Snapshot
from moothall.codegen.module import Function
from moothall.codegen.services.desk import WATCH
from moothall.codegen.services.exact import exact
from moothall.codegen.services.offering import FORGE
from moothall.codegen.services.publication import Publication
from moothall.codegen.services.running import ServiceRunner
from moothall.codegen.services.writing import Writing, wanted
from moothall.errors import CodeRefused, MoothallError
from moothall.telemetry import logger

_OTHERS: Final = re.compile(r"[^a-z0-9_]+")
_log = logger("codegen.services")


class DeclaredServices:
    """Sees to it that every such function has a body, and runs it.

    Args:
        registry: where they are declared; functions that are included later are seen, too.
        writing: writes and keeps.
        publication: asks for approvals, where ``auto_publish`` says so.
        runner: runs what is kept.
        share: of the calls that another version of a published service gets at first.
    """

    def __init__(
        self, registry: Registry, writing: Writing, publication: Publication, runner: ServiceRunner, share: float = 0.0
    ) -> None:
        self._registry = registry
        self._writing = writing
        self._publication = publication
        self._runner = runner
        self._share = share
        self._works: dict[str, asyncio.Task[None]] = {}
        self._refused: dict[str, tuple[str, CodeRefused]] = {}
        self._end = _nothing

    def start(self) -> None:
        """Look at what is declared, now and from now on; bodies are written in the background."""
        self._end = self._registry.on_change(self._look)
        self._look(self._registry.snapshot)

    async def aclose(self) -> None:
        """End what is under way; it begins anew at the next start."""
        self._end()
        works = list(self._works.values())
        for work in works:
            work.cancel()
        await asyncio.gather(*works, return_exceptions=True)

    async def settled(self) -> None:
        """Wait until every body is there, or could not be written."""
        while works := [work for work in self._works.values() if not work.done()]:
            await asyncio.wait(works)

    async def answer(self, entry: Entry, arguments: Mapping[str, Any], ctx: CallContext) -> Any:  # noqa: ANN401
        """Run the body of a capability for the caller of ``ctx``; one that is being written is waited for.

        Raises:
            CodeRefused: no body passed the gate.
            Unavailable: there is no model that could write one.
            ModelUnavailable, ModelTimeout, DecisionRefused, BudgetSpent: the model gave none.
            MoothallError: as `ServiceRunner.run`.
        """
        if entry.agent != FORGE and entry.spec.provenance is None:
            await asyncio.shield(self._work(entry))
        return await self._runner.run(entry.id, arguments, ctx)

    def _look(self, snapshot: Snapshot) -> None:
        for entry in snapshot.newest:
            fresh = entry.spec.generated and entry.agent != FORGE and entry.spec.provenance is None
            if fresh and not _failed(self._works.get(entry.id)):
                self._work(entry)

    def _work(self, entry: Entry) -> asyncio.Task[None]:
        """What writes a body, or finds what was written; begun anew where it has failed, or was for an earlier one."""
        work = self._works.get(entry.id)
        if work is None or work.done():
            work = self._works[entry.id] = asyncio.create_task(self._provided(entry), name=f"forge {entry.id}")
            work.add_done_callback(_told)
        return work

    async def _provided(self, entry: Entry) -> None:
        function, words = _function(entry), _words(entry)
        asked = wanted(words, function)
        desk = self._writing.desk
        versions = await desk.services.versions(entry.id)
        if not versions or versions[-1].requirement != asked:
            before = self._refused.get(entry.id)
            if before is not None and before[0] == asked:
                raise before[1].with_traceback(None)  # it is raised again and again
            try:
                await self._written(entry, function, words)
            except CodeRefused as error:
                self._refused[entry.id] = asked, error
                raise
            versions = await desk.services.versions(entry.id)
        else:
            await desk.offer(await desk.services.get(entry.id))
        newest = versions[-1]
        if entry.spec.auto_publish and not newest.approval:
            try:
                await self._publication.ask(entry.id, newest.version, self._share, WATCH)
            except MoothallError as error:
                _log.warning("the publication of %s could not be asked for: %s", entry.id, error.code)

    async def _written(self, entry: Entry, function: Function, words: str) -> None:
        writing = self._writing
        offered = await writing.offered(without=entry.id)
        interface = await writing.understood(words, offered, function, words=True)
        generated = await writing.written(entry.id, words, interface, offered)
        await writing.kept(generated.module, wanted(words, function), WATCH)


def _words(entry: Entry) -> str:
    """What was asked for: the prompt, and what the function says of itself."""
    prompt = entry.spec.remote.get("prompt", "")
    return "\n\n".join(dict.fromkeys(text for text in (prompt, entry.spec.description) if text))


def _function(entry: Entry) -> Function:
    """The function in the sandbox; its name has to be a plain one."""
    plain = _OTHERS.sub("_", entry.spec.name.lower()).strip("_")[:64]
    name = plain if plain[:1].isalpha() else f"f_{plain}"[:64]
    parameters = {key: value for key, value in exact(entry.input_schema).items() if key != "title"}
    return Function(name=name, parameters=parameters, returns=exact(entry.output_schema or {}))


def _failed(work: asyncio.Task[None] | None) -> bool:
    """Whether it ended without a body: the next call begins it anew, and no change of the registry does."""
    return work is not None and work.done() and (work.cancelled() or work.exception() is not None)


def _told(work: asyncio.Task[None]) -> None:
    if work.cancelled() or (error := work.exception()) is None:
        return
    code = error.code if isinstance(error, MoothallError) else type(error).__name__
    _log.warning("%s has no body yet: %s", work.get_name(), code)


def _nothing() -> None:
    """Nothing was begun."""
