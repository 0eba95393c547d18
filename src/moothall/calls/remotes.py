"""What is elsewhere: the connectors, and for each remote its breaker, its budget of repetitions, its figures."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Iterable
from typing import Final
from urllib.parse import urlsplit

from moothall.calls.meter import Tallies, Tally
from moothall.calls.ports import Connector, Stops
from moothall.calls.target import Target
from moothall.calls.terms import Terms
from moothall.errors import Told, Unavailable, ValidationError
from moothall.resilience import Breaker, BreakerState

SHOWN: Final = "profile"
"""The scheme under which search names those who negotiate: they can be found, and not called."""

_MOST: Final = 1000
_FULL: Final = 100
_PRICE: Final = 10


class Budget:
    """Repetitions that a remote may get: ten, and one more for every ten calls that succeed.

    Where much fails, repeating all of it would double the load of what is ill already.
    """

    def __init__(self) -> None:
        self._tokens = _FULL

    def earn(self) -> None:
        """A call succeeded."""
        self._tokens = min(_FULL, self._tokens + 1)

    def spend(self) -> bool:
        """Take one repetition; False when there is none left."""
        if self._tokens < _PRICE:
            return False
        self._tokens -= _PRICE
        return True


class Remote:
    """Somewhere that calls go to."""

    def __init__(self, breaker: Breaker, tally: Tally) -> None:
        self.breaker = breaker
        self.budget = Budget()
        self.tally = tally


class Remotes:
    """The connectors, and the thousand remotes that were used last.

    Attributes:
        stops: what may not be called; None: nobody says so.
    """

    def __init__(
        self, connectors: Iterable[Connector], terms: Terms, tallies: Tallies, monotonic: Callable[[], float]
    ) -> None:
        self._connectors = {scheme: connector for connector in connectors for scheme in connector.schemes}
        self._remotes: OrderedDict[str, Remote] = OrderedDict()
        self._terms = terms
        self._tallies = tallies
        self._monotonic = monotonic
        self.stops: Stops | None = None

    def add(self, connector: Connector) -> None:
        """Use a connector for the schemes that it knows, in place of one that was there."""
        self._connectors.update(dict.fromkeys(connector.schemes, connector))

    def connector(self, source: str, scheme: str) -> Connector:
        """The connector of a source, by its own name or by the scheme of its target.

        Raises:
            ValidationError: it is a profile, which is shown and never called.
            Unavailable: there is none.
        """
        if scheme == SHOWN:
            raise ValidationError("a profile is shown, never called", told=Told("calls.shown", hint="calls.shown_hint"))
        connector = self._connectors.get(source) or self._connectors.get(scheme)
        if connector is None:
            raise Unavailable(
                f"this node has no connector for {source}", told=Told("calls.no_connector", {"scheme": source})
            )
        return connector

    def state(self, name: str) -> BreakerState:
        """Whether a remote is called, left alone or being tried again; one that is not known is called."""
        remote = self._remotes.get(name)
        return "closed" if remote is None else remote.breaker.state

    def of(self, name: str) -> Remote:
        """What is known of a remote."""
        remote = self._remotes.get(name)
        if remote is None:
            terms = self._terms
            breaker = Breaker(terms.breaker_threshold, terms.breaker_recovery, self._monotonic)
            remote = self._remotes[name] = Remote(breaker, self._tallies.of(name))
            if len(self._remotes) > _MOST:
                self._remotes.popitem(last=False)
        else:
            self._remotes.move_to_end(name)
        return remote


def remote_name(target: Target) -> str:
    """What fails together: the host of a URL, else the address (a DID, a server) under its scheme."""
    if target.scheme in {"http", "https"} or target.address.startswith(("http://", "https://")):
        return urlsplit(target.address).netloc.rpartition("@")[2]
    return target.address if target.scheme == "did" else f"{target.scheme}:{target.address}"
