"""Who a call comes from, as the verifier found it; nothing else in the node may make one up (row AUT-06). Pure."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final, Literal

Kind = Literal["anonymous", "did", "owner", "admin", "user", "participant", "stream", "local"]
"""What proved the identity: nothing, a DID's key, the token or process of the node's owner, the admin key, a user's API
key, a participant's or a stream's token; ``local``: nothing, on a node that listens on loopback and asks nobody."""

Binding = Literal["none", "header", "token", "request"]
"""What the proof covers, weakest first: nothing, a header that could be sent with any body, a bearer token, the whole
request."""

_OPERATORS: Final[frozenset[Kind]] = frozenset({"owner", "admin"})
"""Whoever has one of these keys can read the node's data and settings: a proof of more would protect nothing."""

EVERYTHING: Final = "*"
"""The permission that contains every other."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Principal:
    """A caller.

    Attributes:
        id: a DID, ``user:NAME``, ``owner``, ``admin``, ``anonymous``, …; stable, and unique among all kinds.
        kind: what proved it.
        verified: whether anything did.
        binding: what the proof covers.
        permissions: what it was granted by name, by a key or a setting.
        owner: whether it acts for the owner of this node (the process itself, the owner's token, the node's agents).
        key_bound: whether a DID contains the fingerprint of its key; those of the old path form do not.
        key: the DID URL of the key that signed, where one did.
    """

    id: str
    kind: Kind
    verified: bool = True
    binding: Binding = "none"
    permissions: frozenset[str] = frozenset()
    owner: bool = False
    key_bound: bool = True
    key: str = ""

    @property
    def operator(self) -> bool:
        """Whether it is the operator of this node: the process itself, or whoever has the owner's or the admins' key.

        An agent that acts for the owner is not, whatever kind it has: its id is not that of a key.
        """
        return self.verified and self.kind in _OPERATORS and self.id == self.kind

    def holds(self, permissions: tuple[str, ...]) -> bool:
        """Whether it was granted every one of these permissions; of none, nobody holds all."""
        if not permissions or not (self.verified or self.kind == "local"):
            return False
        return EVERYTHING in self.permissions or self.permissions.issuperset(permissions)


ANONYMOUS: Final = Principal(id="anonymous", kind="anonymous", verified=False)
OWNER: Final = Principal(id="owner", kind="owner", binding="request", permissions=frozenset({EVERYTHING}), owner=True)
"""The node's own process."""
OWNER_BY_TOKEN: Final = replace(OWNER, binding="token")
"""Whoever shows the token that only the node's user can read; it says nothing of the request that it came with."""
