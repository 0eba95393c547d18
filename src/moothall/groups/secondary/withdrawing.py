"""What secondary authorization lent to members ends when they leave, in the transaction in which they do."""

from __future__ import annotations

from collections.abc import Callable, Collection
from typing import Any

from sqlalchemy.engine import Connection

from moothall.errors import InvalidInput
from moothall.grants.service import Grants
from moothall.groups.model import Group
from moothall.groups.secondary.model import Secondary, read
from moothall.identity.principal import Principal


class Withdrawing:
    """Takes back what the primary agent of a group delegated to who is in it no more. See `membership.Withdraw`."""

    def __init__(self, grants: Grants) -> None:
        self._grants = grants

    def __call__(
        self, connection: Connection, group: Group, gone: Collection[str] | None, by: Principal
    ) -> tuple[dict[str, Any], Callable[[], None]]:
        """Take it back from these, from all where the primary agent is one of them; None: from everybody.

        Returns:
            What the group keeps of its secondary authorization from now on, and what is to be called after the commit.
        """
        kept = _read(group)
        if gone is None or kept.primary in gone:
            taken, rest = kept.chains, kept.model_copy(update={"chains": {}, "primary": ""})
        else:
            taken = {did: grants for did, grants in kept.chains.items() if did in gone}
            staying = {did: grants for did, grants in kept.chains.items() if did not in gone}
            rest = kept.model_copy(update={"chains": staying})
        if rest == kept:
            return dict(group.secondary), lambda: None
        ids = [grant for grants in taken.values() for grant in grants]
        return rest.model_dump(mode="json"), self._grants.exchange(connection, by, take=ids)


def _read(group: Group) -> Secondary:
    try:
        return read(group.secondary)
    except InvalidInput:  # nobody knows what it delegated; who leaves, leaves
        return Secondary()
