"""Which groups have links with which, for their owners and nobody else (row IGL-05)."""

from __future__ import annotations

from moothall.groups.links.model import InterGroupConnection
from moothall.groups.links.register import Links
from moothall.identity.principal import OWNER, Principal


class InterGroupRelations:
    """The relations of groups, by their ids; who looks is `by`, the node's own process unless given."""

    def __init__(self, links: Links, by: Principal = OWNER) -> None:
        self._links, self._by = links, by

    async def get(self, group_id: str) -> list[InterGroupConnection]:
        """The links of a group, the first thousand.

        Raises:
            PermissionDeniedError: who looks does not rule it, or there is no such group.
            StorageError: the store cannot say.
        """
        return await self._links.of(group_id, by=self._by)
