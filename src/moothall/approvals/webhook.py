"""Posting notices through the guarded client, signed by the node's agent; its receiver can verify who sends them."""

from __future__ import annotations

from collections.abc import Mapping
from http import HTTPStatus
from typing import Final

from moothall.clock import Clock
from moothall.errors import UpstreamError
from moothall.identity.destination import Destination
from moothall.identity.egress import Egress
from moothall.identity.keys import Signer
from moothall.identity.limited_body import Caps
from moothall.identity.signing import sign_request

_SECONDS: Final = 15.0
"""For one attempt; less than the outbox leaves a row alone."""

_CAPS: Final = Caps(most_bytes=64 * 1024, head_seconds=_SECONDS, idle_seconds=_SECONDS)
_LONGEST_WAIT: Final = 3_600


class NotTakenError(UpstreamError):
    """The receiver answered that it did not take it; ``retry_after`` in seconds, where it said so."""

    retry_after: float | None = None


class SignedPost:
    """Fills the port `notices.Post`.

    Args:
        egress: the guarded client.
        signer: the key and the DID URL of the node's own agent.
        clock: for the time in the signature.
    """

    def __init__(self, egress: Egress, signer: Signer, clock: Clock) -> None:
        self._egress = egress
        self._signer = signer
        self._clock = clock

    async def __call__(self, url: str, body: bytes, headers: Mapping[str, str]) -> None:
        """See `notices.Post`; redirects are not followed.

        Raises:
            InvalidInput: the guard refuses the address.
            NotTakenError, UpstreamError, CallTimeout: it was not delivered.
        """
        now = int(self._clock.now().timestamp())

        def proof(place: Destination) -> Mapping[str, str]:
            return sign_request(self._signer, "POST", place.uri, body, now=now)

        answer = await self._egress.request(
            "POST", url, headers=headers, content=body, seconds=_SECONDS, caps=_CAPS, proof=proof
        )
        if not HTTPStatus.OK <= answer.status < HTTPStatus.MULTIPLE_CHOICES:
            error = NotTakenError(f"the receiver answered with status {answer.status}")
            wait = answer.headers.get("retry-after", "")
            error.retry_after = float(min(int(wait), _LONGEST_WAIT)) if wait.isascii() and wait.isdigit() else None
            raise error
