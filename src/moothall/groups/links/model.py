"""What a link of two groups is, how it begins and ends, and what may pass over it. Pure.

Both owners agree to the same terms; who proposes them has agreed. A link that is over never comes back: whoever wants
it again proposes another one.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, Any, Final, Literal, get_args

from pydantic import BaseModel, ConfigDict, Field

from moothall.errors import Conflict, InvalidInput, Told
from moothall.groups.model import MOST_MESSAGE
from moothall.people.texts import Text

ConnectionType = Literal["message", "call", "event"]
"""What passes: messages of members, calls of what members of the other group offer to their own, or events."""

Direction = Literal["both", "forth", "back"]
"""From which group to which: ``forth`` from the first that was named to the second."""

State = Literal["proposed", "active", "closed", "expired"]

TYPES: Final[tuple[ConnectionType, ...]] = get_args(ConnectionType)
DIRECTIONS: Final[tuple[Direction, ...]] = get_args(Direction)

USUAL_HOPS: Final = 3
MOST_HOPS: Final = 8
LONGEST: Final = 366 * 86_400
"""Seconds that a link with an end lasts."""
MOST_EVENTS: Final = 50

_TURNED: Final[Mapping[Direction, Direction]] = {"both": "both", "forth": "back", "back": "forth"}


class InterGroupPolicy(BaseModel):
    """What holds on a link besides its type and direction; part of what both owners agree to.

    Attributes:
        relay: whether what came into a group over another link goes on over this one by itself.
        events: the only event types that pass over a link of type ``event``; empty: all.
        most_bytes: of the content of what passes, as JSON.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    relay: bool = False
    events: tuple[Annotated[Text, Field(min_length=1, max_length=200)], ...] = Field(default=(), max_length=MOST_EVENTS)
    most_bytes: Annotated[int, Field(ge=1, le=MOST_MESSAGE)] = MOST_MESSAGE


class InterGroupConnection(BaseModel):
    """A link (row IGL-02).

    Attributes:
        group1, group2: ids of the groups; the smaller text is the first.
        direction: ``forth`` is from group1 to group2.
        hops: how many links something may have passed at most, this one included.
        consent1, consent2: who agreed for each of them; empty: nobody yet.
        established_at: when it was proposed.
        expires_at: after which it counts for nothing; None: until one of the owners closes it.
    """

    model_config = ConfigDict(frozen=True)

    id: str
    group1: str
    group2: str
    connection_type: ConnectionType
    direction: Direction = "both"
    hops: int = USUAL_HOPS
    state: State = "proposed"
    consent1: str = ""
    consent2: str = ""
    policy: InterGroupPolicy = InterGroupPolicy()
    established_at: datetime
    expires_at: datetime | None = None
    closed_at: datetime | None = None

    @property
    def groups(self) -> tuple[str, str]:
        """Both groups."""
        return self.group1, self.group2

    def open(self, now: datetime) -> bool:
        """Whether it counts now, or will once both have agreed."""
        return self.state in {"proposed", "active"} and not self.over(now)

    def over(self, now: datetime) -> bool:
        """Whether its time is up."""
        return self.expires_at is not None and self.expires_at <= now

    def holds(self, now: datetime) -> bool:
        """Whether anything may pass."""
        return self.state == "active" and not self.over(now)

    def carries(self, sender: str, receiver: str) -> bool:
        """Whether it leads from one group to the other, in that direction."""
        if (sender, receiver) == self.groups:
            return self.direction in {"both", "forth"}
        return (receiver, sender) == self.groups and self.direction in {"both", "back"}

    def seen_from(self, group: str) -> Direction:
        """Its direction, ``forth`` being away from this one of its groups."""
        return self.direction if group == self.group1 else _TURNED[self.direction]

    def other(self, group: str) -> str:
        """The group at the other end."""
        return self.group2 if group == self.group1 else self.group1


def proposed(  # noqa: PLR0913 - one for each column, given by their names
    link_id: str,
    group: str,
    other: str,
    kind: str,
    *,
    by: str,
    now: datetime,
    direction: str = "both",
    hops: int = USUAL_HOPS,
    policy: InterGroupPolicy | None = None,
    expires_at: datetime | None = None,
) -> InterGroupConnection:
    """A link as `group` proposes it to `other`, which has to agree.

    Raises:
        InvalidInput: a group with itself; a type, direction or number that there is not; or an end that has passed.
    """
    if group == other:
        raise InvalidInput("a group has no link with itself", told=Told("links.itself"))
    found = checked_type(kind)
    way = next((known for known in DIRECTIONS if known == direction), None)
    if way is None:
        told = Told("links.direction", {"choices": ", ".join(DIRECTIONS)})
        raise InvalidInput("there is no such direction", told=told)
    if not 1 <= hops <= MOST_HOPS:
        raise InvalidInput("a number of links out of range", told=Told("links.hops_range", {"most": MOST_HOPS}))
    if expires_at is not None and not 0 < (expires_at - now).total_seconds() <= LONGEST:
        raise InvalidInput("an end that has passed or is too far", told=Told("links.end", {"most": LONGEST}))
    first = group < other
    return InterGroupConnection(
        id=link_id,
        group1=group if first else other,
        group2=other if first else group,
        connection_type=found,
        direction=way if first else _TURNED[way],
        hops=hops,
        consent1=by if first else "",
        consent2="" if first else by,
        policy=policy or InterGroupPolicy(),
        established_at=now,
        expires_at=expires_at,
    )


def checked_type(text: str) -> ConnectionType:
    """A type of link.

    Raises:
        InvalidInput: there is none of that name.
    """
    found = next((known for known in TYPES if known == text), None)
    if found is None:
        raise InvalidInput("there is no such type of link", told=Told("links.type", {"choices": ", ".join(TYPES)}))
    return found


def consented(link: InterGroupConnection, group: str, by: str, now: datetime) -> InterGroupConnection:
    """The link once `by` has agreed for one of its groups; active where both have. Agreeing again changes nothing.

    Raises:
        Conflict: it is over.
    """
    if not link.open(now):
        raise Conflict("the link is over", told=Told("links.over"))
    side = "consent1" if group == link.group1 else "consent2"
    agreed = link if getattr(link, side) else link.model_copy(update={side: by})
    if agreed.consent1 and agreed.consent2 and agreed.state != "active":
        return agreed.model_copy(update={"state": "active"})
    return agreed


def closed(link: InterGroupConnection, now: datetime) -> InterGroupConnection:
    """The link once it was taken back, or its time is up; one that is over stays as it is."""
    if link.state not in {"proposed", "active"}:
        return link
    return link.model_copy(update={"state": "expired" if link.over(now) else "closed", "closed_at": now})


def same_terms(one: InterGroupConnection, other: InterGroupConnection) -> bool:
    """Whether two proposals ask for the same."""
    names = ("group1", "group2", "connection_type", "direction", "hops", "policy")
    return all(getattr(one, name) == getattr(other, name) for name in names)


def shown(link: InterGroupConnection, now: datetime) -> InterGroupConnection:
    """A link as it counts now: whose time is up is over, whatever the store says still."""
    return (
        link.model_copy(update={"state": "expired"})
        if link.state in {"proposed", "active"} and link.over(now)
        else link
    )


def json_of(link: InterGroupConnection) -> dict[str, Any]:
    """For the audit."""
    return link.model_dump(mode="json", include={"group1", "group2", "connection_type", "direction", "hops", "policy"})
