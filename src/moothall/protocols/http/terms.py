"""What the HTTP door needs of its house; the server hands it in."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from moothall.clock import Clock
from moothall.protocols.house import HouseTerms


@dataclass(frozen=True, kw_only=True)
class Terms(HouseTerms):
    """The terms.

    Attributes:
        clock: dates the answers.
        origins: whose pages may use the capabilities that want that (``enable_cors``), lower case.
        taken: whether an address is somebody else's, so that no capability can have it.
    """

    clock: Clock
    origins: frozenset[str]
    taken: Callable[[str], bool]
