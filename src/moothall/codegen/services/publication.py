"""Publication: nothing is seen outside of this process before a person approved the very code (row GEN-07)."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any, Final

from moothall.codegen.services.desk import ServiceDesk
from moothall.codegen.services.records import VersionRecord
from moothall.codegen.services.running import Routines
from moothall.errors import ApprovalPending, Conflict, Told
from moothall.identity.keystore import DEFAULT_AGENT

GO_LIVE: Final = "services.go_live"
"""The capability that is approved; asked for in the name of the node's own agent, so that its owner can decide."""

AsNode = Callable[[str, Mapping[str, Any]], Awaitable[Any]]
"""Calls a target as the node's own agent."""


@dataclass(frozen=True, slots=True)
class Asked:
    """What became of asking: published, or waiting for the approval of this id."""

    version: VersionRecord
    published: bool
    approval_id: str = ""


class Publication:
    """Asks for approvals, and publishes what was approved."""

    def __init__(self, desk: ServiceDesk, routines: Routines, call: AsNode) -> None:
        self._desk = desk
        self._routines = routines
        self._call = call

    async def ask(self, name: str, version: str, share: float, actor: str) -> Asked:
        """Publish a version: at once where it was approved, else as soon as it is.

        Raises:
            ServiceNotFoundError: there is no such version.
            Forbidden: nobody could approve it.
            MoothallError: as `ServiceDesk.publish`.
        """
        known = await self._desk.services.version(name, version)
        if known.approved:
            await self._desk.publish(name, version, share, actor)
            return Asked(known, published=True)
        try:
            await self._call(f"local:{DEFAULT_AGENT}.{GO_LIVE}", await self._request(known, share))
        except ApprovalPending as pending:
            await self._desk.services.asked(name, version, pending.approval_id)
            waiting = replace(known, approval=pending.approval_id)
            return Asked(waiting, published=False, approval_id=pending.approval_id)
        return Asked(await self._desk.services.version(name, version), published=True)

    async def _request(self, known: VersionRecord, share: float) -> dict[str, Any]:
        """What the person reads who decides."""
        routine = await self._routines.get(known.hash)
        if routine is None:
            raise Conflict("the service has no code", told=Told("codegen.service.no_code"))
        manifest = routine.module.manifest
        return {
            "service": known.service,
            "version": known.version,
            "code": known.hash,
            "description": str(manifest.functions[0].parameters.get("description", "")),
            "may_call": list(manifest.may_call),
            "model": manifest.provenance.model,
            "share": share,
        }

    async def granted(self, name: str, version: str, code: str, share: float, actor: str) -> None:
        """Publish what was approved, if it is that still.

        Raises:
            Conflict: the version has other code than the one that was approved.
            MoothallError: as `ServiceDesk.publish`.
        """
        known = await self._desk.services.version(name, version)
        if known.hash != code:
            raise Conflict("other code was approved", told=Told("codegen.service.other_code"))
        await self._desk.services.approved(name, version)
        await self._desk.publish(name, version, share, actor)
