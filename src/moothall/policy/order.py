"""In which order rights are looked for, and what comes of them (rows SEC-03, POL-03). Pure.

Hard denial, direct right, delegation, right of a team, approval, denial. Any refusal wins over any right: Cedar sees to
that for one party; here a refusal of anybody in a delegation closes it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Final, Protocol

from moothall.grants.model import Chain
from moothall.policy.evaluation import Step, Verdict

MOST_CHAINS: Final = 8
"""Delegations of different parties that are tried for one decision. Others can send somebody as many as they like."""


class Asks(Protocol):
    """What asks the policies about the parties of one call."""

    def ask(self, party: str, step: Step, depth: int, *, approved: bool, opened: bool = False) -> Verdict:
        """What Cedar says; ``opened``: a delegation of the called agent's own side names the capability."""
        ...

    def refuses(self, party: str) -> bool:
        """Whether a policy in Python refuses a party."""
        ...

    def own(self, party: str) -> bool:
        """Whether a party belongs to the side of the called agent: is of its person, of the node as it is, or is it."""
        ...

    def late(self, names: Sequence[str]) -> bool:
        """Whether these policies give a right that a delegation goes before, such as one of a team."""
        ...

    def hears_approval(self) -> bool:
        """Whether any policy that may speak of the call asks for an approval."""
        ...


@dataclass(frozen=True, slots=True)
class Finding:
    """What one round has found.

    Attributes:
        verdict: of the caller, or of the root of the delegation that gives the right.
        chain: that delegation.
    """

    verdict: Verdict
    chain: Chain | None = None

    @property
    def allowed(self) -> bool:
        """Whether there is a right, and no refusal."""
        return self.verdict.allowed


def considered(chains: Iterable[Chain], own: Callable[[str], bool]) -> list[Chain]:
    """The delegations that are tried, in order; of those of the same parties one says what all would.

    First those of the called agent's own side, then the shorter ones; at most `MOST_CHAINS`.
    """
    distinct: dict[tuple[str, ...], Chain] = {}
    for chain in chains:
        distinct.setdefault(chain.parties, chain)
    return sorted(distinct.values(), key=lambda chain: (not own(chain.root), len(chain.links)))[:MOST_CHAINS]


def find(asks: Asks, caller: str, chains: Iterable[Chain], *, approved: bool) -> Finding:
    """One round; ``chains`` are the caller's delegations that cover the call now."""
    direct = Finding(asks.ask(caller, "direct", 0, approved=approved))
    if direct.allowed and not asks.late(direct.verdict.policies):
        return direct
    for chain in chains:
        through = _through(asks, chain, approved=approved)
        if through is not None:
            return through
    return direct


def _through(asks: Asks, chain: Chain, *, approved: bool) -> Finding | None:
    """What a delegation gives: its root has the right now, and nobody in it is refused.

    Walls between agents of one person open only to what somebody behind them gave: else a stranger, who may call what
    they hide from the person's own lesser agents, could let those in.
    """
    depth = len(chain.links)
    root = asks.ask(chain.root, "root", depth, approved=approved)
    if not root.allowed or asks.refuses(chain.root):
        return None
    opened = asks.own(chain.root)
    for party in chain.parties[1:]:
        if asks.ask(party, "link", depth, approved=approved, opened=opened).forbidden:
            return None
    return None if any(asks.refuses(party) for party in chain.parties[1:-1]) else Finding(root, chain)


@dataclass(frozen=True, slots=True)
class Settled:
    """What both rounds have found.

    Attributes:
        effect: ``approve`` where there is a right only once somebody has approved the call.
        finding: that allowed, or the denial.
        lifted: policies that stood in the way before the approval.
    """

    allowed: bool
    approve: bool
    finding: Finding
    lifted: tuple[str, ...] = ()


def settle(asks: Asks, caller: str, chains: Sequence[Chain]) -> Settled:
    """Look for a right as the call stands, and where there is none, as if it had been approved."""
    first = find(asks, caller, chains, approved=False)
    if first.allowed or not asks.hears_approval():
        return Settled(first.allowed, approve=False, finding=first)
    second = find(asks, caller, chains, approved=True)
    if not second.allowed:  # what would stand in the way of an approved call, too, is the reason
        return Settled(allowed=False, approve=False, finding=second)
    return Settled(allowed=True, approve=True, finding=second, lifted=first.verdict.policies)
