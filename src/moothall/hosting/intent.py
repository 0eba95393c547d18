"""Calls by intent at one node: what a request in words means, having it called, and plans of several calls."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from moothall.approvals.news import Bells
from moothall.calls.path import CallPath
from moothall.calls.ports import Connector
from moothall.calls.remotes import remote_name
from moothall.calls.target import Target
from moothall.directory.intent.asking import IntentModel
from moothall.directory.intent.balancing import Balancer
from moothall.directory.intent.connector import AutoConnector
from moothall.directory.intent.discovering import ResourceDiscoverer
from moothall.directory.intent.intents import IntentGround, Intents
from moothall.directory.intent.matcher import IntelligentMatcher
from moothall.directory.intent.understanding import ModelUnderstanding
from moothall.directory.listing import Listing
from moothall.directory.orchestration.capabilities import OrchestrationCapabilities
from moothall.directory.orchestration.driver import OrchestrationDriver
from moothall.directory.orchestration.kept import KIND
from moothall.directory.orchestration.planner import Planner
from moothall.directory.orchestration.service import Orchestrations
from moothall.directory.places import load_gazetteer
from moothall.directory.search.cache import CacheManager
from moothall.directory.searching import Rights, Search
from moothall.events.worker import Driver
from moothall.hosting.house import House
from moothall.identity.principal import Principal


class Intent:
    """The room of calls by intent.

    Args:
        house: what every room stands on.
        search, rights: what there is, and who may know of it.
        stopped: whether something may not be called although it is listed.

    Attributes:
        intents: find out what requests mean.
        orchestrations: plans of several calls.
    """

    def __init__(self, house: House, search: Search, rights: Rights, stopped: Callable[[Listing], bool]) -> None:
        settings, clock = house.settings, house.clock
        model = None if house.llm is None else IntentModel(house.llm, house.lang)
        cache = CacheManager(search, clock)
        self.intents = Intents(
            IntentGround(
                discoverer=ResourceDiscoverer(lambda: search, lambda: rights, lambda: cache),
                matcher=IntelligentMatcher(model),
                model=model,
                gazetteer=load_gazetteer(),
                clock=clock,
                own=house.own,
                confirmed=settings.auto_confirmed,
                balancer=Balancer(settings.auto_balancing),
                stopped=stopped,
                away=self._away,
            )
        )
        self._path = house.path
        self._understanding = ModelUnderstanding(model, self.intents.today)
        bells = Bells()
        planner = Planner(self.intents, house.llm, house.lang)
        self.orchestrations = Orchestrations(planner, house.log, house.path, clock, bells)
        self.connectors: Sequence[Connector] = (AutoConnector(self.intents),)
        self.capabilities: Sequence[object] = (OrchestrationCapabilities(self.orchestrations),)

        def asking(principal: Principal) -> Principal | None:
            if principal.kind == "did":
                return house.callers(principal.id)
            return principal if principal.kind == "local" else house.renewed(principal)

        self.drivers: Mapping[str, Driver] = {KIND: OrchestrationDriver(house.path, asking, bells)}

    def join(self, path: CallPath) -> None:
        """Let what is called on this path be called in words, and take arguments in words."""
        path.parts[Intents] = self.intents
        path.understanding.by = self._understanding

    def _away(self, listing: Listing) -> bool:
        """Whether it is left alone, since calls to it have failed."""
        return not listing.local and self._path().state_of(remote_name(Target.parse(listing.target))) == "open"
