"""The ways in and out of a node: a connector and a door of each protocol, put together."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from moothall.calls.ports import Connector, Gateway
from moothall.capability.life import run_all
from moothall.capability.registry import Snapshot
from moothall.clock import Clock
from moothall.identity.office import IdentityOffice, Place
from moothall.identity.principal import Principal
from moothall.identity.site import Origin
from moothall.messages import Lang
from moothall.protocols.anp.assembly import AnpRoom
from moothall.protocols.anp.assembly import Ground as AnpGround
from moothall.protocols.anp.crawler import Crawler
from moothall.protocols.anp.door import AnpDoor
from moothall.protocols.anp.hosted import Hosted
from moothall.protocols.anp.terms import Terms as AnpTerms
from moothall.protocols.http.client import HttpConnector
from moothall.settings import Settings

Accepted = Callable[[str], Lang | None]
"""Reads ``Accept-Language``."""


@dataclass(frozen=True, slots=True, kw_only=True)
class EdgeGround:
    """What the edges stand on.

    Attributes:
        snapshot: the capabilities as they are now.
        hosted: the agents as their documents show them.
        gateway: the call path, which is made after the connectors.
        principals: who an agent of this node is as a caller, by its name.
    """

    settings: Settings
    clock: Clock
    place: Place
    office: IdentityOffice
    snapshot: Callable[[], Snapshot]
    hosted: Hosted
    gateway: Callable[[], Gateway]
    principals: Callable[[str], Principal]


class Edges:
    """The edges of one node."""

    def __init__(self, ground: EdgeGround) -> None:
        self._ground = ground
        office = ground.office
        self._http = HttpConnector(office.session, _authorities(ground.place))
        self._anp = AnpRoom(
            AnpGround(
                snapshot=ground.snapshot,
                hosted=ground.hosted,
                base=ground.place.url,
                gateway=ground.gateway,
                principals=ground.principals,
                sessions=office.session,
                egress=office.egress,
                resolver=office.resolver,
                clock=ground.clock,
            )
        )

    @property
    def connectors(self) -> Sequence[Connector]:
        """The ways out."""
        return (self._http, self._anp.connector)

    @property
    def crawler(self) -> Crawler:
        """Finds the agents of other nodes by their domains."""
        return self._anp.crawler

    def doors(self, lang: Lang, accepted: Accepted) -> Sequence[AnpDoor]:
        """The ways in, beside the plain HTTP that the server opens itself; the first that claims a path has it."""
        settings, verifier = self._ground.settings, self._ground.office.verifier
        terms = AnpTerms(
            max_body=settings.max_call_body,
            lang=lang,
            accepted=accepted,
            welcome=verifier.welcome,
            challenge=verifier.challenger.of,
            open_documents=settings.public_descriptions,
        )
        return (self._anp.door(terms),)

    async def aclose(self) -> None:
        """Let go of what is open, all of it; the first failure is raised at the end."""
        await run_all([self._anp.aclose])


def _authorities(place: Place) -> frozenset[str]:
    """What a request to this node has as its host and port."""
    return frozenset(Origin.of(url).authority for url in (place.url, *place.others))
