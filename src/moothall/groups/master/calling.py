"""The call of a service, once it is permitted: as its caller, wherever its agent is."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from moothall.calls.call import LOCAL, Call
from moothall.calls.ports import CallFacts
from moothall.calls.request_ids import fresh
from moothall.calls.target import Target
from moothall.groups.master.ground import MasterGround
from moothall.identity.principal import Principal

DOOR: Final = "master"
"""By which services of this node are called: what is not offered to others cannot be reached by it."""


async def call_service(
    ground: MasterGround,
    master: str,
    agent_id: str,
    service_id: str,
    data: Mapping[str, Any],
    caller: Principal,
    within: Call | None,
) -> Any:  # noqa: ANN401 - whatever the service returns
    """Call a service. One of this node is called by its caller, one elsewhere is asked by the master agent.

    Raises:
        MoothallError: as the service failed, or refused the caller.
    """
    name = service_id.removeprefix(f"{agent_id}#")
    here = ground.name_of(agent_id)
    facts = CallFacts(
        door=DOOR if here else LOCAL,
        principal=caller,
        request_id=fresh(),
        timeout=None if within is None else within.deadline - ground.clock.monotonic(),
        hops=0 if within is None else within.facts.hops + 1,
        agent=master,
        parent="" if within is None else within.request_id,
        inside=True,
    )
    target = Target.parse(f"local:{here}.{name}" if here else f"{agent_id}#{name}")
    reply = await ground.gateway().call(target, data, facts)
    if reply.error is not None:
        raise reply.error
    return reply.data
