"""How much all the answers to one call may be together. Pure."""

from __future__ import annotations

from collections.abc import AsyncIterable, AsyncIterator

from moothall.errors import Told, UpstreamInvalid


class Allowance:
    """Bytes that the agent may still send in one call, over however many connections.

    Of answers that take the place of one another, such as a task's states, the longest counts.

    Attributes:
        left: how many.
    """

    def __init__(self, most: int) -> None:
        self.left = most
        self._longest = 0

    async def metered(self, chunks: AsyncIterable[bytes]) -> AsyncIterator[bytes]:
        """What arrives, all of which stays.

        Raises:
            UpstreamInvalid: it is too much.
        """
        async for chunk in chunks:
            self.spend(len(chunk))
            yield chunk

    def replaced(self, size: int) -> None:
        """A state of the task came in whole. Raises as `metered`."""
        if size > self._longest:
            self.spend(size - self._longest)
            self._longest = size

    def spend(self, size: int) -> None:
        """So many bytes came. Raises as `metered`."""
        self.left -= size
        if self.left < 0:
            raise UpstreamInvalid("the answers are too long", told=Told("egress.long"))
