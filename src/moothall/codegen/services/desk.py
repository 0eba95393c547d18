"""The versions of services: kept, published, rolled back, switched off; everything that changes is put on record."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

from moothall.audit.record import AuditRecord, Recorder
from moothall.codegen.module import Module
from moothall.codegen.services.offering import FORGE, Offering
from moothall.codegen.services.records import ServiceRecord, VersionRecord, one_before
from moothall.codegen.services.running import Routines
from moothall.codegen.services.store import ServiceStore
from moothall.errors import Conflict, InvalidInput, MoothallError, StorageError, Told, Unavailable
from moothall.storage.changes import Changes
from moothall.telemetry import logger

WATCH: Final = "system:services"
"""Who acts where a limit was reached: the node itself."""

Forget = Callable[..., None]
_log = logger("codegen.services")


class ServiceDesk:
    """Changes where services stand.

    Args:
        services: where that is kept.
        routines: the code.
        offering: tells the registry.
        recorder: the audit trail.
    """

    def __init__(self, services: ServiceStore, routines: Routines, offering: Offering, recorder: Recorder) -> None:
        self.services = services
        self._routines = routines
        self._offering = offering
        self._recorder = recorder
        self._changes = Changes()
        self.forget: Forget = _nobody

    async def aclose(self) -> None:
        """Wait for the changes that are under way."""
        await self._changes.aclose()

    async def show_all(self) -> None:
        """Offer every service of `FORGE`; one whose code cannot be read is left out, and the log says so.

        Those that are declared in Python are there when their declarations are.
        """
        for record in await self.services.all():
            if not record.name.startswith(f"{FORGE}."):
                continue
            try:
                await self.offer(record)
            except StorageError:
                raise
            except MoothallError as error:
                _log.error("the service %s is not offered: %s", record.name, error.code)

    async def offer(self, record: ServiceRecord) -> None:
        """Let the registry say what is so.

        Raises:
            IntegrityError: the code is not what its hash says.
            Unavailable: the code is not here.
        """
        self._offering.show(record, await self._module(record.name, record.live))
        self.forget(record.name)

    async def add(self, made: VersionRecord, actor: str) -> ServiceRecord:
        """Keep a version that passed the gate.

        Raises:
            OptionError: its name or its number is none that a capability can have; nothing was kept.
            Conflict: as `ServiceStore.add`.
        """
        self._recorder.check()
        self._offering.check(made.service, made.version, await self._code(made.hash))
        return await self._changes.make(self._added(made, actor))

    async def publish(self, name: str, version: str, share: float, actor: str) -> ServiceRecord:
        """Let the network see a version that a person approved; ``share`` of the calls, where another one is there.

        Raises:
            ServiceNotFoundError: there is no such version.
            Conflict: nobody approved it, or the service has changed meanwhile.
        """
        record = await self.services.get(name)
        if not (await self.services.version(name, version)).approved:
            raise Conflict("nobody has approved this version", told=Told("codegen.service.not_approved"))
        if 0.0 < share < 1.0 and record.published and record.live != version and record.state == "live":
            return await self._change(record, "service.canary", actor, canary=version, share=share)
        return await self._change(record, "service.publish", actor, live=version, **_LIVE)

    async def rollback(self, name: str, version: str, actor: str, reason: str = "") -> ServiceRecord:
        """Let an earlier version answer, at once; what is newer stays where it is.

        Raises:
            ServiceNotFoundError: there is no such version.
            Conflict: others see the service, and nobody approved that version; or the service has changed meanwhile.
        """
        record = await self.services.get(name)
        chosen = await self.services.version(name, version)
        if record.published and not chosen.approved:
            raise Conflict("nobody has approved this version", told=Told("codegen.service.not_approved"))
        state = "live" if record.published else "waiting"
        values: dict[str, Any] = {**_LIVE, "state": state, "published": record.published, "reason": reason}
        return await self._change(record, "service.rollback", actor, live=version, **values)

    async def disable(self, name: str, actor: str, reason: str = "") -> ServiceRecord:
        """Let it answer nobody, whether its code can be read or not.

        It answers again when a version is published or rolled back to, or another one is made while others see none.

        Raises:
            ServiceNotFoundError: there is none.
        """
        record = await self.services.get(name)
        values: dict[str, Any] = {"state": "disabled", "canary": "", "share": 0.0, "reason": reason}
        return await self._change(record, "service.disable", actor, **values)

    async def ill(self, name: str, version: str, why: str) -> None:
        """Take a version out of service that reached a limit: for the one before it, or for none."""
        record = await self.services.get(name)
        try:
            if version == record.canary:
                values: dict[str, Any] = {"canary": "", "share": 0.0, "reason": why}
                await self._change(record, "service.canary_withdrawn", WATCH, ill=version, **values)
            elif version == record.live and record.state != "disabled":
                before = one_before(await self.services.versions(name), version)
                if before is None:
                    await self.disable(name, WATCH, why)
                else:
                    await self.rollback(name, before.version, WATCH, why)
        except Conflict:
            _log.info("%s has changed meanwhile; what was ill of it may be gone", name)

    async def _change(
        self,
        record: ServiceRecord,
        action: str,
        actor: str,
        ill: str = "",
        **values: Any,  # noqa: ANN401
    ) -> ServiceRecord:
        if values.get("share", 0.0) < 0.0 or values.get("share", 0.0) > 1.0:
            raise InvalidInput("a share is between 0 and 1", told=Told("codegen.service.share"))
        self._recorder.check()
        return await self._changes.make(self._changed(record, action, actor, ill, values))

    async def _changed(
        self, record: ServiceRecord, action: str, actor: str, ill: str, values: Mapping[str, Any]
    ) -> ServiceRecord:
        off = values.get("state") == "disabled"
        module = None if off else await self._module(record.name, values.get("live", record.live))
        after = await self.services.change(record, **values)
        self.forget(after.name, well=after.live if not ill else "")
        if module is None:
            self._offering.withdraw(after.name)
        else:
            self._offering.show(after, module)
        details = {"from": record.live, "to": after.live, "canary": after.canary, "state": after.state}
        level = _log.warning if actor == WATCH else _log.info
        level("%s %s: %s → %s (%s)", action, after.name, record.live, after.live, after.reason or after.state)
        await self._recorder.settle(
            AuditRecord(
                kind="system",
                action=action,
                actor=actor,
                resource=after.name,
                reason=after.reason,
                details={**details, **({"ill": ill} if ill else {})},
            )
        )
        return after

    async def _module(self, name: str, version: str) -> Module:
        """The code of a version.

        Raises:
            as `offer`.
        """
        return await self._code((await self.services.version(name, version)).hash)

    async def _code(self, key: str) -> Module:
        routine = await self._routines.get(key)
        if routine is None or routine.tested_at is None:
            raise Unavailable("the code is not here", told=Told("codegen.service.no_code"))
        return routine.module

    async def _added(self, made: VersionRecord, actor: str) -> ServiceRecord:
        record = await self.services.add(made)
        module = await self._module(record.name, record.live)
        self.forget(record.name)
        self._offering.show(record, module)
        await self._recorder.settle(
            AuditRecord(
                kind="system",
                action="service.version",
                actor=actor,
                resource=made.service,
                digest=made.hash,
                details={"version": made.version, "requirement": made.requirement},
            )
        )
        return record


_LIVE: Final[Mapping[str, Any]] = {"state": "live", "published": True, "canary": "", "share": 0.0, "reason": ""}


def _nobody(_name: str, *, well: str = "") -> None:
    """Nobody runs services yet, so that nobody has anything to forget."""
    del well
