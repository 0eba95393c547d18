"""What this node has: looked at by whom may call it, and managed by whom the operator lets (row MCP-04)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

from moothall.calls.call import LOCAL, relaying
from moothall.calls.inner import own
from moothall.calls.plan import FOR_MODELS
from moothall.calls.ports import Gateway
from moothall.capability.context import CallContext
from moothall.capability.entry import Entry
from moothall.capability.registry import Registry
from moothall.capability.snapshot import describe
from moothall.capability.spec import FACADE, JsonObject
from moothall.directory.tools.reach import at_home
from moothall.errors import Conflict, MoothallError, PermissionDeniedError, ServiceNotFoundError, Told

PERMISSION: Final = ("admin",)
"""Who may change what a node offers."""

_PUBLISH: Final = "services.publish"
_SCHEME: Final = f"{LOCAL}:"


class Resources:
    """Lists, describes, enables, disables and publishes capabilities."""

    def __init__(self, registry: Registry, gateway: Callable[[], Gateway]) -> None:
        self._registry = registry
        self._gateway = gateway

    async def manage(self, ctx: CallContext, action: str, resource: str, parameters: Mapping[str, Any]) -> JsonObject:
        """Do what an action says.

        Raises:
            PermissionDeniedError: it changes something, and the caller lacks the permission.
            Forbidden: it changes something, and somebody else's capability asks for it in the caller's name.
            ServiceNotFoundError: there is no such capability, or none for this caller.
            Conflict: it is one of the tools.
        """
        if action == "list":
            return {"resources": [_line(entry) for entry in await self._listed(ctx, resource)]}
        if action == "describe":
            entry = await self._one(ctx, resource)
            return {"target": _target(entry), "state": entry.state, **describe(entry)}
        return await self._change(ctx, action, resource, parameters)

    async def _change(self, ctx: CallContext, action: str, resource: str, parameters: Mapping[str, Any]) -> JsonObject:
        if not ctx.principal.holds(PERMISSION):
            raise PermissionDeniedError("only admins change what a node offers", told=Told("tools.admin"))
        ctx.firsthand()
        entry = await self._one(ctx, resource)
        if FACADE in entry.spec.tags:
            raise Conflict("the tools themselves stay as they are", told=Told("tools.itself"))
        match action:
            case "enable":
                self._registry.enable(entry.id)
            case "disable":
                self._registry.disable(entry.id)
            case _:
                await self._publish(ctx, entry, parameters)
        after = self._registry.snapshot.find(entry.id) or entry
        return _line(after)

    async def _publish(self, ctx: CallContext, entry: Entry, parameters: Mapping[str, Any]) -> None:
        """Let the network see it; of a generated one, ask for its publication, which somebody has to approve."""
        if not entry.spec.generated:
            self._registry.configure(entry.id, expose_to=sorted(entry.spec.exposure | {"net"}))
            return
        relaying(ctx)
        try:
            await ctx.call(f"{_SCHEME}{_PUBLISH}", {"name": entry.spec.name, **parameters})
        except MoothallError as error:
            raise own(error)  # noqa: B904 - it is the same error

    async def _listed(self, ctx: CallContext, words: str) -> list[Entry]:
        """What the caller may call, and for admins what is out of service, too."""
        entries = list(await self._visible(ctx))
        if ctx.principal.holds(PERMISSION):
            seen = {entry.id for entry in entries}
            entries += [entry for entry in self._registry.snapshot.newest if entry.id not in seen]
            entries.sort(key=lambda entry: entry.id)
        wanted = words.casefold().split()
        return [entry for entry in entries if all(word in _words(entry) for word in wanted)]

    async def _one(self, ctx: CallContext, name: str) -> Entry:
        entry = self._registry.snapshot.find(name.removeprefix(_SCHEME))
        known = entry is not None and (
            ctx.principal.holds(PERMISSION) or entry.id in {each.id for each in await self._visible(ctx)}
        )
        if entry is None or not known:
            raise ServiceNotFoundError("no such capability", told=Told("calls.not_found"))
        return entry

    async def _visible(self, ctx: CallContext) -> tuple[Entry, ...]:
        return await self._gateway().visible(ctx.principal, LOCAL if at_home(ctx) else FOR_MODELS)


def _line(entry: Entry) -> JsonObject:
    spec = entry.spec
    return {
        "target": _target(entry),
        "name": entry.id,
        "description": spec.description,
        "version": spec.version,
        "kind": spec.kind,
        "state": entry.state,
        "expose_to": sorted(spec.exposure),
        "tags": list(spec.tags),
    }


def _target(entry: Entry) -> str:
    return f"{_SCHEME}{entry.id}"


def _words(entry: Entry) -> str:
    return " ".join((entry.id, entry.spec.description, *entry.spec.tags)).casefold()
