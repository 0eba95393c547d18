"""Looks for services again and again: new agents appear, those that are gone drop out (row MCA-09)."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from datetime import timedelta
from operator import attrgetter
from typing import Final

from moothall.capability.service_registry import ServiceInfo
from moothall.errors import InvalidInput, MoothallError, Overloaded
from moothall.groups.master.ground import MasterGround, ServiceRegistry
from moothall.groups.master.here import services_of
from moothall.groups.master.services import PAGE, Origin, Service, offered
from moothall.telemetry import logger

TASK: Final = "moothall-services"
USUAL_INTERVAL: Final = 60.0
"""Seconds between two looks."""

_PATIENCE: Final = 5.0
"""Seconds in which an agent elsewhere has to say that it is there."""
_FORGOTTEN: Final = timedelta(days=30)
"""After which nobody waits for an agent to come back: its services would take the places of others for ever."""
_AT_ONCE: Final = 8

_log = logger("groups")


class Discovery:
    """Keeps the services of one master agent up to date.

    Agents of this node are listed by what they offer others, those that were found elsewhere by what they list there;
    who registered from elsewhere, and who was found where nobody answers now, is asked whether it is still there.
    """

    def __init__(self, ground: MasterGround, registry: ServiceRegistry, master: Callable[[], str]) -> None:
        self._ground, self._registry, self._master = ground, registry, master
        self._tasks: list[asyncio.Task[None]] = []

    async def start(self, interval: float) -> None:
        """Look now, without waiting for anybody's places to be read again, and from then on every so many seconds.

        Raises:
            StorageError: the store failed now; later failures are logged, and it looks again.
        """
        await self.aclose()
        await self.refresh(afresh=False)
        looks = (self._look_here, self._look_elsewhere)  # side by side: places elsewhere may be slow
        self._tasks = [asyncio.create_task(self._again(look, timedelta(seconds=interval)), name=TASK) for look in looks]

    async def aclose(self) -> None:
        """Look no more."""
        tasks, self._tasks = self._tasks, []
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def refresh(self, *, afresh: bool = True) -> None:
        """Look once; ``afresh``: places elsewhere are read again before.

        Raises:
            StorageError: the store failed.
        """
        await self._look_here()
        await self._look_elsewhere(afresh=afresh)

    async def _look_here(self) -> None:
        """List what the agents of this node offer others."""
        ground = self._ground
        for name, did in ground.agents().items():
            if name not in {ground.house, self._master()}:
                offered_here = services_of(ground, name)
                ids = [await self._add(did, info, action=action) for info, action in offered_here]
                await self._registry.keep_only(did, ids)

    async def _look_elsewhere(self, *, afresh: bool = True) -> None:
        """List what was found elsewhere, and see who is there still."""
        found = await self._ground.found(afresh=afresh)
        here, listed, sure = set(self._ground.agents().values()), set[str](), dict[str, list[str]]()
        for one in found:
            if one.agent_id in here:
                continue
            listed.add(one.agent_id)
            if one.sure:
                ids = sure.setdefault(one.agent_id, [])
                ids.append(await self._add(one.agent_id, one.info, origin="found"))
        for agent, ids in sure.items():
            await self._registry.keep_only(agent, ids, origin="found")
        known = await self._known()
        for agent in {each.agent_id for each in known if each.origin == "found"} - listed:
            await self._registry.keep_only(agent, (), origin="found")
        left = [each for each in known if each.origin != "found" or each.agent_id in listed]
        await self._see(each for each in left if each.agent_id not in here | sure.keys())

    async def _see(self, services: Iterable[Service]) -> None:
        """Ask the agents of services whether they are there, and forget those that have not been for long."""
        seen = {service.agent_id: service.seen_at for service in sorted(services, key=attrgetter("seen_at"))}
        slots = asyncio.Semaphore(_AT_ONCE)
        alive = await asyncio.gather(*(self._ask(agent, slots) for agent in seen))
        for (agent, last), there in zip(seen.items(), alive, strict=True):
            if not there and last + _FORGOTTEN < self._ground.clock.now():
                await self._registry.keep_only(agent, ())

    async def _add(self, agent: str, info: ServiceInfo, *, action: str = "", origin: Origin = "registered") -> str:
        """List a service of an agent, and give its id, empty where it is none for others; what is odd holds up none."""
        try:
            for whole in offered([info]):
                return (await self._registry.add_service(agent, whole, action=action, origin=origin)).id
        except (InvalidInput, Overloaded) as error:
            _log.warning("the service %s of %s is not listed: %s", info["name"][:100], agent, error.code)
        return ""

    async def _known(self) -> list[Service]:
        known: list[Service] = []
        while len(page := await self._registry.services(after=known[-1].id if known else "", gone=True)) == PAGE:
            known += page
        return known + page

    async def _ask(self, agent: str, slots: asyncio.Semaphore) -> bool:
        """Whether an agent elsewhere is there: it describes itself."""
        async with slots:
            try:
                async with asyncio.timeout(_PATIENCE):
                    await self._ground.visit(agent, self._master())
            except (MoothallError, TimeoutError):
                alive = False
            else:
                alive = True
        if await self._registry.mark(agent, alive=alive):
            _log.info("the services of %s are %s", agent, "there again" if alive else "gone: it does not answer")
        return alive

    async def _again(self, look: Callable[[], Awaitable[None]], interval: timedelta) -> None:
        clock = self._ground.clock
        then = clock.now()
        while True:
            then += ((clock.now() - then) // interval + 1) * interval
            await clock.sleep_until(then)
            try:
                await look()
            except MoothallError:
                _log.exception("services could not be looked for; that is tried again")
