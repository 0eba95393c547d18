"""One view of all services of a node: versions, owners, health, calls and errors (row SOA-08)."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Literal

from pydantic import BaseModel, Field

from moothall.calls.meter import CANCELLED, OK, Tally
from moothall.calls.outgoing import target_of
from moothall.calls.remotes import remote_name
from moothall.capability.decorators import capability
from moothall.capability.entry import Entry
from moothall.errors import MoothallError
from moothall.resilience import BreakerState

if TYPE_CHECKING:
    from moothall.hosting.host import AgentHost

Health = Literal["ok", "probing", "left_alone", "deprecated", "disabled"]
"""``left_alone``: what does the work elsewhere failed several times; ``probing``: it is being tried again."""

_LOCAL = "local"
_BREAKERS: dict[BreakerState, Health] = {"closed": "ok", "half_open": "probing", "open": "left_alone"}
_WORST: tuple[Health, ...] = ("left_alone", "probing", "ok")


class Figures(BaseModel):
    """What this process counted since it started; ``seconds`` is the mean of a call, without any: null."""

    calls: int
    errors: int = Field(description="calls that ended with an error, refused ones with them; not those given up")
    seconds: float | None


class Service(Figures):
    """A capability of this node, with what is counted over all its versions."""

    id: str
    agent: str
    owner: str = Field(description="the DID of the agent that offers it")
    version: str
    versions: list[str]
    source: str
    exposure: list[str]
    access: str
    health: Health


class Endpoint(Figures):
    """Somewhere that calls of this node went to."""

    endpoint: str
    health: Health


class Overview(BaseModel):
    """Services in order of id, then where calls went to."""

    services: list[Service]
    endpoints: list[Endpoint]


class Governance:
    """The capability ``services.overview`` of a node.

    Args:
        host: gives the host, which is made after this.
    """

    def __init__(self, host: Callable[[], AgentHost]) -> None:
        self._host = host

    @capability(name="services.overview", expose_to="both", permissions=("services",), idempotent=True, read_only=True)
    async def overview(self, agent: str = "", own: bool = False) -> Overview:  # noqa: FBT001, FBT002 - a name for callers
        """Show every service: who offers it, which versions there are, how it is, and how its calls ended.

        Args:
            agent: of this agent only.
            own: with what every node has.
        """
        host = self._host()
        snapshot = host.capabilities.snapshot
        mine = [entry for entry in snapshot.newest if (own or entry.id not in host.own) and agent in {"", entry.agent}]
        versions: dict[str, list[str]] = {}
        for key in (key for key in snapshot.entries if "@" in key):
            name, _, version = key.rpartition("@")
            versions.setdefault(name, []).append(version)
        services = [self._service(host, entry, sorted(versions.get(entry.id, ()))) for entry in mine]
        rows = [] if agent else host.path.meter.remotes.rows()
        endpoints = [
            Endpoint(endpoint=name, health=_endpoint(host, name), **_figures(tally).model_dump())
            for name, tally in rows
        ]
        return Overview(services=sorted(services, key=lambda one: one.id), endpoints=endpoints)

    def _service(self, host: AgentHost, entry: Entry, versions: list[str]) -> Service:
        spec, tallies = entry.spec, dict(host.path.meter.capabilities.rows())
        return Service(
            **_figures(tallies.get(entry.id, Tally())).model_dump(),
            id=entry.id,
            agent=entry.agent,
            owner=host.office.did(entry.agent) or "",
            version=spec.version,
            versions=versions or [spec.version],
            source=spec.source,
            exposure=sorted(spec.exposure),
            access=spec.access,
            health=_health(host, entry),
        )


def _figures(tally: Tally) -> Figures:
    calls = sum(tally.outcomes.values())
    ended = sum(count for (_, outcome), count in tally.outcomes.items() if outcome not in {OK, CANCELLED})
    return Figures(calls=calls, errors=ended, seconds=round(tally.seconds / calls, 6) if calls else None)


def _health(host: AgentHost, entry: Entry) -> Health:
    """How it is: as good as the best of those that can do its work."""
    if entry.state != "enabled":
        return "disabled" if entry.state == "disabled" else "deprecated"
    found = set(_of_providers(host, entry))
    return max(found or {"ok"}, key=_WORST.index)


def _of_providers(host: AgentHost, entry: Entry) -> Iterable[Health]:
    for provider in entry.providers:
        if provider.source == _LOCAL:
            yield "ok"
            continue
        try:
            yield _endpoint(host, remote_name(target_of(entry, provider)))
        except MoothallError:
            continue


def _endpoint(host: AgentHost, name: str) -> Health:
    return _BREAKERS[host.path.state_of(name)]
