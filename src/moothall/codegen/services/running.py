"""Runs the version of a service that answers a call, in the sandbox, and hands in how it went."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final, Protocol, cast

from moothall.calls.admission import UNAPPROVED
from moothall.calls.call import Call
from moothall.capability.context import CallContext
from moothall.codegen.kept import Routine
from moothall.codegen.module import Module
from moothall.codegen.sandbox.port import DEFAULT_LIMITS, Departure, FaultKind, Image, Sandbox, SandboxLimits, fault
from moothall.codegen.schemas.validation import compiled
from moothall.codegen.services.binding import Caller, host_call
from moothall.codegen.services.health import OURS, USUAL, Health, HealthLimits
from moothall.codegen.services.records import ServiceRecord, VersionRecord
from moothall.codegen.services.store import ServiceStore
from moothall.errors import Conflict, Gone, IntegrityError, InvalidInput, MoothallError, SandboxFault, Told, UsageError
from moothall.telemetry import logger

FRESH: Final = 0.5
"""Seconds for which a process may go by what it knows of a service: so soon a roll back elsewhere holds here, too."""

_MOST: Final = 256
_log = logger("codegen.services")
_MISUSES: Final = (InvalidInput, UsageError)
"""What a call is answered that the code made wrongly; every other error is of its caller's rights, or of others."""

_EARLY: Final = 0.05
"""Seconds before a caller's deadline within which a run that ended for lack of time ended for that deadline."""

Ill = Callable[[str, str, str], Awaitable[None]]
"""Takes a service, its version, and which limit it reached."""


class Routines(Protocol):
    """Where code is kept; `RoutineStore` fills it."""

    async def get(self, key: str, /) -> Routine | None:
        """The code of this hash."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class RunTerms:
    """How services run: what one call may use, and what is too ill to go on."""

    limits: SandboxLimits = DEFAULT_LIMITS
    health: HealthLimits = USUAL


@dataclass(frozen=True, slots=True)
class _Loaded:
    module: Module
    image: Image


@dataclass(slots=True)
class _Run:
    """One call of a service.

    ``refused``: something that it called refused it or failed, by no fault of the code; ``approved``: a person approved
    the version.
    """

    name: str
    version: str
    caller: str
    begun: float
    refused: bool = False
    approved: bool = False

    def failed(self, error: MoothallError) -> None:
        """Hear of the error of a call that the code made."""
        self.refused |= not isinstance(error, _MISUSES)


class ServiceRunner:
    """Answers calls of generated services.

    Args:
        services: which version answers.
        routines: the code.
        sandbox: where it runs.
        monotonic: seconds.
        terms: see `RunTerms`.
        ill: is told of a version that reached a limit.
    """

    def __init__(
        self,
        services: ServiceStore,
        routines: Routines,
        sandbox: Sandbox,
        monotonic: Callable[[], float],
        terms: RunTerms,
        ill: Ill,
    ) -> None:
        self._services = services
        self._routines = routines
        self._sandbox = sandbox
        self._monotonic = monotonic
        self._terms = terms
        self._ill = ill
        self._known: dict[str, tuple[ServiceRecord, Mapping[str, VersionRecord], float]] = {}
        self._loaded: OrderedDict[str, _Loaded] = OrderedDict()
        self._health: dict[tuple[str, str], Health] = {}
        self._counts: dict[str, int] = {}

    def forget(self, name: str, *, well: str = "") -> None:
        """Read anew where a service stands; the version ``well`` begins as one of which nothing is known."""
        self._known.pop(name, None)
        self._health.pop((name, well), None)

    async def run(self, name: str, arguments: Mapping[str, Any], ctx: CallContext) -> Any:  # noqa: ANN401 - JSON
        """Call a service for the caller of ``ctx``.

        Raises:
            ServiceNotFoundError, Gone: there is none, or it is switched off.
            InvalidInput: its code refuses the arguments.
            SandboxFault: its code gave no value; nothing of what it said is repeated.
            IntegrityError, StorageError: its code cannot be read.
            MoothallError: what a call that it makes raises and its caller has to hear.
        """
        record, versions = await self._stands(name)
        if record.state == "disabled":
            raise Gone("the service is switched off", told=Told("codegen.service.disabled"))
        count = self._counts[name] = self._counts.get(name, 0) + 1
        version = record.version_for(count)
        known = versions.get(version)
        loaded = await self._load("" if known is None else known.hash)
        run = _Run(name, version, OURS if ctx.principal.owner else ctx.principal.id, self._monotonic())
        run.approved = known is not None and known.approved
        try:
            value = await self._ran(loaded, arguments, ctx, run)
        except SandboxFault as error:
            raised = error.details.get("raised") if error.kind == "raised" else ""
            if raised == "ValueError":
                await self._count(run, failed=False)
                raise InvalidInput("the service refuses the arguments", told=Told("codegen.service.refuses")) from error
            if not self._of_others(error, raised == "RuntimeError" and run.refused, ctx):
                await self._count(run, failed=True)
            raise fault(cast("FaultKind", error.kind)) from error
        except MoothallError:
            raise  # of a call that it made: of its caller's rights, or of what it called
        await self._count(run, failed=False)
        return value

    def _of_others(self, error: SandboxFault, refused: bool, ctx: CallContext) -> bool:  # noqa: FBT001 - private
        """Whether a fault says nothing of the code: no process was free, its caller had no time, a call was refused."""
        late = error.kind == "time" and self._monotonic() >= ctx.deadline - _EARLY
        return error.kind == "busy" or late or refused

    async def _ran(self, loaded: _Loaded, arguments: Mapping[str, Any], ctx: CallContext, run: _Run) -> Any:  # noqa: ANN401
        manifest = loaded.module.manifest
        function = manifest.functions[0]
        ran = await self._sandbox.run(
            loaded.image,
            function.name,
            arguments,
            call=host_call(self._calls(ctx, run), manifest.may_call, failed=run.failed),
            limits=self._terms.limits,
            patience=max(0.0, ctx.deadline - self._monotonic()),
        )
        if not compiled(function.returns).accepts(ran.value):
            raise fault("result")
        return ran.value

    def _calls(self, ctx: CallContext, run: _Run) -> Caller:
        """How code calls: as its caller; what needs an approval only where the call, or the code, gets one.

        The owner may call everything of its node without one. But these calls a model made up, and as long as nobody
        approved its code, nobody but the model knows of them. That holds for all that they lead to: words, tools.
        """
        if run.approved or not ctx.principal.owner:
            return ctx.call
        if isinstance(ctx.calling, Call):
            ctx.calling.unapproved = True

        async def call(target: str, parameters: Mapping[str, Any]) -> Any:  # noqa: ANN401 - JSON
            try:
                return await ctx.call(target, parameters)
            except Conflict as error:
                if error.told == UNAPPROVED:
                    raise Departure(error) from error
                raise

        return call

    async def _count(self, run: _Run, *, failed: bool) -> None:
        name, version = run.name, run.version
        health = self._health.get((name, version))
        if health is None:
            health = self._health[name, version] = Health(self._terms.health)
        health.add(self._monotonic() - run.begun, failed=failed, caller=run.caller)
        if why := health.ill:
            self._health.pop((name, version), None)
            try:
                await self._ill(name, version, why)
            except MoothallError as error:  # it begins to be counted anew; the caller has its answer
                _log.error("%s@%s is ill (%s) and stays: %s", name, version, why, error.code)

    async def _stands(self, name: str) -> tuple[ServiceRecord, Mapping[str, VersionRecord]]:
        known = self._known.get(name)
        if known is not None and self._monotonic() < known[2]:
            return known[0], known[1]
        until = self._monotonic() + FRESH
        record = await self._services.get(name)
        if known is not None and known[0].revision == record.revision:
            versions = known[1]
        else:
            versions = {each.version: each for each in await self._services.versions(name)}
        self._known[name] = record, versions, until
        return record, versions

    async def _load(self, key: str) -> _Loaded:
        loaded = self._loaded.get(key)
        if loaded is not None:
            self._loaded.move_to_end(key)
            return loaded
        routine = await self._routines.get(key) if key else None
        if routine is None or routine.tested_at is None:
            raise IntegrityError("the service has no code", told=Told("codegen.service.no_code"))
        image = await self._sandbox.load(routine.module.source, self._terms.limits)
        loaded = self._loaded[key] = _Loaded(routine.module, image)
        if len(self._loaded) > _MOST:
            self._loaded.popitem(last=False)
        return loaded
