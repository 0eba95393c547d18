"""Code that others made: verified by its hash and its signature, kept untested, and tested here before its first use.

What the other side says is data. What a module must look like comes from the task at hand, never from the module.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any, Final

import pydantic

from moothall.canonical import canonical
from moothall.codegen.kept import Routine
from moothall.codegen.module import Function, JsonObject, Manifest, Module
from moothall.codegen.proof import proved
from moothall.codegen.sharing import FIND, GET, MOST_OFFERS, Half, Offer
from moothall.codegen.store import RoutineStore
from moothall.codegen.task import CodingTask, Judge
from moothall.errors import CodeRefused, InvalidInput, ServiceNotFoundError, Told, UpstreamInvalid
from moothall.grants.ports import Documents

Asking = Callable[[str, Mapping[str, Any]], Awaitable[Any]]
"""Calls a capability (``routines.find``, ``routines.get``) of the other side with parameters; gives its value, JSON."""

Derive = Callable[[str], Mapping[str, Any]]
"""What this node makes of the text of a protocol's document; raises InvalidInput where it cannot be read."""

_OFFERS: Final = pydantic.TypeAdapter(list[Offer])


class Fetcher:
    """Gets code of others, as far as it can be proved and stands the tests of this node."""

    def __init__(self, routines: RoutineStore, judge: Judge, documents: Documents, derive: Derive) -> None:
        self._routines = routines
        self._judge = judge
        self._documents = documents
        self._derive = derive

    async def find(self, ask: Asking, *, protocol: str = "", need: str = "", kind: Half = "requester") -> list[Offer]:
        """What the other side has for a protocol or a need.

        Raises:
            UpstreamInvalid: its answer does not fit.
            MoothallError: whatever ``ask`` raises.
        """
        wanted = {"protocol": protocol, "need": need, "kind": kind}
        said = await ask(FIND, {name: value for name, value in wanted.items() if value})
        try:
            offers = _OFFERS.validate_python(said)
        except pydantic.ValidationError as error:
            raise _other() from error
        fitting = [each for each in offers if each.kind == kind and protocol in {"", each.protocol}]
        return fitting[:MOST_OFFERS]

    async def fetch(self, ask: Asking, digest: str) -> Routine:
        """Get code by its hash, and keep it untested; what is here already is not asked for.

        Raises:
            IntegrityError: it is not what its hash says, nobody vouches for it, or its document is another one.
            UpstreamInvalid: the answer has another form, or the document cannot be read.
            MoothallError: whatever ``ask`` raises, and the look-up of the agent that vouches (`signing.verify`).
        """
        if (known := await self._routines.get(digest)) is not None:
            return known
        found = await proved(await ask(GET, {"digest": digest}), digest, self._documents)
        await self._keep_document(found.shared.document)
        try:
            return await self._routines.put(found.module, found.shared.token, origin=found.by)
        except InvalidInput as error:
            raise _other() from error

    async def ready(self, digest: str, task: CodingTask, *, counterparts: Sequence[Module] = ()) -> Routine:
        """Code that is here and may be used for a task: it is what the task wants, and passed the gate of this node.

        Code that passed the gate here is not tested again, not even where a task brings other tests than that one had.

        Raises:
            ServiceNotFoundError: there is none of this hash.
            CodeRefused: it is for something else, or did not pass; ``details`` has the report.
            SandboxFault: it could not be tested now.
            IntegrityError: what is kept was changed.
        """
        routine = await self._routines.get(digest)
        if routine is None:
            raise ServiceNotFoundError("there is no code of this hash", told=Told("codegen.routine.none"))
        if what := _unfit(routine.module.manifest, task):
            told = Told("codegen.routine.unfit", {"what": what})
            raise CodeRefused("the code is for something else", told=told)
        if routine.tested_at is not None:
            return routine
        hidden = (*task.cases, *task.hidden)
        report = await self._judge.judge(routine.module, task.callees, hidden, counterparts=counterparts)
        if not report.passed:
            stage = report.stages[-1].stage if report.stages else "parse"
            told = Told("codegen.routine.refused", {"stage": stage})
            details = {"report": report.model_dump(mode="json")}
            raise CodeRefused("the code did not pass the gate of this node", told=told, details=details)
        await self._routines.mark_tested(digest)
        return await self._again(digest)

    async def _again(self, digest: str) -> Routine:
        routine = await self._routines.get(digest)
        if routine is None:
            raise ServiceNotFoundError("there is no code of this hash", told=Told("codegen.routine.none"))
        return routine

    async def _keep_document(self, document: str) -> None:
        try:
            await self._routines.put_protocol(document, self._derive(document))
        except InvalidInput as error:
            raise _other() from error


def _unfit(manifest: Manifest, task: CodingTask) -> str:
    """In what respect a module is for something else than a task; empty: it fits."""
    if (manifest.kind, manifest.protocol) != (task.kind, task.protocol):
        return "protocol"
    if _forms(manifest.functions) != _forms(task.functions):
        return "functions"
    if not set(manifest.may_call) <= {callee.target for callee in task.callees}:
        return "calls"
    return ""


def _forms(functions: Sequence[Function]) -> dict[str, bytes]:
    return {each.name: canonical(_schemas(each)) for each in functions}


def _schemas(function: Function) -> list[JsonObject]:
    return [function.parameters, function.returns]


def _other() -> UpstreamInvalid:
    return UpstreamInvalid("the other side gave something else", told=Told("codegen.routine.other"))
