"""What this node decided about identities, as far as the verifier must know: a port, filled from its policy."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol, Self


class Decided(Protocol):
    """What the policy of a node says about identities, as it is now."""

    @property
    def suspended(self) -> frozenset[str]:
        """Those that are refused whatever they may: DIDs, and users as ``user:NAME``."""
        ...

    def granted(self, identity: str, /) -> frozenset[str]:
        """The permissions of a DID or of ``user:NAME``."""
        ...


class Standing(Protocol):
    """Looks identities up; what it answers may change while the node runs."""

    def granted(self, identity: str, /) -> frozenset[str]:
        """The permissions of a DID or of ``user:NAME``."""
        ...

    def suspended(self, identity: str, /) -> bool:
        """Whether it is refused whatever it may."""
        ...

    def own(self, did: str, /) -> bool:
        """Whether it is the DID of one of this node's own agents."""
        ...


def _nothing(_identity: str) -> frozenset[str]:
    return frozenset()


def _no(_identity: str) -> bool:
    return False


@dataclass(frozen=True, slots=True, kw_only=True)
class Standings:
    """A `Standing` of three look-ups, each of which knows nobody unless it is given."""

    granted: Callable[[str], frozenset[str]] = _nothing
    suspended: Callable[[str], bool] = _no
    own: Callable[[str], bool] = _no

    @classmethod
    def of(cls, decided: Decided, own: Callable[[str], bool]) -> Self:
        """The standing that a policy decides, asked anew each time: it may change while the node runs."""
        return cls(granted=decided.granted, suspended=lambda identity: identity in decided.suspended, own=own)
