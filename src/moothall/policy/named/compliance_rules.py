"""The kinds of rules that `CompliancePolicy` has, and when a call breaks one, in Cedar. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, datetime, time, timedelta
from typing import Annotated, Final, Literal, get_args
from zoneinfo import ZoneInfo

from pydantic import Field, model_validator

from moothall.policy.named.cedar import entities, like, moment, text, texts
from moothall.policy.named.named_policy import Id, Name, Pattern, Table

Weekday = Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
WEEKDAYS: Final[tuple[Weekday, ...]] = get_args(Weekday)
_WORKDAYS: Final = frozenset(WEEKDAYS[:5])

Host = Annotated[str, Field(pattern=r"^[a-z0-9.\-]+$")]


class Concerning(Table):
    """A rule about some capabilities: patterns of their ids."""

    capabilities: Annotated[tuple[Pattern, ...], Field(min_length=1)]


class Region(Table):
    """Who is in a region: only these may call capabilities whose option ``region`` names it.

    Attributes:
        units: organisations, departments and teams.
        hosts: names of hosts, whole and in lower case; whose DID is of one of them is in the region.
    """

    units: tuple[Id, ...] = ()
    hosts: tuple[Host, ...] = ()

    def broken(self, name: str) -> str:
        """Whether a call leaves the region."""
        inside = [f"principal in {entities('Unit', self.units)}"] if self.units else []
        for host in sorted(self.hosts):
            # A host ends the DID, or a path or a port (%3A) follows it: example.eu is no beginning of example.eu.net.
            inside += [f"principal.id == {text(f'did:wba:{host}')}"]
            inside += [f"principal.id like {like(f'did:wba:{host}{end}')}" for end in (":", "%3A")]
        return f"resource.region == {text(name)} && !({' || '.join(inside) or 'false'})"


class Purpose(Concerning):
    """Calls must say what they are for (header ``X-Moothall-Purpose``), and it must be one of these."""

    allowed: Annotated[frozenset[Name], Field(min_length=1)]

    def broken(self) -> str:
        """Whether a call has no such purpose."""
        return f"!{texts(self.allowed)}.contains(context.call.purpose)"


class Retention(Concerning):
    """How long data may be kept: nobody gets it any more from that moment, or the beginning of that day, on."""

    until: datetime | date

    def broken(self, zone: ZoneInfo) -> str:
        """Whether it is too late for a call; what names no zone is in this one."""
        until = self.until if isinstance(self.until, datetime) else datetime.combine(self.until, time.min)
        return f"context.call.now >= {moment(until if until.tzinfo else until.replace(tzinfo=zone))}"


class Hours(Concerning):
    """Calls are allowed in these hours only, in the zone of the table.

    Attributes:
        days: of the week.
        start, end: ``09:00`` to ``17:00``, the end not included; an end before the start is on the next day.
        closed: days on which nothing is allowed, such as holidays.
    """

    days: Annotated[frozenset[Weekday], Field(min_length=1)] = _WORKDAYS
    start: time
    end: time
    closed: frozenset[date] = frozenset()

    @model_validator(mode="after")
    def _some_time(self) -> Hours:
        if self.start == self.end or self.start.tzinfo or self.end.tzinfo:
            message = "start and end are two different times of a day, without a zone of their own"
            raise ValueError(message)
        return self

    def broken(self, zone: ZoneInfo) -> str:
        """Whether a call comes at another time; the engine tells minute and weekday in this zone."""
        start, end = (one.hour * 60 + one.minute for one in (self.start, self.end))
        days = {WEEKDAYS.index(day) + 1 for day in self.days}
        begun, ending = f"context.call.minute >= {start}", f"context.call.minute < {end}"
        if start < end:
            open_ = f"{_on(days)} && {begun} && {ending}"
        else:
            open_ = f"{_on(days)} && {begun} || {_on({day % 7 + 1 for day in days})} && {ending}"
        return " || ".join([f"!({open_})", *(f"({_during(day, zone)})" for day in sorted(self.closed))])


def _on(days: Iterable[int]) -> str:
    return f"[{', '.join(str(day) for day in sorted(days))}].contains(context.call.weekday)"


def _during(day: date, zone: ZoneInfo) -> str:
    begins, ends = (datetime.combine(one, time.min, zone) for one in (day, day + timedelta(days=1)))
    return f"context.call.now >= {moment(begins)} && context.call.now < {moment(ends)}"
