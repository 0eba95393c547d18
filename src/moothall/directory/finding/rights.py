"""What a caller may know of: its own node's part as the call path shows it, of the rest what is public.

What stands otherwise than listed, and what a server shows nobody but this node, is for the owner alone.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

from moothall.calls.ports import Gateway
from moothall.directory.finding.local import PROFILE, target_of
from moothall.directory.listing import Listing
from moothall.directory.searching import Visible
from moothall.identity.keystore import DEFAULT_AGENT
from moothall.identity.principal import Principal

_SHOWS_PROFILES: Final = f"{DEFAULT_AGENT}.agents.show"


class HouseRights:
    """The rights of this node's callers; see `moothall.directory.searching.Rights`.

    Args:
        gateway: gives the call path, which is made after this.
        dids: the hosted agents' DIDs by their names.
    """

    def __init__(self, gateway: Callable[[], Gateway], dids: Callable[[], Mapping[str, str]]) -> None:
        self._gateway = gateway
        self._dids = dids

    async def visible(self, principal: Principal, door: str) -> Visible:
        """A look-up for one caller; raises StorageError."""
        entries = await self._gateway().visible(principal, door)
        seen = {target_of(entry) for entry in entries}
        agents = {entry.agent for entry in entries}
        dids = self._dids()
        seen |= {dids[agent] for agent in agents if agent in dids}
        profiles = any(entry.id == _SHOWS_PROFILES for entry in entries)
        owner = principal.owner or principal.operator

        def visible(listing: Listing) -> bool:
            if listing.local:
                return listing.target in seen or (profiles and listing.target.startswith(PROFILE))
            return owner or (listing.public and listing.standing == "listed")

        return visible
