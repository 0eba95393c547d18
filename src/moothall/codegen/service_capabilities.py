"""What can be asked of generated services through every door; all of it is the owner's (rows GEN-01 to 12)."""

from __future__ import annotations

from typing import Annotated, Final

from pydantic import BaseModel, ConfigDict, Field

from moothall.calls.call import running
from moothall.capability.context import CallContext
from moothall.capability.decorators import capability
from moothall.codegen.module import JsonObject, Module
from moothall.codegen.services.desk import ServiceDesk
from moothall.codegen.services.generating import LLMCodeGenerator
from moothall.codegen.services.publication import GO_LIVE, Publication
from moothall.codegen.services.records import ServiceRecord, State, VersionRecord
from moothall.codegen.services.running import Routines
from moothall.errors import Forbidden, Told

LONGEST: Final = 600.0
"""Seconds that making a service may take: a model writes, and writes again."""

Name = Annotated[str, Field(min_length=1, max_length=200)]
Version = Annotated[str, Field(min_length=1, max_length=64)]
Reason = Annotated[str, Field(max_length=2_000)]
Share = Annotated[float, Field(ge=0.0, le=1.0)]
_FROZEN: Final = ConfigDict(frozen=True)


class ServiceVersion(BaseModel):
    """One version; ``approval``: ``granted …``, the id of the approval it waits for, or empty."""

    model_config = _FROZEN

    version: str
    hash: str
    approval: str
    created_at: str


class ServiceView(BaseModel):
    """A service.

    Attributes:
        name: ``AGENT.NAME``.
        target: what it is called by.
        live: the version that answers.
        canary, share: the version that answers a share of the calls.
        state: ``waiting``, ``live``, ``disabled``.
        published: whether the network sees it.
        reason: why it is as it is, where something happened to it.
        approval_id: the approval that the newest version waits for.
        versions: all of them, the oldest first.
    """

    model_config = _FROZEN

    name: str
    target: str
    live: str
    canary: str
    share: float
    state: State
    published: bool
    reason: str
    approval_id: str = ""
    versions: tuple[ServiceVersion, ...] = ()


class ServiceDetail(ServiceView):
    """The same with the code that answers."""

    module: JsonObject


class ServiceCapabilities:
    """The capabilities ``services.*`` of a node."""

    def __init__(self, desk: ServiceDesk, code: LLMCodeGenerator, publication: Publication, routines: Routines) -> None:
        self._desk = desk
        self._code = code
        self._publication = publication
        self._routines = routines

    @capability(name="services.forge", timeout=LONGEST)
    async def forge(
        self,
        requirement: Annotated[str, Field(min_length=1, max_length=10_000)],
        name: Annotated[str, Field(max_length=64, pattern=r"^([a-z][a-z0-9_]*)?$")] = "",
        may_call: list[str] | None = None,
        publish: bool = True,  # noqa: FBT001, FBT002 - a parameter of a capability
    ) -> ServiceView:
        """Make a service from a description: a model writes it, the gate tests it, a person approves what others see.

        Args:
            requirement: what it is to do, in words.
            name: of the service; empty: the model names it.
            may_call: the only targets that it may call; left out: the model chooses among what the owner may call.
            publish: whether its publication is asked for.
        """
        generated = await self._code.generate(requirement, name=name, may_call=may_call)
        service = await self._code.register(generated, requirement)
        if publish:
            service = await self._code.publish_to_network(service)
        return await self._view(service.name)

    @capability(name="services.list", read_only=True, idempotent=True)
    async def page(self) -> list[ServiceView]:
        """List the generated services of this node."""
        return [await self._view(record.name, record) for record in await self._desk.services.all()]

    @capability(name="services.show", read_only=True, idempotent=True)
    async def show(self, service: Name, version: Annotated[str, Field(max_length=64)] = "") -> ServiceDetail:
        """Show a service with the code of a version.

        Args:
            service: which, as AGENT.NAME.
            version: whose code; empty: the one that answers.
        """
        record = await self._desk.services.get(service)
        known = await self._desk.services.version(service, version or record.live)
        routine = await self._routines.get(known.hash)
        module: Module | None = None if routine is None else routine.module
        view = await self._view(service, record)
        return ServiceDetail(**view.model_dump(), module={} if module is None else module.model_dump(mode="json"))

    @capability(name="services.publish", timeout=60)
    async def publish(self, ctx: CallContext, service: Name, version: str = "", share: Share = 0.0) -> ServiceView:
        """Let the network see a service; what nobody approved yet waits for the owner's approval.

        Args:
            ctx: who calls.
            service: which, as AGENT.NAME.
            version: which; empty: the newest.
            share: of the calls that it gets, where another version is published; 0: all of them.
        """
        ctx.firsthand()
        versions = await self._desk.services.versions(service)
        await self._desk.services.get(service)
        await self._publication.ask(service, version or versions[-1].version, share, ctx.principal.id)
        return await self._view(service)

    @capability(name=GO_LIVE, approval=True, expose_to="local", idempotent=True, timeout=60)
    async def go_live(  # noqa: PLR0913, PLR0917 - what the person reads who approves it
        self,
        ctx: CallContext,
        service: Name,
        version: Version,
        code: str,
        description: str = "",
        may_call: list[str] | None = None,
        model: str = "",
        share: Share = 0.0,
    ) -> ServiceView:
        """Publish generated code: from then on other agents may call it.

        Args:
            ctx: who calls.
            service: which, as AGENT.NAME.
            version: which.
            code: the hash of its code; `services.show` shows it.
            description: what it says it does.
            may_call: what it may call, with the rights of whoever calls it.
            model: which model wrote it.
            share: of the calls that it gets, where another version is published; 0: all of them.
        """
        del description, may_call, model
        call = running.get()
        if call is None or not call.execution:  # the owner's own agents need no approval for what is their owner's
            raise Forbidden("only what was approved goes live", told=Told("codegen.service.not_approved"))
        await self._publication.granted(service, version, code, share, ctx.principal.id)
        return await self._view(service)

    @capability(name="services.rollback")
    async def rollback(self, ctx: CallContext, service: Name, version: Version, reason: Reason = "") -> ServiceView:
        """Let an earlier version answer, at once."""
        ctx.firsthand()
        await self._desk.rollback(service, version, ctx.principal.id, reason)
        return await self._view(service)

    @capability(name="services.disable")
    async def disable(self, ctx: CallContext, service: Name, reason: Reason = "") -> ServiceView:
        """Let a service answer nobody, until a version of it is published or rolled back to."""
        ctx.firsthand()
        await self._desk.disable(service, ctx.principal.id, reason)
        return await self._view(service)

    async def _view(self, name: str, record: ServiceRecord | None = None) -> ServiceView:
        known = record or await self._desk.services.get(name)
        versions = await self._desk.services.versions(name)
        newest = versions[-1] if versions else None
        return ServiceView(
            name=known.name,
            target=f"local:{known.name}",
            live=known.live,
            canary=known.canary,
            share=known.share,
            state=known.state,
            published=known.published,
            reason=known.reason,
            approval_id="" if newest is None or newest.approved else newest.approval,
            versions=tuple(_version(each) for each in versions),
        )


def _version(each: VersionRecord) -> ServiceVersion:
    created = each.created_at.isoformat() if each.created_at else ""
    return ServiceVersion(version=each.version, hash=each.hash, approval=each.approval, created_at=created)
