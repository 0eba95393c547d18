"""Publication: nothing is seen outside of this process before a person approved the very code (row GEN-07)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, Final, Protocol

from moothall.approvals.asking import Ask, Standing, digest_of
from moothall.calls.call import LOCAL
from moothall.calls.fingerprint import fingerprint
from moothall.calls.request_ids import fresh
from moothall.capability.snapshot import Snapshot
from moothall.codegen.services.desk import ServiceDesk
from moothall.codegen.services.records import VersionRecord
from moothall.codegen.services.running import Routines
from moothall.errors import Conflict, Told
from moothall.identity.keystore import DEFAULT_AGENT
from moothall.identity.principal import Principal

GO_LIVE: Final = "services.go_live"
"""The capability that is approved; asked for in the name of the node's own agent, so that its owner can decide."""


class Approvals(Protocol):
    """Takes asks; `ApprovalDesk` fills it."""

    async def ask(self, ask: Ask, /) -> Standing:
        """The open workflow of a call, begun now if there is none."""
        ...


@dataclass(frozen=True, slots=True)
class Asked:
    """What became of asking: published, or waiting for the approval of this id."""

    version: VersionRecord
    published: bool
    approval_id: str = ""


class Publication:
    """Asks for approvals, and publishes what was approved."""

    def __init__(
        self,
        desk: ServiceDesk,
        routines: Routines,
        approvals: Approvals,
        snapshot: Callable[[], Snapshot],
        requester: Callable[[], Principal],
    ) -> None:
        """``requester`` is the node's own agent, for whom its owner decides."""
        self._desk = desk
        self._routines = routines
        self._approvals = approvals
        self._snapshot = snapshot
        self._requester = requester

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
        standing = await self._approvals.ask(await self._asked(known, share))
        await self._desk.services.asked(name, version, standing.id)
        return Asked(replace(known, approval=standing.id), published=False, approval_id=standing.id)

    async def _asked(self, known: VersionRecord, share: float) -> Ask:
        """The call that is made as soon as somebody approved it.

        It goes to the approvals itself: what the node's own agents call of their node needs no approval otherwise.
        """
        entry, requester = self._snapshot().resolve(f"{DEFAULT_AGENT}.{GO_LIVE}"), self._requester()
        arguments = entry.bind(await self._request(known, share))
        return Ask(
            principal=requester,
            target=entry.key,
            action=entry.spec.acts,
            arguments=entry.wire(arguments),
            digest=digest_of(requester.id, entry.key, fingerprint(entry, arguments)),
            door=LOCAL,
            request_id=fresh(),
            policy="house.approval",
        )

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
