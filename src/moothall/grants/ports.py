"""What delegations need of others, handed in where a node is put together."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

from moothall.audit.record import Recorder
from moothall.clock import Clock
from moothall.identity.document import DidDocument
from moothall.identity.keys import Signer
from moothall.storage.revisions import Revisions
from moothall.storage.store import Store


class Documents(Protocol):
    """Finds the document of a DID; raises as `moothall.identity.resolver.Resolver.resolve`."""

    async def resolve(self, did: str, /, *, refresh: bool = False) -> DidDocument:
        """The document of a DID."""
        ...


class Signers(Protocol):
    """Finds the keys of this node's agents."""

    def __call__(self, did: str, /) -> Signer | None:
        """The key of an agent of this node, by its DID; None: no agent of this node has that DID."""
        ...


class Held(Protocol):
    """Says what somebody may do now by a right of its own; the policy fills it."""

    async def __call__(
        self, did: str, actions: frozenset[str], capabilities: frozenset[str] | None = None, /
    ) -> Mapping[str, frozenset[str]]:
        """For each of these actions the ids of the capabilities (``AGENT.NAME``) that it may do it with.

        Only ``capabilities`` are looked at, which are ids; None: all that there are.
        Delegations to it do not count, nor does what would need an approval.

        Raises:
            StorageError: the store cannot say.
        """
        ...


class OnChange(Protocol):
    """Hears of every change, after its commit and before anybody else runs."""

    def __call__(self, holders: frozenset[str], revision: int, /) -> None:
        """Whose delegations changed (DIDs, those further down the chains included), and the new number."""
        ...


def nobody_listens(_holders: frozenset[str], _revision: int, /) -> None:
    """What is called where nobody wants to hear of changes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ground:
    """What the delegations of a node stand on; ``audience`` is the node's base URL."""

    store: Store
    revisions: Revisions
    clock: Clock
    audience: str
    documents: Documents
    signers: Signers
    held: Held
    recorder: Recorder
    on_change: OnChange = nobody_listens
