"""What real time needs to know of groups; the room of groups fills it."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, Protocol

from moothall.events.model import Event
from moothall.identity.principal import Principal

JOIN: Final = "moot.group.join"
LEAVE: Final = "moot.group.leave"
"""Types of the events with which a group's topic tells who came and who went."""

MEMBER: Final = "member"
"""Field of their payloads: whose DID."""

OnMoved = Callable[[Collection[str] | None, int], None]
"""Is told whose memberships a committed change may touch (DIDs; None: anybody's), and the revision that it made."""


Sight = Callable[[Event], bool]
"""Whether a member may see an event of its group's topic; it holds until a change that touches the member."""


@dataclass(frozen=True, slots=True)
class Seat:
    """A member of a group.

    Attributes:
        sight: what it may see.
        since: when it came; what is older it may not see.
        mark: differs from that of another moment where one of the two does.
    """

    sight: Sight
    since: datetime
    mark: object = None


class Groups(Protocol):
    """Who is in which group, and the way to say something there."""

    async def groups_of(self, did: str) -> Collection[str]:
        """The groups that somebody is an active member of."""
        ...

    async def members(self, group_id: str) -> Sequence[str]:
        """The active members of a group; none where there is no such group."""
        ...

    async def seat(self, group_id: str, did: str) -> Seat | None:
        """Somebody as a member of a group; None for who is no active one."""
        ...

    async def marks(self, dids: Collection[str]) -> Mapping[str, Mapping[str, object]]:
        """The marks of the seats that these have now, by their groups, all of one moment."""
        ...

    async def post(self, group_id: str, sender: Principal, message: Mapping[str, Any]) -> Event:
        """Say something in a group in the name of a principal; every rule of the group is asked.

        Raises:
            PermissionDeniedError: it is not a member, or may not.
        """
        ...

    def on_change(self, listener: OnMoved) -> None:
        """Call this after each commit of this process that changes who is in a group, before it is answered."""
        ...

    async def revision(self) -> int:
        """The number of the last change, by whichever process."""
        ...
