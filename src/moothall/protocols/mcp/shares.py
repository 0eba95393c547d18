"""How much of a kind one caller may have open, so that nobody takes all that there is."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager

from moothall.errors import Overloaded, Told
from moothall.protocols.mcp.visits import Visit


class Shares:
    """Counts what is open, caller by caller.

    Args:
        most: of one that proved who it is.
        unproved: of those at one address that prove nothing.
        full: key of the text for whom has as many as it may; ``most`` is in it.
    """

    def __init__(self, most: int, unproved: int, full: str) -> None:
        self._most = most
        self._unproved = unproved
        self._full = full
        self._open: Counter[tuple[str, str]] = Counter()

    @contextmanager
    def one_of(self, visit: Visit) -> Iterator[None]:
        """One more is open meanwhile.

        Raises:
            Overloaded: the sender of this request has as many as it may.
        """
        principal = visit.principal
        proved = principal.verified
        who = (principal.id, "" if proved else visit.address)
        most = self._most if proved else self._unproved
        if self._open[who] >= most:
            raise Overloaded("too much at once for one caller", told=Told(self._full, {"most": most}))
        self._open[who] += 1
        try:
            yield
        finally:
            self._open[who] -= 1
            if not self._open[who]:
                del self._open[who]
