"""The master agent: it lists services, asks its permission group who may use them, and leads calls there (spec B §1).

::

    with using(node):
        master = MasterControlAgent.from_did("did:wba:example.com:agents:control:e1_…")
        await master.setup_permission_group("permission_control_group")
        await master.register_service_agent(service_agent)
        await master.start_service_discovery()

Both spellings that the specification has of its methods are here. A right to a service is one to that service of that
agent alone; it opens the way to the service, whose own rules hold as for any call: its caller stays who it was.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Self

from pydantic import BaseModel, ConfigDict, Field

from moothall.calls.call import running
from moothall.capability.anp_user import ANPUser
from moothall.capability.context import CallContext
from moothall.capability.decorators import capability
from moothall.errors import (
    InvalidInput,
    MoothallError,
    PermissionDeniedError,
    ServiceNotFoundError,
    Told,
    UsageError,
)
from moothall.groups.master.calling import call_service
from moothall.groups.master.controller import GroupController
from moothall.groups.master.discovery import USUAL_INTERVAL, Discovery
from moothall.groups.master.enrolling import Described, Said, be_hosted, enroll
from moothall.groups.master.ground import Controller, MasterGround, Permissions, ServiceRegistry, current_ground
from moothall.groups.master.here import capability_of
from moothall.groups.master.requests import PERMISSION_REQUEST, Asked, tell
from moothall.groups.master.services import MOST, Service, UnifiedServiceRegistry
from moothall.identity.did import Did
from moothall.identity.principal import OWNER, Principal
from moothall.people.capabilities import ANYBODY
from moothall.people.texts import Text
from moothall.settings import Settings

Id = Annotated[Text, Field(max_length=1_400)]


class ServiceRequest(BaseModel):
    """A call of a service (row MCA-04); `caller` is a DID that was proved."""

    model_config = ConfigDict(frozen=True)

    caller: str
    service: str
    action: str = ""
    data: dict[str, Any] = Field(default_factory=dict)


class MasterControlAgent(ANPUser):
    """A master agent, hosted like any other.

    Args:
        name: as for every agent.
        capabilities: more that it offers, beside its own.
        service_registry, permission_manager, group_controller: its parts; those of its node by default.
        ground: the node; the one of the context by default, where it is first needed.
        options: as for every agent.

    Attributes:
        permission_group: the id of the group that says who may use what; None: nobody may yet.
    """

    def __init__(
        self,
        name: str,
        /,
        *capabilities: object,
        service_registry: ServiceRegistry | None = None,
        permission_manager: Permissions | None = None,
        group_controller: Controller | None = None,
        ground: MasterGround | None = None,
        **options: Any,  # noqa: ANN401 - those of `Agent`
    ) -> None:
        super().__init__(name, *capabilities, **options)
        self.permission_group: str | None = None
        self._ground = ground
        self._registry, self._permissions, self._controller = service_registry, permission_manager, group_controller
        self._discovery: Discovery | None = None
        self._listens = False
        self.on_stop(self.stop_service_discovery)

    @classmethod
    def from_did(cls, did: str, *capabilities: object, **options: Any) -> Self:  # noqa: ANN401 - those of `__init__`
        """A master agent that has an identity already, whose keys its node has (row MCA-01).

        Raises:
            InvalidInput: the DID is none, or has no fingerprint of its key and ``allow_legacy_did`` is off.
            OptionError: as `Agent`.
        """
        given: MasterGround | None = options.get("ground")
        ground = given or current_ground()
        allowed = Settings().allow_legacy_did if ground is None else ground.allow_legacy
        if Did.parse(did).kind == "legacy" and not allowed:
            raise InvalidInput(
                "a DID without its key's fingerprint needs the setting allow_legacy_did",
                told=Told("identity.did_legacy"),
            )
        return super().from_did(did, *capabilities, **options)

    @property
    def ground(self) -> MasterGround:
        """The node that it stands on.

        Raises:
            UsageError: it is on none, and there is none in this context.
        """
        if self._ground is None:
            self._ground = current_ground()
        if self._ground is None:
            raise UsageError("the master agent is on no node", hint="run this within `with moothall.using(node):`")
        return self._ground

    @property
    def service_registry(self) -> ServiceRegistry:
        """The services that it knows of."""
        if self._registry is None:
            self._registry = UnifiedServiceRegistry(self.ground.store, self.ground.clock)
        return self._registry

    @property
    def permission_manager(self) -> Permissions:
        """The policies of its node."""
        return self._permissions or self.ground.permissions

    @property
    def group_controller(self) -> Controller:
        """Asks its permission group."""
        if self._controller is None:
            self._controller = GroupController(self.ground.groups.store, lambda: self.permission_group or "")
        return self._controller

    async def setup_permission_group(self, group_id: str, *, owner: str = "") -> None:
        """Let a group say who may use which service; it is made where there is none (row MCA-05).

        Args:
            group_id: the group.
            owner: who owns it, where that is neither this agent nor another of the node: whoever rules the group rules
                the services, and anybody may have taken the name before.

        Raises:
            PermissionDeniedError: the group is somebody else's.
            InvalidInput: the id is none, or this node has no keys of this agent.
            UsageError: there is no node.
        """
        ground = self.ground
        await be_hosted(ground, self)
        groups, me = ground.groups, self.did_here
        known = await groups.store.get(group_id)
        if known is None:
            await groups.create(group_id, owner=me, by=OWNER)
        elif known.owner not in {me, owner} and not ground.control.own.is_own(known.owner):
            raise PermissionDeniedError(
                "the group is somebody else's", told=Told("master.foreign_group", {"group": group_id})
            )
        else:
            await groups.add(group_id, me, by=OWNER)
        self.permission_group = group_id
        if not self._listens:
            self._listens = True
            self._listen()

    async def handle_permission_request(
        self, group_id: str, event_type: str, event_data: Mapping[str, Any]
    ) -> dict[str, Any] | None:
        """Answer a member's request (row MCA-05); anything else, and anybody else, is passed over.

        Args:
            group_id: where it was made.
            event_type: ``permission_request``.
            event_data: ``sender``, as it was proved; in ``content``, or beside it, ``service``, perhaps ``action`` and
                ``correlation_id``.
        """
        if event_type != PERMISSION_REQUEST or not group_id or group_id != self.permission_group:
            return None
        return await self._process_permission_request(event_data)

    async def authorize_request(self, caller_did: str, service_id: str, action: str) -> bool:
        """Whether a caller may do something with a service: what its permission group says (row MCA-03).

        A group that cannot be asked says no.
        """
        result = await self.group_controller.check_permission(caller_did, service_id, action)
        return result.allowed

    async def route_service_call(self, request: ServiceRequest) -> Any:  # noqa: ANN401 - whatever the service returns
        """Make a call that is permitted (row MCA-04).

        Raises:
            PermissionDeniedError: it is not.
            ServiceNotFoundError: there is no such service.
            MoothallError: as the service failed.
        """
        if not await self.authorize_request(request.caller, request.service, request.action):
            raise _denied()
        return await self.execute_service(request)

    async def execute_service(self, request: ServiceRequest) -> Any:  # noqa: ANN401 - whatever the service returns
        """Make a call that was permitted; raises as `route_service_call`."""
        return await self._lead(self.ground.callers(request.caller), request.service, request.data)

    async def route_service_request(
        self, caller: str | Principal, service_id: str, request_data: Mapping[str, Any]
    ) -> Any:  # noqa: ANN401 - whatever the service returns
        """Permission, then discovery, then the call, in this order (row MCA-07).

        Args:
            caller: as the verifier made it; the process itself may name a DID.
            service_id: ``DID#NAME``.
            request_data: the arguments.

        Raises:
            PermissionDeniedError: the permission group does not let the caller use it, whether or not it is there.
            ServiceNotFoundError: there is no such service.
            MoothallError: as the service failed, or refused the caller.
        """
        who = self.ground.callers(caller) if isinstance(caller, str) else caller
        if not await self._check_permission(who, service_id):
            raise _denied()
        return await self._lead(who, service_id, request_data)

    async def register_service_agent(
        self, agent: Described, proof: str = "", *, by: Principal = OWNER
    ) -> tuple[Service, ...]:
        """List what an agent offers others (row MCA-06); again changes nothing, but what it offers no more is gone.

        Args:
            agent: one of this node, which is hosted where it is not yet; or one elsewhere.
            proof: by the key of its DID (`proof.prove`), where it is neither hosted here nor `by`.
            by: who asks.

        Raises:
            PermissionDeniedError: it is not proved that the agent wants it.
            InvalidInput, PayloadTooLarge: a description has no such form, or is too long.
        """
        return await enroll(self.ground, self.service_registry, agent, proof, by)

    async def start_service_discovery(self, refresh_interval: float = USUAL_INTERVAL) -> None:
        """Look for agents now, and every so many seconds (row MCA-09); again changes the interval.

        Raises:
            InvalidInput: the interval is none.
            StorageError: the store failed.
        """
        if not 0 < refresh_interval < float("inf"):
            raise InvalidInput("an interval is longer than nothing", told=Told("master.interval"))
        if self._discovery is None:
            self._discovery = Discovery(self.ground, self.service_registry, lambda: self.name)
        await self._discovery.start(refresh_interval)

    async def stop_service_discovery(self) -> None:
        """Look for them no more."""
        if self._discovery is not None:
            await self._discovery.aclose()

    @property
    def did_here(self) -> str:
        """The DID that its node hosts it under; empty: it is not hosted."""
        return self.ground.agents().get(self.name, "")

    @capability(name="services", access=ANYBODY, action="read", read_only=True, idempotent=True)
    async def list_services(self, ctx: CallContext, after: Id = "") -> list[Service]:
        """The services that the caller may use, by their ids, after the one with the id `after`."""
        if not await self.group_controller.is_member(self._identity(ctx.principal)):
            return []  # nobody else may use anything: not every service is asked about
        found = await self.service_registry.services(after=after)
        return [one for one in found if await self._check_permission(ctx.principal, one.id)]

    @capability(name="permission", access=ANYBODY, action="read", read_only=True, idempotent=True)
    async def ask_permission(self, ctx: CallContext, service: Id, action: Id = "") -> bool:
        """Whether the permission group lets the caller use a service."""
        return await self.authorize_request(self._identity(ctx.principal), service, action)

    @capability(name="route", access=ANYBODY)
    async def route(self, ctx: CallContext, service: Id, parameters: dict[str, Any] | None = None) -> Any:  # noqa: ANN401
        """Call a service that the permission group lets the caller use."""
        return await self.route_service_request(ctx.principal, service, parameters or {})

    @capability(name="register", access=ANYBODY, action="manage", idempotent=True)
    async def register(
        self,
        ctx: CallContext,
        services: Annotated[list[dict[str, Any]], Field(max_length=MOST)],
        did: Id = "",
        proof: Annotated[str, Field(max_length=16_384)] = "",
    ) -> list[Service]:
        """List services of an agent: of the caller, or of a DID that signed `proof`; those left out are gone."""
        ctx.firsthand()
        given = Said(did or ctx.principal.id, services)
        return list(await self.register_service_agent(given, proof, by=ctx.principal))

    async def _check_permission(self, caller: str | Principal, service_id: str) -> bool:
        """What the permission group says, and of an agent of this node its policies as well."""
        who = self.ground.callers(caller) if isinstance(caller, str) else caller
        if not who.verified:
            return False
        name, action = capability_of(self.ground, service_id)
        if not await self.authorize_request(self._identity(who), service_id, action):
            return False
        return not name or (await self.permission_manager.check_permission(who, name, action)).effect != "deny"

    async def _process_permission_request(self, event_data: Mapping[str, Any]) -> dict[str, Any] | None:
        """Decide about what a member asks for itself, and tell it so in the group."""
        sender = event_data.get("sender")
        if not isinstance(sender, str) or not await self.group_controller.is_member(sender):
            return None
        asked = Asked.of(event_data)
        decision = asked.decided(allowed=await self.authorize_request(sender, asked.service, asked.action))
        await tell(self.ground, self.permission_group or "", self.did_here, sender, decision)
        return decision

    def _listen(self) -> None:
        """Hear the events of groups; what an event says of its sender could be anything, were this called directly."""

        async def handle_permission_request(
            ctx: CallContext, group_id: str, event_type: str, event_data: dict[str, Any]
        ) -> dict[str, Any] | None:
            """Answer the requests of members of the permission group for rights to services."""
            sender = self._identity(ctx.principal)
            if sender == self.did_here:  # it came over a link, and nobody in the group has asked
                return None
            proved = {**event_data, "sender": sender}
            return await self.handle_permission_request(group_id, event_type, proved)

        listens = self.register_group_event_handler(expose_to="local", group_events=(PERMISSION_REQUEST,))
        listens(handle_permission_request)

    async def _lead(self, caller: Principal, service_id: str, data: Mapping[str, Any]) -> Any:  # noqa: ANN401
        service = await self.service_registry.get_service(service_id)
        if service is None:
            raise ServiceNotFoundError("there is no such service", told=Told("master.no_service"))
        return await self._call_remote_service(service.agent_id, service_id, data, caller)

    async def _call_remote_service(
        self, target_agent: str, service_id: str, request_data: Mapping[str, Any], caller: Principal
    ) -> Any:  # noqa: ANN401 - whatever the service returns
        return await call_service(self.ground, self.name, target_agent, service_id, request_data, caller, running.get())

    def _identity(self, principal: Principal) -> str:
        return self.ground.groups.identity(principal)


def _denied() -> MoothallError:
    return PermissionDeniedError("the permission group does not allow it", told=Told("master.denied"))
