"""How far somebody trusts a caller: 1 to 10, never by what the caller says of itself (row POL-12). Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final, Protocol

from moothall.people.facts import MOST_TRUST, PartyFacts

_HOPS: Final = 3
"""Links of a way where nobody says how many."""


class Trusting(Protocol):
    """What tells how far one party trusts another."""

    def level(self, provider: PartyFacts, caller: PartyFacts) -> int:
        """How far the person whose agent is called trusts who calls, 1 to 10."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class TrustNetwork:
    """Who trusts whom, and how far.

    What a person said of a caller counts first, in the store or in `links`, and of the caller's person where it said
    nothing of this agent; then, if `transitive` is set, what those say whom it trusts; then the trust that this node
    has in the caller. Along a way trust is that of its weakest link, and the best way counts.

    Of those in between only `links` are asked: what they said in the store is known of the one who is called alone, so
    that a decision never reads the store.

    Attributes:
        links: of persons by name: how far each trusts DIDs and ``user:NAME``, 1 to 10.
        transitive: whether trust passes on, of all, or of the persons who said so; without it only own words count.
        hops: links that a way may have; None: three, or what another network that is joined to this one says.
    """

    links: Mapping[str, Mapping[str, int]] = field(default_factory=dict)
    transitive: bool | frozenset[str] = False
    hops: int | None = None

    def level(self, provider: PartyFacts, caller: PartyFacts) -> int:
        """How far the person whose agent is called trusts who calls, 1 to 10."""
        own = {**self.links.get(provider.person, {}), **provider.trusted} if provider.person else provider.trusted
        if (said := _of(own, caller)) is not None:
            return said
        passes = self.transitive if isinstance(self.transitive, bool) else provider.person in self.transitive
        passed_on = self._passed_on(own, provider.person, caller) if passes else None
        return caller.trust if passed_on is None else passed_on

    def joined(self, other: TrustNetwork) -> TrustNetwork:
        """Both at once; where both speak of how far one trusts another, the lower level holds."""
        links = {person: dict(theirs) for person, theirs in self.links.items()}
        for person, theirs in other.links.items():
            known = links.setdefault(person, {})
            for subject, level in theirs.items():
                known[subject] = min(level, known.get(subject, level))
        hops = min((hops for hops in (self.hops, other.hops) if hops is not None), default=None)
        return TrustNetwork(links=links, transitive=_either(self.transitive, other.transitive), hops=hops)

    def _passed_on(self, own: Mapping[str, int], person: str, caller: PartyFacts) -> int | None:
        """Trust by way of others: the weakest link of the best way; None where there is no way."""
        best: int | None = None
        reached: dict[str, int] = {person: MOST_TRUST}
        edge = _persons(own)
        for _ in range((self.hops or _HOPS) - 1):
            further: list[tuple[str, int]] = []
            for name, level in edge:
                if reached.get(name, 0) >= level:
                    continue
                reached[name] = level
                theirs = self.links.get(name, {})
                if (said := _of(theirs, caller)) is not None:
                    best = max(best or 0, min(level, said))
                further += [(other, min(level, known)) for other, known in _persons(theirs)]
            edge = further
        return best


def _either(*stated: bool | frozenset[str]) -> bool | frozenset[str]:
    """Whose trust passes on by any of them."""
    persons = frozenset[str]().union(*(one for one in stated if not isinstance(one, bool)))
    return True if True in stated else persons or False


def _of(said: Mapping[str, int], caller: PartyFacts) -> int | None:
    """What these words say of a caller: of this very agent before its person."""
    known = said.get(caller.id)
    return said.get(f"user:{caller.person}") if known is None and caller.person else known


def _persons(said: Mapping[str, int]) -> list[tuple[str, int]]:
    return [(subject.removeprefix("user:"), level) for subject, level in said.items() if subject.startswith("user:")]
