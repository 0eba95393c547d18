"""The ports of search: what asks, what answers, and what one hit is made of. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Final, Protocol

from moothall.directory.listing import Kind, Listing, Way
from moothall.identity.principal import Principal

MOST: Final = 100
"""Hits of one answer."""

LONGEST: Final = 4096
"""Characters of a query that are read."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Filters:
    """What hits must have; empty: anything. Tags and places are compared by their concepts, in any language."""

    kinds: frozenset[Kind] = frozenset()
    ways: frozenset[Way] = frozenset()
    tags: frozenset[str] = frozenset()
    owner: str = ""
    agent: str = ""
    place: str = ""
    day: str = ""
    """``YYYY-MM-DD`` on which it has to be there."""
    source: str = ""
    """Listed by this place; ``local``: of this node."""
    min_trust: int = 0
    standing: bool = True
    """Only what may be called."""


@dataclass(frozen=True, slots=True)
class Breakdown:
    """Why a hit stands where it stands; each part from 0 to 1, 0 where that part knows nothing of it."""

    concept: float = 0.0
    text: float = 0.0
    dense: float = 0.0
    trust: float = 0.0


@dataclass(frozen=True, slots=True)
class Hit:
    """Something that was found; ``score`` from 0 to 1, ``breakdown`` what it is made of."""

    listing: Listing
    score: float
    breakdown: Breakdown


@dataclass(frozen=True, slots=True)
class Found:
    """An answer.

    Attributes:
        hits: best first.
        total: how many there are that this caller may see, as far as that was counted.
        concepts: ids of the concepts that the query names; with ``-`` before those that it rules out.
        version: of the index; an answer to the same query at the same version is the same.
    """

    hits: tuple[Hit, ...]
    total: int
    concepts: tuple[str, ...]
    version: str


Visible = Callable[[Listing], bool]
"""Whether a caller may know of something; asked before anything is ranked or counted."""


class Search(Protocol):
    """Finds by meaning. Every method is safe to call while the index changes."""

    @property
    def version(self) -> str:
        """Of what is indexed now; another after every change."""
        ...

    async def search(self, query: str, filters: Filters, visible: Visible, *, limit: int = 20) -> Found:
        """The best hits for a query in words, Chinese or English; an empty query lists what the filters leave.

        Raises:
            InvalidInput: the query or a filter makes no sense.
            StorageError: the index cannot be read.
        """
        ...

    async def get(self, target: str) -> Listing | None:
        """What a target names."""
        ...

    async def put(self, listings: Iterable[Listing]) -> None:
        """Take in what is new or was changed; found from the return of this on."""
        ...

    async def remove(self, targets: Iterable[str]) -> None:
        """Take out."""
        ...


class Rights(Protocol):
    """What a caller may know of."""

    async def visible(self, principal: Principal, door: str) -> Visible:
        """A look-up for one caller, valid for one search.

        Raises:
            StorageError: the store cannot say what it may.
        """
        ...


class Embedder(Protocol):
    """Vectors of texts, from a provider; search works without it."""

    @property
    def name(self) -> str:
        """Of the model; vectors of another cannot be compared with its own."""
        ...

    @property
    def size(self) -> int:
        """Numbers in a vector."""
        ...

    async def embed(self, texts: Sequence[str]) -> Sequence[Sequence[float]]:
        """A vector of length 1 for each text.

        Raises:
            ModelUnavailable, ModelTimeout: the provider does not answer.
        """
        ...
