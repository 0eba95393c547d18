"""A node whose agent bob has a front door, and requests as alice of another node sends them."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from moothall.approvals.asking import Approvals
from moothall.calls.ports import Gateway
from moothall.capability.members import members_of
from moothall.clock import SystemClock, rfc3339
from moothall.events.log import EventLog
from moothall.identity.carriage import agent_uri, sign_payload
from moothall.identity.principal import Principal
from moothall.negotiation.protocol.asked import Place, Quote
from moothall.negotiation.protocol.authorizing import Authorizing
from moothall.negotiation.protocol.desk import Drafts, NegotiationDesk
from moothall.negotiation.protocol.front_capabilities import FrontCapabilities
from moothall.negotiation.protocol.offers import FrontTerms, interfaces_of
from tests.protocols.anp import hall
from tests.protocols.anp.town import House, house

LIMITS = {"max_request_bytes": 1_048_576, "max_message_bytes": 262_144}


class LaterClock(SystemClock):
    """The machine's time, moved on."""

    def __init__(self) -> None:
        self.ahead = timedelta()

    def now(self) -> datetime:
        return super().now() + self.ahead


@dataclass
class FrontHouse:
    """A node with a front door."""

    house: House
    desk: NegotiationDesk
    log: EventLog
    clock: LaterClock = field(default_factory=LaterClock)

    @property
    def did(self) -> str:
        return self.house.did("bob")


@asynccontextmanager
async def front_house(
    data: Path,
    *functions: Callable[..., Any],
    approvals: Callable[[EventLog, House], Approvals] | None = None,
    security: tuple[str, ...] = ("transport-protected",),
    drafts: Callable[[EventLog, House], Drafts] | None = None,
) -> AsyncIterator[FrontHouse]:
    """A node with the agent bob, for the time of the block."""
    desks: list[NegotiationDesk] = []

    async def holds(caller: Principal, agent: str, capability: str, quote: Quote) -> None:
        await desks[0].check(caller, agent, capability, quote)

    async with house(data, {"bob": functions or (hall.add, hall.count, hall.hello)}, holds=holds) as found:
        clock = LaterClock()
        log = EventLog(found.store, clock=clock)
        await log.start()

        def place(agent: str) -> Place | None:
            if agent not in found.agents:
                return None
            base = f"{found.base}/agents/{agent}"
            ways = interfaces_of(f"{base}/rpc", document=f"{base}/interface.json", tasks=f"{base}/a2a")
            return Place(
                name=agent,
                did=found.did(agent),
                terms=FrontTerms(interfaces=ways, security_profiles=security, drafting=drafts is not None),
            )

        def gateway() -> Gateway:
            return found.path

        desk = NegotiationDesk(
            log,
            gateway,
            found.verifier.prove_carried,
            place,
            Authorizing(gateway, None if approvals is None else approvals(log, found), "node"),
            limits=LIMITS,
            valid=timedelta(minutes=10),
            drafts=None if drafts is None else drafts(log, found),
        )
        desks.append(desk)
        found.registry.add("node", members_of(FrontCapabilities(desk)))
        try:
            yield FrontHouse(found, desk, log, clock)
        finally:
            await log.close()


def request(
    sender: House,
    target: str,
    *,
    operation: str = "op-1",
    meta: Mapping[str, Any] | None = None,
    body: Mapping[str, Any] | None = None,
    sign: bool = True,
    sent: str | None = None,
) -> dict[str, Any]:
    """The ``params`` of a request of alice's; ``sent`` is for whom its proof is, where that is somebody else."""
    head: dict[str, Any] = {
        "profile": "anp.meta.negotiation.v1",
        "security_profile": "transport-protected",
        "sender_did": sender.did(),
        "target": {"kind": "agent", "did": target},
        "operation_id": operation,
        "created_at": rfc3339(datetime.now(UTC)),
        "content_type": "application/json",
        **(meta or {}),
    }
    wanted: dict[str, Any] = {"negotiation_id": "n-1", "intent": {"name": "add"}, **(body or {})}
    params: dict[str, Any] = {"meta": head, "body": wanted}
    if sign:
        signed = sign_payload(
            sender.agents["alice"].identity.signer,
            {"method": "anp.negotiate", **params},
            method="anp.negotiate",
            target=agent_uri(sent or target),
            now=int(time.time()),
        )
        params["auth"] = {"origin_proof": signed["auth"]}
    return params
