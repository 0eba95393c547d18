"""Vectors of listings, from a provider, compared one by one; only where a node has a provider for them.

What a listing is embedded by is what it is called, tagged and says of itself, without what it denies.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np
import numpy.typing as npt

from moothall.directory.search.meaning import spread
from moothall.directory.search.negation import affirmed

if TYPE_CHECKING:
    from moothall.directory.listing import Listing

Matrix = npt.NDArray[np.float32]
Ids = npt.NDArray[np.int64]

MOST: Final = 50_000
"""Listings that have vectors; comparing with more takes too long."""

_NEAREST: Final = 200
_FAR: Final = 0.2
"""Nearness of texts that have nothing in common."""

_TEXT: Final = 400


@dataclass(frozen=True, slots=True)
class Model:
    """What makes vectors of texts, and how many numbers are in one; those of different models cannot be compared."""

    name: str
    size: int

    @property
    def mark(self) -> str:
        """What its vectors are kept under."""
        return f"{self.size} {self.name}"


NO_MODEL: Final = Model("", 0)


@dataclass(frozen=True, slots=True)
class Vectors:
    """Of listings by their ids, ascending; every vector has length 1."""

    ids: Ids
    matrix: Matrix

    def added(self, ids: Iterable[int], vectors: Sequence[Sequence[float]], alive: Ids) -> Vectors:
        """With more, and without those of listings that are not alive."""
        every = np.concatenate([self.ids, np.fromiter(ids, np.int64)])
        matrix = np.concatenate([self.matrix, np.asarray(vectors, np.float32).reshape(-1, self.matrix.shape[1])])
        kept = np.flatnonzero(np.isin(every, alive))
        order = kept[np.argsort(every[kept], kind="stable")]
        return Vectors(every[order], matrix[order])

    def near(self, vector: Sequence[float]) -> tuple[Ids, Matrix]:
        """The ids of the nearest, ascending, and how near they are, from 0 to 1."""
        nearness = self.matrix @ np.asarray(vector, np.float32)
        best = np.argsort(-nearness, kind="stable")[:_NEAREST]
        best = np.sort(best[nearness[best] > _FAR])
        return self.ids[best], np.clip((nearness[best] - _FAR) / (1 - _FAR), 0, 1).astype(np.float32)


def none(size: int) -> Vectors:
    """No vectors of this size."""
    return Vectors(np.empty(0, np.int64), np.empty((0, size), np.float32))


def line(listing: Listing) -> str:
    """What a listing is embedded by."""
    said = affirmed(listing.description[: 2 * _TEXT])
    return f"{spread(listing.name)}. {', '.join(listing.tags)}. {said}"[:_TEXT]
