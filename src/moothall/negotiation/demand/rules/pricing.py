"""What an offer costs for the whole of a demand: the advertised price, and the lowest its owner accepts.

The second figure is the owner's secret: it decides, and never stands in a text.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from moothall.directory.profiles import HOURS_PER_DAY, MOST_MONEY

if TYPE_CHECKING:
    from moothall.directory.profiles import AgentProfile, CapabilityOffer
    from moothall.negotiation.demand.models import Constraints

PLANNING_ATTENDEES = 30
"""Head count that prices and conditions assume while the demand names none; every text that rests on it says so."""


@dataclass(frozen=True, slots=True)
class Quote:
    """Prices for the whole demand in whole units of ``currency``; ``assumed``: they rest on the planning head count."""

    ask: int
    floor: int
    currency: str
    assumed: bool = False

    def threshold(self, round_number: int, max_rounds: int) -> int:
        """What is acceptable in a round: two thirds of the margin above the floor at first, the floor in the end."""
        if round_number >= max_rounds:
            return self.floor
        share = (max_rounds - round_number) / max_rounds
        return min(self.ask, math.ceil(self.floor + (self.ask - self.floor) * share))


def quote(profile: AgentProfile, offer: CapabilityOffer, limits: Constraints, *, units: int, travels: bool) -> Quote:
    """Price ``units`` of an offer; a minimum fee among its conditions binds both figures."""
    times = units * _times(offer, limits)
    fee = offer.travel_fee if travels else 0.0
    lowest = profile.reservation.floors.get(offer.tag, offer.price)
    fees = minimum_fee(offer)
    ask = max(_whole(offer.price * times + fee), fees)
    floor = max(_whole(lowest * times + fee), fees)
    assumed = offer.unit == "person" and limits.attendees is None
    return Quote(ask, min(floor, ask), offer.currency, assumed)


def minimum_fee(offer: CapabilityOffer) -> int:
    """The least an offer may cost by its own published conditions; 0 without one."""
    fees: Iterable[float] = (item.value or 0 for item in offer.conditions if item.kind == "min_fee")
    return _whole(max(fees, default=0))


def within(limits: Constraints, currency: str) -> float | None:
    """The stated budget where it can be compared with prices in ``currency``, else ``None``."""
    return limits.budget if limits.budget is not None and limits.currency == currency else None


def _whole(amount: float) -> int:
    """Rounded up; what is above ``MOST_MONEY``, which no offer may cost, stays just above it."""
    return math.ceil(min(amount, MOST_MONEY + 1))


def _times(offer: CapabilityOffer, limits: Constraints) -> int:
    days = max(1, limits.duration_days)
    match offer.unit:
        case "person":
            return limits.attendees if limits.attendees is not None else PLANNING_ATTENDEES
        case "hour":
            return HOURS_PER_DAY * days
        case "day":
            return days
        case _:
            return 1
